"""The address of the page holds the choices, and restores them when opened."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import debounce
from dashboard.backend.view import Follower
from dashboard.components.notices import report
from dashboard.state import Axes, State

__all__ = ["UrlSync", "query_of"]

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
OURS = {*KEPT, *(f"{name}2" for name in AXES), "galaxy", "zoom", "zoom2", "split"}
RENAMED_TABS = {"candidates": "labels"}  # an older address says the former key
ZOOMED = 400  # ms of rest after which the address says what is in view


def query_of(datastore: DataStore, state: State) -> dict[str, str]:
    """The query of a state: its choices, and the picked galaxy by its id."""
    query = {name: str(getattr(state, name)) for name in KEPT if getattr(state, name)}
    if state.row is not None:
        query["galaxy"] = str(datastore.ids[state.row])
    if state.zoom:
        query["zoom"] = _text_of(state.zoom)
    if state.split:
        query |= {f"{name}2": str(getattr(state.second, name)) for name in AXES}
        query |= {"split": "1"} | (
            {"zoom2": _text_of(state.second.zoom)} if state.second.zoom else {}
        )
    return query


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
        state.dark = asked.get("theme") != "light"
        if "galaxy" in asked:
            state.row = datastore.row_of(asked["galaxy"])
            if state.row is None:
                report(state, "address", f"No galaxy {asked['galaxy']} in this store.")

    @param.depends(
        *(f"state.{name}" for name in (*KEPT, "row", "split")),
        *(f"state.second.{name}" for name in AXES),
        watch=True,
    )
    def _write(self) -> None:
        own = {name: text for name, text in _query_of(self._location).items() if name not in OURS}
        query = query_of(self._datastore, self.state)
        self._location.search = "?" + urlencode(own | query, safe=",")

    @param.depends("state.zoom", "state.second.zoom", watch=True)
    def _follow_zoom(self) -> None:
        self._write_later()

    @param.depends("state.row", watch=True)
    def _forget_notice(self) -> None:
        """Remove the notice once a galaxy is picked by the user."""
        if self._row is not None:
            report(self.state, "address")
        self._row = self.state.row


def _query_of(location: Any) -> dict[str, str]:
    """The query as text: ``query_params`` would turn some ids into numbers."""
    return dict(parse_qsl(location.search.lstrip("?")))


def _take(axes: Axes, asked: dict[str, str | None]) -> None:
    for name, value in asked.items():
        if value in list(axes.param[name].objects):
            setattr(axes, name, value)


def _text_of(zoom: Iterable[float]) -> str:
    return ",".join(f"{end:.6g}" for end in zoom)


def _zoom_of(text: str | None) -> tuple[float, ...] | None:
    """Left, bottom, right, top; None if the text does not hold them."""
    try:
        left, bottom, right, top = (float(end) for end in (text or "").split(","))
    except ValueError:
        return None
    return (left, bottom, right, top) if left < right and bottom < top else None
