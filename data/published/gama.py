"""GAMA DR4: redshifts, and stellar masses and star formation by ProSpect."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pandas as pd

from data.published.catalog_definition import (
    MAX_REDSHIFT,
    PAPER,
    TINY,
    KnownCatalog,
    above,
    columns_named,
    mass_and_sfr,
    redshift_range,
)
from data.published.conventions import Conventions
from data.readers.units import LOG_SFR_FLOOR, from_percentiles
from data.services.http_client import Client, FetchError
from data.services.published_tables import download, kept_address
from pcvae.catalog import read_table
from pcvae.errors import CatalogError

__all__ = ["GAMA"]

MIN_NQ = 3  # a redshift that can be relied on: Liske et al. (2015), Driver et al. (2022)
MIN_SC = 7  # the main survey, r below 19.65 mag: Driver et al. (2022), section 2
PERCENTILES = ("16", "50", "84")
GAMA_SKY = ("uberID", "RAcen", "Deccen", "Z", "NQ", "SC")
GAMA_FIT = tuple(f"{name}_{p}" for name in ("StellarMass", "SFR") for p in PERCENTILES)
# The query form cuts a query at the first "<", so ranges are written with BETWEEN.
GAMA_QUERY = (
    f"SELECT {', '.join(f's.{name}' for name in GAMA_SKY)}, "
    f"{', '.join(f'p.{name}' for name in GAMA_FIT)} "
    "FROM gkvScienceCatv02 AS s INNER JOIN ProSpectv03 AS p ON s.uberID = p.uberID "
    f"WHERE s.Z BETWEEN 0 AND {MAX_REDSHIFT:g}"
)
GAMA_ROWS = {"nshow": "10", "ndownload": "1000000", "nsov": "0"}  # all into the file


def _fetch(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Post the joined query, and take the table that the answer links."""
    path = folder / "GAMA_query.csv"
    yield path, kept_address(path, url) or download(client, _gama_table(client, url), path, url)


def _gama_table(client: Client, url: str) -> str:
    """Where the query form puts the table that it is asked for."""
    form = {"query": GAMA_QUERY, "format": "csv", **GAMA_ROWS}
    address = f"{url.rstrip('/')}/query/index.php"
    page = client.ask(address, form=form).decode("utf-8", "replace")
    echo = re.search(r'<span class="query">(.*?)</span>', page, re.DOTALL)
    if echo and " ".join(unescape(echo[1]).split()) != GAMA_QUERY:
        msg = f"{address} understood another query than it was asked: {' '.join(echo[1].split())}"
        raise FetchError(msg)
    links = re.findall(r"""href=["']([^"']*tmp/GAMA_[^"']*\.csv)["']""", page, re.IGNORECASE)
    if not links:
        text = " ".join(re.sub(r"<[^>]*>", " ", page).split())[:200]
        msg = f"expected a link to tmp/GAMA_....csv in the answer of {address}, found: {text}"
        raise FetchError(msg)
    return urljoin(address, links[0])


def _read_gama(files: Sequence[Path]) -> pd.DataFrame:
    """The joined table that the query service makes, or the survey's own two files."""
    tables = [columns_named(read_table(path), (*GAMA_SKY, *GAMA_FIT)) for path in files]
    joined = next((table for table in tables if {*GAMA_SKY, *GAMA_FIT} <= set(table)), None)
    if joined is not None:
        return joined
    sky = next((table for table in tables if set(GAMA_SKY) <= set(table)), None)
    fit = next((table for table in tables if {"uberID", *GAMA_FIT} <= set(table)), None)
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
            **mass_and_sfr(mass, sfr),
        }
    )


GAMA = KnownCatalog(
    name="gama",
    survey="GAMA DR4",
    population="field",
    citation=(
        "Driver et al. (2022), MNRAS 513, 439; ProSpect: Bellstedt et al. (2020), MNRAS 498, 5581"
    ),
    licence="public; GAMA asks to be acknowledged",
    files=("GAMA_*.csv", "gkvScienceCatv*.fits", "ProSpectv*.fits"),
    read=_read_gama,
    cuts=(
        above("NQ", MIN_NQ, f"NQ at least {MIN_NQ}", "Driver et al. (2022)"),
        above("SC", MIN_SC, f"SC at least {MIN_SC}", "Driver et al. (2022)"),
        redshift_range("Z", PAPER),
        above("StellarMass_50", TINY, "a stellar mass", "ours"),
    ),
    convert=_convert_gama,
    url="https://www.gama-survey.org/dr4",
    fetch=_fetch,
    conventions=Conventions("Chabrier", 67.8, 0.308),
)
