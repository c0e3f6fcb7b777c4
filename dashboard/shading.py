"""From any number of galaxies to the pixels of a map: how many or what there is at each place.

Pictures are (H, W, 4) uint8 with row 0 at the bottom. Every galaxy in view counts: nothing is
sampled.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import datashader
import numpy as np
import pandas as pd
from holoviews.plotting.util import process_cmap
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

__all__ = ["Canvas", "colour_map", "paint_categories", "paint_density", "paint_mean"]

INK = 0.12  # share of the map that the dots would cover if they lay apart
LARGEST_DOT = 3  # px, radius
CROWD = 4.0  # radii over which neighbours count where single dots are seen
MAPS = {  # perceptually uniform; the part that stands out from the ground
    ("density", True): ("kbc", 0.42, 1.0),
    ("density", False): ("kbc", 0.75, 0.05),
    ("value", True): ("bmy", 0.12, 1.0),
    ("value", False): ("bmy", 0.0, 0.88),
    ("cyclic", True): ("colorwheel", 0.0, 1.0),
    ("cyclic", False): ("colorwheel", 0.0, 1.0),
}


class Canvas(NamedTuple):
    """The part of the plane that is drawn, and on how many pixels.

    Args:
        x: Its horizontal range.
        y: Its vertical range.
        width: Pixels across.
        height: Pixels up.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        return self.x[0], self.y[0], self.x[1], self.y[1]

    def inside(self, points: pd.DataFrame) -> int:
        """How many points, with columns ``x`` and ``y``, lie on it."""
        x, y = points["x"].to_numpy(), points["y"].to_numpy()
        (left, right), (bottom, top) = sorted(self.x), sorted(self.y)
        return int(((x >= left) & (x <= right) & (y >= bottom) & (y <= top)).sum())


@cache
def colour_map(kind: str, dark: bool) -> NDArray[np.float32]:
    """The 256 colours (256, 3) in [0, 1] of ``density``, ``value`` or ``cyclic``."""
    name, start, end = MAPS[kind, dark]
    colours = process_cmap(name, 256, provider="colorcet")
    table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]) / 255
    place = np.linspace(start, end, 256) * 255
    return np.stack([np.interp(place, np.arange(256), table[:, i]) for i in range(3)], axis=1)


def paint_density(points: pd.DataFrame, canvas: Canvas, *, dark: bool) -> NDArray[np.uint8]:
    """Galaxies as light: the colour is the rank of the local density (equalised).

    Args:
        points: Columns ``x`` and ``y``.
        canvas: What to draw.
        dark: Whether the ground is dark.
    """
    count, radius = _counts(points, canvas, datashader.count()), _radius(points, canvas)
    ink = _spread(count, radius)
    crowd = gaussian_filter(count, CROWD * radius) if radius else count
    inked, rank = ink > 0, np.zeros_like(count)
    if inked.any():
        _, place, weight = np.unique(crowd[inked], return_inverse=True, return_counts=True)
        rank[inked] = ((np.cumsum(weight) - weight[0]) / max(inked.sum() - weight[0], 1))[place]
    return _compose(_look_up(rank, "density", dark=dark), ink)


def paint_mean(
    points: pd.DataFrame,
    canvas: Canvas,
    limits: tuple[float, float],
    *,
    dark: bool,
    cyclic: bool = False,
) -> NDArray[np.uint8]:
    """The mean value of the galaxies at each place; those without a value are grey below.

    Args:
        points: Columns ``x``, ``y`` and ``value``.
        canvas: What to draw.
        limits: The values at the ends of the colours.
        dark: Whether the ground is dark.
        cyclic: Whether the ends are the same.
    """
    radius = _radius(points, canvas)
    sums = _counts(points, canvas, datashader.sum("value"))
    weight = _spread(_counts(points, canvas, datashader.count("value")), radius)
    mean = _spread(sums, radius) / np.where(weight > 0, weight, 1)
    share = np.clip((mean - limits[0]) / max(limits[1] - limits[0], 1e-12), 0, 1)
    colour = _look_up(share, "cyclic" if cyclic else "value", dark=dark)
    bare = _spread(_counts(points, canvas, datashader.count()), radius)
    grey = np.full(3, 0.30 if dark else 0.75)
    return _compose(np.where((weight > 0)[..., None], colour, grey), bare)


def paint_categories(
    points: pd.DataFrame, canvas: Canvas, colours: Sequence[str]
) -> NDArray[np.uint8]:
    """Each category in its colour, mixed by number where they overlap.

    Args:
        points: Columns ``x``, ``y`` and ``value``, the index of a category.
        canvas: What to draw.
        colours: The colour ``#rrggbb`` of each category.
    """
    radius = _radius(points, canvas)
    total = np.zeros((canvas.height, canvas.width), np.float32)
    mixed = np.zeros((*total.shape, 3), np.float32)
    for index, colour in enumerate(colours):
        part = points[points["value"] == index]
        count = _spread(_counts(part, canvas, datashader.count()), radius)
        rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
        mixed += count[..., None] * rgb
        total += count
    return _compose(mixed / np.where(total > 0, total, 1)[..., None], total)


def _counts(
    points: pd.DataFrame, canvas: Canvas, what: "datashader.reductions.Reduction"
) -> NDArray[np.float32]:
    if points.empty:
        return np.zeros((canvas.height, canvas.width), np.float32)
    plane = datashader.Canvas(canvas.width, canvas.height, sorted(canvas.x), sorted(canvas.y))
    return np.nan_to_num(plane.points(points, "x", "y", what).to_numpy()).astype(np.float32)


def _radius(points: pd.DataFrame, canvas: Canvas) -> int:
    """Dots that together could cover the same share of any map, single pixels where many."""
    seen = max(canvas.inside(points), 1)
    radius = np.sqrt(INK * canvas.width * canvas.height / (np.pi * seen))
    return int(min(radius, LARGEST_DOT))


def _spread(grid: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Give each pixel the shape of a soft dot, overlapping dots added up."""
    if radius == 0:
        return grid
    reach = radius + 1
    wide = np.pad(grid, reach)
    result = np.zeros_like(grid)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            weight = np.clip(radius + 0.5 - np.hypot(down, right), 0, 1)
            if weight > 0:
                rows = slice(reach + down, reach + down + grid.shape[0])
                columns = slice(reach + right, reach + right + grid.shape[1])
                result += np.float32(weight) * wide[rows, columns]
    return result


def _look_up(share: NDArray[np.float32], kind: str, *, dark: bool) -> NDArray[np.float32]:
    return colour_map(kind, dark)[(share * 255).astype(np.intp)]


def _compose(colour: NDArray[np.float32], ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    opaque = np.clip(ink, 0, 1)[..., None]
    return (np.concatenate([colour, opaque], axis=2) * 255 + 0.5).astype(np.uint8)
