"""Selection and filters as chips that can be removed."""

from typing import Any

import numpy as np
import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import Quantity, colours_of
from dashboard.backend.typography import DASH, MINUS
from dashboard.backend.view import View
from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE
from dashboard.state import State

__all__ = ["Chips", "FocusChips", "chips_of", "range_text"]

SELECTION = "selection"


def range_text(low: float, high: float) -> str:
    """A range for display; an end without a limit is left out.

    Example:
        >>> range_text(-np.inf, 10.0), range_text(2.0, np.inf)
        ('≤ 10', '≥ 2')
    """
    lowest, highest = (f"{end:.3g}".replace("-", MINUS) for end in (low, high))
    if np.isinf(low):
        return f"≤ {highest}"
    return f"≥ {lowest}" if np.isinf(high) else f"{lowest} {DASH} {highest}"


def chips_of(datastore: DataStore, state: State) -> list[dict[str, Any]]:
    """A chip for the selection and for each filter: ``key``, ``text`` and whether it is ``idle``.

    A filter on what the model does not know is idle: it is no limit until another model is shown.
    """
    known = {quantity.key: quantity for quantity in colours_of(datastore.store, state.model)}
    listed = []
    if state.selection.selected is not None:
        count = np.count_nonzero(state.selection.selected)
        listed.append({"key": SELECTION, "text": f"{count:,} selected", "idle": False})
    for key, (low, high) in state.selection.filters.items():
        title = known.get(key, Quantity(key, key.partition(".")[2])).title
        text = f"{title} {range_text(low, high)}"
        listed.append({"key": key, "text": text, "idle": key not in known})
    return listed


class Chips(Component):
    """How many galaxies are in focus, and the chips; calls ``on_remove`` with a chip's key.

    With the key None all are to be removed.
    """

    count = param.String(default="", doc="How many are in focus, of how many.")
    chips = param.List(default=[], item_type=dict, doc="As ``chips_of`` makes them.")

    _stylesheets = [BASE, style(__file__, "filter_chips.css")]  # noqa: RUF012
    _esm = script(__file__, "filter_chips.js")

    def __init__(self, on_remove: Any, **params: object) -> None:
        super().__init__(**params)
        self._on_remove = on_remove

    def _handle_msg(self, data: dict[str, object]) -> None:
        if data.get("clear"):
            self._on_remove(None)
        elif data.get("remove") in {chip["key"] for chip in self.chips}:
            self._on_remove(data["remove"])


class FocusChips(View):
    """The selection and the filters of a session.

    Reads ``model``, ``selection.focus``, ``selection.selected`` and ``selection.filters`` of the
    state; writes ``selection.selected`` and ``selection.filters``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.chips = Chips(self._remove, sizing_mode="stretch_width", height=30, margin=0)
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.chips

    @param.depends(
        "state.model",
        "state.selection.focus",
        "state.selection.selected",
        "state.selection.filters",
        watch=True,
    )
    def _show(self) -> None:
        focus, total = self.state.selection.focus, len(self.datastore)
        count = f"All {total:,} galaxies"
        if focus is not None:
            count = f"{np.count_nonzero(focus):,} of {total:,} galaxies"
        self.chips.param.update(count=count, chips=chips_of(self.datastore, self.state))

    def _remove(self, key: str | None) -> None:
        if key is None:
            self.state.selection.param.update(selected=None, filters={})
        elif key == SELECTION:
            self.state.selection.selected = None
        else:
            left = {
                name: ends for name, ends in self.state.selection.filters.items() if name != key
            }
            self.state.selection.filters = left
