"""The table of galaxies: its columns, and how to read one from the formats astronomers use."""

from collections.abc import Sequence
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
import pyarrow as pa

from pcvae.errors import CatalogError, brief
from pcvae.labels import LABELS

__all__ = ["FIELD", "SUFFIXES", "complete", "flux_columns", "read_table"]

FIELD = "field"
SHAPE_COLUMNS = ("orientation", "orientation_err", "axis_ratio", "r50")
ASTROPY = {
    ".ecsv": "ascii.ecsv",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".xml": "votable",
    ".votable": "votable",
}
GZIP = b"\x1f\x8b"  # the first bytes of a compressed file
MAX_FLAG = 2**31 - 1
MAX_AXES = 999  # by the FITS Standard 4.0, section 4.4.1
SUFFIXES = (".csv", *ASTROPY, ".parquet", ".pq")


def flux_columns(bands: Sequence[str]) -> list[str]:
    """The columns of the aperture fluxes [nanomaggy] of these bands, in their order."""
    return [f"flux_{band}" for band in bands]


def complete(table: pd.DataFrame, bands: Sequence[str]) -> pd.DataFrame:
    """Return the table with every column of the schema, known ones first.

    What is unknown is NaN (``survey`` is empty, ``population`` is ``field``); other columns
    pass through behind the known ones.

    Args:
        table: At least a column ``id``, unique within the table.
        bands: The bands whose aperture fluxes the catalogue has.

    Raises:
        CatalogError: An ``id`` is missing or occurs twice, or a number is not a number.
    """
    known: dict[str, pd.Series] = {"id": _ids(table)}
    for name in ("ra", "dec"):
        known[name] = _number(table, name)
    known["survey"] = _text(table, "survey", "")
    known["population"] = _text(table, "population", FIELD)
    for name in _numbers(bands):
        known[name] = _number(table, name)
    known["orientation_flag"] = _flag(table, "orientation_flag")
    rest = {name: table[name] for name in table.columns if name not in known}
    return pd.DataFrame(known | rest).reset_index(drop=True)


def read_table(path: Path, id_column: str = "id") -> pd.DataFrame:
    """Read a CSV, ECSV, FITS, VOTable or Parquet table; ids and text come back as text.

    Args:
        path: The file.
        id_column: The column of a CSV table whose digits are a name, not a number.

    Raises:
        CatalogError: The file is missing, of an unknown kind, or broken.
    """
    if not path.is_file():
        msg = f"expected a table at {path}, found no such file"
        raise CatalogError(msg)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        msg = f"expected a table ending in {', '.join(SUFFIXES)}, found {path.name}"
        raise CatalogError(msg)
    try:
        if suffix in (".parquet", ".pq"):
            return _decoded(_sound(pd.read_parquet(path)))
        if suffix == ".csv":
            return _csv_table(path, id_column)
        return _astropy_table(path)
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, MemoryError) as error:
        msg = f"{path} cannot be read as a {suffix[1:]} table: {brief(error)}"
        raise CatalogError(msg) from error


def _csv_table(path: Path, id_column: str) -> pd.DataFrame:
    """The table below the comments at its head; a ``#`` further down is text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = 0
        while file.readline().startswith(("#", "\r", "\n")):
            start = file.tell()
        file.seek(start)
        return pd.read_csv(file, dtype={"id": str, id_column: str}, skipinitialspace=True)


def _astropy_table(path: Path) -> pd.DataFrame:
    from astropy.table import Table

    kind = ASTROPY[path.suffix.lower()]
    try:
        if kind == "fits":
            _check_axes(path)
            _check_size(path)
        table = Table.read(path, format=kind)
    except Exception as error:  # each format has errors and warnings of its own
        raise OSError(brief(error)) from error
    flat = [name for name in table.colnames if table[name].ndim == 1]
    return _decoded(table[flat].to_pandas())


def _check_axes(path: Path) -> None:
    """Refuse a FITS file whose first header states more axes than there can be.

    Astropy makes a list as long as that before it reads anything.
    """
    from astropy.io import fits

    axes = fits.Header.fromfile(path, padding=False).get("NAXIS")
    if not isinstance(axes, int) or not 0 <= axes <= MAX_AXES:
        msg = f"expected NAXIS from 0 to {MAX_AXES}, found {axes!r}"
        raise OSError(msg)


def _check_size(path: Path) -> None:
    """Refuse a FITS file whose headers state more data than it has, before any is read."""
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    with path.open("rb") as file:
        if file.read(2) == GZIP:
            return
    there = path.stat().st_size
    with catch_warnings(), fits.open(path, memmap=True) as hdus:
        simplefilter("ignore", AstropyUserWarning)  # it warns of just that
        for hdu in hdus:
            end = hdu.fileinfo()["datLoc"] + hdu.size
            if end > there:
                msg = f"its header states data up to byte {end:,}, the file has {there:,}"
                raise ValueError(msg)


def _sound(frame: pd.DataFrame) -> pd.DataFrame:
    """The table, all of whose texts are texts: Arrow checks them when they are used."""
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.StringDtype):
            pa.chunked_array(frame[name].array).validate(full=True)
    return frame


def _decoded(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with its bytes as text."""
    for name in frame.columns:
        values = frame[name]
        if values.dtype == object and any(isinstance(value, bytes) for value in values):
            frame[name] = [v.decode() if isinstance(v, bytes) else v for v in values]
    return frame


def _ids(table: pd.DataFrame) -> pd.Series:
    if "id" not in table:
        msg = f"expected a column 'id', found {', '.join(map(str, table.columns))}"
        raise CatalogError(msg)
    ids = table["id"].astype(str)
    nameless = (table["id"].isna() | (ids.str.strip() == "")).to_numpy()
    if nameless.any():
        msg = f"expected an id in every row, row {int(nameless.argmax()) + 1} has none"
        raise CatalogError(msg)
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        msg = f"ids must be unique: {twice!r} occurs {int((ids == twice).sum())} times"
        raise CatalogError(msg)
    return ids


def _numbers(bands: Sequence[str]) -> list[str]:
    names = [name for label in LABELS[1:] for name in (label.name, label.error)]
    names += [*SHAPE_COLUMNS, "north_angle"]
    return names + [name for flux in flux_columns(bands) for name in (flux, f"{flux}_err")]


def _number(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series(np.nan, index=table.index, dtype=np.float64)
    try:
        return pd.to_numeric(table[name]).astype(np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"expected numbers in column {name!r}: {brief(error)}"
        raise CatalogError(msg) from error


def _flag(table: pd.DataFrame, name: str) -> pd.Series:
    bits = _number(table, name).fillna(0)
    if not bits.between(0, MAX_FLAG).all():
        msg = f"expected flags of 0 to {MAX_FLAG} in column {name!r}, found {bits.min():g} to "
        raise CatalogError(f"{msg}{bits.max():g}")
    return bits.astype(np.int64)


def _text(table: pd.DataFrame, name: str, default: str) -> pd.Series:
    if name not in table:
        return pd.Series(default, index=table.index, dtype=str)
    return table[name].fillna(default).astype(str)
