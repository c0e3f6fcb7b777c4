"""Which galaxies are in focus: those that are selected and lie within every filter's range.

All others stay on the maps as grey context. Masks are (N,) bool and are replaced, never changed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.quantities import colours_of
from dashboard.source import Source
from dashboard.state import State

__all__ = ["HOW", "combine", "focus_of", "follow_focus", "rows_in_focus"]

HOW = ("replace", "add", "subtract")


def combine(
    before: NDArray[np.bool_] | None, new: NDArray[np.bool_], how: str
) -> NDArray[np.bool_] | None:
    """A selection after one more gesture; None where nothing is selected any more.

    Args:
        before: What was selected, (N,); None for nothing.
        new: What the gesture covers, (N,).
        how: One of ``HOW``.

    Example:
        >>> one, two = np.array([True, True, False]), np.array([False, True, True])
        >>> combine(one, two, "add").sum(), combine(one, two, "subtract").sum()
        (np.int64(3), np.int64(1))
    """
    if before is None or how == "replace":
        result = new & (how != "subtract")
    else:
        result = before | new if how == "add" else before & ~new
    return result if result.any() else None


def focus_of(source: Source, state: State) -> NDArray[np.bool_] | None:
    """The galaxies that are selected and pass all filters, (N,); None where that is no limit.

    An unknown value (NaN) passes no filter.
    """
    mask = state.selected
    quantities = {one.key: one for one in colours_of(source.store, state.model)}
    for key, (low, high) in state.filters.items():
        if key in quantities:
            values = source.values(state.model, quantities[key])
            inside = (values >= low) & (values <= high)
            mask = inside if mask is None else mask & inside
    return mask


def follow_focus(source: Source, state: State) -> None:
    """Keep the state's ``focus`` up to date; to be called before the views are made."""

    def follow(*_: Any) -> None:
        state.focus = focus_of(source, state)

    state.param.watch(follow, ["selected", "filters", "model"])


def rows_in_focus(state: State) -> NDArray[np.intp]:
    """The rows in focus, in the order of the store; empty where there is no focus."""
    if state.focus is None:
        return np.array([], dtype=np.intp)
    return np.flatnonzero(state.focus)
