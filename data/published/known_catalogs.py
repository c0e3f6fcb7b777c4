"""Which published catalogues we know: where each is, its quality cuts, its columns as ours."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.units import LOG_SFR_FLOOR, Logarithm, from_linear, from_percentiles, half_width
from pcvae.catalog import read_table
from pcvae.errors import CatalogError

__all__ = [
    "CATALOGS",
    "GAMA_FIT",
    "GAMA_SKY",
    "MOST_REDSHIFT",
    "ZOU",
    "ZOU_FILES",
    "Catalog",
    "Cut",
]

LEAST_REDSHIFT = 0.002  # ours: what lies below is a star, or moves as its neighbours do
MOST_REDSHIFT = 1.0  # Gagliano & Villar (2023), section 2
LEAST_NQ = 3  # a redshift that can be relied on: Liske et al. (2015), Driver et al. (2022)
LEAST_SC = 7  # the main survey, r below 19.65 mag: Driver et al. (2022), section 2
LEAST_GOOD_BANDS = 5  # Zou et al. (2022); as the authors chose

PERCENTILES = ("16", "50", "84")
GAMA_SKY = ("uberID", "RAcen", "Deccen", "Z", "NQ", "SC")
GAMA_FIT = tuple(f"{one}_{p}" for one in ("StellarMass", "SFR") for p in PERCENTILES)
ZOU = (
    *("Tractor_ID", "RA", "DEC", "redshift", "flag_star", "ngoodband"),
    *("Mstar_gal", "Mstar_gal_err", "SFR_gal", "SFR_gal_err", "zphot_lowlim", "zphot_upplim"),
)
ZOU_FILES = ("es1*.fits", "w*cdf*.fits", "xmm*.fits", "zou_*.fits")
# The file's head names ten columns, its rows have eleven; what the ninth is nobody says.
SPIRALS = (
    *("objid", "ra", "dec", "redshift", "M_r", "M_r_err", "g_r", "g_r_err"),
    *("column_9", "log_ab", "frac_dev"),
)


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
class Catalog:
    """A published catalogue.

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

    def find(self, folder: Path) -> list[Path]:
        """Its files in a folder.

        Raises:
            CatalogError: There are none.
        """
        found = [path for one in self.files for path in sorted(folder.glob(one))]
        if not found:
            msg = f"expected {' or '.join(self.files)} of {self.survey} in {folder}, found none"
            raise CatalogError(f"{msg}. Leave it out with --only, or download it without --from")
        return found


def _read_gama(files: Sequence[Path]) -> pd.DataFrame:
    """The joined table that the query service makes, or the survey's own two files."""
    tables = [_known(read_table(path), (*GAMA_SKY, *GAMA_FIT)) for path in files]
    joined = next((one for one in tables if {*GAMA_SKY, *GAMA_FIT} <= set(one)), None)
    if joined is not None:
        return joined
    sky = next((one for one in tables if set(GAMA_SKY) <= set(one)), None)
    fit = next((one for one in tables if {"uberID", *GAMA_FIT} <= set(one)), None)
    if sky is None or fit is None:
        msg = f"expected columns {', '.join(GAMA_SKY)} and {', '.join(GAMA_FIT)} in "
        found = "; ".join(
            f"{p.name}: {', '.join(map(str, t))}" for p, t in zip(files, tables, strict=True)
        )
        raise CatalogError(f"{msg}{files[0].parent}, found {found}")
    return sky.merge(fit[["uberID", *GAMA_FIT]], on="uberID", validate="one_to_one")


def _convert_gama(table: pd.DataFrame) -> pd.DataFrame:
    masses, rates = (
        [table[f"{name}_{p}"] for p in PERCENTILES] for name in ("StellarMass", "SFR")
    )
    mass = from_percentiles(masses[0], masses[1], masses[2])
    sfr = from_percentiles(rates[0], rates[1], rates[2], LOG_SFR_FLOOR)
    return pd.DataFrame(
        {
            "id": "gama_" + table["uberID"].astype(np.int64).astype(str),
            "ra": table["RAcen"],
            "dec": table["Deccen"],
            "redshift": table["Z"],
            **_labels(mass, sfr),
        }
    )


def _read_zou(files: Sequence[Path]) -> pd.DataFrame:
    tables = []
    for path in files:
        table = _known(read_table(path), ZOU)
        if missing := [name for name in ZOU if name not in table]:
            msg = f"expected a column {missing[0]!r} in {path}, found {', '.join(map(str, table))}"
            raise CatalogError(msg)
        tables.append(table.assign(field=path.name.split(".")[0]))
    return pd.concat(tables, ignore_index=True)


def _convert_zou(table: pd.DataFrame) -> pd.DataFrame:
    mass = from_linear(table["Mstar_gal"], table["Mstar_gal_err"])
    sfr = from_linear(table["SFR_gal"], table["SFR_gal_err"])
    sfr = sfr._replace(value=np.maximum(sfr.value, LOG_SFR_FLOOR))
    ids = table["Tractor_ID"].map(lambda one: one.strip() if isinstance(one, str) else int(one))
    return pd.DataFrame(
        {
            "id": "zou_" + table["field"] + "_" + ids.astype(str),
            "ra": table["RA"],
            "dec": table["DEC"],
            "redshift": table["redshift"],
            "redshift_err": half_width(table["zphot_lowlim"], table["zphot_upplim"]),
            **_labels(mass, sfr),
        }
    )


