"""All galaxies on the sky, which selects as the maps do."""

from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models import ColumnDataSource
from holoviews.streams import Counter, PlotSize, RangeXY, Tap

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import weak_callback, when_done
from dashboard.backend.plane import Limits, Plane, nearest_row
from dashboard.backend.quantities import Quantity
from dashboard.backend.view import Tab
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.components.theme import MUTED
from dashboard.plotting.colour_by import colouring
from dashboard.plotting.layers import FIGURE, dress, galaxy_image, galaxy_picture
from dashboard.plotting.markers import Rings
from dashboard.plotting.raster import Canvas
from dashboard.selection.box_lasso import BoxLasso
from dashboard.selection.filter_chips import FocusChips
from dashboard.sky.projection import Graticule, Sky, fitted, graticule, sky_of

__all__ = ["SkyMap", "Web", "places_note", "sky_plane"]

WAIT = 0.1  # seconds that the page may stand still for the first view
PLANE = ("", "sky", "")  # what gestures on it are drawn in
RA, DEC = Quantity("sky.ra", "Right ascension", "deg"), Quantity("sky.dec", "Declination", "deg")
FRAME = (1230, 146)  # px, until the browser has said how large it is
BARE = FIGURE | {"xaxis": None, "yaxis": None, "min_height": 60}
NOTE = style(__file__, "sky_map.css")


def sky_plane(datastore: DataStore) -> tuple[Sky, Plane]:
    """All galaxies of a store on the flat sky."""
    galaxies = datastore.store.galaxies
    sky = sky_of(galaxies["ra"].to_numpy(np.float64), galaxies["dec"].to_numpy(np.float64))
    return sky, Plane(RA, DEC, sky.points, sky.limits)


def places_note(datastore: DataStore, sky: Sky) -> str:
    """What is to be known of the places."""
    missing = len(datastore) - sky.placed
    parts = [f"{missing:,} of {len(datastore):,} have no place"] if missing else []
    if "simulated" in datastore.store.info.source.lower():
        parts.append("simulated places")
    return " · ".join([*parts, "east is to the left"])


