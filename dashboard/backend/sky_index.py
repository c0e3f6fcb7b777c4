"""Which galaxy of a store lies nearest to a position on the sky."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from data.readers.fits_file import unit_vectors

__all__ = ["SkyBands", "SkyTree"]

MARGIN = 1e-5  # deg, more than declinations in single precision are off
FEW = 1000  # positions in the first band that is looked at


class SkyTree:
    """Finds the nearest of many positions on the sky, exactly, by a tree of unit vectors.

    Args:
        ra: Right ascensions (N,) [deg]; NaN where unknown.
        dec: Declinations (N,) [deg].

    Example:
        >>> rows, separations = SkyTree([10.0, 20.0], [0.0, 0.0]).nearest([20.001], [0.0])
        >>> int(rows[0]), round(float(separations[0]), 3)
        (1, 3.6)
    """

    def __init__(self, ra: ArrayLike, dec: ArrayLike) -> None:
        ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        self.rows = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
        self._tree = cKDTree(unit_vectors(ra[self.rows], dec[self.rows]))

    def __len__(self) -> int:
        return len(self.rows)

    def within(self, ra: float, dec: float, radius: float) -> NDArray[np.intp]:
        """The rows within an angle [deg] of a place [deg], in the order of the store.

        Example:
            >>> SkyTree([10.0, 20.0, 10.1], [0.0, 0.0, 0.0]).within(10.0, 0.0, 0.5)
            array([0, 2])
        """
        if not len(self):
            return self.rows
        chord = 2 * np.sin(np.deg2rad(min(radius, 180.0)) / 2)
        found = self._tree.query_ball_point(
            unit_vectors(np.array([ra]), np.array([dec]))[0], chord
        )
        return np.sort(self.rows[found])

    def nearest(
        self, ra: ArrayLike, dec: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The nearest row and its separation [arcsec] of each place (M,) [deg].

        Row -1 at infinity where nothing is known: of a place with NaN, or without any galaxy.
        """
        ra, dec = np.atleast_1d(ra).astype(np.float64), np.atleast_1d(dec).astype(np.float64)
        rows, separations = np.full(len(ra), -1, dtype=np.intp), np.full(len(ra), np.inf)
        known = np.isfinite(ra) & np.isfinite(dec)
        if len(self) and known.any():
            chord, index = self._tree.query(unit_vectors(ra[known], dec[known]))
            rows[known] = self.rows[index]
            separations[known] = np.rad2deg(2 * np.arcsin(np.clip(chord / 2, 0, 1))) * 3600
        return rows, separations

    def closest(
        self, ra: float, dec: float, count: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The rows nearest to a place [deg], nearest first, and their separations [arcsec].

        As many as ``count``, or as are known; none for a place with NaN.

        Example:
            >>> rows, separations = SkyTree([10.0, 20.0], [0.0, 0.0]).closest(20.001, 0.0, 5)
            >>> rows.tolist(), separations.round().tolist()
            ([1, 0], [4.0, 36004.0])
        """
        count = min(count, len(self))
        if not count or not np.isfinite([ra, dec]).all():
            return np.array([], np.intp), np.array([])
        chord, index = self._tree.query(unit_vectors(np.array([ra]), np.array([dec])), count)
        chord, index = chord.reshape(-1), index.reshape(-1)
        return self.rows[index], np.rad2deg(2 * np.arcsin(np.clip(chord / 2, 0, 1))) * 3600


class SkyBands:
    """As ``SkyTree``, in 8 bytes a position: sorted by declination, looked at in bands.

    A place is answered by the positions in a band round its declination, which widens until it
    holds what is nearest for certain.

    Args:
        ra: Right ascensions (N,) [deg]; NaN where unknown. Neither is copied.
        dec: Declinations (N,) [deg].
        done: Is called after each look: it may give back the memory of mapped columns.

    Example:
        >>> rows, separations = SkyBands([10.0, 20.0], [0.0, 0.0]).nearest([20.001], [0.0])
        >>> int(rows[0]), round(float(separations[0]), 3)
        (1, 3.6)
    """

    def __init__(
        self, ra: ArrayLike, dec: ArrayLike, done: Callable[[], None] = lambda: None
    ) -> None:
        self._done = done
        self._ra, self._dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        key = np.where(np.isfinite(self._ra), self._dec, np.nan).astype(np.float32)
        order = np.argsort(key)[: np.count_nonzero(np.isfinite(key))]
        self._order = order.astype(np.uint32 if len(key) < 1 << 32 else np.intp)
        self._sorted = key[order]
        done()

    def __len__(self) -> int:
        return len(self._order)

    def within(self, ra: float, dec: float, radius: float) -> NDArray[np.intp]:
        """As of ``SkyTree``."""
        rows, apart = self._band(ra, dec, min(radius, 180.0))
        return np.sort(rows[apart <= radius])

    def nearest(
        self, ra: ArrayLike, dec: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """As of ``SkyTree``."""
        places = np.column_stack([np.atleast_1d(ra), np.atleast_1d(dec)]).astype(np.float64)
        rows, separations = np.full(len(places), -1, np.intp), np.full(len(places), np.inf)
        for place, (a, d) in enumerate(places):
            found, apart = self.closest(float(a), float(d), 1)
            if len(found):
                rows[place], separations[place] = found[0], apart[0]
        return rows, separations

    def closest(
        self, ra: float, dec: float, count: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """As of ``SkyTree``."""
        count = min(count, len(self))
        if not count or not np.isfinite([ra, dec]).all():
            return np.array([], np.intp), np.array([])
        radius = max(count, FEW) / len(self) * (float(np.ptp(self._sorted)) + MARGIN)
        while True:
            rows, apart = self._band(ra, dec, radius)
            sure = apart <= radius
            if sure.sum() >= count or radius > 180:
                order = np.argsort(apart, kind="stable")[:count]
                return rows[order], apart[order] * 3600
            radius *= 4

    def _band(
        self, ra: float, dec: float, radius: float
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The rows with declinations within a radius, and their separations [deg]."""
        ends = dec - radius - MARGIN, dec + radius + MARGIN
        start, stop = np.searchsorted(self._sorted, np.array(ends, np.float32)).tolist()
        rows = self._order[start:stop].astype(np.intp)
        there = unit_vectors(self._ra[rows], self._dec[rows])
        gap = there - unit_vectors(np.array([ra]), np.array([dec]))
        chord = np.sqrt((gap**2).sum(axis=1))
        self._done()
        return rows, np.rad2deg(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
