"""Galaxies that several catalogues have: found by position, kept once."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.labels import LABELS

__all__ = ["MATCH_RADIUS", "without_duplicates"]

MATCH_RADIUS = 1.0  # arcsec; below the seeing of DECaLS, 1.1 to 1.3


def without_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the first of all rows at one place; ``also`` names the others.

    Labels that the kept row lacks, with their errors, are those of the first other that has them.

    Args:
        table: ``id``, ``ra``, ``dec`` [deg] and labels; the row to prefer comes first. Rows
            without a place are kept.
    """
    ra, dec = table["ra"].to_numpy(np.float64), table["dec"].to_numpy(np.float64)
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90))
    pairs = known[_pairs(ra[known], dec[known])]
    keep, also = np.ones(len(table), bool), np.full(len(table), "", dtype=object)
    filled = table.reset_index(drop=True).copy()
    ids = filled["id"].to_numpy()
    for first, other in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if not keep[first] or not keep[other]:
            continue
        keep[other] = False
        also[first] = f"{also[first]} {ids[other]}".strip()
        _fill(filled, first, other)
    return filled.assign(also=also)[keep].reset_index(drop=True)


def _pairs(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.int64]:
    """All pairs (n, 2) of rows within the radius, the earlier row first."""
    from astropy import units
    from astropy.coordinates import SkyCoord, search_around_sky

    if len(ra) < 2:
        return np.zeros((0, 2), np.int64)
    places = SkyCoord(ra, dec, unit="deg")
    first, other, _, _ = search_around_sky(places, places, MATCH_RADIUS * units.arcsec)
    return np.stack([first, other], axis=1)[first < other]


def _fill(table: pd.DataFrame, row: int, other: int) -> None:
    for label in LABELS[1:]:
        if label.name not in table or np.isfinite(float(table[label.name].iloc[row])):
            continue
        for name in (label.name, label.error):
            if name in table:
                table.at[row, name] = table[name].iloc[other]
