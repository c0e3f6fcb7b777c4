"""Tables of galaxies with the latents of all models side by side, part after part."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pcvae.errors import StoreError, brief

__all__ = ["OF_HATS", "check_places", "fitted", "grouped", "joined_parts", "placed", "store_parts"]

OF_HATS = ("_healpix_29", "Norder", "Dir", "Npix")  # columns that a catalogue makes itself
ROWS = 100_000  # of a store in memory at once


def joined_parts(
    galaxies: pd.DataFrame, parts: Mapping[str, Sequence[Path]]
) -> Iterator[pa.Table]:
    """A table a part, with the columns of ``galaxies`` and MODEL_NAME for each of the latents.

    Args:
        galaxies: N rows.
        parts: Of each model, in the order of the galaxies, which have one each.

    Raises:
        StoreError: The ids of a part are not those of the galaxies, or names occur twice.
    """
    whole, start = _columns(galaxies), 0
    for files in zip(*parts.values(), strict=True):
        latents = {name: pq.read_table(file) for name, file in zip(parts, files, strict=True)}
        rows = next(iter(latents.values())).num_rows
        yield _joined(whole.slice(start, rows), latents)
        start += rows
    if start != len(galaxies):
        msg = f"expected latents of {len(galaxies)} galaxies, found {start}"
        raise StoreError(msg)


def store_parts(galaxies: pd.DataFrame, files: Mapping[str, Path]) -> Iterator[pa.Table]:
    """As ``joined_parts``, of a finished store's file of latents of each model."""
    whole = _columns(galaxies)
    readers = {name: pq.ParquetFile(path).iter_batches(ROWS) for name, path in files.items()}
    start = 0
    for batches in zip(*readers.values(), strict=True):
        tables = [pa.Table.from_batches([batch]) for batch in batches]
        yield _joined(whole.slice(start, len(tables[0])), dict(zip(files, tables, strict=True)))
        start += len(tables[0])


def check_places(galaxies: pd.DataFrame) -> None:
    """Refuse a catalogue none of whose galaxies has a place on the sky.

    Raises:
        StoreError: None has.
    """
    known = {"ra", "dec"} <= set(galaxies) and galaxies[["ra", "dec"]].notna().all(axis=1).any()
    if not known:
        msg = "no galaxy has a right ascension and declination [deg], which HATS is built on"
        raise StoreError(f"{msg}: make a store (--output store)")


def placed(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows that have a place on the sky, and the others."""
    ra, dec = (table[name].to_numpy(zero_copy_only=False) for name in ("ra", "dec"))
    known = np.isfinite(ra) & (np.abs(dec) <= 90)
    return table.filter(pa.array(known)), table.filter(pa.array(~known))


def grouped(tables: Iterator[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Tables of at least so many rows, but the last, as each becomes a file and a task."""
    some: list[pa.Table] = []
    for table in tables:
        some.append(table)
        if sum(map(len, some)) >= rows:
            yield pa.concat_tables(some)
            some = []
    if some:
        yield pa.concat_tables(some)


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns of a finished catalogue; what it lacks is unknown.

    Raises:
        StoreError: A column is of another kind.
    """
    columns = {}
    for field in schema:
        if field.name in OF_HATS:
            continue
        try:
            columns[field.name] = (
                table[field.name].cast(field.type)
                if field.name in table.column_names
                else pa.nulls(len(table), field.type)
            )
        except pa.ArrowInvalid as error:
            msg = f"expected a column {field.name!r} of {field.type}, as the catalogue has: "
            raise StoreError(f"{msg}{brief(error)}") from error
    return pa.table(columns)


def _columns(galaxies: pd.DataFrame) -> pa.Table:
    """The catalogue's columns with the same types in all parts, also where a part has no value."""
    kept = galaxies.drop(columns=[name for name in OF_HATS if name in galaxies])
    table = pa.Table.from_pandas(kept, preserve_index=False).replace_schema_metadata()
    for place, field in enumerate(table.schema):
        if pa.types.is_null(field.type) or field.name in ("ra", "dec"):
            column = table[field.name].cast(pa.float64())
            table = table.set_column(place, field.name, column)
    return table


def _joined(galaxies: pa.Table, latents: Mapping[str, pa.Table]) -> pa.Table:
    for model, table in latents.items():
        if not table["id"].cast(galaxies["id"].type).equals(galaxies["id"]):
            msg = f"the ids of model {model!r} are not those of the galaxies"
            raise StoreError(f"{msg}: encode again with --overwrite")
        for name in table.column_names:
            if name == "id":
                continue
            values = table[name]
            single = values.cast(pa.float32()) if pa.types.is_floating(values.type) else values
            galaxies = _with_column(galaxies, f"{model}_{name}", single)
    return galaxies


def _with_column(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    if name in table.column_names:
        msg = f"the catalogue has a column {name!r} already, which is one of a model's latents"
        raise StoreError(f"{msg} too: give the model another name (--run NAME=RUN)")
    return table.append_column(name, values)
