"""The latent space as a map that can be tapped and zoomed."""

from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
import param
from holoviews.streams import Counter, PlotSize, RangeXY, Tap

from dashboard.backend.jobs import weak_callback
from dashboard.backend.plane import Limits, Plane, nearest_row
from dashboard.backend.screen import when_ratio_changes
from dashboard.backend.view import View
from dashboard.latent_map.cursor import Pointer, add_line_point
from dashboard.latent_map.empty_note import EmptyNote
from dashboard.latent_map.overlays import PLANE, Overlays
from dashboard.latent_map.tooltip import Tooltip, tooltip_html
from dashboard.plotting.layers import (
    FIGURE,
    canvas_of,
    configure_figure,
    draw_galaxies,
    set_view,
)
from dashboard.selection.box_lasso import BoxLasso
from dashboard.state import Axes

__all__ = ["LatentMap"]

FRAME = (720, 500)  # px, until the browser has reported the size of the map
NEAR = 16  # px from the cursor to the galaxy that its tooltip shows


class LatentMap(View):
    """A shaded map of all galaxies; a tap picks the nearest one.

    Boxes and lassos select; with shift held they add, with ctrl or alt they subtract.

    Reads its axes; ``model``, ``features``, ``colour``, ``dark``, ``selection.focus``,
    ``progress.scores_arrived``, ``queue.training_labels`` of the state and the inputs of
    ``Overlays``. Writes ``zoom`` and, while a line is drawn, ``line`` of the axes; ``row``,
    ``selection.selected`` and ``selection.gesture`` of the state.
    """

    if TYPE_CHECKING:
        axes: Axes
    else:
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: object) -> None:
        self._counter = Counter()
        super().__init__(**params)
        self._reported: Limits | None = None  # ranges that the browser has zoomed to
        self._shown: tuple[object, ...] = ()
        self.overlays: Overlays | None = None
        self.pointer: Pointer | None = None
        self.tooltip = Tooltip(self._tooltip)
        galaxies = hv.DynamicMap(lambda **_: self._galaxies(), streams=[self._counter])
        self.tap = Tap(source=galaxies)
        self.tap.add_subscriber(self._pick)
        points, plane = lambda: self.plane.points, lambda: self.axes.plane
        self.gestures = BoxLasso(self.state, galaxies, points, plane)
        self.range = RangeXY(source=galaxies)
        self.range.add_subscriber(self._zoom)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.size.add_subscriber(lambda **_: self._redraw())
        when_ratio_changes(self._redraw)
        self.empty = EmptyNote(**params)
        self.figure = galaxies.opts(hooks=[weak_callback(self._fit)], **FIGURE)
        looks = {"css_classes": ["map"], "min_height": 160, "sizing_mode": "stretch_both"}
        self._pane = pn.pane.HoloViews(self.figure, linked_axes=False, **looks)

    def __panel__(self) -> pn.viewable.Viewable:
        place = {"position": "relative"}
        parts = self._pane, self.tooltip.pane, self.empty
        return pn.Column(*parts, sizing_mode="stretch_both", styles=place)

    @property
    def plane(self) -> Plane:
        """The plane that is shown."""
        return self.datastore.columns.plane(*self.axes.plane)

    @property
    def limits(self) -> Limits:
        """The ranges of the view: the plane's own until someone zooms it."""
        return self.plane.clamped(self.axes.zoom)

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height of the map in the browser [px]."""
        return self.size.width or FRAME[0], self.size.height or FRAME[1]

    @param.depends(
        *PLANE,
        "axes.zoom",
        "state.model",
        "state.colour",
        "state.selection.focus",
        "state.progress.scores_arrived",
        "state.features",
        "state.queue.training_labels",
        watch=True,
    )
    def _redraw(self) -> None:
        self._counter.event()

    def _galaxies(self) -> hv.RGB:
        canvas = canvas_of(self.limits, self.frame)
        return draw_galaxies(self.datastore, self.state, self.plane, canvas)

    def _fit(self, plot: Any, _: Any) -> None:
        """Give a new plane its titles and ranges; leave alone what the browser has zoomed."""
        plane, limits, figure = self.plane, self.limits, plot.state
        wanted = (plane.x, plane.y, self.axes.model, limits)
        if not plot.drawn:
            self._begin(figure)
        elif self._shown == wanted or (self._shown[:3] == wanted[:3] and limits == self._reported):
            return
        self._shown = wanted
        figure.xaxis.axis_label, figure.yaxis.axis_label = plane.x.axis, plane.y.axis
        set_view(figure, plane, limits)

    def _begin(self, figure: Any) -> None:
        """Add to a new figure the glyphs over the galaxies, and follow the cursor on it."""
        configure_figure(figure)
        shared = {"datastore": self.datastore, "state": self.state, "axes": self.axes}
        self.overlays = Overlays(figure, self.gestures, **shared)
        self.pointer = Pointer(figure, self.state, self.axes)
        self.tooltip.watch(figure)

    def _zoom(self, x_range: Any, y_range: Any) -> None:
        """Keep the ranges that the browser has zoomed to; those of all galaxies are no zoom."""
        if x_range is None or y_range is None:
            return
        (left, right), (bottom, top) = self._reported = tuple(x_range), tuple(y_range)
        whole = np.allclose(self._reported, self.plane.limits, rtol=1e-6, atol=0)
        self.axes.zoom = None if whole else (left, bottom, right, top)

    def _tooltip(self, x: float, y: float) -> tuple[str, bool]:
        """The tooltip of a position, and whether that is in the right half."""
        (left, right), _ = self.limits
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame, NEAR)
        html = "" if row is None else tooltip_html(self.datastore, row, dark=self.state.dark)
        return html, x > (left + right) / 2

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        if self.state.decoding.draw_line:
            add_line_point(self.state, self.axes, x, y)
            return
        if (row := nearest_row(self.plane.points, (x, y), self.limits, self.frame)) is not None:
            self.state.row = row
