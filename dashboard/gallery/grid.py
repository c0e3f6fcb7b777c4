"""The galaxies in focus as pages of stamps, in a chosen order."""

from concurrent.futures import wait
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.backend.view import Tab
from dashboard.components.icon_toggle import IconToggle
from dashboard.components.notices import report
from dashboard.components.pager import Pager
from dashboard.gallery.focus_trust import FocusTrust
from dashboard.gallery.grid_order import Listing, list_of, listing_of, offer_orders
from dashboard.gallery.stamp_grid import Tiles
from dashboard.gallery.stamp_strip import stamp_items
from dashboard.selection.filter_chips import FocusChips
from dashboard.selection.masks import mask_of, rows_in_focus
from dashboard.state import Selection

__all__ = ["Grid"]

ABOVE: dict[str, Any] = {"height": 46, "margin": (2, 8, 0, 8)}
WHOLE: dict[str, Any] = {"sizing_mode": "stretch_both", "margin": 0}
WAIT = 0.1  # seconds that a page waits for its stamps before it shows without them
ARROWS = {"Smallest first": "M8 13V3M4 7L8 3L12 7", "Largest first": "M8 3V13M4 9L8 13L12 9"}
NOTHING = (
    "Nothing is selected",
    "Draw a box or a lasso on a map or on the sky, keep a range of a histogram, or begin with",
)
NO_GALAXY = ("No galaxy passes", "None that is selected lies within all ranges: remove one above.")


class Grid(Tab):
    """The galaxies in focus, page by page.

    Reads ``model``, ``row``, ``whiten``, ``oriented``, ``features``, ``tab``, ``dark``,
    ``selection.focus``, ``selection.order`` and ``selection.descending`` of the state;
    writes ``row``, ``selection.order``, ``selection.descending``, ``selection.selected`` and
    ``progress.notices``.
    """

    key, title = "selection", "Selection"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.listing, self.start = Listing(np.array([], np.intp)), 0
        self._origin, self._order = self.state.row, self.state.selection.order
        self._sorted: tuple[object, ...] = ()  # choices that the listing follows
        self._focus = self.state.selection.focus
        self.chips = FocusChips(datastore=self.datastore, state=self.state)
        self.trust = FocusTrust(datastore=self.datastore, state=self.state)
        self.pager = Pager(self._go, width=200, height=30, margin=0)
        looks = tile_looks(self.state.selection)
        self.tiles = Tiles(self.go_to, self._turn, self._select, **looks)
        self._offer_orders()
        self._follow()
        self.tiles.param.watch(lambda _: self._show(), "fit")

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(self.chips, *order_controls(self.state.selection), self.pager, **ABOVE)
        return pn.Column(above, pn.Row(self.tiles, self.trust, **WHOLE), **WHOLE)

    @param.depends("state.model", watch=True)
    def _offer_orders(self) -> None:
        offer_orders(self.datastore, self.state)

    @param.depends(
        "state.model",
        "state.whiten",
        "state.oriented",
        "state.features",
        "state.tab",
        "state.selection.focus",
        "state.selection.order",
        "state.selection.descending",
        watch=True,
    )
    def _sort(self) -> None:
        """Sort the galaxies and show the first page, unless they are in this order already."""
        state, chosen = self.state, self.state.selection
        if state.tab != self.key:
            return
        if chosen.order != self._order:
            self._order, self._origin = chosen.order, state.row
        wanted = (state.model, chosen.order, chosen.descending, state.metric, self._origin)
        if chosen.focus is not self._focus or wanted != self._sorted:
            self._focus, self._sorted, self.start = chosen.focus, wanted, 0
            rows = rows_in_focus(state)
            self.listing, job = listing_of(self.datastore, state, rows, self._origin)
            if job is not None:
                self._sorted = ()
                when_done(job, self._sort)
        self._show()

    @param.depends("state.dark", watch=True)
    def _show(self) -> None:
        """Show the page; stamps follow when they are read."""
        if self.state.tab != self.key:
            return
        self.state.selection.listed = list_of(self.key, self.listing, self._order)
        page, fit = self.start // self.tiles.fit, self.tiles.fit
        listed = self.listing.page(page, fit)
        job = self.datastore.load([row for row, _ in listed])
        wait([job], timeout=WAIT)
        items = stamp_items(self.datastore, listed, dark=self.state.dark, load=False)
        nothing = nothing_listed(self.datastore, filtered=self.state.selection.focus is not None)
        self.tiles.param.update(items=items, waiting=not job.done(), **nothing)
        self.pager.param.update(page=page, pages=max(-(-len(self.listing.rows) // fit), 1))
        if not job.done():
            when_done(job, self._show)
        elif error := job.exception():
            report(self.state, "grid", f"No pictures: {error}")
        else:
            report(self.state, "grid")

    @param.depends("state.row", watch=True)
    def _follow(self) -> None:
        """Outline the picked galaxy, and go to its page if it was picked elsewhere."""
        row = self.state.row
        self.tiles.picked = -1 if row is None else row
        if not self._walking:
            self._origin = row
            self._sort()
        position = self.listing.position(row)
        if position is not None and row not in {item["row"] for item in self.tiles.items}:
            self.start = position
            self._show()

    def step(self, by: int) -> None:
        """Pick the next galaxy of the order, or the previous one."""
        row = self.listing.step(self.state.row, by)
        if row is not None:
            self.go_to(row)

    def _go(self, page: int) -> None:
        self.start = page * self.tiles.fit
        self._show()

    def _turn(self, pages: int) -> None:
        self._go(min(max(self.pager.page + pages, 0), self.pager.pages - 1))

    def _select(self, population: str) -> None:
        rows = self.datastore.populations.members(population)
        self.state.selection.selected = mask_of(rows, len(self.datastore))


def order_controls(chosen: Selection) -> tuple[pmui.Select | IconToggle, ...]:
    """The choice of a quantity to sort by, of the order, and of the stamps' looks."""
    looks = {"size": "small", "variant": "outlined", "width": 190, "margin": (6, 4, 0, 4)}
    by = pmui.Select.from_param(chosen.param.order, label="Sorted by", **looks)
    toggle = IconToggle.of(chosen.param.descending, ARROWS, margin=(9, 4, 0, 4))
    return by, toggle, *stamp_controls(chosen)


def tile_looks(chosen: Selection) -> dict[str, Any]:
    """The place of the stamps, and references to the size and the crop that are chosen."""
    size, crop = chosen.param.stamp_size, chosen.param.crop
    return {"size": size, "crop": crop, "sizing_mode": "stretch_both", "margin": (2, 8)}


def stamp_controls(chosen: Selection) -> tuple[pmui.Select, pmui.Select]:
    """The choice of the stamps' size, and of how much of each they show."""
    looks = {"size": "small", "variant": "outlined", "margin": (6, 4, 0, 4)}
    size = pmui.Select.from_param(chosen.param.stamp_size, label="Stamps", width=96, **looks)
    return size, pmui.Select.from_param(chosen.param.crop, label="Crop", width=90, **looks)


def nothing_listed(datastore: DataStore, *, filtered: bool) -> dict[str, Any]:
    """What ``Tiles`` shows where there are no galaxies: a title, words, populations to select."""
    if filtered:
        return {"title": NO_GALAXY[0], "words": NO_GALAXY[1], "offers": []}
    populations = datastore.populations
    offers = [
        {"key": name, "text": f"{population_title(name)} {len(populations.members(name)):,}"}
        for name in populations.marked
    ]
    return {"title": NOTHING[0], "words": NOTHING[1], "offers": offers}
