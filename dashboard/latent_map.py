"""The latent space as a map that can be tapped and zoomed."""

from collections.abc import Callable
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import param
from bokeh.models import BoxSelectTool, LassoSelectTool
from holoviews.streams import PlotSize, RangeXY, Stream, Tap
from numpy.typing import NDArray

from dashboard.colouring import Colouring, colouring
from dashboard.fitting import wanted_fit
from dashboard.gestures import Gestures
from dashboard.guest import place_on
from dashboard.hover import Glance, glance_html
from dashboard.labelling import own_marks
from dashboard.lookalikes import near_rows
from dashboard.plane import Limits, Plane, nearest_row
from dashboard.pointer import Pointer, lengthen
from dashboard.regions import fill, outline
from dashboard.rings import Rings
from dashboard.session import weakly
from dashboard.shading import Canvas, over, paint_context
from dashboard.source import Source
from dashboard.state import Axes, State
from dashboard.style import GROUND

__all__ = [
    "LatentMap",
    "galaxy_image",
    "galaxy_picture",
    "marked_points",
    "region_image",
    "region_lines",
]

AXES = ("model", "x", "y", "zoom")
RINGED = ("row", "guest", "model", "x", "y", "dark", "k", "whiten", "oriented")
READS = {  # what the layers of a kind hang on
    "galaxies": ("model", "x", "y", "zoom", "dark", "colour", "focus", "size", "scored", "taught"),
    "regions": ("model", "x", "y", "dark", "boundaries", "fitted", "loaded", "taught"),
    "marks": ("model", "x", "y", "dark", "focus"),
    "labels": ("model", "x", "y", "dark", "revision"),
}
FRAME = (720, 500)  # px, until the browser has said how large the map is
CLEAR = ":host { background: transparent !important; opacity: .75; }"
NEAR = 16  # px from the cursor to what it is said to be on
PIXELS = 1_500_000  # of a map's picture at most; on a larger screen each is drawn larger
FAINT = 0.22  # of marks out of focus
FIGURE = {
    "responsive": True,
    "default_tools": [],
    "tools": ["pan", "wheel_zoom", "box_zoom", "save", "reset"],
    "active_tools": ["pan", "wheel_zoom"],
    "toolbar": "right",
    "show_legend": False,
    "padding": 0,
    "min_height": 160,
}


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
        plane: Where they are.
        canvas: What is in view.
        chosen: Their colours.
        focus: Which of them are in focus, (N,); None for all.
        dark: Whether the ground is dark.
    """
    points = plane.points if chosen.values is None else plane.points.assign(value=chosen.values)
    picture = chosen.paint(points if focus is None else points[focus], canvas)
    if focus is not None:
        picture = over(picture, paint_context(plane.points, canvas, dark=dark))
    return picture


def galaxy_image(picture: NDArray[np.uint8], canvas: Canvas) -> hv.RGB:
    """Such a picture where it belongs on the map."""
    return hv.RGB(np.flipud(picture), kdims=["x", "y"], bounds=canvas.bounds)


def marked_points(
    plane: Plane, rows: NDArray[np.intp], focus: NDArray[np.bool_] | None
) -> hv.Points:
    """Some galaxies as points of their own; ``strength`` is less for those out of focus."""
    strength = 1.0 if focus is None else np.where(focus[rows], 1.0, FAINT)
    points = plane.points.iloc[rows].assign(strength=strength)
    return hv.Points(points, kdims=["x", "y"], vdims=["strength"])


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


def _dress(figure: Any) -> None:
    """What HoloViews has no option for."""
    figure.toolbar.logo, figure.toolbar.group, figure.toolbar_inner = None, False, True
    figure.toolbar.stylesheets = [CLEAR]
    figure.toolbar.autohide, figure.outline_line_color = True, None
    for tool in figure.tools:
        if isinstance(tool, BoxSelectTool | LassoSelectTool):
            tool.renderers = []


class LatentMap(pn.viewable.Viewer):
    """A shaded map of all galaxies; a tap picks the nearest one.

    Boxes and lassos select; with shift held they add, with ctrl or alt they take away.

    Reads ``model``, ``x``, ``y`` and ``zoom`` of its axes; of the state ``model``, ``colour``,
    ``boundaries``, ``dark``, ``loaded``, ``fitted``, ``focus``, ``gesture``, ``drawing``, ``row``,
    ``scored``, ``taught``, ``revision`` and the neighbours' options. Writes ``zoom`` and, while
    ``drawing``, ``line`` of the axes; ``row``, ``selected`` and ``gesture`` of the state.
    """

    source = param.ClassSelector(class_=Source, constant=True)
    state = param.ClassSelector(class_=State, constant=True)
    axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._told: Limits | None = None
        self._shown: tuple[Any, ...] = ()
        self.rings: Rings | None = None
        self.pointer: Pointer | None = None
        self.glance = Glance(self._glance)
        self._turns = {name: Turn(rename={"turn": name}) for name in READS}
        galaxies = self._layer("galaxies", self._galaxies)
        galaxies = galaxies.opts(hooks=[weakly(self._fit)], tools=["box_select", "lasso_select"])
        self.tap = Tap(source=galaxies)
        self.tap.add_subscriber(self._pick)
        self.gestures = Gestures(
            self.state, galaxies, lambda: self.plane.points, lambda: self.axes.plane
        )
        self.range = RangeXY(source=galaxies)
        self.range.add_subscriber(self._zoom)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.size.add_subscriber(lambda **_: self._redraw({"size"}))
        marked = self.source.marked
        layers = [
            galaxies,
            self._layer("regions", self._fill),
            *(self._layer("regions", partial(self._line, name)) for name in marked),
            self._layer("regions", self._own_lines),
            *(self._layer("marks", partial(self._marks, name)) for name in marked),
            self._layer("labels", self._labels),
        ]
        self.figure = hv.Overlay(layers).collate().opts(**FIGURE)
        self._follow()
        self._pane = pn.pane.HoloViews(
            self.figure,
            sizing_mode="stretch_both",
            css_classes=["map"],
            min_height=160,
            linked_axes=False,
        )

    def __panel__(self) -> pn.viewable.Viewable:
        place = {"position": "relative"}
        return pn.Column(self._pane, self.glance.pane, sizing_mode="stretch_both", styles=place)

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

        def trace(*_: Any) -> None:
            pn.state.execute(self.gestures.trace, schedule=True)

        read = {name for names in READS.values() for name in names} - {"size"}
        places, of_state = [one for one in read if one in AXES], sorted(read - set(AXES))
        if self.axes is self.state:
            self.state.param.watch(redraw, [*places, *of_state])
        else:
            self.axes.param.watch(redraw, places)
            self.state.param.watch(redraw, ["model", *of_state])
            self.axes.param.watch(mark, ["model", "x", "y"])
            self.axes.param.watch(trace, ["model", "x", "y"])
        self.state.param.watch(mark, list(RINGED))
        self.state.param.watch(trace, ["gesture", "model", "x", "y", "dark"])

    def _layer(self, kind: str, make: Callable[[], hv.Element]) -> hv.DynamicMap:
        """A layer that is made anew when what its kind reads has changed."""
        return hv.DynamicMap(lambda **_: make(), streams=[self._turns[kind]])

    def _redraw(self, changed: set[str]) -> None:
        stale = [self._turns[kind] for kind, names in READS.items() if changed & set(names)]
        for turn in stale:
            turn.update(turn=turn.turn + 1)
        Stream.trigger(stale)

    def _galaxies(self) -> hv.RGB:
        chosen = colouring(
            self.source,
            self.state.model,
            self.state.colour,
            dark=self.state.dark,
            taught=self.state.taught,
        )
        sides = np.maximum(self.frame, 50)
        coarser = min(1, np.sqrt(PIXELS / sides.prod()))
        canvas = Canvas(*self.limits, *(int(side) for side in sides * coarser))
        dark, focus = self.state.dark, self.state.focus
        return galaxy_image(galaxy_picture(self.plane, canvas, chosen, focus, dark=dark), canvas)

    def _fill(self) -> hv.RGB:
        found = self._boundaries()
        names = () if found is None else found.classes[1:]
        colours = {name: self._colour(name) for name in (*self.source.marked, *names)}
        image = region_image(found, self.plane.limits, colours)
        return image.opts(apply_ranges=False)

    def _line(self, name: str) -> hv.Path:
        lines = region_lines(self._boundaries(), name)
        return lines.opts(
            color=self._colour(name), line_width=1.2, line_join="round", apply_ranges=False
        )

    def _own_lines(self) -> hv.Contours:
        """The borders of the classes that people have made."""
        found = self._boundaries()
        names = () if found is None else set(found.classes[1:]) - set(self.source.marked)
        lines = [
            {"x": line[:, 0], "y": line[:, 1], "colour": self._colour(name)}
            for name in sorted(names)
            for line in outline(found, name)
        ]
        nothing = [{"x": [np.nan], "y": [np.nan], "colour": GROUND[self.state.dark]}]
        borders = hv.Contours(lines or nothing, kdims=["x", "y"], vdims=["colour"])
        return borders.opts(
            color="colour",
            line_width=1.2,
            line_join="round",
            apply_ranges=False,
            show_legend=False,
        )

    def _labels(self) -> hv.Points:
        """What this person has named, or scored 4 or 5, over everything else."""
        named = own_marks(self.source)
        rows, names = [row for row, _ in named], [name for _, name in named]
        looks = {name: (self._colour(name), self.source.shape(name)) for name in set(names)}
        points = self.plane.points.iloc[rows].assign(
            colour=[looks[name][0] for name in names], shape=[looks[name][1] for name in names]
        )
        marks = hv.Points(points, kdims=["x", "y"], vdims=["colour", "shape"])
        return marks.opts(
            color="colour",
            marker="shape",
            size=11,
            fill_alpha=0.15,
            line_width=1.8,
            apply_ranges=False,
        )

    def _marks(self, name: str) -> hv.Points:
        rows = self.source.members(name)
        style = {
            "marker": self.source.shape(name),
            "size": 12 if len(rows) <= 50 else 9 if len(rows) <= 1000 else 5,
            "color": self._colour(name),
            "fill_alpha": 0.35 * hv.dim("strength"),
            "line_alpha": hv.dim("strength"),
            "line_width": 1.2,
        }
        shown = marked_points(self.plane, rows, self.state.focus)
        return shown.opts(apply_ranges=False, **style)

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
            self._begin(plot.state)
        elif self._shown == wanted or (self._shown[:3] == wanted[:3] and limits == self._told):
            return
        self._shown, figure = wanted, plot.state
        figure.xaxis.axis_label, figure.yaxis.axis_label = plane.x.axis, plane.y.axis
        sides = (figure.x_range, figure.y_range)
        for side, (start, end), whole in zip(sides, limits, plane.limits, strict=True):
            side.update(start=start, end=end, reset_start=whole[0], reset_end=whole[1])

    def _begin(self, figure: Any) -> None:
        _dress(figure)
        self.rings = Rings(figure)
        self.pointer = Pointer(figure, self.state, self.axes)
        self._mark()
        self.gestures.begin(figure)
        self.glance.watch(figure)

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

    def _glance(self, x: float, y: float) -> tuple[str, bool]:
        """What is shown of the galaxy at a place, and whether that is in the right half."""
        (left, right), _ = self.limits
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame, NEAR)
        html = "" if row is None else glance_html(self.source, row, dark=self.state.dark)
        return html, x > (left + right) / 2

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        if self.state.drawing:
            lengthen(self.state, self.axes, x, y)
            return
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame)
        if row is not None:
            self.state.row = row
