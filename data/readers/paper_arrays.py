"""The array files that the authors of the method published, each with its own order of columns.

All hold ``x``, images (N, S, S, 3), and ``y``, a row of numbers a galaxy; none says what they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.raw_image import LeftOutError, RawImage
from data.readers.units import half_width, per_gyr_to_per_yr, relative_to_dex
from pcvae.errors import SettingsError, ShapeError

__all__ = ["FILES", "PublishedSource", "open_published", "published_files"]

PIXEL_SCALE = 0.262  # arcsec
RAW_BANDS = ("g", "r", "z")
STRETCHED = "FullSample_26k_photoz_wOrientation.npz"
STRETCHED_BANDS = ("z", "r", "g")  # so that it shows as red, green, blue

Columns = dict[str, NDArray[np.float64]]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Published:
    """The content of one of the files.

    Args:
        survey: Of its galaxies.
        population: Of its galaxies.
        columns: How many numbers a galaxy it has at least.
        labels: Our columns from its ``y``.
    """

    survey: str
    population: str
    columns: int
    labels: Callable[[Numbers], Columns]


def _gama(y: Numbers) -> Columns:
    names = ("redshift", "log_mass", "log_sfr", "log_mass_err", "log_sfr_err")
    return {"number": y[:, 0]} | dict(zip(names, y[:, 1:6].T, strict=True))


def _zou(y: Numbers) -> Columns:
    labels = {
        "number": y[:, 0],
        "redshift": y[:, 1],
        "log_mass": y[:, 2],
        "log_sfr": per_gyr_to_per_yr(y[:, 3]),
        "log_mass_err": relative_to_dex(y[:, -2]),
        "log_sfr_err": relative_to_dex(y[:, -1]),
    }
    return labels | ({"redshift_err": half_width(y[:, 4], y[:, 5])} if y.shape[1] >= 8 else {})


def _spirals(y: Numbers) -> Columns:
    return {"redshift": y[:, 0]}


def _peas(y: Numbers) -> Columns:
    return {
        "redshift": y[:, 0],
        "log_mass": y[:, 1],
        "log_sfr": per_gyr_to_per_yr(y[:, 2]),
    }


def _all(y: Numbers) -> Columns:
    return _peas(y) | {
        "log_mass_err": y[:, 3],
        "log_sfr_err": y[:, 4],
        "orientation": y[:, 5],
        "orientation_err": y[:, 6],
    }


FILES = {
    "Gama_16k_specz.npz": Published("GAMA DR4", "field", 6, _gama),
    "Zou_10k_specz.npz": Published("Zou+2022", "field", 6, _zou),
    "RedSpirals.npz": Published("Red Spirals", "red_spiral", 1, _spirals),
    "GreenPeas.npz": Published("Green Peas", "green_pea", 3, _peas),
    STRETCHED: Published("GAMA DR4, Zou+2022", "field", 7, _all),
}


class PublishedSource:
    """The images of some of the files, one after the other; read from disk as they are needed.

    Raw ones are nanomaggies, in g r z. Those of the full sample are stretched already, in z r g;
    what is below zero there is noise of the sky, and becomes zero.

    Args:
        files: The files.
        images: The array (N, S, S, 3) of each.
        stretched: They are those of the full sample.
    """

    pixel_scale: float | None = PIXEL_SCALE
    bands = RAW_BANDS

    def __init__(
        self, files: Sequence[Path], images: Sequence[NDArray[np.floating]], *, stretched: bool
    ) -> None:
        self.files, self._images = files, images
        self._ends = np.cumsum([len(array) for array in images])
        self.unit = "stretched" if stretched else "nanomaggy"
        self.size = min(array.shape[1] for array in images)
        if stretched:
            self.pixel_scale = None  # resized from 128 px of 0.262 arcsec, or from another size

    def read(self, row: int) -> RawImage:
        """The picture of a row."""
        file = int(np.searchsorted(self._ends, row, side="right"))
        image = self._images[file][row - self._ends[file]]
        planes = np.moveaxis(np.asarray(image, np.float32), 2, 0)
        middle = ((planes.shape[2] - 1) / 2,) * 2
        if self.unit == "nanomaggy":
            return RawImage(planes, middle, self.pixel_scale)
        if not np.isfinite(planes).all():
            raise LeftOutError("pixels not finite", f"{int((~np.isfinite(planes)).sum())} of them")
        order = [STRETCHED_BANDS.index(band) for band in RAW_BANDS]
        return RawImage(np.clip(planes[order], 0, 1), middle, display=True)


def published_files(place: Path) -> list[Path]:
    """Those of the files that a folder has, or the one that ``place`` is.

    The full sample is the other four's galaxies again, so a folder's raw files come without it.
    """
    if place.is_file():
        return [place] if place.name in FILES else []
    found = [place / name for name in FILES if (place / name).is_file()]
    raw = [path for path in found if path.name != STRETCHED]
    return raw or found


def open_published(files: Sequence[Path]) -> tuple[pd.DataFrame, PublishedSource]:
    """The table and the images of the files.

    Raises:
        ShapeError: A file does not hold what it is known to.
    """
    tables, images = [], []
    for path in files:
        known, x, y = FILES[path.name], _array(path, "x"), np.asarray(_array(path, "y"))
        y = y.reshape(len(y), -1).astype(np.float64)
        if x.ndim != 4 or x.shape[1] != x.shape[2] or x.shape[3] != 3 or len(x) != len(y):
            msg = f"expected x (N, S, S, 3) and y (N, ...) in {path}, found {x.shape}, {y.shape}"
            raise ShapeError(msg)
        if y.shape[1] < known.columns:
            msg = f"expected at least {known.columns} columns of y in {path}, found {y.shape[1]}"
            raise ShapeError(msg)
        tables.append(_table(known, y))
        images.append(x)
    stretched = any(path.name == STRETCHED for path in files)
    table = pd.concat(tables, ignore_index=True)
    again = table["id"].duplicated(keep=False)
    table.loc[again, "id"] += "_" + table.index[again].astype(str)
    return table, PublishedSource(files, images, stretched=stretched)


def _table(known: Published, y: Numbers) -> pd.DataFrame:
    table = pd.DataFrame(known.labels(y)).assign(survey=known.survey, population=known.population)
    numbers = table.pop("number") if "number" in table else pd.Series(np.arange(len(y)))
    start = known.survey.split()[0].split("+")[0].lower()
    prefix = known.population if known.population != "field" else start
    table.insert(0, "id", prefix + "_" + numbers.astype(np.int64).astype(str))
    return table


def _array(path: Path, key: str) -> NDArray[np.floating]:
    """An array of a npz file; on disk still, if it is not compressed."""
    try:
        with ZipFile(path) as archive:
            member = archive.getinfo(f"{key}.npy")
            if member.compress_type == ZIP_STORED:
                return _mapped(path, archive, member.filename)
        with np.load(path, allow_pickle=False) as file:
            return file[key]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        msg = f"expected an array of numbers {key!r} in {path}, which cannot be read: {error}"
        raise ShapeError(msg) from error


def _mapped(path: Path, archive: ZipFile, name: str) -> NDArray[np.floating]:
    with archive.open(name) as member:
        start = archive.fp.tell() if archive.fp else 0
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0
        shape, fortran, dtype = (
            read if version == (1, 0) else np.lib.format.read_array_header_2_0
        )(member)
        header = member.tell()
    if dtype.hasobject or not np.issubdtype(dtype, np.number):
        msg = f"{name} holds {dtype}"
        raise ValueError(msg)
    order: Literal["F", "C"] = "F" if fortran else "C"
    return np.memmap(path, dtype, "r", start + header, shape, order)


def check_options(bands: Sequence[str] | None) -> None:
    """Refuse options that contradict the files.

    Raises:
        SettingsError: One contradicts them.
    """
    if bands is not None and tuple(bands) != RAW_BANDS:
        msg = f"the published arrays are of bands {','.join(RAW_BANDS)}, found {','.join(bands)}"
        raise SettingsError(msg)
