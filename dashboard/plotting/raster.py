"""Rasterisation: counts and mean values of any number of galaxies as the pixels of a map.

Pictures are (H, W, 4) uint8 with row 0 at the bottom. Every galaxy in view counts: nothing is
sampled. Points with a column ``focus`` count where that is true. Many are counted in parts, in
several threads.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import datashader
import numpy as np
import pandas as pd
from datashader import reductions
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from dashboard.plotting.colour_maps import colour_map
from pcvae.scan import slices, spans

__all__ = [
    "FOCUS",
    "Canvas",
    "over",
    "paint_categories",
    "paint_context",
    "paint_density",
    "paint_mean",
]

FOCUS = "focus"  # the column that says which points count
PART = 1 << 22  # points counted together
Prepare = Callable[[pd.DataFrame], pd.DataFrame]
INK = 0.12  # share of the map that the dots would cover if they lay apart
MAX_RADIUS = 3  # px, radius
ROUND = 0.25  # px, added to the radius: smaller, the smallest dots look like crosses
CROWD = 4.0  # radii over which neighbours count where single dots are seen
REACH = 2.5  # widths to which that is counted
LEVELS = 4096  # of density that are told apart
GREY = {True: 0.36, False: 0.72}  # of what has no colour, by dark theme
CONTEXT, FAINTEST = {True: 0.52, False: 0.5}, 0.3  # of what is out of focus: grey, opacity


class Canvas(NamedTuple):
    """The part of the plane that is drawn, and its size in pixels.

    Args:
        x: Its horizontal range.
        y: Its vertical range.
        width: Pixels across.
        height: Pixels up.
        scale: Pixels of the picture a pixel of the page: dots are so many times as large.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int
    scale: float = 1.0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        return self.x[0], self.y[0], self.x[1], self.y[1]


def paint_density(points: pd.DataFrame, canvas: Canvas, *, dark: bool) -> NDArray[np.uint8]:
    """The density of galaxies, coloured by rank (histogram equalisation).

    Args:
        points: Columns ``x`` and ``y``.
        canvas: What to draw.
        dark: Whether the ground is dark.
    """
    (count,) = _sums(points, canvas)
    radius = _radius(count, canvas.scale)
    ink = _spread(count, radius)
    rank = _rank(_crowd(count, radius), ink > 0)
    return _compose(_look_up(rank, "density", dark=dark), ink)


def paint_context(points: pd.DataFrame, canvas: Canvas, *, dark: bool) -> NDArray[np.uint8]:
    """Galaxies out of focus: grey, fainter where there are few, by rank.

    Args:
        points: Columns ``x`` and ``y``.
        canvas: What to draw.
        dark: Whether the ground is dark.
    """
    (count,) = _sums(points, canvas)
    radius = _radius(count, canvas.scale)
    ink = _spread(count, radius)
    rank = _rank(_crowd(count, radius), ink > 0)
    grey = np.broadcast_to(np.float32(CONTEXT[dark]), (*ink.shape, 3))
    return _compose(grey, np.clip(ink, 0, 1) * (FAINTEST + (1 - FAINTEST) * rank))


def paint_mean(
    points: pd.DataFrame,
    canvas: Canvas,
    limits: tuple[float, float],
    *,
    dark: bool,
    kind: str = "value",
) -> NDArray[np.uint8]:
    """The mean value of the galaxies at each pixel; those without a value are grey, below.

    Args:
        points: Columns ``x``, ``y`` and ``value``.
        canvas: What to draw.
        limits: The values at the ends of the colours.
        dark: Whether the ground is dark.
        kind: Of the colours: ``value``; ``cyclic``, whose ends are the same, so that the mean is
            taken round the circle; ``difference``, which diverges from zero.
    """
    cyclic, width = kind == "cyclic", max(limits[1] - limits[0], 1e-12)
    names = ("sin", "cos") if cyclic else ("value",)
    asked = [reductions.count("value"), *map(reductions.sum, names)]
    on_circle = partial(_on_circle, start=limits[0], width=width)
    more = {"prepare": on_circle} if cyclic else {}
    count, known, *totals = _sums(points, canvas, *asked, **more)
    radius = _radius(count, canvas.scale)
    weight, *totals = (_spread(layer, radius) for layer in (known, *totals))
    if cyclic:
        share = np.arctan2(*totals) / (2 * np.pi) % 1
    else:
        mean = totals[0] / np.where(weight > 0, weight, 1)
        share = np.clip((mean - limits[0]) / width, 0, 1)
    colour = _look_up(share, kind, dark=dark)
    grey = np.float32(GREY[dark])
    return _compose(np.where((weight > 0)[..., None], colour, grey), _spread(count, radius))


def paint_categories(
    points: pd.DataFrame, canvas: Canvas, colours: Sequence[str]
) -> NDArray[np.uint8]:
    """Each category in its colour, mixed by number where they overlap.

    Args:
        points: Columns ``x``, ``y`` and ``value``, the index of a category.
        canvas: What to draw.
        colours: The colour ``#rrggbb`` of each category.
    """
    names = pd.Index([str(place) for place in range(len(colours))])

    def prepare(part: pd.DataFrame) -> pd.DataFrame:
        return part.assign(value=pd.Categorical.from_codes(part["value"].to_numpy(), names))

    found = _aggregate(points, canvas, reductions.count_cat("value"), prepare)
    if found is None:
        return paint_density(points, canvas, dark=True)
    count = found[""].astype(np.float32)
    radius = _radius(count.sum(axis=2), canvas.scale)
    mixed = count @ np.array(
        [[1, *(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5))] for c in colours], np.float32
    )
    ink, *light = (_spread(mixed[..., channel], radius) for channel in range(4))
    return _compose(np.stack(light, axis=2) / np.where(ink > 0, ink, 1)[..., None], ink)


