"""The layers of a map: a picture of all galaxies; regions, markers and labels over it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import BoxSelectTool, ColumnDataSource, LassoSelectTool
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import Limits, Plane, narrowest
from dashboard.backend.screen import device_ratio, picture_size
from dashboard.plotting.colour_by import Colouring, chosen_colouring
from dashboard.plotting.decision_boundaries import fill, outline
from dashboard.plotting.raster import FOCUS, Canvas, over, paint_context
from dashboard.state import State
from pcvae.anomaly import NORMAL
from pcvae.boundaries import Boundaries

__all__ = [
    "FAINT",
    "FIGURE",
    "LabelMarks",
    "Marks",
    "Regions",
    "borders",
    "canvas_of",
    "configure_figure",
    "draw_galaxies",
    "filled",
    "galaxy_image",
    "galaxy_picture",
    "mark_size",
    "set_ranges",
    "set_view",
]

FAINT = 0.22  # of marks out of focus
LINE = {"line_width": 1.2, "line_join": "round"}
CLEAR = ":host { background: transparent !important; opacity: .75; }"
FIGURE = {
    "responsive": True,
    "default_tools": [],
    "tools": ["pan", "wheel_zoom", "box_zoom", "box_select", "lasso_select", "save", "reset"],
    "active_tools": ["pan", "wheel_zoom"],
    "toolbar": "right",
    "padding": 0,
    "min_height": 160,
}
"""Options of a layer that is a map."""


def galaxy_picture(
    plane: Plane,
    canvas: Canvas,
    chosen: Colouring,
    focus: NDArray[np.bool_] | None,
    *,
    dark: bool,
) -> NDArray[np.uint8]:
    """All galaxies in view, those in focus in colour over the others in grey: (H, W, 4).

    Args:
        plane: Their positions.
        canvas: The part in view.
        chosen: Their colours.
        focus: Which of them are in focus, (N,); None for all.
        dark: Whether the ground is dark.
    """
    points = plane.points if chosen.values is None else plane.points.assign(value=chosen.values)
    picture = chosen.paint(points if focus is None else points.assign(**{FOCUS: focus}), canvas)
    if focus is not None:
        picture = over(picture, paint_context(plane.points, canvas, dark=dark))
    return picture


def draw_galaxies(datastore: DataStore, state: State, plane: Plane, canvas: Canvas) -> hv.RGB:
    """The galaxies of a plane, coloured and in focus as the state says, as a HoloViews layer."""
    chosen = chosen_colouring(datastore, state)
    picture = galaxy_picture(plane, canvas, chosen, state.selection.focus, dark=state.dark)
    return galaxy_image(picture, canvas)


def canvas_of(limits: Limits, frame: tuple[float, float]) -> Canvas:
    """What is drawn of a map of that width and height [px], in pixels of the visitor's screen."""
    width, height, scale = picture_size(int(frame[0]), int(frame[1]), device_ratio())
    return Canvas(*limits, width, height, scale)


def set_ranges(figure: Any, limits: Limits, whole: Limits) -> None:
    """Set the ranges of a figure, and those that its reset button goes back to."""
    sides = (figure.x_range, figure.y_range)
    for side, (start, end), reset in zip(sides, limits, whole, strict=True):
        side.update(start=start, end=end, reset_start=reset[0], reset_end=reset[1])


def set_view(figure: Any, plane: Plane, limits: Limits) -> None:
    """Set the ranges of a map, and how far the browser may zoom and pan, at both ends."""
    set_ranges(figure, limits, plane.limits)
    sides = (figure.x_range, figure.y_range)
    for side, first, reach in zip(sides, plane.limits, plane.reach, strict=True):
        side.update(bounds=reach, min_interval=narrowest(first), max_interval=reach[1] - reach[0])


def galaxy_image(picture: NDArray[np.uint8], canvas: Canvas) -> hv.RGB:
    """A picture as a HoloViews layer at its position on the map."""
    return hv.RGB(np.flipud(picture), kdims=["x", "y"], bounds=canvas.bounds)


def configure_figure(figure: Any) -> None:
    """Set options of a map's figure that HoloViews lacks."""
    figure.toolbar.logo, figure.toolbar.group, figure.toolbar_inner = None, False, True
    figure.toolbar.stylesheets = [CLEAR]
    figure.toolbar.autohide, figure.outline_line_color = True, None
    for tool in figure.tools:
        if isinstance(tool, BoxSelectTool | LassoSelectTool):
            tool.renderers = []


def filled(found: Boundaries | None, colour: Callable[[str], str]) -> dict[str, Any]:
    """The SVM's regions as a faint picture: an image, its corner ``x``, ``y`` and its size.

    Args:
        found: The regions; None if there are none to show.
        colour: The colour ``#rrggbb`` of a class.
    """
    columns: dict[str, Any] = {name: [] for name in ("image", "x", "y", "dw", "dh")}
    if found is not None and len(found.classes) > 1:
        picture = fill(found, {name: colour(name) for name in found.classes if name != NORMAL})
        columns["image"] = [np.ascontiguousarray(picture).view(np.uint32)[..., 0]]
        columns |= {"x": [found.x[0]], "y": [found.y[0]]}
        columns |= {"dw": [found.x[-1] - found.x[0]], "dh": [found.y[-1] - found.y[0]]}
    return columns


