"""The address of the page holds the choices, and restores them when opened."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import debounce
from dashboard.backend.view import RENAMED_TABS, Follower
from dashboard.components.notices import report
from dashboard.selection.masks import inside_polygon, select
from dashboard.selection.query import select_by_query
from dashboard.selection.selection_text import (
    filters_of,
    gesture_of,
    names_of,
    text_of_filters,
    text_of_gesture,
    text_of_names,
)
from dashboard.shell.catalog_pieces import cone_text
from dashboard.state import STORE_ORDER, State

__all__ = ["HELD", "UrlSync", "query_of", "shared_address", "unsaid"]

KEPT = (
    "model",
    "x",
    "y",
    "colour",
    "tab",
    "seeds",
    "page",
    "shown",
    "by",
    "features",
    "lookalikes_by",
)
AXES = ("model", "x", "y")
LATER = ("query", "drawn", "order", "rank")  # restored once the page is on the screen
SELECTION = ("selected", "gesture", "query", "filters", "order", "descending")
METRIC = ("k", "whiten", "oriented")  # said where they are not as they are at first
OURS = {*KEPT, *(f"{name}2" for name in AXES), "galaxy", "zoom", "zoom2", "split"}
OURS |= {*LATER, *METRIC, "filters", "descending", "hidden", "theme", "lesson", "strip"}
HELD = (  # what changes the address at once
    *(f"state.{name}" for name in (*KEPT, *METRIC, "row", "split", "dark", "hidden")),
    "state.lesson",
    "state.strip",
    *(f"state.second.{name}" for name in AXES),
    *(f"state.selection.{name}" for name in SELECTION),
    "state.queue.rank",
)
PERSONAL = "theme", "lesson"
ZOOMED = 400  # ms of rest after which the address says what is in view


def query_of(datastore: DataStore, state: State) -> dict[str, str]:
    """The query of a state: its choices, and the picked galaxy by its id."""
    query = {name: str(getattr(state, name)) for name in KEPT if getattr(state, name)}
    if state.row is not None:
        query["galaxy"] = str(datastore.ids[state.row])
    if state.zoom:
        query["zoom"] = _text_of(state.zoom)
    query |= {
        name: str(int(getattr(state, name)))
        for name in METRIC
        if getattr(state, name) != state.param[name].default
    }
    query |= _selection_of(datastore, state) | ({} if state.dark else {"theme": "light"})
    query |= {"hidden": text_of_names(state.hidden)} if state.hidden else {}
    query |= {"lesson": str(state.lesson)} if state.lesson else {}
    query |= {"strip": str(state.strip)} if state.strip != state.param.strip.default else {}
    if state.split:
        query |= {f"{name}2": str(getattr(state.second, name)) for name in AXES}
        query |= {"split": "1"} | (
            {"zoom2": _text_of(state.second.zoom)} if state.second.zoom else {}
        )
    return query


def _selection_of(datastore: DataStore, state: State) -> dict[str, str]:
    """What an address can hold of a selection: what was typed, or drawn once, and the filters."""
    chosen, found = state.selection, {}
    if chosen.filters:
        found["filters"] = text_of_filters(chosen.filters)
    if chosen.query is not None:
        found["query"] = chosen.query.text
    elif chosen.gesture and chosen.gesture.alone and chosen.gesture.plane[0] in datastore.models:
        found["drawn"] = text_of_gesture(chosen.gesture)
    if chosen.order != STORE_ORDER:
        found["order"] = chosen.order
    if chosen.descending:
        found["descending"] = "1"
    if state.queue.rank != "score":
        found["rank"] = state.queue.rank
    return found


def shared_address(datastore: DataStore, state: State) -> str:
    """The query of a view for others: without the theme and the lesson, which are one's own."""
    piece = datastore.piece.piece if datastore.piece else None
    cone = {"cone": cone_text(piece)} if piece and piece.cone else {}
    query = cone | query_of(datastore, state)
    return "?" + urlencode(
        {name: text for name, text in query.items() if name not in PERSONAL}, safe=","
    )


def unsaid(datastore: DataStore, state: State) -> list[str]:
    """What is shown that an address cannot hold, in words."""
    held, mask = _selection_of(datastore, state), state.selection.selected
    several = mask is not None and not {"query", "drawn"} & set(held)
    return [
        words
        for words, shown in (
            ("the selection, which was drawn in several steps or on the sky", several),
            ("the galaxy that you uploaded", state.external is not None),
            ("the list of targets", state.tab == "targets"),
            ("the places of the decoder's sliders", state.decoding.latents is not None),
            ("the band of the images", state.band != "colour"),
            ("whose labels are listed", bool(state.label or state.user)),
        )
        if shown
    ]


