"""The figure of all galaxies on the sky: their picture, the graticule and the marks over it."""

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models import ColumnDataSource
from holoviews.streams import Counter, PlotSize, RangeXY, Tap

from dashboard.backend.jobs import schedule, weak_callback
from dashboard.backend.plane import Limits, Plane, nearest_row
from dashboard.backend.view import View
from dashboard.components.theme import MUTED
from dashboard.plotting.layers import (
    FIGURE,
    canvas_of,
    configure_figure,
    draw_galaxies,
    set_ranges,
)
from dashboard.plotting.markers import Rings
from dashboard.selection.box_lasso import BoxLasso
from dashboard.sky.projection import Graticule, Sky, fitted, graticule

__all__ = ["GraticuleLines", "SkyFigure"]

PLANE = ("", "sky", "")  # the plane of a gesture that is drawn on the sky
FRAME = (1230, 146)  # px, until the browser has reported the size of the figure
OPTIONS = FIGURE | {"xaxis": None, "yaxis": None, "min_height": 60}
OPTIONS |= {"toolbar": "above"}  # in a row, as a low strip has no room for a column of them


class GraticuleLines:
    """The glyphs of a graticule: its lines and the coordinates written at them.

    Args:
        figure: The Bokeh figure that they are added to.
    """

    def __init__(self, figure: Any) -> None:
        self.lines = ColumnDataSource({"x": [], "y": []})
        self.labels = ColumnDataSource({"x": [], "y": [], "text": []})
        self._line = figure.multi_line(
            "x", "y", source=self.lines, line_width=0.7, line_alpha=0.35, level="underlay"
        ).glyph
        self._text = figure.text(
            "x",
            "y",
            "text",
            source=self.labels,
            x_offset=3,
            y_offset=-2,
            text_font_size="10px",
            level="overlay",
        ).glyph

    def show(self, drawn: Graticule, *, dark: bool) -> None:
        """Draw this graticule."""
        self._line.line_color = self._text.text_color = MUTED[dark]
        x, y = ([line[side] for line in drawn.lines] for side in (0, 1))
        self.lines.data = {"x": x, "y": y}
        self.labels.data = {str(name): drawn.labels[name].to_numpy() for name in drawn.labels}


