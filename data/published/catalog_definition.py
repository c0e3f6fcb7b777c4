"""The definition of a published catalogue: files, reader, quality cuts, columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.published.conventions import Conventions
from data.readers.units import Logarithm
from data.services.http_client import Client
from pcvae.errors import CatalogError

__all__ = [
    "MAX_REDSHIFT",
    "PAPER",
    "TINY",
    "Cut",
    "KnownCatalog",
    "above",
    "columns_named",
    "mass_and_sfr",
    "redshift_range",
]

MIN_REDSHIFT = 0.002  # ours: what lies below is a star, or moves as its neighbours do
MAX_REDSHIFT = 1.0  # Gagliano & Villar (2023), section 2
PAPER = "Gagliano & Villar (2023)"
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Cut:
    """A condition that rows must meet.

    Args:
        name: In words.
        source: Who chose it.
        keep: Which rows of the table as published meet it.
    """

    name: str
    source: str
    keep: Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True, slots=True)
class KnownCatalog:
    """A published catalogue: where it is, how it is read, its quality cuts, its columns as ours.

    Args:
        name: In options and in front of ids.
        survey: Written in the column ``survey``.
        population: Of its galaxies.
        citation: The paper to cite.
        licence: The terms its keepers state.
        files: Patterns of the names of its files.
        read: Reads them into the table as published.
        cuts: What its rows must meet, in this order.
        convert: From the table as published to our columns.
        url: Of the service that keeps it.
        fetch: Downloads its files into a folder; gives each file and its address.
        conventions: The initial mass function and cosmology of its labels; None for no labels.
    """

    name: str
    survey: str
    population: str
    citation: str
    licence: str
    files: tuple[str, ...]
    read: Callable[[Sequence[Path]], pd.DataFrame]
    cuts: tuple[Cut, ...]
    convert: Callable[[pd.DataFrame], pd.DataFrame]
    url: str
    fetch: Callable[[Client, str, Path], Iterator[tuple[Path, str]]]
    conventions: Conventions | None = None

    def find(self, folder: Path) -> list[Path]:
        """Its files in a folder.

        Raises:
            CatalogError: There are none.
        """
        found = [path for file in self.files for path in sorted(folder.glob(file))]
        if not found:
            msg = f"expected {' or '.join(self.files)} of {self.survey} in {folder}, found none"
            raise CatalogError(f"{msg}. Leave it out with --only, or download it without --from")
        return found


def mass_and_sfr(mass: Logarithm, sfr: Logarithm) -> dict[str, NDArray[np.float64]]:
    """The columns of stellar mass and star formation, with their errors."""
    names = ("log_mass", "log_mass_err", "log_sfr", "log_sfr_err")
    return dict(zip(names, (*mass, *sfr), strict=True))


def columns_named(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns of these names, however they are capitalised."""
    found = {str(name).lower(): name for name in table}
    return pd.DataFrame(
        {name: table[found[name.lower()]] for name in names if name.lower() in found}
    )


def redshift_range(name: str, source: str) -> Cut:
    """The cut on redshift that the paper makes."""
    words = f"redshift of {MIN_REDSHIFT} to {MAX_REDSHIFT:g}"
    return Cut(words, source, lambda t: t[name].between(MIN_REDSHIFT, MAX_REDSHIFT))


def above(column: str, least: float, words: str, source: str) -> Cut:
    """The cut that a column is not below a number."""
    return Cut(words, source, partial(_at_least, column=column, least=least))


def _at_least(table: pd.DataFrame, column: str, least: float) -> pd.Series:
    return table[column] >= least
