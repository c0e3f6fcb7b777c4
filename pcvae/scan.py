r"""Exact nearest neighbours of galaxies too many to index: each search looks at all of them.

Nothing is kept but the columns, which may be mapped into memory, so that a hundred million
galaxies cost no more of it than ten. Blocks of them are whitened in single precision, and
:math:`\lVert p - x \rVert^2 = p^2 - (2 p \cdot x - x^2)` leaves out what is certainly too far; the
rest is measured in double precision. Shapes are written with N galaxies, M queries, F
features, whitened to d, and n galaxies of a block.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from pcvae.errors import ShapeError
from pcvae.moments import Moments
from pcvae.neighbours import Neighbours, block_whitening

__all__ = ["BLOCK", "ScannedNeighbours", "WhitenedRows", "slices", "spans"]

BLOCK = 1 << 15  # galaxies looked at together: they fit a core's cache
RELEASED = 32  # blocks, after which the memory of mapped columns is given back
SCATTERED = 200  # rows that are read without giving memory back
GROUP = 64  # points that are compared with a block at once
THREADS = min(os.cpu_count() or 1, 4)
LEAST_SPAN = 1 << 17  # galaxies that are worth a thread
PAIRS = 1 << 20  # of galaxies and seeds that are measured at once
LEAST = 1e-30  # of exponentials in single precision
ROUNDING = 1e-5  # of squared distances in single precision, in units of 1 + p^2

Found = TypeVar("Found")
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def spans(count: int, look: Callable[[int, int], Found], least: int = LEAST_SPAN) -> list[Found]:
    """What a function finds in each part of so many galaxies, ``look(start, stop)``, in threads.

    Example:
        >>> spans(10, lambda start, stop: stop - start)
        [10]

    Args:
        count: How many galaxies.
        look: Is called for each part; its thread is not the only one.
        least: How many galaxies a part has at least.
    """
    parts = min(THREADS, max(count // least, 1))
    if parts == 1:
        return [look(0, count)]
    ends = [count * place // parts for place in range(parts + 1)]
    with ThreadPoolExecutor(parts) as threads:
        return list(threads.map(look, ends[:-1], ends[1:]))


def slices(start: int, stop: int, block: int = 0) -> Iterator[slice]:
    """Yield parts of a range, of so many each; as many as fit a core's cache by default."""
    block = block or BLOCK
    for first in range(start, stop, block):
        yield slice(first, min(first + block, stop))


class WhitenedRows:
    """The whitened features of galaxies, (N, d), computed for the rows that are asked for.

    Args:
        columns: The F features, (N,) each.
        mean: Their means, (F,).
        matrix: What whitens them, (F, d).
        done: Is called after every so many blocks: it may give back the memory of mapped columns.
    """

    def __init__(
        self,
        columns: Sequence[NDArray[np.floating]],
        mean: Floats,
        matrix: Floats,
        done: Callable[[], None],
    ) -> None:
        self._columns, self._mean, self._matrix = tuple(columns), mean, matrix
        self._done = done
        self._single = np.ascontiguousarray(matrix.T, np.float32)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, rows: "int | Rows | slice") -> Floats:
        return self.whitened(self.raw(rows))

    def raw(self, rows: "int | Rows | slice") -> Floats:
        """Their features as they are, (n, F)."""
        parts = []
        for column in self._columns:
            parts.append(column[rows].astype(np.float64))
            if np.size(parts[0]) > SCATTERED and not isinstance(rows, slice):
                self._done()  # each row of a mapped column brings 64 KB of it
        return np.stack(parts, axis=-1)

    def whitened(self, values: NDArray[np.floating]) -> Floats:
        """Features (n, F), whitened: (n, d)."""
        result: Floats = (values - self._mean) @ self._matrix
        return result

    def blocks(
        self, start: int, stop: int, among: NDArray[np.bool_] | None
    ) -> Iterator[tuple[Rows, NDArray[np.float32], NDArray[np.float32]]]:
        """Yield rows (n,), their whitened features (d, n), and the squares of these, (n,)."""
        for part in slices(start, stop):
            rows = np.arange(part.start, part.stop)
            raw = np.empty((len(self._columns), len(rows)), np.float32)
            for place, column in enumerate(self._columns):
                mean = column.dtype.type(self._mean[place])  # in its own precision: twice as fast
                np.subtract(column[part], mean, out=raw[place], casting="same_kind")
            if among is not None:
                rows, raw = rows[among[part]], raw[:, among[part]]
            if len(rows):
                values = self._single @ raw
                yield rows, values, np.einsum("ij,ij->j", values, values)
            if (part.start - start) // BLOCK % RELEASED == RELEASED - 1 or part.stop == stop:
                self._done()