class UrlSync(Follower):
    """Restores the choices of the address that the store has, then keeps the address up to date.

    Args:
        datastore: The galaxies, whose ids the address holds.
        state: What is shown.
        location: The browser's address, as ``pn.state.location``.
    """

    def __init__(self, datastore: DataStore, state: State, location: Any) -> None:
        self._datastore, self._location = datastore, location
        self._row: int | None = None
        self._later: dict[str, str] = {}
        self._write_later = debounce(self._write, ZOOMED)
        self._read(datastore, state)
        super().__init__(state=state)
        self._row = state.row

    def _read(self, datastore: DataStore, state: State) -> None:
        asked = _query_of(self._location)
        asked["tab"] = RENAMED_TABS.get(asked.get("tab", ""), asked.get("tab", ""))
        _take(state, {name: asked.get(name) for name in KEPT})
        _take(state.second, {name: asked.get(f"{name}2") for name in AXES})
        state.split = asked.get("split") in ("1", "true")
        state.zoom, state.second.zoom = _zoom_of(asked.get("zoom")), _zoom_of(asked.get("zoom2"))
        _take(state, {"k": int(asked["k"]) if asked.get("k", "").isdecimal() else None})
        state.whiten, state.oriented = asked.get("whiten") != "0", asked.get("oriented") == "1"
        if asked.get("strip", "").isdecimal():
            least, most = state.param.strip.bounds
            state.strip = min(max(int(asked["strip"]), least), most)
        state.selection.filters = filters_of(asked.get("filters", ""))
        state.selection.descending = asked.get("descending") == "1"
        self._later = {name: asked[name] for name in LATER if name in asked}
        state.hidden = names_of(asked.get("hidden", ""))
        state.dark = asked.get("theme") != "light"
        state.lesson = int(asked["lesson"]) if asked.get("lesson", "").isdecimal() else 0
        if "galaxy" in asked:
            state.row = datastore.row_of(asked["galaxy"])
            if state.row is None:
                report(state, "address", f"No galaxy {asked['galaxy']} in this store.")

    @param.depends("state.progress.loaded", watch=True)
    def _restore(self) -> None:
        """Select again what the address says, in the orders that it says."""
        state, later, self._later = self.state, self._later, {}
        _take(state.selection, {"order": later.get("order")})
        _take(state.queue, {"rank": later.get("rank")})
        gesture = gesture_of(later.get("drawn", ""))
        if "query" in later:
            say = partial(report, state, "query")
            select_by_query(self._datastore, state, later["query"], say)
        elif gesture is not None and gesture.plane[0] in self._datastore.models:
            model, *names = gesture.plane
            axes = [self._datastore.columns.axis(model, name) for name in names]
            points = self._datastore.columns.plane(model, *axes).points
            mask = inside_polygon(points, np.array(gesture.corners))
            select(state, mask, gesture, how="replace")

    @param.depends(*HELD, watch=True)
    def _write(self) -> None:
        own = {name: text for name, text in _query_of(self._location).items() if name not in OURS}
        query = self._later | query_of(self._datastore, self.state)
        self._location.search = "?" + urlencode(own | query, safe=",")

    @param.depends("state.zoom", "state.second.zoom", watch=True)
    def _follow_zoom(self) -> None:
        self._write_later()

    @param.depends("state.selection.query", watch=True)
    def _forget_query(self) -> None:
        """Remove what was wrong with a query once another one selects."""
        report(self.state, "query")

    @param.depends("state.row", watch=True)
    def _forget_notice(self) -> None:
        """Remove the notice once a galaxy is picked by the user."""
        if self._row is not None:
            report(self.state, "address")
        self._row = self.state.row


def _query_of(location: Any) -> dict[str, str]:
    """The query as text: ``query_params`` would turn some ids into numbers."""
    return dict(parse_qsl(location.search.lstrip("?")))


def _take(choices: param.Parameterized, asked: Mapping[str, str | int | None]) -> None:
    for name, value in asked.items():
        if value in list(choices.param[name].objects):
            setattr(choices, name, value)


def _text_of(zoom: Iterable[float]) -> str:
    return ",".join(f"{end:.6g}" for end in zoom)


def _zoom_of(text: str | None) -> tuple[float, ...] | None:
    """Left, bottom, right, top; None if the text does not hold them."""
    try:
        left, bottom, right, top = (float(end) for end in (text or "").split(","))
    except ValueError:
        return None
    return (left, bottom, right, top) if left < right and bottom < top else None
