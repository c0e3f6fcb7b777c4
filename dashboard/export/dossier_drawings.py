"""The drawings of a dossier: candidates on the map, images with bar and arrows."""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes as Plot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from dashboard.backend.stamp_images import scale_bar
from dashboard.components.theme import ACCENT
from dashboard.export.dossier import Candidate, Dossier
from dashboard.export.paper import INK, QUIET, RULE, Looks, axis_title

__all__ = ["Bar", "draw_image", "draw_map", "png_of"]

MARK = ACCENT[False]
DPI = 220  # of the pictures in a page
MAX_NUMBERED = 25  # candidates whose ranks are written on the map
ORIGIN = 0.87, 0.87  # of the arrows on an image, in shares of it


class Bar(NamedTuple):
    """What is laid over an image.

    Args:
        pixel_scale: Arcsec a pixel; None draws no scale bar.
        size: Pixels on a side.
        north: Direction of north [rad], counter-clockwise from +x; NaN draws no arrows.
    """

    pixel_scale: float | None
    size: int
    north: float


def draw_map(
    plot: Plot, dossier: Dossier, picked: Candidate | None = None, size: float = 7
) -> None:
    """All candidates on the density of the sample.

    Args:
        plot: The axes.
        dossier: The candidates.
        picked: The one that is pointed at; None to number all of them, if they are few.
        size: Of the letters [pt].
    """
    (left, right), (bottom, top) = dossier.map.limits
    picture = dossier.map.picture
    plot.imshow(picture, extent=(left, right, bottom, top), origin="lower", aspect="auto")
    rows = [one.row for one in dossier.candidates]
    points = dossier.map.plane.points.iloc[rows]
    looks: Looks = {"ls": "", "mfc": "none", "mec": MARK}
    plot.plot(points["x"], points["y"], marker="o", ms=4.5, mew=0.8, **looks)
    if picked is None and len(rows) <= MAX_NUMBERED:
        _number(plot, dossier, points.to_numpy(np.float64), size)
    if picked is not None:
        x, y = dossier.map.plane.points.iloc[picked.row]
        plot.plot([x], [y], marker="o", ms=11, mew=1.6, **looks)
        if np.isfinite([x, y]).all():
            plot.axhline(y, color=MARK, lw=0.4, ls=":")
            plot.axvline(x, color=MARK, lw=0.4, ls=":")
    plot.set(xlim=(left, right), ylim=(bottom, top))
    plot.set_xlabel(axis_title(dossier.map.plane.x.axis), fontsize=size, labelpad=2)
    plot.set_ylabel(axis_title(dossier.map.plane.y.axis), fontsize=size, labelpad=2)
    plot.tick_params(labelsize=size - 0.5, length=2.5, width=0.6)
    for spine in plot.spines.values():
        spine.set_linewidth(0.6)


def _number(plot: Plot, dossier: Dossier, points: NDArray[np.float64], size: float) -> None:
    for one, place in zip(dossier.candidates, points, strict=True):
        if np.isfinite(place).all():
            spot: Looks = {"xytext": (3, 2), "textcoords": "offset points"}
            note = plot.annotate(str(one.rank), tuple(place), size=size, color=INK, **spot)
            note.set_path_effects([withStroke(linewidth=1.6, foreground="white")])


def draw_image(
    plot: Plot, picture: NDArray[np.uint8] | None, words: str = "", bar: Bar | None = None
) -> None:
    """An image (S, S, 3), or a frame with words in its place.

    Args:
        plot: The axes.
        picture: The image, row 0 at the bottom.
        words: What is said where there is none.
        bar: What is laid over it.
    """
    plot.set(xticks=[], yticks=[])
    for spine in plot.spines.values():
        spine.set(linewidth=0.4, color=RULE)
    if picture is None:
        looks: Looks = {"transform": plot.transAxes, "ha": "center", "va": "center", "wrap": True}
        plot.text(0.5, 0.5, words, size=6.5, color=QUIET, parse_math=False, **looks)
        return
    plot.imshow(picture, origin="lower", interpolation="nearest", aspect="auto")
    if bar is not None:
        _draw_bar(plot, bar)


def _draw_bar(plot: Plot, shown: Bar) -> None:
    """A scale bar, and arrows to north and east."""
    white: Looks = {"transform": plot.transAxes, "color": "white"}
    if (bar := scale_bar(shown.pixel_scale, shown.size)) is not None:
        plot.plot([0.05, 0.05 + bar[1]], [0.06, 0.06], lw=1.2, solid_capstyle="butt", **white)
        middle: Looks = {"ha": "center", "va": "bottom", "size": 6}
        plot.text(0.05 + bar[1] / 2, 0.075, bar[0], **middle, **white)
    north = shown.north
    for name, angle in (("N", north), ("E", north + np.pi / 2)) if np.isfinite(north) else ():
        c, s = float(np.cos(angle)), float(np.sin(angle))
        x, y = ORIGIN[0] - 0.03 * np.cos(north), ORIGIN[1] - 0.09 * np.sin(north)
        plot.plot([x, x + 0.1 * c], [y, y + 0.1 * s], lw=0.9, **white)
        looks: Looks = {"ha": "center", "va": "center", "size": 5.5}
        plot.text(x + 0.15 * c, y + 0.15 * s, name, **looks, **white)


def png_of(size: tuple[float, float], draw: Callable[[Plot], None], room: float = 0.0) -> bytes:
    """A drawing as a PNG.

    Args:
        size: Its width and height [inch].
        draw: Draws on the axes that it is given.
        room: For the titles of the axes, to the left and below [inch].
    """
    width, height = size
    figure, rim = Figure(size, DPI), 0.02
    FigureCanvasAgg(figure)
    wide, high = width - room - 2 * rim, height - 0.85 * room - 2 * rim
    box = ((room + rim) / width, (0.85 * room + rim) / height, wide / width, high / height)
    draw(figure.add_axes(box))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
