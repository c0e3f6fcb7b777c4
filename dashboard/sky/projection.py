"""Sky projections: plate carree for small fields, else Mollweide; east is to the left.

Positions are in degrees. On the plane, x grows to the west and y to the north; a whole sky spans
360 by 180.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from dashboard.backend.plane import Limits
from dashboard.backend.typography import MINUS
from pcvae.scan import slices

__all__ = ["Graticule", "Projection", "Sky", "fitted", "graticule", "projection_of", "sky_of"]

WIDE = 75.0  # deg; a sample that reaches further is not shown plain
MARGIN = 0.06  # of the sample's extent, on each side
MIN_EXTENT = 0.01  # deg, extent of the first view
STEPS = (30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
EDGE = 0.01  # of the width, where nothing is written at the left; at the right four times that
MERIDIANS, PARALLELS = 13, 7  # at most, of the graticule
_THETA = np.linspace(-np.pi / 2, np.pi / 2, 20_001)
_SINE = (2 * _THETA + np.sin(2 * _THETA)) / np.pi  # of the declination that belongs to it


@dataclass(frozen=True)
class Projection:
    r"""From the sky to a plane and back.

    Mollweide's, which keeps areas, with :math:`2\theta + \sin 2\theta = \pi \sin\delta`:

    .. math::
        x = -2 (\alpha - \alpha_0) \cos\theta \cdot 90 / \pi, \qquad y = 90 \sin\theta

    and plate carree, :math:`x = -(\alpha - \alpha_0), y = \delta`.

    Reference:
        Snyder (1987), Map Projections: A Working Manual, USGS Professional Paper 1395, p. 249.

    Args:
        centre: Right ascension [deg] of the centre.
        whole: Whether it is Mollweide, else plate carree.
        aspect: How wide a unit of x is on the screen, in units of y.
    """

    centre: float
    whole: bool
    aspect: float = 1.0

    def flat(self, ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """The projected positions [deg]: x and y, each (N,)."""
        east = (np.asarray(ra, np.float64) - self.centre + 180) % 360 - 180
        return self.flat_east(east, dec)

    def flat_east(self, east: ArrayLike, dec: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """Likewise, from degrees east of the centre in [-180, 180]."""
        east, dec = np.asarray(east, np.float64), np.asarray(dec, np.float64)
        if not self.whole:
            return -east, dec
        theta = np.interp(np.sin(np.radians(dec)), _SINE, _THETA)
        return -east * np.cos(theta), 90 * np.sin(theta)

    def round(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """Degrees east of the centre and declination; NaN beyond the edge of the sky."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if self.whole:
            inside = np.abs(y) < 90
            theta = np.arcsin(np.where(inside, y, 0) / 90)
            east = -x / np.cos(theta)
            dec = np.degrees(np.arcsin((2 * theta + np.sin(2 * theta)) / np.pi))
        else:
            inside, east, dec = np.abs(y) <= 90, -x, y
        inside = inside & (np.abs(east) <= 180)
        return np.where(inside, east, np.nan), np.where(inside, dec, np.nan)


@dataclass(frozen=True)
class Sky:
    """The projected positions of all galaxies.

    Args:
        projection: The projection.
        points: Columns ``x`` and ``y``, N rows; NaN for a galaxy without a position.
        limits: The ranges that hold them all.
        placed: The number of galaxies with a position.
    """

    projection: Projection
    points: pd.DataFrame
    limits: Limits
    placed: int


class Graticule(NamedTuple):
    """Lines of equal right ascension and declination, and their labels.

    Args:
        lines: Each as x and y.
        labels: Columns ``x``, ``y`` and ``text``.
    """

    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    labels: pd.DataFrame


def projection_of(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> Projection:
    """A projection for right ascensions and declinations [deg], cut where they are fewest."""
    if not len(ra):
        return Projection(180.0, True)
    found = np.unique(np.floor(ra % 360)).astype(int)
    gaps = np.diff(np.append(found, found[0] + 360))
    widest = int(np.argmax(gaps))
    centre = (found[widest] + gaps[widest] / 2 + 180.5) % 360 if gaps[widest] > 20 else 180.0
    middle = float((dec.min() + dec.max()) / 2)
    extent = (360 - gaps[widest]) * np.cos(np.radians(middle))
    if max(extent, np.ptp(dec)) > WIDE:
        return Projection(float(round(centre / 10) * 10 % 360), True)
    return Projection(float(centre), False, max(float(np.cos(np.radians(middle))), 0.05))


def sky_of(ra: ArrayLike, dec: ArrayLike) -> Sky:
    """Project these positions [deg], each (N,); NaN for no position."""
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    projection = projection_of(*_extent(ra, dec))
    places = [np.full(len(ra), np.nan, np.float32) for _ in "xy"]
    placed = 0
    for part in slices(0, len(ra)):
        there = _placed(ra[part], dec[part])
        placed += int(there.sum())
        flat = projection.flat(ra[part][there], dec[part][there])
        for place, found in zip(places, flat, strict=True):
            place[part][there] = found
    points = pd.DataFrame(dict(zip("xy", places, strict=True)), copy=False)
    across, up = map(_limits, places)
    return Sky(projection, points, (across, up), placed)


def _placed(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) <= 90)


