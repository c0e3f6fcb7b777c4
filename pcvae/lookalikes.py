"""Look-alikes: galaxies that lie near several given ones, and the rule that ranks them."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from pcvae.neighbours import Neighbours

__all__ = ["shared_neighbours"]


def shared_neighbours(
    values: ArrayLike | Neighbours, seeds: ArrayLike, candidates: ArrayLike, k: int = 10
) -> pd.DataFrame:
    """Rank the candidates by how many seeds have them among their k nearest candidates.

    This is the rank of Fig. 3 of Gagliano & Villar (2023), where the seeds are the galaxies of a
    rare population and the candidates the normal ones; ties go to the smaller mean distance.

    Args:
        values: The latents (N, D), whitened here; or neighbours made otherwise.
        seeds: Rows of the seeds, or a mask (N,).
        candidates: Rows of the candidates, or a mask (N,).
        k: How many nearest candidates of each seed count.

    Returns:
        Columns ``row``, ``seeds`` (how many) and ``distance`` (its mean over those), best first;
        galaxies near no seed are not in it.
    """
    near = values if isinstance(values, Neighbours) else Neighbours(values)
    among = np.zeros(len(near), dtype=bool)
    among[_rows(candidates)] = True
    rows, distances = near.query(_rows(seeds), k, among)
    there = rows >= 0
    pairs = pd.DataFrame({"row": rows[there], "distance": distances[there]})
    ranked = pairs.groupby("row").agg(seeds=("distance", "size"), distance=("distance", "mean"))
    return ranked.reset_index().sort_values(
        ["seeds", "distance", "row"], ascending=[False, True, True], ignore_index=True
    )


def _rows(chosen: ArrayLike) -> NDArray[np.intp]:
    chosen = np.asarray(chosen)
    if chosen.dtype == bool:
        return np.flatnonzero(chosen)
    return chosen.astype(np.intp).reshape(-1)