class SkyFigure(View):
    """The galaxies on the sky; a tap picks the nearest one, boxes and lassos select.

    Reads ``model``, ``features``, ``colour``, ``row``, ``external``, ``dark``,
    ``selection.focus``, ``selection.gesture``, ``queue.training_labels`` and
    ``progress.scores_arrived`` of the state; writes ``row``,
    ``selection.selected`` and ``selection.gesture``.

    Args:
        sky: The positions of all galaxies and their projection.
        plane: The same positions as a plane that can be drawn.
        params: The datastore and the state.
    """

    def __init__(self, sky: Sky, plane: Plane, **params: object) -> None:
        super().__init__(**params)
        self.sky, self._plane = sky, plane
        self.view: Limits | None = None
        self.bokeh: Any = None  # the Bokeh figure, once it is rendered
        self._drawn: tuple[object, ...] = ()
        self._counter = Counter()
        galaxies = hv.DynamicMap(lambda **_: self._galaxies(), streams=[self._counter])
        self.tap, self.range = Tap(source=galaxies), RangeXY(source=galaxies)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.gestures = BoxLasso(self.state, galaxies, lambda: sky.points, lambda: PLANE)
        self.tap.add_subscriber(self._pick)
        self.range.add_subscriber(self._zoom)
        self.size.add_subscriber(lambda **_: schedule(self._resize))
        self.figure = galaxies.opts(hooks=[weak_callback(self._begin)], **OPTIONS)

    def __panel__(self) -> pn.viewable.Viewable:
        looks = {"sizing_mode": "stretch_both", "css_classes": ["sky"]}
        return pn.pane.HoloViews(self.figure, linked_axes=False, **looks)

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height in the browser [px]."""
        return max(self.size.width or FRAME[0], 50), max(self.size.height or FRAME[1], 50)

    @property
    def home(self) -> Limits:
        """The ranges that hold all galaxies."""
        return fitted(self.sky.limits, self.sky.projection.aspect, self.frame)

    @property
    def limits(self) -> Limits:
        """The ranges of the view: those that hold all galaxies until someone zooms."""
        return fitted(self.view or self.sky.limits, self.sky.projection.aspect, self.frame)

    @property
    def _inputs(self) -> tuple[object, ...]:
        """Inputs of the picture: it is drawn again when one of them changes."""
        state = self.state
        svm = state.progress.scores_arrived, state.features, state.queue.training_labels
        return (state.model, state.colour, *svm, state.selection.focus, state.dark, self.limits)

    def _galaxies(self) -> hv.RGB:
        self._drawn = self._inputs
        canvas = canvas_of(self.limits, self.frame)
        return draw_galaxies(self.datastore, self.state, self._plane, canvas)

    def redraw(self) -> None:
        """Draw the galaxies again if an input of their picture has changed."""
        if self.bokeh is None or _same(self._inputs, self._drawn):
            return
        self._counter.event()
        schedule(self._draw_graticule)

    def _draw_graticule(self) -> None:
        self.graticule.show(graticule(self.sky.projection, self.limits), dark=self.state.dark)

    def _begin(self, plot: Any, _: Any) -> None:
        """Give a new figure its ranges and the glyphs over the galaxies."""
        if plot.drawn:
            return
        self.bokeh = plot.state
        configure_figure(self.bokeh)
        self.graticule, self.rings = GraticuleLines(self.bokeh), Rings(self.bokeh)
        self._draw_graticule()
        self.gestures.begin(self.bokeh)
        set_ranges(self.bokeh, self.limits, self.home)
        self._mark()

    def _resize(self) -> None:
        if self.bokeh is not None:
            set_ranges(self.bokeh, self.limits, self.home)
            self.redraw()

    def _zoom(self, x_range: Any, y_range: Any) -> None:
        """Keep the ranges that the browser has zoomed to; those of all galaxies are no zoom."""
        if x_range is None or y_range is None:
            return
        ranges = (tuple(x_range), tuple(y_range))
        if not np.allclose(ranges, self.limits, rtol=1e-6):
            self.view = None if np.allclose(ranges, self.home, rtol=1e-6) else ranges
            self.redraw()

    @param.depends(
        "state.row", "state.external", "state.dark", "state.selection.gesture", watch=True
    )
    def _mark_later(self) -> None:
        schedule(self._mark)

    def _mark(self) -> None:
        """Ring the picked galaxy, star the external one, draw the gesture's outline."""
        if self.bokeh is None:
            return
        points, row, external = self.sky.points, self.state.row, self.state.external
        picked = points.iloc[[] if row is None else [row]]
        ra, dec = (np.nan, np.nan) if external is None else (external.ra, external.dec)
        star = point_at(ra, dec, self.sky)
        self.rings.show(picked, points.iloc[[]], star, dark=self.state.dark)
        self.gestures.trace()

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        row = nearest_row(self.sky.points, (x, y), self.limits, self.frame)
        if row is not None:
            self.state.row = row


def point_at(ra: float, dec: float, sky: Sky) -> pd.DataFrame:
    """Columns ``x`` and ``y`` of a position on the sky [deg]; no row where it is not finite."""
    if not np.isfinite([ra, dec]).all():
        return pd.DataFrame({"x": [], "y": []})
    x, y = sky.projection.flat([ra], [dec])
    return pd.DataFrame({"x": x, "y": y})


def _same(inputs: tuple[object, ...], others: tuple[object, ...]) -> bool:
    """Whether two sets of inputs are equal; masks by identity, as they are never changed."""
    return len(inputs) == len(others) and all(
        a is b or (not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) and a == b)
        for a, b in zip(inputs, others, strict=True)
    )
