"""The layers of a printed map, as ``plotting.layers`` and ``plotting.markers`` draw the screen's.

Each returns its entries of the key. Sizes are those of the screen in px, times a scale.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes as Plot
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import Limits, Plane
from dashboard.backend.populations import population_title
from dashboard.components.theme import ACCENT, GROUND, TEXT
from dashboard.export.paper import Looks
from dashboard.galaxy.external_galaxy import place_on
from dashboard.plotting.colour_by import Colouring
from dashboard.plotting.decision_boundaries import fill, outline, shown_boundaries
from dashboard.plotting.layers import FAINT, galaxy_picture, mark_size
from dashboard.plotting.raster import Canvas
from pcvae.anomaly import NORMAL
from pcvae.label_classes import CANDIDATE

__all__ = ["Glyphs", "Map", "draw_galaxies", "draw_over"]

SHAPES = {
    "circle": "o",
    "diamond": "d",
    "square": "s",
    "triangle": "^",
    "inverted_triangle": "v",
    "hex": "H",
    "star": "*",
    "plus": "P",
}
SLIM = {"square": 0.85}  # of shapes that matplotlib draws larger than Bokeh


class Glyphs(NamedTuple):
    """What other parts of the page lay over the maps.

    Args:
        named: The rows that this person has labelled, and their names.
        near: The rows of the neighbours of the picked galaxy.
        frames: Width and height of each map on the screen [px].
    """

    named: Sequence[tuple[int, str]] = ()
    near: NDArray[np.intp] | tuple[()] = ()
    frames: Sequence[tuple[int, int]] = ((720, 500),)


class Map(NamedTuple):
    """One map that is printed.

    Args:
        datastore: The galaxies.
        state: What the session has chosen; ``dark`` is that of the paper.
        axes: The axes of this map.
        glyphs: What is laid over it.
        scale: Points of paper a pixel of the screen.
    """

    datastore: DataStore
    state: Any
    axes: Any
    glyphs: Glyphs
    scale: float

    @property
    def plane(self) -> Plane:
        """Its plane."""
        return self.datastore.columns.plane(self.axes.model, self.axes.x, self.axes.y)

    @property
    def limits(self) -> Limits:
        """The ranges in view."""
        return self.plane.clamped(self.axes.zoom)

    def colour(self, name: str) -> str:
        """The colour of a population or label."""
        return self.datastore.populations.colour(name, dark=self.state.dark)


def draw_galaxies(plot: Plot, shown: Map, chosen: Colouring) -> None:
    """The galaxies, a pixel of the picture a dot of the paper, once the axes have their place."""
    box, (x, y) = plot.get_window_extent(), shown.limits
    canvas = Canvas(x, y, max(round(box.width), 1), max(round(box.height), 1))
    state = shown.state
    picture = galaxy_picture(shown.plane, canvas, chosen, state.selection.focus, dark=state.dark)
    looks: Looks = {"origin": "lower", "aspect": "auto", "interpolation": "none", "zorder": 0}
    plot.imshow(picture, extent=(*x, *y), **looks)


def draw_over(plot: Plot, shown: Map) -> list[Line2D]:
    """All that lies over the galaxies, in the screen's order; returns the entries of the key."""
    (left, right), (bottom, top) = shown.limits
    regions = _regions(plot, shown)
    entries = [*_marks(plot, shown), *_labels(plot, shown), *_rings(plot, shown), *regions]
    _outlines(plot, shown)
    plot.set(xlim=(left, right), ylim=(bottom, top))
    return entries


def _regions(plot: Plot, shown: Map) -> list[Line2D]:
    """The SVM's regions: a faint fill, and their borders."""
    found = shown_boundaries(shown.datastore, shown.state, shown.axes)
    if found is None or len(found.classes) < 2:
        return []
    names = [name for name in found.classes if name != NORMAL]
    extent = (found.x[0], found.x[-1], found.y[0], found.y[-1])
    looks: Looks = {"origin": "lower", "aspect": "auto", "interpolation": "bilinear", "zorder": 1}
    plot.imshow(fill(found, {name: shown.colour(name) for name in names}), extent=extent, **looks)
    entries = []
    for name in names:
        looks = {"color": shown.colour(name), "lw": 1.2 * shown.scale, "zorder": 2}
        for line in outline(found, name):
            plot.plot(*np.asarray(line).T, **looks)
        entries.append(Line2D([], [], label=f"SVM: {population_title(name)}", **looks))
    return entries


