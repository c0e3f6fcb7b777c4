"""Files that a person uploads, as arrays: FITS images, pictures and tables.

Shapes are written with C bands and H x W pixels.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.readers.raw_image import LeftOutError
from pcvae.errors import brief

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECODERS", "Arrays", "check_plain", "squeezed"]

Arrays = dict[str, NDArray[Any]]
MAX_SIDE = 8192  # px, of a picture
MAX_COLUMNS = 2048  # of a table
MAX_ROWS = 1 << 20  # of a table
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")


def images(paths: Sequence[Path], bands: Sequence[str]) -> Arrays:
    """The planes of FITS files, each (H, W) under ``plane_BAND``, and where they are.

    Returns:
        The planes; ``sky``, if it is known: pixel scale [arcsec], direction of north [rad],
        right ascension and declination of the middle [deg]; and ``ebv`` [mag], if it is stated.

    Raises:
        LeftOutError: A file cannot be read.
    """
    from data.readers.fits_file import read_ebv, read_planes

    found: Arrays = {}
    for path in paths:
        planes, sky = read_planes(path, bands)
        found = {f"plane_{band}": plane for band, plane in planes.items()} | found
        if sky and "sky" not in found:
            found["sky"] = np.array([sky.pixel_scale, sky.north_angle, *sky.middle])
        if "ebv" not in found and np.isfinite(ebv := read_ebv(path)):
            found["ebv"] = np.array([ebv])
    return found


def picture(paths: Sequence[Path], names: Sequence[str]) -> Arrays:
    """A PNG or JPEG picture under ``picture``, (H, W, 3) of uint8, first row at the top.

    Raises:
        LeftOutError: It cannot be read, or is too large.
    """
    from PIL import Image

    from data.readers.picture_files import KINDS, UNREADABLE

    (path,) = paths
    try:
        with Image.open(path, formats=KINDS) as opened:
            if max(opened.size) > MAX_SIDE:
                msg = f"expected at most {MAX_SIDE} pixels on a side, found {opened.size}"
                raise LeftOutError("picture too large", msg)
            return {"picture": np.asarray(opened.convert("RGB"))}
    except UNREADABLE as error:
        msg = f"expected a PNG or JPEG picture; {brief(error)}"
        raise LeftOutError("cannot be read", msg.replace(str(path), path.name)) from error


def table(paths: Sequence[Path], names: Sequence[str]) -> Arrays:
    """The columns of a table whose squeezed names are wanted, and the names of all.

    Returns:
        ``json``: its bytes, of a list of all names (at most 20) and of a list of values a column.

    Raises:
        LeftOutError: It cannot be read, or is too large.
    """
    (path,) = paths
    try:
        return _wanted_columns(path, names)
    except LeftOutError:
        raise
    except Exception as error:  # each of five formats has errors of its own
        words = re.sub(r"\S*(?=targets\.)", "", brief(error))
        raise LeftOutError("cannot be read as a table", words) from error


def _wanted_columns(path: Path, names: Sequence[str]) -> Arrays:
    frame = _csv(path, names) if path.suffix == ".csv" else _other_table(path)
    if len(frame) > MAX_ROWS:
        msg = f"expected at most {MAX_ROWS:,} rows, found {len(frame):,}"
        raise LeftOutError("table too large", msg)
    kept = [name for name in frame.columns if squeezed(str(name)) in names]
    columns = [[str(name), frame[name].tolist()] for name in kept]
    content = {"rows": len(frame), "all": [str(name) for name in frame], "columns": columns}
    return {"json": np.frombuffer(json.dumps(content, default=str).encode(), np.uint8)}


def squeezed(name: str) -> str:
    """A column's name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def check_plain(start: bytes) -> None:
    """Refuse a packed file by its first bytes, whatever it is called.

    Raises:
        LeftOutError: It is packed.
    """
    if start.startswith(PACKED):
        raise LeftOutError("it is compressed", "expected it unpacked")


def _csv(path: Path, names: Sequence[str]) -> "pd.DataFrame":
    """A table of texts, with any separator; ids keep their leading zeros."""
    import pandas as pd

    with path.open("rb") as file:
        head = next((line for line in file if not line.startswith(b"#")), b"")
    mark = max((",", ";", "\t"), key=lambda text: head.count(text.encode()))
    if (found := head.count(mark.encode()) + 1) > MAX_COLUMNS:
        msg = f"expected at most {MAX_COLUMNS:,} columns, found {found:,}"
        raise LeftOutError("table too large", msg)
    return pd.read_csv(
        path, sep=mark, dtype=str, comment="#", skipinitialspace=True, compression=None
    )


def _other_table(path: Path) -> "pd.DataFrame":
    """A FITS, VOTable, ECSV or Parquet table, once its declared size is known to be small."""
    from pcvae.catalog import read_table

    if path.suffix in (".parquet", ".pq"):
        _check_parquet(path)
    elif path.suffix in (".fits", ".fit"):
        from data.readers.fits_limits import checked

        checked(path).close()
    return read_table(path)


def _check_parquet(path: Path) -> None:
    import pyarrow.parquet as pq

    from data.readers.fits_limits import MAX_TABLE

    facts = pq.read_metadata(path)
    size = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    values = facts.num_rows * facts.num_columns
    if facts.num_columns > MAX_COLUMNS or facts.num_rows > MAX_ROWS or size > MAX_TABLE:
        msg = f"it declares {facts.num_rows:,} rows of {facts.num_columns:,} columns"
        raise LeftOutError("table too large", msg)
    if values * 8 > MAX_TABLE:
        msg = f"expected at most {MAX_TABLE >> 3:,} values, it declares {values:,}"
        raise LeftOutError("table too large", msg)


DECODERS: dict[str, Callable[[Sequence[Path], Sequence[str]], Arrays]] = {
    "images": images,
    "picture": picture,
    "table": table,
}
