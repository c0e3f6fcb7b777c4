r"""Exact nearest neighbours in a latent space.

Shapes are written with N galaxies, M queries, D latents and k neighbours.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag
from scipy.spatial import cKDTree

from pcvae.errors import ShapeError

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

    Searched: TypeAlias = cKDTree | NearestNeighbors

__all__ = [
    "MAX_WHITENED",
    "Neighbours",
    "block_whitening",
    "changed_share",
    "scaling",
    "whitening",
]

TREES = 4  # trees of subsets kept at once; one of a million galaxies holds about 100 MB
MAX_WHITENED = 64  # features of a block that are whitened
MAX_TREE = 64  # features beyond which a tree looks at every galaxy, and slower than brute force
BATCH = 4096  # galaxies whose neighbours are compared at once
FLAT = 1e-10  # share of the variance below which a direction is constant but for rounding


def whitening(values: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""The matrix W (D, d) that makes the covariance of ``values @ W`` the identity.

    Each latent is divided by its standard deviation, and the correlation matrix
    :math:`C = V \Lambda V^T` of what results gives

    .. math::
        W = \mathrm{diag}(1/s)\, V \Lambda^{-1/2}, \qquad
        \lVert (a - b) W \rVert^2 = (a - b)^T \Sigma^{-1} (a - b)

    so that Euclidean distances become Mahalanobis distances, whatever the latents' units and
    however they are correlated. Directions without variance are dropped (d <= D).

    Reference:
        Mahalanobis (1936), Proceedings of the National Institute of Sciences of India 2, 49.

    Args:
        values: The latents (N, D); rows with NaN do not count.
    """
    finite = values[np.isfinite(values).all(axis=1)]
    if len(finite) < 2:
        return np.eye(values.shape[1])
    spread = finite.std(axis=0)
    moving = spread > 1e-12 * np.abs(finite).max(axis=0)
    if not moving.any():
        return np.eye(values.shape[1])
    scale = np.where(moving, 1 / np.where(moving, spread, 1), 0)
    centred = (finite - finite.mean(axis=0)) * scale
    variances, axes = np.linalg.eigh(centred.T @ centred / len(finite))
    kept = variances > FLAT * variances.max()
    result: NDArray[np.float64] = scale[:, None] * axes[:, kept] / np.sqrt(variances[kept])
    return result


def block_whitening(values: NDArray[np.float64], sizes: Sequence[int]) -> NDArray[np.float64]:
    r"""The matrix W (D, d) that whitens each of B blocks of features, and weighs them alike.

    .. math::
        \lVert (a - b) W \rVert^2
            = \frac{D}{B} \sum_{k=1}^{B} \frac{1}{D_k} (a_k - b_k)^T \Sigma_k^{-1} (a_k - b_k)

    so that many free latents do not outweigh the few that are tied to labels. One block gives
    ``whitening``. A block of more than 64 columns, another model's wide embedding, is not
    whitened but scaled as a whole (``scaling``).

    Args:
        values: The features (N, D); rows with NaN do not count.
        sizes: How many columns each block has, in their order.
    """
    known = np.isfinite(values).all(axis=1)
    finite = values if known.all() else values[known]
    starts = np.cumsum([0, *sizes])
    weight = values.shape[1] / len(sizes)
    blocks = [
        (whitening if b - a <= MAX_WHITENED else scaling)(finite[:, a:b])
        * np.sqrt(weight / (b - a))
        for a, b in pairwise(starts)
    ]
    return block_diag(*blocks)