class ScannedNeighbours(Neighbours):
    """As ``Neighbours``, by looking at all galaxies for each search, in several threads.

    Args:
        columns: The features, (N,) each; they are not copied.
        whiten: Whether to whiten them first.
        blocks: As of ``Neighbours``.
        done: As of ``WhitenedRows``.
    """

    points: WhitenedRows

    def __init__(
        self,
        columns: Sequence[NDArray[np.floating]],
        *,
        whiten: bool = True,
        blocks: Sequence[int] = (),
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.axes, count = len(columns), len(columns[0])
        own = np.eye(self.axes)
        raw = WhitenedRows(columns, np.zeros(self.axes), own, done)

        def moments(start: int, stop: int) -> Moments:
            total = Moments(0, np.zeros(self.axes), 0 * own)
            for place, part in enumerate(slices(start, stop)):
                total = total.joined(Moments.of(raw.raw(part)))
                if place % RELEASED == 0:
                    done()
            return total

        total = reduce(Moments.joined, spans(count, moments))
        matrix = block_whitening(total.points(), blocks or (self.axes,)) if whiten else own
        self.points = WhitenedRows(columns, total.mean, matrix, done)
        done()

    def _transform(self, points: NDArray[np.floating]) -> Floats:
        if points.shape[1] != self.axes:
            msg = f"expected points with {self.axes} latents, found {points.shape[1]}"
            raise ShapeError(msg)
        return self.points.whitened(points)

    def _nearest(
        self, points: NDArray[np.floating], k: int, among: NDArray[np.bool_] | None
    ) -> tuple[Rows, Floats]:
        found = np.full((len(points), k), -1, np.intp)
        distances = np.full(found.shape, np.inf)
        asked = np.flatnonzero(np.isfinite(points).all(axis=1))
        wanted = points.astype(np.float64, copy=False)
        groups = [asked[part] for part in slices(0, len(asked), GROUP)]

        def look(start: int, stop: int) -> "list[_Nearest]":
            best = [_Nearest(wanted[group], k) for group in groups]
            for block in self.points.blocks(start, stop, among) if best else ():
                for one in best:
                    one.look(self.points, *block)
            return best

        for group, parts in zip(groups, zip(*spans(len(self), look), strict=True), strict=True):
            best = reduce(_Nearest.joined, parts)
            found[group], distances[group] = best.rows, np.sqrt(best.squares)
        return found, distances

    def densest(
        self, seeds: Floats, among: NDArray[np.bool_], scale: float, most: int
    ) -> tuple[Rows, Floats, Floats]:
        r"""The galaxies where seeds are densest: rows, logarithms of density, nearest seeds.

        The density is the mean of :math:`\exp(-\lVert x - s \rVert^2 / \mathrm{scale})`, which is
        at most that at the nearest seed's distance: who lies too far is not measured.

        Args:
            seeds: Their whitened features, (S, d).
            among: Which galaxies are listed, (N,).
            scale: In squared units of the features.
            most: How many are listed; all that are as dense as the last of them are found.
        """

        def look(start: int, stop: int) -> tuple[Rows, Floats, Floats]:
            best = np.zeros(0, np.intp), np.zeros(0), np.zeros(0)
            for rows, values, squares in self.points.blocks(start, stop, among):
                near = rows[_worth(seeds, values, squares, scale, best[1], most)]
                for some in slices(0, len(near), max(PAIRS // len(seeds), 1)):
                    apart = cdist(self.points[near[some]], seeds)
                    best = _denser(best, near[some], apart, scale, most)
            return best

        rows, density, apart = map(np.concatenate, zip(*spans(len(self), look), strict=True))
        return rows, density, apart


def _apart(
    seeds: Floats, values: NDArray[np.float32], squares: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Squared distances (s, n) of points (d, n) to some seeds at a time, in single precision."""
    for start in range(0, len(seeds), GROUP):
        some = seeds[start : start + GROUP]
        own = (some**2).sum(axis=1).astype(np.float32)
        yield own[:, None] - (2 * some).astype(np.float32) @ values + squares


def _worth(
    seeds: Floats,
    values: NDArray[np.float32],
    squares: NDArray[np.float32],
    scale: float,
    found: Floats,
    most: int,
) -> Rows:
    """Which points of a block (d, n) may be among the densest, beside those found."""
    slack = ROUNDING * (1 + (seeds**2).sum(axis=1).max())
    least = np.partition(found, -most)[-most] if len(found) >= most else -np.inf
    closest = reduce(np.minimum, (apart.min(axis=0) for apart in _apart(seeds, values, squares)))
    near = np.flatnonzero(closest <= slack - scale * least)
    rough = _rough_density(seeds, values[:, near], squares[near], scale)
    if len(rough) > most:
        sure = np.where(np.isposinf(rough), -np.inf, rough)
        least = max(least, np.partition(sure, -most)[-most])
    return near[rough >= least - 2 * slack / scale]


def _rough_density(
    seeds: Floats, values: NDArray[np.float32], squares: NDArray[np.float32], scale: float
) -> NDArray[np.float64]:
    """The logarithm of the density (n,) in single precision; infinite where that has no digits."""
    parts = (np.exp(apart * np.float32(-1 / scale)) for apart in _apart(seeds, values, squares))
    total = sum(part.sum(axis=0, dtype=np.float64) for part in parts)
    with np.errstate(divide="ignore"):
        return np.where(total > LEAST, np.log(total / len(seeds)), np.inf)


def _denser(
    best: tuple[Rows, Floats, Floats], rows: Rows, apart: Floats, scale: float, most: int
) -> tuple[Rows, Floats, Floats]:
    """The densest of what was found and of more galaxies at distances (n, S) from the seeds."""
    density = logsumexp(-(apart**2) / scale, axis=1) - np.log(apart.shape[1])
    both = zip(best, (rows, density, apart.min(axis=1)), strict=True)
    rows, density, nearest = (np.concatenate(pair) for pair in both)
    if len(rows) > most:
        kept = density >= np.partition(density, -most)[-most]
        rows, density, nearest = rows[kept], density[kept], nearest[kept]
    return rows, density, nearest


class _Nearest:
    """The k nearest galaxies of points (M, d) so far: ``rows`` and ``squares``, (M, k)."""

    def __init__(self, points: Floats, k: int) -> None:
        self.points = points
        self.rows = np.full((len(points), k), -1, np.intp)
        self.squares = np.full(self.rows.shape, np.inf)
        self._own = (points**2).sum(axis=1)
        self._twice = np.ascontiguousarray(2 * points, np.float32)

    def joined(self, other: "_Nearest") -> "_Nearest":
        """The nearest of both."""
        for place in range(len(self.points)):
            self._take(place, other.rows[place], other.squares[place])
        return self

    def look(
        self,
        whitened: WhitenedRows,
        rows: Rows,
        values: NDArray[np.float32],
        squares: NDArray[np.float32],
    ) -> None:
        """Look at a block of galaxies, as ``WhitenedRows.blocks`` yields it."""
        nearness = self._twice @ values - squares
        k, bound = self.rows.shape[1], self.squares[:, -1]
        if len(rows) > k and not np.isfinite(bound).all():
            np.nan_to_num(nearness, copy=False, nan=-np.inf)
            best = np.partition(nearness, -k, axis=1)[:, -k]
            bound = np.minimum(bound, self._own - best)
        least = self._own - bound - ROUNDING * (1 + self._own)
        hits = np.flatnonzero(nearness >= least[:, None].astype(np.float32))
        places, columns = np.divmod(hits, len(rows))
        for place in np.unique(places):
            near = rows[columns[places == place]]
            apart = ((whitened[near] - self.points[place]) ** 2).sum(axis=1)
            self._take(place, near[np.isfinite(apart)], apart[np.isfinite(apart)])

    def _take(self, place: int, rows: Rows, squares: Floats) -> None:
        rows = np.concatenate([self.rows[place], rows])
        squares = np.concatenate([self.squares[place], squares])
        best = np.argsort(squares, kind="stable")[: self.rows.shape[1]]
        self.rows[place], self.squares[place] = rows[best], squares[best]
