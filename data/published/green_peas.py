"""The Green Peas of Cardamone et al. (2009)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from data.published.catalog_definition import KnownCatalog
from data.published.conventions import Conventions
from data.readers.units import from_linear
from data.services.published_tables import fetch_file
from pcvae.errors import CatalogError

__all__ = ["GREEN_PEAS"]


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


GREEN_PEAS = KnownCatalog(
    name="green_peas",
    survey="Green Peas",
    population="green_pea",
    citation="Cardamone et al. (2009), MNRAS 399, 1191",
    licence="none stated; published with the paper",
    files=("peas_tbl4.csv",),
    read=_read_peas,
    cuts=(),
    convert=_convert_peas,
    url="https://data.galaxyzoo.org/data/greenpeas/peas_tbl4.csv",
    fetch=partial(fetch_file, "peas_tbl4.csv"),
    conventions=Conventions("Salpeter", 71.0, 0.3),
)
