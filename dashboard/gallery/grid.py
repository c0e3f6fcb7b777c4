"""The galaxies in focus as pages of pictures, in an order of one's choice."""

from concurrent.futures import wait
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import colours_of
from dashboard.backend.typography import DASH, MINUS
from dashboard.backend.view import Tab
from dashboard.components.icon_toggle import IconToggle
from dashboard.components.notices import report
from dashboard.components.pager import Pager
from dashboard.gallery.stamp_grid import Tiles
from dashboard.gallery.stamp_strip import stamp_items
from dashboard.selection.filter_chips import FocusChips
from dashboard.selection.masks import rows_in_focus
from dashboard.state import DISTANCE, STORE_ORDER

__all__ = ["Grid", "distances", "orders", "sorted_rows"]

WAIT = 0.1  # seconds that a page waits for its pictures before it shows without them
ARROWS = {"Smallest first": "M8 13V3M4 7L8 3L12 7", "Largest first": "M8 3V13M4 9L8 13L12 9"}
NOTHING = (
    "Nothing is selected",
    "Draw a box or a lasso on a map or on the sky, keep a range of a histogram, or begin with",
)
NO_GALAXY = ("No galaxy passes", "None that is selected lies within all ranges: remove one above.")


def orders(datastore: DataStore, model: str) -> dict[str, str]:
    """The titles and keys of all that the galaxies can be sorted by."""
    quantities = colours_of(datastore.store, model)
    first = {"Order of the store": STORE_ORDER, "Distance to the picked galaxy": DISTANCE}
    return first | {one.title: one.key for one in quantities}


def distances(
    points: NDArray[np.float64], rows: NDArray[np.intp], origin: int
) -> NDArray[np.float64]:
    """How far some galaxies, (M,), are from another one among these points (N, D)."""
    return np.sqrt(((points[rows] - points[origin]) ** 2).sum(axis=1))


def sorted_rows(
    rows: NDArray[np.intp], values: NDArray[np.floating] | None, *, descending: bool = False
) -> NDArray[np.intp]:
    """The galaxies in the order of their values; ties by row, those without a value last.

    Example:
        >>> sorted_rows(np.array([4, 5, 6]), np.array([2.0, np.nan, 9.0]), descending=True)
        array([6, 4, 5])
    """
    if values is None:
        return rows[::-1] if descending else rows
    return rows[np.argsort(-values if descending else values, kind="stable")]


