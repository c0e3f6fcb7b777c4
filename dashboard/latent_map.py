"""The latent space as a map that can be tapped and zoomed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models import ColumnDataSource
from holoviews.streams import PlotSize, RangeXY, Stream, Tap
from numpy.typing import NDArray

from dashboard.colouring import Paint, colouring
from dashboard.fitting import wanted_fit
from dashboard.guest import place_on
from dashboard.lookalikes import near_rows
from dashboard.plane import Limits, Plane, nearest_row
from dashboard.regions import fill, outline
from dashboard.shading import Canvas
from dashboard.source import Source
from dashboard.state import Axes, State
from dashboard.style import ACCENT, GROUND, TEXT

__all__ = [
    "LatentMap",
    "galaxy_image",
    "marked_points",
    "region_image",
    "region_lines",
]

AXES = ("model", "x", "y", "zoom")
RINGED = ("row", "guest", "model", "x", "y", "dark", "k", "whiten", "oriented")
READS = {  # what the layers of a kind hang on
    "galaxies": ("model", "x", "y", "zoom", "dark", "colour", "size"),
    "regions": ("model", "x", "y", "dark", "boundaries", "fitted", "loaded"),
    "marks": ("model", "x", "y", "dark"),
}
FRAME = (720, 500)  # px, until the browser has said how large the map is
CLEAR = ":host { background: transparent !important; opacity: .75; }"
FIGURE = {
    "responsive": True,
    "default_tools": [],
    "tools": ["pan", "wheel_zoom", "box_zoom", "tap", "save", "reset"],
    "active_tools": ["pan", "wheel_zoom"],
    "toolbar": "right",
    "show_legend": False,
    "padding": 0,
    "min_height": 220,
}


def galaxy_image(
    plane: Plane, values: NDArray[np.float64] | None, canvas: Canvas, paint: Paint
) -> hv.RGB:
    """All galaxies in view, painted by one of ``dashboard.shading``'s functions."""
    points = plane.points if values is None else plane.points.assign(value=values)
    return hv.RGB(np.flipud(paint(points, canvas)), kdims=["x", "y"], bounds=canvas.bounds)


def marked_points(plane: Plane, rows: NDArray[np.intp]) -> hv.Points:
    """Some galaxies as points of their own."""
    return hv.Points(plane.points.iloc[rows], kdims=["x", "y"])


def region_image(boundaries: Any, limits: Limits, colours: dict[str, str]) -> hv.RGB:
    """The SVM's regions as a faint fill; transparent while there are none."""
    (left, right), (bottom, top) = limits
    bounds, picture = (left, bottom, right, top), np.zeros((2, 2, 4), np.uint8)
    if boundaries is not None and len(boundaries.classes) > 1:
        picture = fill(boundaries, colours)
        x, y = boundaries.x, boundaries.y
        bounds = (x[0], y[0], x[-1], y[-1])
    return hv.RGB(np.flipud(picture), kdims=["x", "y"], bounds=bounds)


def region_lines(boundaries: Any, name: str) -> hv.Path:
    """The border of one class's region; empty while there is none."""
    lines = outline(boundaries, name) if boundaries is not None else []
    return hv.Path(lines, kdims=["x", "y"])


class Turn(Stream):
    """Counts how often layers had to be made anew."""

    turn = param.Integer(default=0)