def _marks(plot: Plot, shown: Map) -> list[Line2D]:
    """The rare populations, each with its number; those out of focus faint."""
    entries, focus = [], shown.state.selection.focus
    populations = shown.datastore.populations
    for name in (name for name in populations.marked if name not in shown.state.hidden):
        rows = populations.members(name)
        seen = np.ones(len(rows), bool) if focus is None else focus[rows]
        look = _look(shown, name, mark_size(len(rows)), edge=1.2, inside=0.35)
        for alpha, some in ((FAINT, rows[~seen]), (1.0, rows[seen])):
            _points(plot, shown.plane.points.iloc[some], look, alpha)
        entries.append(Line2D([], [], label=f"{population_title(name)} ({len(rows):,})", **look))
    return entries


def _labels(plot: Plot, shown: Map) -> list[Line2D]:
    """What this person has labelled, with the number of each name."""
    entries = []
    named = [name for _, name in shown.glyphs.named if name not in shown.state.hidden]
    for name, count in Counter(named).items():
        rows = [row for row, other in shown.glyphs.named if other == name]
        look = _look(shown, name, 11, edge=1.8, inside=0.15)
        _points(plot, shown.plane.points.iloc[rows], look, 1.0)
        title = "Candidate" if name == CANDIDATE else population_title(name)
        entries.append(Line2D([], [], label=f"{title} ({count:,} labelled)", **look))
    return entries


def _look(shown: Map, name: str, size: float, *, edge: float, inside: float) -> Looks:
    """The looks of the mark of a population or label, of a size and an edge in px."""
    shape, colour = shown.datastore.populations.shape(name), shown.colour(name)
    return {
        "marker": SHAPES[shape],
        "ms": size * shown.scale * SLIM.get(shape, 1.0),
        "mew": edge * shown.scale,
        "mec": colour,
        "mfc": (colour, inside),
        "ls": "",
        "zorder": 3,
    }


def _points(plot: Plot, points: pd.DataFrame, look: Looks, alpha: float) -> None:
    colour, inside = look["mfc"]
    faded: Looks = {"mec": (colour, alpha), "mfc": (colour, alpha * inside)}
    plot.plot(points["x"], points["y"], **{**look, **faded})


def _rings(plot: Plot, shown: Map) -> list[Line2D]:
    """Rings around the picked galaxy and its neighbours, a star for the external one."""
    state, plane, dark = shown.state, shown.plane, shown.state.dark
    picked = plane.points.iloc[[] if state.row is None else [state.row]]
    external = place_on(state.external, shown.axes.model, plane.x.column, plane.y.column)
    near = plane.points.iloc[list(shown.glyphs.near)]
    name = "" if state.row is None else str(shown.datastore.ids[state.row])
    parts = (
        (near, f"Its {len(near)} nearest", "o", 10.0, 1.3, TEXT[dark]),
        (picked, name, "o", 24.0, 2.6, ACCENT[dark]),
        (external, state.external.name if len(external) else "", "*", 26.0, 2.4, ACCENT[dark]),
    )
    entries = []
    for points, label, shape, size, edge, colour in parts:
        if not len(points):
            continue
        look: Looks = {"marker": shape, "ms": size * shown.scale, "mfc": "none", "ls": ""}
        if size > 10:  # over a wider one in the ground's colour, for contrast
            wide = 6.0 * shown.scale
            plot.plot(points["x"], points["y"], mec=GROUND[dark], mew=wide, zorder=4, **look)
        look |= {"mec": colour, "mew": edge * shown.scale, "zorder": 5}
        plot.plot(points["x"], points["y"], **look)
        entries.append(Line2D([], [], label=label, **{**look, "ms": min(look["ms"], 7)}))
    return entries[::-1]


def _outlines(plot: Plot, shown: Map) -> None:
    """The gesture that made the selection, dashed, and the line that is decoded along."""
    state, axes = shown.state, shown.axes
    gesture = state.selection.gesture
    if gesture is not None and gesture.plane == (axes.model, axes.x, axes.y):
        corners = np.array([*gesture.corners, gesture.corners[0]])
        looks: Looks = {"color": TEXT[state.dark], "ls": "--", "lw": 1.4 * shown.scale}
        plot.plot(*corners.T, zorder=6, **looks)
    if state.tab == "decode" and state.decoding.along == "line" and axes.line:
        looks = {"color": ACCENT[state.dark], "marker": "o", "ms": 7 * shown.scale}
        plot.plot(axes.line[::2], axes.line[1::2], lw=2 * shown.scale, zorder=6, **looks)
