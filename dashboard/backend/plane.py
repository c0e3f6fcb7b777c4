"""Two axes of a latent space, where each galaxy lies on them, and which lies nearest a point."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.quantities import Quantity, robust_limits
from pcvae.scan import slices, spans

__all__ = ["Limits", "Plane", "inside_box", "narrowest", "nearest_row", "plane_of"]

DEEPEST = 1e-4  # of the first view: positions are in single precision, with 7 digits

Limits = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Plane:
    """Two axes and where each galaxy lies on them.

    Args:
        x: The horizontal axis.
        y: The vertical axis.
        points: Columns ``x`` and ``y``, N rows; NaN where unknown.
        limits: The ranges of the first view.
    """

    x: Quantity
    y: Quantity
    points: pd.DataFrame
    limits: Limits

    @cached_property
    def reach(self) -> Limits:
        """The ranges that may be looked at: those of all galaxies, and of the first view twice."""
        return _reach(self.points["x"], self.limits[0]), _reach(self.points["y"], self.limits[1])

    def clamped(self, zoom: tuple[float, ...] | None) -> Limits:
        """The ranges of a zoom (left, bottom, right, top) within what may be looked at.

        Args:
            zoom: The zoom; None for the first view.
        """
        if zoom is None:
            return self.limits
        asked = (zoom[0], zoom[2]), (zoom[1], zoom[3])
        sides = zip(asked, self.limits, self.reach, strict=True)
        x, y = (_clamped(*side) for side in sides)
        return x, y


def plane_of(
    x: Quantity, y: Quantity, across: NDArray[np.floating], up: NDArray[np.floating]
) -> Plane:
    """The plane of two quantities with their values, each (N,)."""
    columns = {"x": across.astype(np.float32, copy=False), "y": up.astype(np.float32, copy=False)}
    points = pd.DataFrame(columns, copy=False)
    return Plane(x, y, points, (robust_limits(across), robust_limits(up)))


def narrowest(limits: tuple[float, float]) -> float:
    """The narrowest range that may be looked at, by that of the first view."""
    return (limits[1] - limits[0]) * DEEPEST


def _reach(values: pd.Series, limits: tuple[float, float]) -> tuple[float, float]:
    room = (limits[1] - limits[0]) / 2
    ends = [limits, *(_ends(values.to_numpy()[part]) for part in slices(0, len(values)))]
    return float(min(low for low, _ in ends)) - room, float(max(high for _, high in ends)) + room


def _ends(values: NDArray[np.floating]) -> tuple[float, float]:
    """The least and the largest finite value; infinite, the other way round, without any."""
    known = np.isfinite(values)
    least = values.min(where=known, initial=np.inf)
    return float(least), float(values.max(where=known, initial=-np.inf))


def _clamped(
    asked: tuple[float, float], limits: tuple[float, float], reach: tuple[float, float]
) -> tuple[float, float]:
    """A range moved and resized to what may be looked at; itself if it is so already."""
    low, high = asked
    least, most = narrowest(limits), reach[1] - reach[0]
    if not np.isfinite(asked).all():
        return limits
    if reach[0] <= low and high <= reach[1] and high - low >= least:
        return asked
    half = min(max(high - low, least), most) / 2
    middle = min(max((low + high) / 2, reach[0] + half), reach[1] - half)
    return middle - half, middle + half


def inside_box(points: pd.DataFrame, bounds: tuple[float, ...]) -> NDArray[np.bool_]:
    """Which points lie in a box, (N,), its border included; those without a position do not.

    Args:
        points: Columns ``x`` and ``y``, N rows.
        bounds: Two opposite corners: x, y, x, y.
    """
    inside = np.empty(len(points), bool)
    ends = sorted(bounds[0::2]), sorted(bounds[1::2])
    across, up = points["x"].to_numpy(), points["y"].to_numpy()

    def look(start: int, stop: int) -> None:
        for part in slices(start, stop):
            x, y = across[part], up[part]
            among = (x >= ends[0][0]) & (x <= ends[0][1])
            inside[part] = among & (y >= ends[1][0]) & (y <= ends[1][1])

    spans(len(points), look)
    return inside


def nearest_row(
    points: pd.DataFrame,
    place: tuple[float, float],
    limits: Limits,
    frame: tuple[int, int],
    reach: float = np.inf,
) -> int | None:
    """The galaxy nearest to a place as seen on the screen; None if there is none.

    Every galaxy is looked at: that takes 3 ms for a million, less than a tree of them, and the
    scales change with every zoom.

    Args:
        points: Columns ``x`` and ``y``, N rows; NaN where unknown.
        place: Where, in the units of the axes.
        limits: The ranges of the view.
        frame: Its width and height in pixels.
        reach: How far it may be, in pixels.
    """
    (left, right), (bottom, top) = limits
    scale = frame[0] / (right - left), frame[1] / (top - bottom)
    across, up = points["x"].to_numpy(), points["y"].to_numpy()

    def look(start: int, stop: int) -> tuple[float, int]:
        best = (np.inf, -1)
        for part in slices(start, stop):
            distance = _squares(across[part], up[part], place, scale)
            row = int(distance.argmin())
            best = min(best, (float(distance[row]), part.start + row))
        return best

    distance, row = min(spans(len(points), look))
    return row if distance < np.inf and distance <= reach**2 else None


def _squares(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    place: tuple[float, float],
    scale: tuple[float, float],
) -> NDArray[np.float32]:
    """Squared distances from a place on the screen [px^2]; infinite where unknown."""
    across = (x - np.float32(place[0])) * np.float32(scale[0])
    up = (y - np.float32(place[1])) * np.float32(scale[1])
    distance = across**2 + up**2
    return np.where(np.isnan(distance), np.float32(np.inf), distance)