class Rings:
    """Rings on a figure, moved without drawing the rest of it again.

    Args:
        figure: The Bokeh figure.
    """

    def __init__(self, figure: Any) -> None:
        empty = {"x": [], "y": [], "size": [], "width": [], "colour": [], "shape": []}
        self.source = ColumnDataSource(empty)
        figure.scatter(
            "x",
            "y",
            source=self.source,
            marker="shape",
            size="size",
            line_width="width",
            line_color="colour",
            fill_alpha=0,
            level="overlay",
        )

    def show(
        self, picked: pd.DataFrame, near: pd.DataFrame, guest: pd.DataFrame, *, dark: bool
    ) -> None:
        """Ring the picked galaxy, over a darker ring that parts it from what is below.

        The guest is a star. Each has columns ``x`` and ``y``.
        """
        parts = [
            (near, 10, 1.3, TEXT, "circle"),
            (picked, 24, 6.0, GROUND, "circle"),
            (picked, 24, 2.6, ACCENT, "circle"),
            (guest, 26, 6.0, GROUND, "star"),
            (guest, 26, 2.4, ACCENT, "star"),
        ]
        shown = pd.concat(
            [
                points.assign(size=size, width=width, colour=colours[dark], shape=shape)
                for points, size, width, colours, shape in parts
            ]
        )
        self.source.data = {name: shown[name].to_numpy() for name in self.source.column_names}


def _dress(figure: Any) -> None:
    """What HoloViews has no option for."""
    figure.toolbar.logo, figure.toolbar_inner = None, True
    figure.toolbar.stylesheets = [CLEAR]
    figure.toolbar.autohide, figure.outline_line_color = True, None


