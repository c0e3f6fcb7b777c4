"""User catalogues under the column names of a sample."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from data.published.column_names import recognise
from data.readers.parquet_images import is_hats, read_columns
from pcvae.catalog import FIELD, SUFFIXES, complete, read_table
from pcvae.errors import CatalogError, SettingsError
from pcvae.labels import LABELS, Label

__all__ = ["as_ours", "catalog_file", "named", "read_candidates", "read_catalog"]

MEASURED = ("orientation", "orientation_err", "axis_ratio", "r50", "orientation_flag")
NO_VALUE = 99.0  # and beyond, either sign: the -99, -9999 and 99 that stand for nothing


def catalog_file(folder: Path) -> Path:
    """The one table called ``catalog`` in the folder.

    Raises:
        CatalogError: There is none, or several.
    """
    named = sorted(folder.glob("catalog.*"))
    tables = [path for path in named if path.is_file() and path.suffix.lower() in SUFFIXES]
    if len(tables) != 1:
        found = ", ".join(path.name for path in tables) or "none"
        msg = f"expected one catalog.csv (or .ecsv, .fits, .vot, .parquet) in {folder}"
        raise CatalogError(f"{msg}, found {found}")
    return tables[0]


def read_catalog(place: Path, id_column: str = "id") -> pd.DataFrame:
    """The table at a path: a file, ``catalog.*`` in a folder, or a HATS catalogue.

    Args:
        place: A file or a folder.
        id_column: The name that the table has for ids.

    Raises:
        CatalogError: There is none.
    """
    if is_hats(place):
        return read_columns(place / "dataset")
    return read_table(catalog_file(place) if place.is_dir() else place, id_column)


def read_candidates(
    path: Path,
    renamed: Mapping[str, str],
    population: str | None,
    survey: str | None,
) -> pd.DataFrame:
    """Read a catalogue, under our names for its columns; see ``as_ours``."""
    table = read_catalog(path, renamed.get("id", "id"))
    return as_ours(table, renamed, population, survey, str(path))


def as_ours(
    table: pd.DataFrame,
    renamed: Mapping[str, str],
    population: str | None,
    survey: str | None,
    where: str,
) -> pd.DataFrame:
    """A table under our names for its columns.

    What it says of an orientation, a shape or a size is kept in columns ``catalog_NAME``, since
    ours are measured on the pixels.

    Args:
        table: A row a galaxy.
        renamed: Our names and the table's own, such as ``log_mass: lgm_tot_p50``; usual names
            are recognised, and said.
        population: The table's column that names each galaxy's population; None for its column
            ``population`` if it has one.
        survey: Written where the table does not say.
        where: The table's name, for errors.

    Raises:
        CatalogError: A column is not there, or an id is missing or occurs twice.
    """
    if table.empty:
        msg = f"expected a row a galaxy in {where}, found none"
        raise CatalogError(msg)
    needed = [*renamed.values(), *([population] if population else [])]
    if absent := [name for name in needed if name not in table]:
        msg = f"expected a column {absent[0]!r} in {where}, found {', '.join(map(str, table))}"
        raise CatalogError(msg)
    if recognised := recognise(table, renamed):
        renamed = {**recognised, **renamed}
        said = ", ".join(f"{theirs} for {ours}" for ours, theirs in recognised.items())
        print(f"{where}: takes {said}; --columns OURS=YOURS says otherwise")
    if population:
        table = table.assign(population=table[population])
    taken = {ours: table[theirs] for ours, theirs in renamed.items()}
    old = {*renamed, *renamed.values()} & set(table)
    table = table.drop(columns=list(old)).assign(**taken)
    if "id" not in table:
        msg = f"expected a column 'id' in {where}, found {', '.join(map(str, table))}"
        raise CatalogError(f"{msg}. Name the one to use with --columns id=NAME")
    table = complete(_put_aside(table), ()).drop(columns=list(MEASURED))
    table["population"] = table["population"].replace("", FIELD)
    if survey:
        table["survey"] = table["survey"].replace("", survey)
    for label in LABELS[1:]:
        _clean(table, label, where)
    return table


def _clean(table: pd.DataFrame, label: Label, where: str) -> None:
    """Set what stands for nothing, and what cannot be, to unknown; say how many cannot be."""
    value, error = table[label.name], table[label.error]
    nothing = value.abs() >= NO_VALUE
    impossible = value.notna() & ~nothing & ~value.between(*label.possible)
    if impossible.any():
        print(_impossible(value[impossible], label, where))
    table.loc[nothing | impossible, [label.name, label.error]] = np.nan
    table.loc[error.abs() >= NO_VALUE, label.error] = np.nan


def _impossible(values: pd.Series, label: Label, where: str) -> str:
    low, high = label.possible
    return (
        f"{where}: {len(values)} values of {label.name} cannot be, such as {values.iloc[0]:g}: "
        f"expected {low:g} to {high:g} {label.unit}".rstrip()
        + "; they count as unknown"
    )


def _put_aside(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its own shape columns renamed, unless they are ours."""
    shapes = [name for name in MEASURED if name in table]
    measured = any(table[name].notna().any() for name in shapes if name != "orientation_flag")
    kept = [name for name in shapes if measured and f"catalog_{name}" not in table]
    table = table.drop(columns=[name for name in shapes if name not in kept])
    return table.rename(columns={name: f"catalog_{name}" for name in kept})


def named(populations: pd.Series, names: Sequence[str], option: str) -> tuple[str, ...]:
    """The populations of an option, all of which must occur.

    Raises:
        SettingsError: One does not; the message lists those that do.
    """
    found = sorted(populations.unique())
    if absent := [name for name in names if name not in found]:
        msg = f"{option} names {absent[0]!r}, the populations are {', '.join(map(repr, found))}"
        raise SettingsError(f"{msg}. Say which column has them with --population-column")
    return tuple(names)