class Grid(Tab):
    """The galaxies in focus, page by page.

    Reads ``focus``, ``model``, ``row``, ``order``, ``descending``, ``whiten``, ``oriented``,
    ``tab`` and ``dark`` of the state, and writes ``row``, ``order``, ``descending``,
    ``selected`` and ``troubles``.
    """

    key, title = "selection", "Selection"

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.rows, self.start, self._origin = np.array([], np.intp), 0, self.state.row
        self._values: NDArray[np.floating] | None = None
        self._sorted: tuple[Any, ...] = ()
        self._order = self.state.selection.order
        self._walking = False
        self._focus: NDArray[np.bool_] | None = None
        self.chips = FocusChips(datastore=self.datastore, state=self.state)
        self.pager = Pager(self._go, width=200, height=30, margin=0)
        self.tiles = Tiles(
            self._pick, self._turn, self._take, sizing_mode="stretch_both", margin=(2, 8)
        )
        self._offer_orders()
        self._follow()
        self.tiles.param.watch(self._show, "fit")

    def __panel__(self) -> pn.viewable.Viewable:
        looks = {"size": "small", "variant": "outlined", "width": 190, "margin": (6, 4, 0, 4)}
        by = pmui.Select.from_param(self.state.selection.param.order, label="Sorted by", **looks)
        way = IconToggle.of(self.state.selection.param.descending, ARROWS, margin=(9, 4, 0, 4))
        above = pn.Row(self.chips, by, way, self.pager, height=46, margin=(2, 8, 0, 8))
        return pn.Column(above, self.tiles, sizing_mode="stretch_both", margin=0)

    @param.depends("state.model", watch=True)
    def _offer_orders(self) -> None:
        """Let the galaxies be sorted by what the model has."""
        offered = orders(self.datastore, self.state.model)
        kept = (
            self.state.selection.order
            if self.state.selection.order in offered.values()
            else STORE_ORDER
        )
        self.state.selection.param.order.objects = offered
        self.state.selection.order = kept

    @param.depends(
        "state.model",
        "state.whiten",
        "state.oriented",
        "state.tab",
        "state.selection.focus",
        "state.selection.order",
        "state.selection.descending",
        watch=True,
    )
    def _sort(self) -> None:
        """Put the galaxies in order, from the first page on, unless they are in it already."""
        state = self.state
        if state.tab != self.key:
            return
        if state.selection.order != self._order:
            self._order, self._origin = state.selection.order, state.row
        wanted = (
            state.model,
            state.selection.order,
            state.selection.descending,
            state.metric,
            self._origin,
        )
        if state.selection.focus is not self._focus or wanted != self._sorted:
            self._focus, self._sorted, self.start = state.selection.focus, wanted, 0
            rows = rows_in_focus(state)
            values = self._sort_values(rows)
            order = sorted_rows(
                np.arange(len(rows)), values, descending=state.selection.descending
            )
            self.rows, self._values = rows[order], None if values is None else values[order]
        self._show()

    def _sort_values(self, rows: NDArray[np.intp]) -> NDArray[np.floating] | None:
        """What the galaxies are sorted by, (M,); None for the order of the store."""
        state, datastore = self.state, self.datastore
        quantities = {one.key: one for one in colours_of(datastore.store, state.model)}
        if state.selection.order in quantities:
            return datastore.columns.values(state.model, quantities[state.selection.order])[rows]
        if state.selection.order != DISTANCE:
            return None
        job = datastore.neighbours.index(state.model, state.metric)
        if self._origin is None or (job.done() and job.exception()):
            return None
        if not job.done():
            self._sorted = ()
            when_done(job, self._sort)
            return None
        return distances(job.result().points, rows, self._origin)

    @param.depends("state.dark", watch=True)
    def _show(self, *_: Any) -> None:
        """Show the page, without pictures as long as they are not there."""
        if self.state.tab != self.key:
            return
        fit = self.tiles.fit
        page = self.start // fit
        shown = slice(page * fit, (page + 1) * fit)
        rows = [int(row) for row in self.rows[shown]]
        captions = [""] * len(rows)
        if self._values is not None:
            captions = [_said(value) for value in self._values[shown]]
        job = self.datastore.load(rows)
        wait([job], timeout=WAIT)
        listed = list(zip(rows, captions, strict=True))
        items = stamp_items(self.datastore, listed, dark=self.state.dark, load=False)
        self.tiles.param.update(items=items, waiting=not job.done(), **self._empty())
        self.pager.param.update(page=page, pages=max(-(-len(self.rows) // fit), 1))
        if not job.done():
            when_done(job, self._show)
        else:
            error = job.exception()
            report(self.state, "grid", f"No pictures: {error}" if error else "")

    def _empty(self) -> dict[str, Any]:
        """What is said where there are no galaxies."""
        if self.state.selection.focus is not None:
            return {"title": NO_GALAXY[0], "words": NO_GALAXY[1], "offers": []}
        populations = self.datastore.populations
        offers = [
            {"key": name, "text": f"{population_title(name)} {len(populations.members(name)):,}"}
            for name in populations.marked
        ]
        return {"title": NOTHING[0], "words": NOTHING[1], "offers": offers}

    @param.depends("state.row", watch=True)
    def _follow(self) -> None:
        """Outline the picked galaxy, and turn to its page if it was picked elsewhere."""
        row = self.state.row
        self.tiles.picked = -1 if row is None else row
        if not self._walking:
            self._origin = row
            self._sort()
        place = np.flatnonzero(self.rows == row)
        if len(place) and row not in {item["row"] for item in self.tiles.items}:
            self.start = int(place[0])
            self._show()

    def _pick(self, row: int) -> None:
        """Pick a galaxy that is listed, and leave the order as it is."""
        self._walking = True
        try:
            self.state.row = row
        finally:
            self._walking = False

    def step(self, by: int) -> None:
        """Pick the next galaxy of the order, or the previous one."""
        place = np.flatnonzero(self.rows == self.state.row)
        here = int(place[0]) if len(place) else -1 if by > 0 else len(self.rows)
        if 0 <= here + by < len(self.rows):
            self._pick(int(self.rows[here + by]))

    def _go(self, page: int) -> None:
        self.start = page * self.tiles.fit
        self._show()

    def _turn(self, pages: int) -> None:
        self._go(int(np.clip(self.pager.page + pages, 0, self.pager.pages - 1)))

    def _take(self, population: str) -> None:
        mask = np.zeros(len(self.datastore), bool)
        mask[self.datastore.populations.members(population)] = True
        self.state.selection.selected = mask


def _said(value: float) -> str:
    return DASH if np.isnan(value) else f"{value:.3g}".replace("-", MINUS)
