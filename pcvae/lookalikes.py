"""Look-alikes: galaxies that lie near given ones, the seeds, and the rules that rank them."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from pcvae.neighbours import Neighbours
from pcvae.scan import ScannedNeighbours

__all__ = ["MAX_SEEDS", "by_seeds", "recalled_seeds", "seed_density", "shared_neighbours"]

Floats = NDArray[np.float64]

BLOCK = 2_000_000  # distances between candidates and seeds that are held at once, 16 MB
MAX_SEEDS = 1000  # of a density; of more seeds a random part is taken
WIDTH_NEIGHBOUR = 3  # of a seed: how far it is sets the width of the kernel


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
    rows, distances = near.query(_rows(seeds), k, _mask(candidates, len(near)))
    there = rows >= 0
    return by_seeds(pd.DataFrame({"row": rows[there], "distance": distances[there]}), "row")


def by_seeds(pairs: pd.DataFrame, name: str) -> pd.DataFrame:
    """Galaxies by how many seeds have them among their nearest, then by the mean distance.

    Args:
        pairs: A row for each seed and each of its nearest, with its ``distance``.
        name: The column that says which galaxy that is.

    Returns:
        That column, ``seeds`` and ``distance``, best first.
    """
    ranked = pairs.groupby(name).agg(seeds=("distance", "size"), distance=("distance", "mean"))
    return ranked.reset_index().sort_values(
        ["seeds", "distance", name], ascending=[False, True, True], ignore_index=True
    )


def seed_density(
    values: ArrayLike | Neighbours, seeds: ArrayLike, candidates: ArrayLike, most: int = 1000
) -> pd.DataFrame:
    r"""Rank the candidates by the density of the seeds where they lie.

    .. math::
        \rho(x) = \frac{1}{S} \sum_{s=1}^{S}
            \exp\left( -\frac{\lVert x - s \rVert^2}{2 h^2} \right)

    where h is the median distance of a seed to the third nearest other one. Seeds of several
    kinds each attract their own, and no candidate needs to be among the nearest of any seed. Of
    more than 1,000 seeds so many are drawn, by a fixed seed of the generator.

    Reference: Parzen (1962), Annals of Mathematical Statistics 33, 1065.

    Args:
        values: The features (N, D), whitened here; or neighbours made otherwise.
        seeds: Rows of the seeds, or a mask (N,).
        candidates: Rows of the candidates, or a mask (N,).
        most: How many are listed.

    Returns:
        Columns ``row``, ``density`` in [0, 1] and ``distance``, of the nearest seed; densest
        first. A galaxy with NaN is not in it.
    """
    near = values if isinstance(values, Neighbours) else Neighbours(values)
    given = _rows(seeds)
    given = given[np.isfinite(near.points[given]).all(axis=1)]
    given = _drawn(given)
    if not len(given):
        return pd.DataFrame({"row": given, "density": np.zeros(0), "distance": np.zeros(0)})
    tree = cKDTree(near.points[given])
    if isinstance(near, ScannedNeighbours):
        among = _mask(candidates, len(near))
        found = near.densest(near.points[given], among, 2 * _width(tree) ** 2, most)
    else:
        found = _densest(near.points, tree, _rows(candidates), most)
    rows, density, nearest = found
    best = np.lexsort((rows, -density))[:most]
    return pd.DataFrame(
        {"row": rows[best], "density": np.exp(density[best]), "distance": nearest[best]}
    )


def _densest(
    points: NDArray[np.floating], seeds: cKDTree, rows: NDArray[np.intp], most: int
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """The rows where seeds are densest, at least: logarithms of density, and nearest seeds."""
    rows = rows[np.isfinite(points[rows]).all(axis=1)]
    nearest = seeds.query(points[rows])[0]
    order = np.argsort(nearest, kind="stable")
    rows, nearest = rows[order], nearest[order]
    density = _log_density(points[rows].astype(np.float64, copy=False), seeds, nearest, most)
    return rows[: len(density)], density, nearest[: len(density)]


def recalled_seeds(
    near: Neighbours,
    seeds: ArrayLike,
    candidates: ArrayLike,
    ranked: pd.DataFrame,
    k: int | None = None,
) -> Floats:
    """The recall of a list of look-alikes down to each of its places, by leaving out seeds.

    It is the share of seeds that would rank as high as that place or higher, were they no seeds:
    so many of the other galaxies of their kind are expected in the list down to there, if the
    seeds are a fair draw of that kind.

    Reference: Stone (1974), Journal of the Royal Statistical Society B 36, 111.

    Args:
        near: All galaxies, N.
        seeds: Rows of the seeds, or a mask (N,).
        candidates: Rows of the candidates, or a mask (N,).
        ranked: How ``seed_density`` or ``shared_neighbours`` ranked them, n rows.
        k: The k of ``shared_neighbours``; None for ``seed_density``.

    Returns:
        (n,), growing down the list. NaN of fewer than two seeds and, by shared neighbours, of
        more than 1,000.
    """
    rows = _rows(seeds)
    rows = rows[np.isfinite(near.points[rows]).all(axis=1)]
    if len(rows) < 2 or (k is not None and len(rows) > MAX_SEEDS):
        return np.full(len(ranked), np.nan)
    if k is None:
        own = _left_out_density(near.points[_drawn(rows)])
        worth = ranked["density"].to_numpy(np.float64)
    else:
        own = _left_out_shares(near, rows, _rows(candidates), k)
        worth = _worth(ranked["seeds"].to_numpy(), ranked["distance"].to_numpy())
    places: NDArray[np.intp] = np.searchsorted(np.sort(own), worth, side="left")
    return 1 - places / len(own)


def _left_out_density(points: NDArray[np.floating]) -> Floats:
    """The density at each seed (S, d) of the others, (S,)."""
    squares = cdist(points, points, "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    scale = 2 * _width(cKDTree(points)) ** 2
    result: Floats = np.exp(logsumexp(-squares / scale, axis=1) - np.log(len(points) - 1))
    return result


def _left_out_shares(
    near: Neighbours, rows: NDArray[np.intp], candidates: NDArray[np.intp], k: int
) -> Floats:
    """The worth (S,) of each seed as a candidate of the others."""
    among = np.zeros(len(near), dtype=bool)
    among[candidates] = True
    reach = near.query(rows, k, among)[1].max(axis=1, initial=0.0)
    apart = cdist(near.points[rows], near.points[rows])
    np.fill_diagonal(apart, np.inf)
    having = apart <= reach  # a row of it: which seeds have that one among their nearest
    counts = having.sum(axis=1)
    mean = np.where(having, apart, 0).sum(axis=1) / np.maximum(counts, 1)
    worth: Floats = np.where(counts > 0, _worth(counts, mean), 0.0)
    return worth


def _worth(seeds: NDArray[np.intp], distance: Floats) -> Floats:
    """Numbers (n,) that rank by how many seeds, then by the smaller distance."""
    result: Floats = seeds + 1 / (1 + distance)
    return result


def _drawn(seeds: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most 1,000 seeds, drawn by a fixed seed of the generator."""
    if len(seeds) <= MAX_SEEDS:
        return seeds
    return np.sort(np.random.default_rng(0).choice(seeds, MAX_SEEDS, replace=False))