def scaling(values: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""The matrix (D, D) that gives D features variances that add up to D, by one number for all.

    Distances keep the proportions that they have in the embedding itself. Its many directions of
    little variance, which ``whitening`` would blow up to the size of the others, stay small.

    Args:
        values: The features (N, D), all known.
    """
    axes = values.shape[1]
    total = float(values.var(axis=0, dtype=np.float64).sum()) if len(values) > 1 else 0.0
    return np.eye(axes) * (np.sqrt(axes / total) if total > 0 else 1.0)


class Neighbours:
    """Find the nearest galaxies of a galaxy or of a point, exactly.

    Distances are Euclidean, in the features as they are or whitened (``block_whitening``). Which
    latents take part is the caller's choice of columns: whitened and without the orientation,
    or as the paper did, all of them unscaled. A galaxy with a NaN has no neighbours and is none.
    Several threads may ask at once.

    Args:
        values: The latents or other features (N, D).
        whiten: Whether to whiten them first.
        blocks: How many columns each block has that is whitened by itself; one block by default.

    Example:
        >>> rows, distances = Neighbours([[0.0], [1.0], [3.0]], whiten=False).query(0, 2)
        >>> rows, distances
        (array([1, 2]), array([1., 3.]))
    """

    def __init__(
        self, values: ArrayLike, *, whiten: bool = True, blocks: Sequence[int] = ()
    ) -> None:
        table = np.asarray(values)
        wide = table.ndim == 2 and table.shape[1] > MAX_TREE
        table = table.astype(np.float32 if wide else np.float64, copy=False)
        if table.ndim != 2:
            msg = f"expected latents of shape (N, D), found {table.shape}"
            raise ShapeError(msg)
        self.axes = table.shape[1]
        sizes = blocks or (self.axes,)
        matrix = block_whitening(table, sizes) if whiten else np.eye(self.axes)
        self._matrix = matrix.astype(table.dtype)
        self.points = table @ self._matrix if whiten else table
        self._known = np.isfinite(self.points).all(axis=1)
        self._trees: OrderedDict[bytes, tuple[Searched, NDArray[np.intp]]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.points)

    def query(
        self, wanted: ArrayLike, k: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k nearest galaxies of each wanted one, nearest first, never itself.

        Args:
            wanted: Rows: an integer or integers (M,); or points: a latent vector (D,) or
                vectors (M, D) of floats.
            k: How many; fewer come back where there are fewer.
            among: Which galaxies may be found, (N,); all by default.

        Returns:
            Rows and distances: 1-D for a single row or point; else (M, k), in which a query with
            fewer neighbours than others is filled up with row -1 at infinite distance.
        """
        wanted = np.asarray(wanted)
        rows = np.issubdtype(wanted.dtype, np.integer)
        single = wanted.ndim == (0 if rows else 1)
        if rows:
            own = np.atleast_1d(wanted).astype(np.intp)
            points = self.points[own]
        else:
            points = self._transform(np.atleast_2d(wanted))
            own = np.full(len(points), -1, dtype=np.intp)
        found, distances = self._search(points, own, k, among)
        if single:
            there = found[0] >= 0
            return found[0][there], distances[0][there]
        longest = int((found >= 0).sum(axis=1).max(initial=0))
        return found[:, :longest], distances[:, :longest]

    def _transform(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        if points.shape[1] != self.axes:
            msg = f"expected points with {self.axes} latents, found {points.shape[1]}"
            raise ShapeError(msg)
        result: NDArray[np.floating] = points.astype(self._matrix.dtype) @ self._matrix
        return result

    def _search(
        self,
        points: NDArray[np.floating],
        own: NDArray[np.intp],
        k: int,
        among: NDArray[np.bool_] | None,
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k nearest of each point (M, k) without its own row."""
        found, distances = self._nearest(points, max(k, 0) + 1, among)
        distances[(found == own[:, None]) & (found >= 0)] = np.inf
        order = np.argsort(distances, axis=1, kind="stable")[:, : max(k, 0)]
        distances = np.take_along_axis(distances, order, axis=1)
        found = np.take_along_axis(found, order, axis=1)
        return np.where(np.isfinite(distances), found, -1), distances

    def _nearest(
        self, points: NDArray[np.floating], k: int, among: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The k nearest of each point (M, k), filled up with row -1 at infinity."""
        tree, members = self._tree(among)
        found = np.full((len(points), k), -1, dtype=np.intp)
        distances = np.full(found.shape, np.inf)
        asked = np.isfinite(points).all(axis=1)
        if len(members) and asked.any():
            near, index = _nearest(tree, points[asked], k, len(members))
            there = np.isfinite(near)
            found[asked] = np.where(there, members[np.where(there, index, 0)], -1)
            distances[asked] = near
        return found, distances

    def _tree(self, among: NDArray[np.bool_] | None) -> "tuple[Searched, NDArray[np.intp]]":
        mask = self._known if among is None else self._known & np.asarray(among, dtype=bool)
        key = b"" if among is None else np.packbits(mask).tobytes()
        with self._lock:
            if key not in self._trees:
                members = np.flatnonzero(mask)
                self._trees[key] = _searched(self.points, members), members
                if len(self._trees) > TREES:
                    self._trees.popitem(last=False)
            self._trees.move_to_end(key)
            return self._trees[key]


def changed_share(
    first: Neighbours, second: Neighbours, rows: ArrayLike, k: int = 20
) -> NDArray[np.float32]:
    r"""How far galaxies have moved between two spaces: the share of near ones that differ.

    For the sets :math:`A_i` and :math:`B_i` of the k nearest galaxies of galaxy i in the two
    spaces it is :math:`1 - |A_i \cap B_i| / k`: 0 where both models put the same galaxies around
    it, 1 where none is the same. It needs no axes in common, unlike a shift of latents.

    Args:
        first: The galaxies (N) in one space.
        second: The same in the other, in the same order.
        rows: Which galaxies are judged, (M,).
        k: How many near ones count; fewer where there are fewer galaxies.

    Returns:
        The shares, (M,); NaN for a galaxy whose place in either is unknown.

    Example:
        >>> line, mixed = (Neighbours(np.c_[x]) for x in ([0.0, 1, 5, 6], [0.0, 5, 1, 6]))
        >>> changed_share(line, mixed, [0, 1, 2, 3], k=1)
        array([1., 1., 1., 1.], dtype=float32)
    """
    wanted = np.asarray(rows, dtype=np.intp)
    shares = np.full(len(wanted), np.nan, dtype=np.float32)
    for begin in range(0, len(wanted), BATCH):
        some = wanted[begin : begin + BATCH]
        near, other = (space.query(some, k)[0] for space in (first, second))
        if not near.shape[1] or not other.shape[1]:
            continue
        same = ((near[:, :, None] == other[:, None, :]) & (near[:, :, None] >= 0)).any(axis=2)
        count = np.minimum((near >= 0).sum(axis=1), (other >= 0).sum(axis=1))
        share = 1 - same.sum(axis=1) / np.where(count > 0, count, np.nan)
        shares[begin : begin + BATCH] = share
    return shares


def _searched(points: NDArray[np.floating], members: NDArray[np.intp]) -> "Searched":
    """What finds the nearest of some galaxies: a tree, or of many features brute force."""
    some = points if len(members) == len(points) else points[members]
    if points.shape[1] <= MAX_TREE or not len(some):
        return cKDTree(some)
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(algorithm="brute").fit(some)


def _nearest(
    searched: "Searched", points: NDArray[np.floating], k: int, members: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distances and indices (M, k) of the nearest, nearest first; infinity where there is none."""
    if isinstance(searched, cKDTree):
        near, index = searched.query(points, k=np.arange(1, k + 1))
        return near, index
    distances = np.full((len(points), k), np.inf)
    found = np.zeros((len(points), k), np.intp)
    there = min(k, members)
    distances[:, :there], found[:, :there] = searched.kneighbors(points, there)
    return distances, found