def _extent(
    ra: NDArray[np.float64], dec: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The whole degrees of right ascension that there are, and the ends of the declinations."""
    degrees, ends = [np.zeros(0)], [np.zeros(0)]
    for part in slices(0, len(ra)):
        there = _placed(ra[part], dec[part])
        if there.any():
            degrees.append(np.unique(np.floor(ra[part][there] % 360)))
            ends.append(np.array([dec[part][there].min(), dec[part][there].max()]))
    return np.unique(np.concatenate(degrees)), np.concatenate(ends)


def fitted(limits: Limits, aspect: float, frame: tuple[int, int]) -> Limits:
    """The ranges that hold those on a frame [px], where a unit of x is ``aspect`` units of y wide.

    Example:
        >>> fitted(((0.0, 1.0), (0.0, 1.0)), 1.0, (400, 100))
        ((-1.5, 2.5), (0.0, 1.0))
    """
    (left, right), (bottom, top) = limits
    across = frame[0] / (frame[1] * aspect)  # units of x that are as wide as one of y is high
    wide, high = max(right - left, (top - bottom) * across), 0.0
    high = max(top - bottom, wide / across)
    x, y = (left + right) / 2, (bottom + top) / 2
    return (x - wide / 2, x + wide / 2), (y - high / 2, y + high / 2)


def graticule(projection: Projection, limits: Limits) -> Graticule:
    """The lines that cross a view, at round steps."""
    (left, right), (bottom, top) = limits
    mesh = np.meshgrid(np.linspace(left, right, 60), np.linspace(bottom, top, 40))
    east, dec = projection.round(*mesh)
    if not np.isfinite(east).any():
        return Graticule([], pd.DataFrame({"x": [], "y": [], "text": []}))
    easts, decs = (np.nanmin(east), np.nanmax(east)), (np.nanmin(dec), np.nanmax(dec))
    west, east_end = (float(projection.centre + end) for end in easts)
    found = [
        (ra, *_meridian(projection, ra, decs), True) for ra in _ticks(west, east_end, MERIDIANS)
    ]
    found += [
        (dec, *_parallel(projection, dec, easts), False)
        for dec in _ticks(float(decs[0]), float(decs[1]), PARALLELS)
    ]
    lines, labels, edge = [], [], EDGE * (right - left)
    for value, x, y, upright in found:
        seen = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        if seen.any():
            lines.append((x, y))
        legible = seen & (x > left + edge) & (x < right - 4 * edge)
        if legible.any():
            at = np.argmin(np.where(legible, y if upright else x, np.inf))
            labels.append((x[at], y[at], _said(value, upright=upright)))
    return Graticule(lines, pd.DataFrame(labels, columns=["x", "y", "text"]))


def _meridian(
    projection: Projection, ra: float, decs: tuple[float, float]
) -> tuple[NDArray[np.float64], ...]:
    dec = np.linspace(*decs, 121)
    return projection.flat_east(np.full(len(dec), ra - projection.centre), dec)


def _parallel(
    projection: Projection, dec: float, easts: tuple[float, float]
) -> tuple[NDArray[np.float64], ...]:
    east = np.linspace(*easts, 241)
    return projection.flat_east(east, np.full(len(east), dec))


def _ticks(low: float, high: float, most: int) -> NDArray[np.float64]:
    fits = [step for step in STEPS if (high - low) / step <= most]
    step = fits[-1] if fits else 60
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def _said(value: float, *, upright: bool) -> str:
    text = f"{round(value % 360, 6):g}°" if upright else f"{round(value, 6) + 0.0:+g}°"
    return text.replace("-", MINUS).replace("+0°", "0°")


def _limits(values: NDArray[np.float32]) -> tuple[float, float]:
    """The ends of the known values, with room on each side."""
    ends = [(v.min(), v.max()) for p in slices(0, len(values)) if len(v := _known(values[p]))]
    if not ends:
        return -180.0, 180.0
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    room = MARGIN * (high - low) + (MIN_EXTENT if high - low < MIN_EXTENT else 0)
    return low - room, high + room


def _known(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values[np.isfinite(values)]