def _log_density(points: Floats, seeds: cKDTree, nearest: Floats, most: int) -> Floats:
    """The logarithm of the density at points (n, D) sorted by their distance to a seed, (n,).

    It ends, shorter, where no later point can be among the densest: a point's density is at most
    that at its nearest seed's distance.
    """
    scale = 2 * _width(seeds) ** 2
    found, block = np.zeros(0), max(BLOCK // seeds.n, 1)
    for start in range(0, len(points), block):
        bound = -(nearest[start] ** 2) / scale
        if len(found) >= most and np.partition(found, -most)[-most] > bound:
            break
        squares = cdist(points[start : start + block], seeds.data, "sqeuclidean")
        density = logsumexp(-squares / scale, axis=1) - np.log(seeds.n)
        found = np.concatenate([found, density])
    return found


def _width(seeds: cKDTree) -> float:
    """The median distance of a seed to its third nearest other seed; 1 where that is none."""
    count = min(WIDTH_NEIGHBOUR, seeds.n - 1)
    if count < 1:
        return 1.0
    apart = seeds.query(seeds.data, k=[count + 1])[0][:, 0]
    return float(np.median(apart)) or 1.0


def _mask(chosen: ArrayLike, count: int) -> NDArray[np.bool_]:
    mask = np.zeros(count, dtype=bool)
    mask[np.asarray(chosen)] = True
    return mask


def _rows(chosen: ArrayLike) -> NDArray[np.intp]:
    chosen = np.asarray(chosen)
    if chosen.dtype == bool:
        return np.flatnonzero(chosen)
    return chosen.astype(np.intp).reshape(-1)