def _read_spirals(files: Sequence[Path]) -> pd.DataFrame:
    rows = [line.split() for line in files[0].read_text(errors="replace").splitlines()]
    rows = [row for row in rows if len(row) == len(SPIRALS) and re.fullmatch(r"\d{18}", row[0])]
    if not rows:
        msg = f"expected rows of {len(SPIRALS)} numbers in {files[0]}, found none"
        raise CatalogError(msg)
    table = pd.DataFrame(rows, columns=list(SPIRALS))
    return table.astype(dict.fromkeys(SPIRALS[1:], np.float64))


def _convert_spirals(table: pd.DataFrame) -> pd.DataFrame:
    ids = "red_spiral_" + table["objid"]
    kept = table[["ra", "dec", "redshift", "M_r", "g_r", "log_ab", "frac_dev"]]
    return pd.concat([ids.rename("id"), kept], axis=1)


def _read_peas(files: Sequence[Path]) -> pd.DataFrame:
    lines = files[0].read_text(errors="replace").splitlines() or [""]
    names = [name.strip() for name in lines[0].lstrip("# ").split(",")]
    rows = [[cell.strip() for cell in line.split(",")] for line in lines[1:] if line.strip()]
    needed = ("DR7OBJID", "RA", "DEC", "REDSHIFT", "OIII_EW", "SFR", "SFR_ERR", "M_STELLAR")
    if missing := [name for name in needed if name not in names]:
        msg = f"expected a column {missing[0]!r} in {files[0]}, found {', '.join(names)}"
        raise CatalogError(msg)
    table = pd.DataFrame([row[: len(names)] for row in rows], columns=names)
    numbers = table[list(needed[1:])].apply(pd.to_numeric, errors="coerce")
    return numbers.assign(objid=table["DR7OBJID"])


def _convert_peas(table: pd.DataFrame) -> pd.DataFrame:
    sfr = from_linear(table["SFR"], table["SFR_ERR"])
    return pd.DataFrame(
        {
            "id": "green_pea_" + table["objid"],
            "ra": table["RA"],
            "dec": table["DEC"],
            "redshift": table["REDSHIFT"],
            "log_mass": table["M_STELLAR"],
            "log_sfr": sfr.value,
            "log_sfr_err": sfr.error,
            "oiii_ew": table["OIII_EW"],
        }
    )


def _labels(mass: Logarithm, sfr: Logarithm) -> dict[str, NDArray[np.float64]]:
    names = ("log_mass", "log_mass_err", "log_sfr", "log_sfr_err")
    return dict(zip(names, (*mass, *sfr), strict=True))


def _known(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The columns of these names, however they are capitalised."""
    found = {str(name).lower(): name for name in table}
    return pd.DataFrame({one: table[found[one.lower()]] for one in names if one.lower() in found})


def _redshift(name: str, source: str) -> Cut:
    words = f"redshift of {LEAST_REDSHIFT} to {MOST_REDSHIFT:g}"
    return Cut(words, source, lambda t: t[name].between(LEAST_REDSHIFT, MOST_REDSHIFT))


def _above(column: str, least: float, words: str, source: str) -> Cut:
    return Cut(words, source, partial(_at_least, column=column, least=least))


def _at_least(table: pd.DataFrame, column: str, least: float) -> pd.Series:
    return table[column] >= least


PAPER = "Gagliano & Villar (2023)"
TINY = float(np.finfo(np.float64).tiny)

CATALOGS = (
    Catalog(
        "red_spirals",
        "Red Spirals",
        "red_spiral",
        "Masters et al. (2010), MNRAS 405, 783",
        "none stated; published with the paper",
        ("RedSpiralsA1.txt",),
        _read_spirals,
        (),
        _convert_spirals,
    ),
    Catalog(
        "green_peas",
        "Green Peas",
        "green_pea",
        "Cardamone et al. (2009), MNRAS 399, 1191",
        "none stated; published with the paper",
        ("peas_tbl4.csv",),
        _read_peas,
        (),
        _convert_peas,
    ),
    Catalog(
        "gama",
        "GAMA DR4",
        "field",
        "Driver et al. (2022), MNRAS 513, 439; ProSpect: Bellstedt et al. (2020), MNRAS 498, 5581",
        "public; GAMA asks to be acknowledged",
        ("GAMA_*.csv", "gkvScienceCatv*.fits", "ProSpectv*.fits"),
        _read_gama,
        (
            _above("NQ", LEAST_NQ, f"NQ at least {LEAST_NQ}", "Driver et al. (2022)"),
            _above("SC", LEAST_SC, f"SC at least {LEAST_SC}", "Driver et al. (2022)"),
            _redshift("Z", PAPER),
            _above("StellarMass_50", TINY, "a stellar mass", "ours"),
        ),
        _convert_gama,
    ),
    Catalog(
        "zou",
        "Zou+2022",
        "field",
        "Zou et al. (2022), ApJS 262, 15",
        "as the Zenodo record says",
        ZOU_FILES,
        _read_zou,
        (
            Cut("not a star", PAPER, lambda t: t["flag_star"] == 0),
            _redshift("redshift", PAPER),
            _above("ngoodband", LEAST_GOOD_BANDS, f"{LEAST_GOOD_BANDS} good bands", PAPER),
            _above("Mstar_gal", TINY, "a stellar mass", "ours"),
        ),
        _convert_zou,
    ),
)