class LatentMap(pn.viewable.Viewer):
    """A shaded map of all galaxies; a tap picks the nearest one.

    Reads ``model``, ``x``, ``y`` and ``zoom`` of its axes; of the state ``model``, ``colour``,
    ``boundaries``, ``dark``, ``loaded``, ``fitted`` and ``row``. Writes ``zoom`` of the axes and
    ``row`` of the state.
    """

    source = param.ClassSelector(class_=Source, constant=True)
    state = param.ClassSelector(class_=State, constant=True)
    axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._told: Limits | None = None
        self._shown: tuple[Any, ...] = ()
        self.rings: Rings | None = None
        self._turns = {name: Turn() for name in READS}
        galaxies = self._layer("galaxies", self._galaxies).opts(hooks=[self._fit])
        self.tap = Tap(source=galaxies)
        self.tap.add_subscriber(self._pick)
        self.range = RangeXY(source=galaxies)
        self.range.add_subscriber(self._zoom)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.size.add_subscriber(lambda **_: self._redraw({"size"}))
        marked = self.source.marked
        layers = [
            galaxies,
            self._layer("regions", self._fill),
            *(self._layer("regions", partial(self._line, name)) for name in marked),
            *(self._layer("marks", partial(self._marks, name)) for name in marked),
        ]
        self.figure = hv.Overlay(layers).collate().opts(**FIGURE)
        self._follow()
        self._pane = pn.pane.HoloViews(
            self.figure,
            sizing_mode="stretch_both",
            css_classes=["map"],
            min_height=220,
            linked_axes=False,
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane

    @property
    def plane(self) -> Plane:
        """The plane that is shown."""
        return self.source.plane(self.axes.model, self.axes.x, self.axes.y)

    @property
    def limits(self) -> Limits:
        """The ranges of the view: the plane's own until someone zooms it."""
        if self.axes.zoom is None:
            return self.plane.limits
        left, bottom, right, top = self.axes.zoom
        return (left, right), (bottom, top)

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height of the map in the browser [px]."""
        return self.size.width or FRAME[0], self.size.height or FRAME[1]

    def _follow(self) -> None:
        """Draw anew what has changed, whichever layers it is in, in one go."""

        def redraw(*events: param.parameterized.Event) -> None:
            self._redraw({event.name for event in events})

        def mark(*_: Any) -> None:
            pn.state.execute(self._mark, schedule=True)

        read = {name for names in READS.values() for name in names} - {"size"}
        places, of_state = [one for one in read if one in AXES], sorted(read - set(AXES))
        if self.axes is self.state:
            self.state.param.watch(redraw, [*places, *of_state])
        else:
            self.axes.param.watch(redraw, places)
            self.state.param.watch(redraw, ["model", *of_state])
            self.axes.param.watch(mark, ["model", "x", "y"])
        self.state.param.watch(mark, list(RINGED))

    def _layer(self, kind: str, make: Callable[[], hv.Element]) -> hv.DynamicMap:
        """A layer that is made anew when what its kind reads has changed."""
        return hv.DynamicMap(lambda **_: make(), streams=[self._turns[kind]])

    def _redraw(self, changed: set[str]) -> None:
        stale = [self._turns[kind] for kind, names in READS.items() if changed & set(names)]
        for turn in stale:
            turn.update(turn=turn.turn + 1)
        Stream.trigger(stale)

    def _galaxies(self) -> hv.RGB:
        chosen = colouring(self.source, self.state.model, self.state.colour, dark=self.state.dark)
        canvas = Canvas(*self.limits, *(max(int(side), 50) for side in self.frame))
        return galaxy_image(self.plane, chosen.values, canvas, chosen.paint)

    def _fill(self) -> hv.RGB:
        colours = {name: self._colour(name) for name in self.source.marked}
        image = region_image(self._boundaries(), self.plane.limits, colours)
        return image.opts(apply_ranges=False)

    def _line(self, name: str) -> hv.Path:
        lines = region_lines(self._boundaries(), name)
        return lines.opts(
            color=self._colour(name), line_width=1.2, line_join="round", apply_ranges=False
        )

    def _marks(self, name: str) -> hv.Points:
        rows = self.source.members(name)
        style = {
            "marker": self.source.shape(name),
            "size": 12 if len(rows) <= 50 else 9 if len(rows) <= 1000 else 5,
            "color": self._colour(name),
            "fill_alpha": 0.35,
            "line_width": 1.2,
        }
        return marked_points(self.plane, rows).opts(apply_ranges=False, **style)

    def _colour(self, name: str) -> str:
        return self.source.colour(name, dark=self.state.dark)

    def _boundaries(self) -> Any:
        """The SVM's regions if they are wanted and there."""
        job = wanted_fit(self.source, self.state, self.axes)
        return None if job is None else self.source.result(job)

    def _fit(self, plot: Any, _: Any) -> None:
        """Give a new plane its titles and ranges; leave alone what the browser has zoomed."""
        plane, limits = self.plane, self.limits
        wanted = (plane.x, plane.y, self.axes.model, limits)
        if not plot.drawn:
            self.rings = Rings(plot.state)
            self._mark()
            _dress(plot.state)
        elif self._shown == wanted or (self._shown[:3] == wanted[:3] and limits == self._told):
            return
        self._shown, figure = wanted, plot.state
        figure.xaxis.axis_label, figure.yaxis.axis_label = plane.x.axis, plane.y.axis
        sides = (figure.x_range, figure.y_range)
        for side, (start, end), whole in zip(sides, limits, plane.limits, strict=True):
            side.update(start=start, end=end, reset_start=whole[0], reset_end=whole[1])

    def _zoom(self, x_range: Any, y_range: Any) -> None:
        """Keep what the browser has zoomed to; all of it is no zoom."""
        if x_range is None or y_range is None:
            return
        (left, right), (bottom, top) = self._told = tuple(x_range), tuple(y_range)
        whole = np.allclose(self._told, self.plane.limits, rtol=1e-6, atol=0)
        self.axes.zoom = None if whole else (left, bottom, right, top)

    def _mark(self) -> None:
        """Ring the picked galaxy and, smaller, its neighbours; put a star where the guest is."""
        row, plane = self.state.row, self.plane
        near = near_rows(self.source, self.state, self._mark)
        if self.rings is not None:
            rows = [] if row is None else [row]
            points, axes = plane.points, (self.axes.model, plane.x.column, plane.y.column)
            guest = place_on(self.state.guest, *axes)
            self.rings.show(points.iloc[rows], points.iloc[near], guest, dark=self.state.dark)

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame)
        if row is not None:
            self.state.row = row
