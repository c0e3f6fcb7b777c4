"""The latent space as a map that can be tapped and zoomed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
import param
from holoviews.streams import Counter, PlotSize, RangeXY, Tap

from dashboard.backend.jobs import weak_callback
from dashboard.backend.plane import Limits, Plane, nearest_row
from dashboard.backend.view import View
from dashboard.galaxy.external_galaxy import place_on
from dashboard.gallery.seed_picker import near_rows
from dashboard.labelling.labels import own_marks
from dashboard.latent_map.cursor import Pointer, lengthen
from dashboard.latent_map.tooltip import Tooltip, tooltip_html
from dashboard.plotting.colour_by import colouring
from dashboard.plotting.decision_boundaries import wanted_fit
from dashboard.plotting.layers import (
    FIGURE,
    LabelMarks,
    Marks,
    Regions,
    dress,
    galaxy_image,
    galaxy_picture,
)
from dashboard.plotting.markers import Rings
from dashboard.plotting.raster import Canvas
from dashboard.selection.box_lasso import BoxLasso
from dashboard.state import Axes

__all__ = ["LatentMap"]

PLANE = ("axes.model", "axes.x", "axes.y", "axes.zoom", "state.dark")  # all layers depend on
FRAME = (720, 500)  # px, until the browser has said how large the map is
NEAR = 16  # px from the cursor to what it is said to be on
PIXELS = 1_500_000  # of a map's picture at most; on a larger screen each is drawn larger


class LatentMap(View):
    """A shaded map of all galaxies; a tap picks the nearest one.

    Boxes and lassos select; with shift held they add, with ctrl or alt they take away.

    Reads ``model``, ``x``, ``y`` and ``zoom`` of its axes; of the state ``model``, ``colour``,
    ``boundaries``, ``dark``, ``loaded``, ``fitted``, ``focus``, ``gesture``, ``drawing``, ``row``,
    ``scored``, ``training_labels``, ``revision`` and the neighbours' options. Writes ``zoom``
    and, while ``drawing``, ``line`` of the axes; ``row``, ``selected`` and ``gesture`` of the
    state.
    """

    if TYPE_CHECKING:
        axes: Axes
    else:
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: Any) -> None:
        self._counter = Counter()
        self._over: dict[str, Callable[[], None]] = {}
        super().__init__(**params)
        self._told: Limits | None = None
        self._shown: tuple[Any, ...] = ()
        self.rings: Rings | None = None
        self.pointer: Pointer | None = None
        self.glance = Tooltip(self._glance)
        galaxies = hv.DynamicMap(lambda **_: self._galaxies(), streams=[self._counter])
        self.tap = Tap(source=galaxies)
        self.tap.add_subscriber(self._pick)
        self.gestures = BoxLasso(
            self.state, galaxies, lambda: self.plane.points, lambda: self.axes.plane
        )
        self.range = RangeXY(source=galaxies)
        self.range.add_subscriber(self._zoom)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.size.add_subscriber(lambda **_: self._redraw())
        self.figure = galaxies.opts(hooks=[weak_callback(self._fit)], **FIGURE)
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
        return self.datastore.columns.plane(self.axes.model, self.axes.x, self.axes.y)

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

    @param.depends(
        *PLANE,
        "state.model",
        "state.colour",
        "state.selection.focus",
        "state.progress.scores_arrived",
        "state.queue.training_labels",
        watch=True,
    )
    def _redraw(self) -> None:
        self._counter.event()

    @param.depends(
        *PLANE,
        "state.boundaries",
        "state.progress.boundaries_arrived",
        "state.progress.loaded",
        "state.queue.training_labels",
        watch=True,
    )
    def _redraw_regions(self) -> None:
        self._schedule("regions")

    @param.depends(
        *PLANE,
        "state.selection.focus",
        watch=True,
    )
    def _redraw_marks(self) -> None:
        self._schedule("marks")

    @param.depends(
        *PLANE,
        "state.progress.journal_events",
        watch=True,
    )
    def _redraw_labels(self) -> None:
        self._schedule("labels")

    @param.depends(
        *PLANE,
        "state.model",
        "state.row",
        "state.external",
        "state.k",
        "state.whiten",
        "state.oriented",
        watch=True,
    )
    def _redraw_rings(self) -> None:
        self._schedule("rings")

    @param.depends(
        *PLANE,
        "state.selection.gesture",
        watch=True,
    )
    def _redraw_gesture(self) -> None:
        self._schedule("gesture")

    def _schedule(self, layer: str) -> None:
        """Draw a layer of glyphs anew when it is this session's turn."""
        if layer in self._over:
            pn.state.execute(self._over[layer], schedule=True)

    def _galaxies(self) -> hv.RGB:
        chosen = colouring(
            self.datastore,
            self.state.model,
            self.state.colour,
            dark=self.state.dark,
            training_labels=self.state.queue.training_labels,
        )
        sides = np.maximum(self.frame, 50)
        coarser = min(1, np.sqrt(PIXELS / sides.prod()))
        canvas = Canvas(*self.limits, *(int(side) for side in sides * coarser))
        dark, focus = self.state.dark, self.state.selection.focus
        return galaxy_image(galaxy_picture(self.plane, canvas, chosen, focus, dark=dark), canvas)

    def _boundaries(self) -> Any:
        """The SVM's regions if they are wanted and there."""
        job = wanted_fit(self.datastore, self.state, self.axes)
        return None if job is None else self.datastore.result(job)

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
        """Put on a new figure what lies over the galaxies."""
        dress(figure)
        self.regions, self.marks = Regions(figure, self.datastore), Marks(figure, self.datastore)
        self.labels, self.rings = LabelMarks(figure, self.datastore), Rings(figure)
        self.pointer = Pointer(figure, self.state, self.axes)
        self.gestures.begin(figure)
        self.glance.watch(figure)
        self._over = {
            "regions": self._draw_regions,
            "marks": self._draw_marks,
            "labels": self._draw_labels,
            "rings": self._mark,
            "gesture": self.gestures.trace,
        }
        for draw in self._over.values():
            draw()

    def _draw_regions(self) -> None:
        self.regions.show(self._boundaries(), dark=self.state.dark)

    def _draw_marks(self) -> None:
        self.marks.show(self.plane.points, self.state.selection.focus, dark=self.state.dark)

    def _draw_labels(self) -> None:
        named = own_marks(self.datastore)
        self.labels.show(self.plane.points, named, dark=self.state.dark)

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
        near = near_rows(self.datastore, self.state, self._mark)
        if self.rings is not None:
            rows = [] if row is None else [row]
            points, axes = plane.points, (self.axes.model, plane.x.column, plane.y.column)
            external = place_on(self.state.external, *axes)
            self.rings.show(points.iloc[rows], points.iloc[near], external, dark=self.state.dark)

    def _glance(self, x: float, y: float) -> tuple[str, bool]:
        """What is shown of the galaxy at a place, and whether that is in the right half."""
        (left, right), _ = self.limits
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame, NEAR)
        html = "" if row is None else tooltip_html(self.datastore, row, dark=self.state.dark)
        return html, x > (left + right) / 2

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        if self.state.decoding.draw_line:
            lengthen(self.state, self.axes, x, y)
            return
        row = nearest_row(self.plane.points, (x, y), self.limits, self.frame)
        if row is not None:
            self.state.row = row