class Web:
    """The graticule on a figure, and what is written at its lines.

    Args:
        figure: The Bokeh figure.
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
        """Draw it."""
        self._line.line_color = self._text.text_color = MUTED[dark]
        x, y = ([line[side] for line in drawn.lines] for side in (0, 1))
        self.lines.data = {"x": x, "y": y}
        self.labels.data = {str(name): drawn.labels[name].to_numpy() for name in drawn.labels}


class SkyMap(Tab):
    """All galaxies on the sky; a tap picks the nearest one, boxes and lassos select.

    Reads ``tab``, ``model``, ``colour``, ``scored``, ``training_labels``, ``focus``, ``row``,
    ``external``, ``gesture`` and ``dark`` of the state; writes ``row``, ``selected`` and
    ``gesture``. It is made when it is first seen.
    """

    key, title = "sky", "Sky"

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.view: Limits | None = None
        self._made = False
        self.sky: Sky  # from when it is first seen
        self._plane: Plane
        self._figure: Any = None
        self._drawn: tuple[Any, ...] = ()
        self._counter = Counter()
        self.chips = FocusChips(datastore=self.datastore, state=self.state)
        self.note = pn.pane.HTML("", stylesheets=[BASE, NOTE], margin=(0, 6))
        self._place = pn.Column(sizing_mode="stretch_both", margin=(0, 8))
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(self.chips, self.note, height=32, margin=(2, 8, 0, 8))
        return pn.Column(above, self._place, sizing_mode="stretch_both", margin=0)

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height in the browser [px]."""
        return max(self.size.width or FRAME[0], 50), max(self.size.height or FRAME[1], 50)

    @property
    def limits(self) -> Limits:
        """The ranges of the view: those that hold all galaxies until someone zooms."""
        return self._fitted(self.view or self.sky.limits)

    @property
    def _wanted(self) -> tuple[Any, ...]:
        """What the picture hangs on."""
        state = self.state
        svm = state.progress.scores_arrived, state.queue.training_labels
        return (state.model, state.colour, *svm, state.selection.focus, state.dark, self.limits)

    def _fitted(self, limits: Limits) -> Limits:
        return fitted(limits, self.sky.projection.aspect, self.frame)

    @param.depends(
        "state.tab",
        "state.model",
        "state.colour",
        "state.dark",
        "state.progress.scores_arrived",
        "state.queue.training_labels",
        "state.selection.focus",
        watch=True,
    )
    def _show(self) -> None:
        if self.state.tab != self.key:
            return
        if not self._made:
            job = self.datastore.once(sky_plane)
            wait([job], timeout=WAIT)
            if not job.done():
                self.note.object = '<div class="note">Laying the sky flat …</div>'
                when_done(job, self._show)
                return
            self._begin(*job.result())
        self._redraw()

    def _begin(self, sky: Sky, plane: Plane) -> None:
        self.sky, self._plane, self._made = sky, plane, True
        self.note.object = f'<div class="note">{places_note(self.datastore, sky)}</div>'
        galaxies = hv.DynamicMap(lambda **_: self._galaxies(), streams=[self._counter])
        self.tap, self.range = Tap(source=galaxies), RangeXY(source=galaxies)
        self.size = PlotSize(source=galaxies, width=FRAME[0], height=FRAME[1])
        self.gestures = BoxLasso(self.state, galaxies, lambda: sky.points, lambda: PLANE)
        self.tap.add_subscriber(self._pick)
        self.range.add_subscriber(self._zoom)
        self.size.add_subscriber(lambda **_: _in_turn(self._resize))
        self.figure = galaxies.opts(hooks=[weak_callback(self._dress)], **BARE)
        if not sky.placed:
            words = "No galaxy of this store has a place on the sky."
            nothing = f'<div class="nothing">{words}</div>'
            looks = {"stylesheets": [BASE, NOTE], "sizing_mode": "stretch_width"}
            self._place.objects = [pn.pane.HTML(nothing, **looks)]
            return
        shown = pn.pane.HoloViews(
            self.figure, sizing_mode="stretch_both", linked_axes=False, css_classes=["sky"]
        )
        self._place.objects = [shown]

    def _galaxies(self) -> hv.RGB:
        state = self.state
        self._drawn = self._wanted
        chosen = colouring(
            self.datastore,
            state.model,
            state.colour,
            dark=state.dark,
            training_labels=state.queue.training_labels,
        )
        canvas = Canvas(*self.limits, *(int(side) for side in self.frame))
        picture = galaxy_picture(
            self._plane, canvas, chosen, state.selection.focus, dark=state.dark
        )
        return galaxy_image(picture, canvas)

    def _redraw(self) -> None:
        if self._figure is None or _same(self._wanted, self._drawn):
            return
        self._counter.event()
        _in_turn(self._draw_web)

    def _draw_web(self) -> None:
        self.web.show(graticule(self.sky.projection, self.limits), dark=self.state.dark)

    def _dress(self, plot: Any, _: Any) -> None:
        """Give a new figure its ranges and what lies over the galaxies."""
        if plot.drawn:
            return
        self._figure = figure = plot.state
        dress(figure)
        self.web, self.rings = Web(figure), Rings(figure)
        self._draw_web()
        self.gestures.begin(figure)
        self._aim()
        self._mark()

    def _aim(self) -> None:
        """Point the figure at the view."""
        sides = (self._figure.x_range, self._figure.y_range)
        home = self._fitted(self.sky.limits)
        for side, (start, end), whole in zip(sides, self.limits, home, strict=True):
            side.update(start=start, end=end, reset_start=whole[0], reset_end=whole[1])

    def _resize(self) -> None:
        if self._figure is not None:
            self._aim()
            self._redraw()

    def _zoom(self, x_range: Any, y_range: Any) -> None:
        """Keep what the browser has zoomed to; all of it is no zoom."""
        if x_range is None or y_range is None:
            return
        told = (tuple(x_range), tuple(y_range))
        if not np.allclose(told, self.limits, rtol=1e-6):
            home = self._fitted(self.sky.limits)
            self.view = None if np.allclose(told, home, rtol=1e-6) else told
            self._redraw()

    @param.depends(
        "state.row",
        "state.external",
        "state.dark",
        "state.selection.gesture",
        watch=True,
    )
    def _mark_later(self) -> None:
        _in_turn(self._mark)

    def _mark(self) -> None:
        """Ring the picked galaxy, put a star where the guest is, show what was drawn."""
        if self._figure is None:
            return
        points, row, external = self.sky.points, self.state.row, self.state.external
        star = pd.DataFrame({"x": [], "y": []})
        if external is not None and np.isfinite([external.ra, external.dec]).all():
            x, y = self.sky.projection.flat([external.ra], [external.dec])
            star = pd.DataFrame({"x": x, "y": y})
        picked = points.iloc[[] if row is None else [row]]
        self.rings.show(picked, points.iloc[[]], star, dark=self.state.dark)
        self.gestures.trace()

    def _pick(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        row = nearest_row(self.sky.points, (x, y), self.limits, self.frame)
        if row is not None:
            self.state.row = row


def _in_turn(change: Callable[[], None]) -> None:
    """Change a figure when it is this session's turn: streams call from outside of it."""
    pn.state.execute(change, schedule=True)


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two views are the same; masks by identity, as they are never changed."""
    return len(one) == len(other) and all(
        a is b or (not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) and a == b)
        for a, b in zip(one, other, strict=True)
    )
