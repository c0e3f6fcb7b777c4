"""The Red Spirals of Masters et al. (2010)."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from data.published.catalog_definition import KnownCatalog
from data.services.published_tables import fetch_file
from pcvae.errors import CatalogError

__all__ = ["RED_SPIRALS"]

# The file's head names ten columns, its rows have eleven; what the ninth is nobody says.
SPIRALS = (
    *("objid", "ra", "dec", "redshift", "M_r", "M_r_err", "g_r", "g_r_err"),
    *("column_9", "log_ab", "frac_dev"),
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


RED_SPIRALS = KnownCatalog(
    name="red_spirals",
    survey="Red Spirals",
    population="red_spiral",
    citation="Masters et al. (2010), MNRAS 405, 783",
    licence="none stated; published with the paper",
    files=("RedSpiralsA1.txt",),
    read=_read_spirals,
    cuts=(),
    convert=_convert_spirals,
    url="https://data.galaxyzoo.org/data/redspirals/RedSpiralsA1.txt",
    fetch=partial(fetch_file, "RedSpiralsA1.txt"),
)