def over(above: NDArray[np.uint8], below: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (H, W, 4) laid over another."""
    layers = Image.fromarray(below), Image.fromarray(above)
    return np.asarray(Image.alpha_composite(*layers))


def _on_circle(points: pd.DataFrame, start: float, width: float) -> pd.DataFrame:
    """Points with the sine and cosine of values that come round again after ``width``."""
    angle = (points["value"] - start) * (2 * np.pi / width)
    return points.assign(sin=np.sin(angle), cos=np.cos(angle))


def _sums(
    points: pd.DataFrame,
    canvas: Canvas,
    *what: "reductions.Reduction",
    prepare: Prepare = lambda part: part,
) -> list[NDArray[np.float32]]:
    """Counts and other reductions at each pixel, in one pass, of points once prepared."""
    asked = {str(place): reduction for place, reduction in enumerate((reductions.count(), *what))}
    found = _aggregate(points, canvas, reductions.summary(**asked), prepare)
    if found is None:
        return [np.zeros((canvas.height, canvas.width), np.float32) for _ in asked]
    return [found[name].astype(np.float32) for name in asked]


def _aggregate(
    points: pd.DataFrame, canvas: Canvas, what: "reductions.Reduction", prepare: Prepare
) -> dict[str, NDArray[np.float64]] | None:
    """Reductions at each pixel by name, added up over parts of the points; None for no points."""
    plane = datashader.Canvas(canvas.width, canvas.height, sorted(canvas.x), sorted(canvas.y))

    def look(start: int, stop: int) -> dict[str, NDArray[np.float64]]:
        total: dict[str, NDArray[np.float64]] = {}
        for rows in slices(start, stop, PART):
            part = points.iloc[rows]
            part = part[part[FOCUS].to_numpy()] if FOCUS in part else part
            if len(part):
                found = plane.points(prepare(part), "x", "y", what)
                layers = found.data_vars.items() if hasattr(found, "data_vars") else [("", found)]
                for name, layer in layers:
                    total[name] = total.get(name, 0.0) + np.nan_to_num(layer.to_numpy())
        return total

    parts = [part for part in spans(len(points), look) if part]
    if not parts:
        return None
    return {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}


def _radius(count: NDArray[np.float32], scale: float = 1.0) -> float:
    """The radius of dots [px]: their total area is the same on any map, down to single pixels.

    It is a whole number of the page's pixels, of which each is ``scale`` pixels of the picture; a
    dot of one such pixel is a disc of its area.
    """
    radius = np.sqrt(INK * count.size / (np.pi * max(float(count.sum()), 1))) / scale
    whole = int(min(radius, MAX_RADIUS))
    if whole:
        return whole * scale + ROUND * (scale - 1)
    return float(scale / np.sqrt(np.pi) - ROUND) if scale > 1 else 0.0


def _crowd(count: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """How crowded each pixel is: neighbours count where single dots are seen."""
    return gaussian_filter(count, CROWD * radius, truncate=REACH) if radius else count


def _rank(values: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The rank of each value among those ``where``, in [0, 1], to one part in ``LEVELS``."""
    result = np.zeros(values.shape, np.float32)
    chosen = np.log(np.maximum(values[where], 1e-6))
    if not len(chosen):
        return result
    low, high = chosen.min(), chosen.max()
    level = ((chosen - low) * ((LEVELS - 1) / max(high - low, 1e-6))).astype(np.intp)
    weight = np.bincount(level, minlength=LEVELS)
    rank = (np.cumsum(weight) - weight[0]) / max(len(chosen) - weight[0], 1)
    result[where] = rank.astype(np.float32)[level]
    return result


def _spread(grid: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Give each pixel the shape of a round dot, overlapping dots added up."""
    if radius == 0:
        return grid
    dot = _dot(radius)
    reach = len(dot) // 2
    wide = np.pad(grid, reach)
    result = np.zeros_like(grid)
    for (down, right), weight in np.ndenumerate(dot):
        rows = slice(down, down + grid.shape[0])
        result += weight * wide[rows, right : right + grid.shape[1]]
    return result


@cache
def _dot(radius: float) -> NDArray[np.float32]:
    """The covered area of each pixel under a disc, (2 reach + 1, 2 reach + 1)."""
    reach, fine = int(np.ceil(radius)) + 1, 16
    steps = (np.arange((2 * reach + 1) * fine) + 0.5) / fine - reach - 0.5
    inside = np.hypot(steps[:, None], steps) < radius + ROUND
    return inside.reshape(2 * reach + 1, fine, -1, fine).mean((1, 3), dtype=np.float32)


def _look_up(share: NDArray[np.floating], kind: str, *, dark: bool) -> NDArray[np.float32]:
    return colour_map(kind, dark)[(share * 255).astype(np.intp)]


def _compose(colour: NDArray[np.floating], ink: NDArray[np.floating]) -> NDArray[np.uint8]:
    opaque = np.clip(ink, 0, 1)[..., None]
    return (np.concatenate([colour, opaque], axis=2) * 255 + 0.5).astype(np.uint8)
