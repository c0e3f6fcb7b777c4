"""Galaxies on two axes that can be tapped: the model page's figures."""

from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models import ColumnDataSource
from bokeh.models.annotations import Slope
from holoviews.streams import PlotSize, RangeXY, Tap
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import weak_callback
from dashboard.backend.plane import Limits, nearest_row
from dashboard.backend.view import View
from dashboard.components.theme import ACCENT, MUTED
from dashboard.diagnostics.figures import FigureSpec
from dashboard.plotting.layers import canvas_of, configure_figure
from dashboard.plotting.markers import Rings
from dashboard.plotting.raster import Canvas, paint_density

__all__ = ["Scatter", "dots", "draw_lines", "draw_marks", "error_bars"]

FRAME = (300, 245)  # px, until the browser has said how large the figure is
FIGURE = {
    "responsive": True,
    "default_tools": [],
    "tools": ["pan", "wheel_zoom", "box_zoom", "tap", "save", "reset"],
    "active_tools": ["pan"],
    "toolbar": "right",
    "show_legend": False,
    "padding": 0,
    "min_height": 240,
    "fontsize": {"labels": "11px", "ticks": "10px"},
}


def dots(points: pd.DataFrame, canvas: Canvas, *, dark: bool) -> hv.RGB:
    """A density picture of galaxies, columns ``x`` and ``y``."""
    image = paint_density(points, canvas, dark=dark)
    return hv.RGB(np.flipud(image), kdims=["x", "y"], bounds=canvas.bounds)


def error_bars(sketch: FigureSpec) -> NDArray[np.float64]:
    """The errors across and up of the galaxies drawn, as x0, y0, x1, y1; (0, 4) for none."""
    if sketch.errors is None:
        return np.zeros((0, 4))
    x, y = sketch.plane.points[sketch.drawn].to_numpy(np.float64).T
    across, up = (error[sketch.drawn] for error in sketch.errors)
    bars = [(x - across, y, x + across, y), (x, y - up, x, y + up)]
    return np.concatenate([np.column_stack(bar) for bar in bars])


def draw_lines(figure: Any, sketch: FigureSpec, *, dark: bool) -> None:
    """Add reference lines and error bars to a Bokeh figure."""
    accent, muted = ACCENT[dark], MUTED[dark]
    left, right = sketch.plane.limits[0]
    x = np.array([2 * left - right, 2 * right - left])
    for low, high in sketch.bands:
        low_y, high_y = (line.slope * x + line.offset for line in (low, high))
        figure.varea(x=x, y1=low_y, y2=high_y, color=muted, alpha=0.12, level="underlay")
    ends = dict(zip(("x0", "y0", "x1", "y1"), error_bars(sketch).T, strict=True))
    bars = ColumnDataSource(ends)
    figure.segment(**{name: name for name in ends}, source=bars, color=muted, alpha=0.3, width=0.6)
    for line in sketch.lines:
        slope = Slope(gradient=line.slope, y_intercept=line.offset, line_color=accent)
        slope.update(line_dash=line.dash, line_width=1.2)
        figure.add_layout(slope)


def draw_marks(figure: Any, sketch: FigureSpec, datastore: DataStore, *, dark: bool) -> None:
    """Add the rare galaxies to a Bokeh figure, with the markers of the maps."""
    for name in datastore.populations.marked:
        rows = datastore.populations.members(name)
        shown = sketch.plane.points.iloc[rows[sketch.drawn[rows]]]
        figure.scatter(
            shown["x"].to_numpy(),
            shown["y"].to_numpy(),
            marker=datastore.populations.shape(name),
            size=9 if len(shown) <= 50 else 5 if len(shown) <= 1000 else 4,
            color=datastore.populations.colour(name, dark=dark),
            fill_alpha=0.35,
            line_width=0.9,
        )


class Scatter(View):
    """A ``FigureSpec`` as a figure; a tap picks the nearest galaxy that is drawn.

    Reads ``dark`` of the state when it is made, and ``row`` when its marker is drawn; writes
    ``row``.
    """

    if TYPE_CHECKING:
        sketch: FigureSpec
    else:
        sketch = param.ClassSelector(class_=FigureSpec, constant=True)

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.rings: Rings | None = None
        self._ordinary = self.sketch.plane.points[
            self.sketch.drawn & self.datastore.populations.normal
        ]
        self._range, self._size = RangeXY(), PlotSize(width=FRAME[0], height=FRAME[1])
        galaxies = hv.DynamicMap(self._dots, streams=[self._range, self._size])
        galaxies = galaxies.opts(hooks=[weak_callback(self._begin)])
        self.tap = Tap(source=galaxies)
        self.tap.add_subscriber(self._pick)
        self._range.source = self._size.source = galaxies
        self.figure = galaxies.opts(**FIGURE)
        self._pane = pn.pane.HoloViews(
            self.figure,
            sizing_mode="stretch_width",
            height=310,
            linked_axes=False,
            css_classes=["scatter"],
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._pane

    @property
    def limits(self) -> Limits:
        """The ranges of the view."""
        seen = self._range.x_range, self._range.y_range
        return self.sketch.plane.limits if None in seen else seen

    def mark(self) -> None:
        """Ring the picked galaxy, drawn or not."""
        if self.rings is not None:
            rows = [] if self.state.row is None else [self.state.row]
            points = self.sketch.plane.points
            nothing = points.iloc[:0]
            self.rings.show(points.iloc[rows], nothing, nothing, dark=self.state.dark)

    def _dots(self, **_: object) -> hv.RGB:
        width, height = self._size.width or FRAME[0], self._size.height or FRAME[1]
        canvas = canvas_of(self.limits, (width, height))
        return dots(self._ordinary, canvas, dark=self.state.dark)

    def _begin(self, plot: Any, _: Any) -> None:
        """Draw what does not change: titles, ranges, lines, markers; and the ring."""
        if plot.drawn:
            return
        figure, plane = plot.state, self.sketch.plane
        draw_lines(figure, self.sketch, dark=self.state.dark)
        draw_marks(figure, self.sketch, self.datastore, dark=self.state.dark)
        self.rings = Rings(figure)
        configure_figure(figure)
        figure.xaxis.axis_label, figure.yaxis.axis_label = plane.x.axis, plane.y.axis
        for side, (start, end) in zip((figure.x_range, figure.y_range), plane.limits, strict=True):
            side.update(start=start, end=end, reset_start=start, reset_end=end)
        self.mark()

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        rows = np.flatnonzero(self.sketch.drawn)
        frame = (self._size.width or FRAME[0], self._size.height or FRAME[1])
        found = nearest_row(self.sketch.plane.points.iloc[rows], (x, y), self.limits, frame)
        if found is not None:
            self.state.row = int(rows[found])
