"""Zou et al. (2022): stellar masses and star formation in the LSST deep drilling fields."""

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

from data.published.catalog_definition import (
    PAPER,
    TINY,
    Cut,
    KnownCatalog,
    above,
    columns_named,
    mass_and_sfr,
    redshift_range,
)
from data.published.conventions import Conventions
from data.readers.units import LOG_SFR_FLOOR, from_linear, half_width
from data.services.http_client import Client, FetchError, InvalidResponseError
from data.services.published_tables import check_md5, download, kept_address
from pcvae.catalog import read_table
from pcvae.errors import CatalogError

__all__ = ["ZOU_2022"]

MIN_GOOD_BANDS = 5  # Zou et al. (2022); as the authors chose
ZOU = (
    *("Tractor_ID", "RA", "DEC", "redshift", "flag_star", "ngoodband"),
    *("Mstar_gal", "Mstar_gal_err", "SFR_gal", "SFR_gal_err", "zphot_lowlim", "zphot_upplim"),
)
ZOU_FILES = ("es1*.fits", "w*cdf*.fits", "xmm*.fits", "zou_*.fits")
ZOU_RECORD = "6620892"


def _fetch(client: Client, url: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """Take all FITS tables of the record, by the list that Zenodo gives of it."""
    address = f"{url.rstrip('/')}/api/records/{ZOU_RECORD}"

    def check(content: bytes) -> None:
        try:
            json.loads(content)["files"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"not the list of a record's files: {content[:60]!r}"
            raise InvalidResponseError(msg) from error

    files = json.loads(client.ask(address, check))["files"]
    tables = [file for file in files if file["key"].endswith(".fits")]
    if not tables:
        found = ", ".join(file["key"] for file in files)
        msg = f"expected FITS tables in {address}, found {found or 'none'}"
        raise FetchError(msg)
    for entry in tables:
        known = any(fnmatch(entry["key"], pattern) for pattern in ZOU_FILES)
        name = entry["key"] if known else f"zou_{entry['key']}"
        path = folder / name
        table = kept_address(path, url) or download(client, entry["links"]["self"], path, url)
        check_md5(path, entry.get("checksum", ""))
        yield path, table


def _read_zou(files: Sequence[Path]) -> pd.DataFrame:
    tables = []
    for path in files:
        table = columns_named(read_table(path), ZOU)
        if missing := [name for name in ZOU if name not in table]:
            msg = f"expected a column {missing[0]!r} in {path}, found {', '.join(map(str, table))}"
            raise CatalogError(msg)
        tables.append(table.assign(field=path.name.split(".")[0]))
    return pd.concat(tables, ignore_index=True)


def _convert_zou(table: pd.DataFrame) -> pd.DataFrame:
    mass = from_linear(table["Mstar_gal"], table["Mstar_gal_err"])
    sfr = from_linear(table["SFR_gal"], table["SFR_gal_err"], LOG_SFR_FLOOR)
    ids = table["Tractor_ID"].map(
        lambda value: value.strip() if isinstance(value, str) else int(value)
    )
    return pd.DataFrame(
        {
            "id": "zou_" + table["field"] + "_" + ids.astype(str),
            "ra": table["RA"],
            "dec": table["DEC"],
            "redshift": table["redshift"],
            "redshift_err": half_width(table["zphot_lowlim"], table["zphot_upplim"]),
            **mass_and_sfr(mass, sfr),
        }
    )


ZOU_2022 = KnownCatalog(
    name="zou",
    survey="Zou+2022",
    population="field",
    citation="Zou et al. (2022), ApJS 262, 15",
    licence="as the Zenodo record says",
    files=ZOU_FILES,
    read=_read_zou,
    cuts=(
        Cut("not a star", PAPER, lambda t: t["flag_star"] == 0),
        redshift_range("redshift", PAPER),
        above("ngoodband", MIN_GOOD_BANDS, f"{MIN_GOOD_BANDS} good bands", PAPER),
        above("Mstar_gal", TINY, "a stellar mass", "ours"),
    ),
    convert=_convert_zou,
    url="https://zenodo.org",
    fetch=_fetch,
    conventions=Conventions("Chabrier", 70.0, 0.3),
)
