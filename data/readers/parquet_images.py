"""Parquet files and HATS catalogues: their plain columns, and images in a column.

Shapes are written with C bands and S x S pixels.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.raw_image import LeftOutError, RawImage
from pcvae.errors import CatalogError, SettingsError

__all__ = ["ColumnSource", "is_hats", "parquet_files", "read_columns"]

HIDDEN = ("_", ".")  # HATS metadata files, and its columns of sky cells


def is_hats(place: Path) -> bool:
    """Whether a folder is a HATS catalogue, or Parquet files in folders."""
    return place.is_dir() and bool(parquet_files(place / "dataset"))


def parquet_files(place: Path) -> list[Path]:
    """The Parquet files that a place is or holds, in the order of their names."""
    if place.is_file():
        return [place] if place.suffix in (".parquet", ".pq") else []
    found = sorted(place.rglob("*.parquet"))
    return [path for path in found if not path.name.startswith(HIDDEN)]


def read_columns(place: Path) -> pd.DataFrame:
    """All columns of numbers and text of all files, one after the other.

    Raises:
        CatalogError: There is nothing to read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for path in parquet_files(place):
        try:
            schema = pq.read_schema(path)
            names = [
                field.name
                for field in schema
                if _plain(field.type) and field.name[0] not in HIDDEN
            ]
            tables.append(pq.read_table(path, columns=names, partitioning=None))
        except (OSError, pa.ArrowException) as error:
            msg = f"{path} cannot be read as Parquet: {error}"
            raise CatalogError(msg) from error
    if not tables:
        msg = f"expected Parquet files in {place}, found none"
        raise CatalogError(msg)
    return pa.concat_tables(tables, promote_options="permissive").to_pandas()


def _plain(kind: Any) -> bool:
    from pyarrow import types

    nested = types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    return not nested


class ColumnSource:
    """Images in a column of Parquet files, in nanomaggies, rows upwards; a row group in memory.

    A value is a list (C, S, S), nested or flat, of the bands named by the option; or, as the
    Multimodal Universe writes it, a struct with ``flux`` (C, S, S), ``band`` (C names such as
    ``des-g``) and ``scale`` (C, arcsec).

    Args:
        place: A file, or a folder of them.
        column: The column's name.
        bands: The bands wanted; needed for lists.
        pixel_scale: Of lists [arcsec], and wanted.

    Raises:
        CatalogError: There is no such column, or no image in it.
        SettingsError: The bands are not known.
    """

    unit = "nanomaggy"

    def __init__(
        self, place: Path, column: str, bands: tuple[str, ...] | None, pixel_scale: float | None
    ) -> None:
        import pyarrow.parquet as pq

        self._column, self._groups = column, []
        self._rows = 0
        self.files = parquet_files(place)
        for path in self.files:
            with pq.ParquetFile(path) as file:
                if column not in file.schema_arrow.names:
                    msg = f"expected a column {column!r} in {path}, found "
                    raise CatalogError(msg + ", ".join(file.schema_arrow.names))
                for group in range(file.num_row_groups):
                    self._groups.append((self._rows, path, group))
                    self._rows += file.metadata.row_group(group).num_rows
        self._starts = np.array([start for start, _, _ in self._groups])
        self._open = -1
        self._values: Any = None  # those of the open group
        self.bands, self.size, scale = self._first(bands)
        self.pixel_scale = pixel_scale or scale

    def read(self, row: int) -> RawImage:
        """The picture of a row."""
        flux, names, scale = _cube(self._value(row), self.bands)
        if missing := [band for band in self.bands if band not in names]:
            msg = f"no {', '.join(missing)}, found {', '.join(names)}"
            raise LeftOutError("missing band", msg)
        planes = flux[[names.index(band) for band in self.bands]]
        middle = ((flux.shape[2] - 1) / 2, (flux.shape[1] - 1) / 2)
        return RawImage(planes, middle, scale or self.pixel_scale)

    def _first(self, wanted: tuple[str, ...] | None) -> tuple[tuple[str, ...], int, float | None]:
        """The bands, size [px] and scale [arcsec] of the first image that can be read."""
        for value in filter(None, map(self._value, range(self._rows))):
            if wanted is None and not isinstance(value, dict):
                msg = f"the column {self._column!r} does not name its bands"
                raise SettingsError(f"{msg}: pass for example --bands g,r,z")
            bands = wanted or _names(value)
            with suppress(LeftOutError):
                flux, _, scale = _cube(value, bands)
                return bands, int(flux.shape[1]), scale
        msg = f"expected images in the column {self._column!r}, found none that can be read"
        raise CatalogError(msg)

    def _value(self, row: int) -> Any:
        import pyarrow.parquet as pq

        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        start, path, number = self._groups[group]
        if group != self._open:
            with pq.ParquetFile(path, memory_map=True) as file:
                self._values = file.read_row_group(number, columns=[self._column])[self._column]
            self._open = group
        return self._values[row - start].as_py()


def _names(value: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(name).split("-")[-1] for name in value.get("band") or ())


def _cube(
    value: Any, bands: Sequence[str]
) -> tuple[NDArray[np.float32], tuple[str, ...], float | None]:
    """The planes (C, S, S), their bands, and their scale [arcsec] if it is said.

    Raises:
        LeftOutError: The value is no image.
    """
    if value is None:
        raise LeftOutError("no image", "the column is empty")
    names, scale, pixels = tuple(bands), None, value
    if isinstance(value, dict):
        names, pixels = _names(value), value.get("flux")
        scales = np.atleast_1d(np.asarray(value.get("scale") or [np.nan], np.float64))
        scale = float(scales[0]) if np.isfinite(scales[0]) else None
    try:
        flux = np.asarray(pixels, np.float32)
    except (ValueError, TypeError) as error:
        raise LeftOutError("no image", str(error)) from error
    side = round(np.sqrt(flux.size / max(len(names), 1)))
    if not names or not flux.size or flux.size != len(names) * side**2 or flux.ndim not in (1, 3):
        raise LeftOutError("no image", f"an array {flux.shape} of bands {', '.join(names)}")
    return flux.reshape(len(names), side, side), names, scale