def borders(found: Boundaries | None, colour: Callable[[str], str]) -> dict[str, Any]:
    """The borders of the SVM's regions as lines ``x``, ``y`` (n,), each in its ``colour``."""
    columns: dict[str, Any] = {"x": [], "y": [], "colour": []}
    for name in found.classes if found is not None else ():
        for line in outline(found, name) if found is not None and name != NORMAL else ():
            columns["x"].append(line[:, 0])
            columns["y"].append(line[:, 1])
            columns["colour"].append(colour(name))
    return columns


class Regions:
    """The regions of a linear SVM: lines, and a faint fill.

    Args:
        figure: The Bokeh figure.
        datastore: Gives the colour of a class.
    """

    def __init__(self, figure: Any, datastore: DataStore) -> None:
        self._datastore = datastore
        self.fill = ColumnDataSource(filled(None, str))
        self.lines = ColumnDataSource(borders(None, str))
        figure.image_rgba("image", "x", "y", "dw", "dh", source=self.fill)
        figure.multi_line("x", "y", source=self.lines, line_color="colour", **LINE)

    def show(self, found: Boundaries | None, *, dark: bool) -> None:
        """Draw them for a dark or a light ground; None removes them."""
        colour = partial(self._datastore.populations.colour, dark=dark)
        self.fill.data, self.lines.data = filled(found, colour), borders(found, colour)


def mark_size(count: int) -> int:
    """The size [px] of the marks of a population of so many galaxies."""
    return 12 if count <= 50 else 9 if count <= 1000 else 5


class Marks:
    """The galaxies of the store's rare populations, each by its shape and colour.

    Args:
        figure: The Bokeh figure.
        datastore: The galaxies.
    """

    def __init__(self, figure: Any, datastore: DataStore) -> None:
        self._datastore = datastore
        self.shown = {name: self._scatter(figure, name) for name in datastore.populations.marked}

    def _scatter(self, figure: Any, name: str) -> Any:
        count = len(self._datastore.populations.members(name))
        return figure.scatter(
            "x",
            "y",
            source=ColumnDataSource({"x": [], "y": [], "strength": [], "faint": []}),
            marker=self._datastore.populations.shape(name),
            size=mark_size(count),
            line_width=1.2,
            line_alpha="strength",
            fill_alpha="faint",
        )

    def hide(self, names: Sequence[str]) -> None:
        """Let these populations have no marks; their galaxies stay as dots."""
        for name, drawn in self.shown.items():
            drawn.visible = name not in names

    def show(self, points: pd.DataFrame, focus: NDArray[np.bool_] | None, *, dark: bool) -> None:
        """Draw them; those out of focus are faint.

        Args:
            points: Columns ``x`` and ``y``, N rows.
            focus: Which galaxies are in focus, (N,); None for all.
            dark: Whether the ground is dark.
        """
        for name, drawn in self.shown.items():
            rows = self._datastore.populations.members(name)
            seen = np.ones(len(rows), bool) if focus is None else focus[rows]
            strength = np.where(seen, 1.0, FAINT)
            colour = self._datastore.populations.colour(name, dark=dark)
            drawn.glyph.update(line_color=colour, fill_color=colour)
            drawn.data_source.data = {
                **_columns(points, rows),
                "strength": strength,
                "faint": 0.35 * strength,
            }


class LabelMarks:
    """The galaxies that this person has named, or scored 4 or 5, on top.

    Args:
        figure: The Bokeh figure.
        datastore: Gives the shape and the colour of a name.
    """

    def __init__(self, figure: Any, datastore: DataStore) -> None:
        self._datastore = datastore
        self.shown = ColumnDataSource({"x": [], "y": [], "colour": [], "shape": []})
        figure.scatter(
            "x",
            "y",
            source=self.shown,
            marker="shape",
            color="colour",
            size=11,
            fill_alpha=0.15,
            line_width=1.8,
        )

    def show(self, points: pd.DataFrame, named: Sequence[tuple[int, str]], *, dark: bool) -> None:
        """Draw them.

        Args:
            points: Columns ``x`` and ``y``, N rows.
            named: Rows and their names.
            dark: Whether the ground is dark.
        """
        colour, shape = (
            partial(self._datastore.populations.colour, dark=dark),
            self._datastore.populations.shape,
        )
        rows, names = [row for row, _ in named], [name for _, name in named]
        looks = {name: (colour(name), shape(name)) for name in set(names)}
        self.shown.data = {
            **_columns(points, np.array(rows, np.intp)),
            "colour": [looks[name][0] for name in names],
            "shape": [looks[name][1] for name in names],
        }


def _columns(points: pd.DataFrame, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    """The positions of some galaxies."""
    return {name: points[name].to_numpy()[rows] for name in ("x", "y")}
