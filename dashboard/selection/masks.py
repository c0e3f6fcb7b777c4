"""Which galaxies are in focus: those that are selected and lie within every filter's range.

All others stay on the maps as grey context. Masks are (N,) bool and are replaced, never changed.
"""

import numpy as np
import pandas as pd
import param
import shapely
from numpy.typing import ArrayLike, NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import inside_box
from dashboard.backend.quantities import colours_of
from dashboard.backend.view import Follower
from dashboard.state import Gesture, Query, State
from pcvae.scan import slices, spans

__all__ = [
    "FocusFollower",
    "clear",
    "combine",
    "count_in_focus",
    "focus_of",
    "inside_polygon",
    "mask_of",
    "rows_in_focus",
    "select",
    "undo_selection",
]

MANY = 1_000_000  # galaxies of which those in cells far from a line are not measured each
GRID, SLACK = 64, 1e-6  # cells a side of a lasso's box; their overlap, in cells
EDGE, WHOLE = 1, 2  # kinds of cells, beside 0


def inside_polygon(points: pd.DataFrame, corners: ArrayLike) -> NDArray[np.bool_]:
    """Which points lie within a line drawn by hand, (N,); those without a position do not.

    Where the line crosses itself, the even-odd rule applies.

    Args:
        points: Columns ``x`` and ``y``, N rows.
        corners: The line, (M, 2); its ends are joined.
    """
    line = np.asarray(corners, dtype=np.float64)
    if len(line) < 3:
        return np.zeros(len(points), bool)
    area = shapely.make_valid(shapely.Polygon(line))
    shapely.prepare(area)
    inside = inside_box(points, area.bounds)
    shapely.contains_xy(area, 0.0, 0.0)  # now its index is made, which threads share
    x, y = points["x"].to_numpy(), points["y"].to_numpy()

    cells = _cells(area) if len(points) >= MANY and area.area else None

    def look(start: int, stop: int) -> None:
        for part in slices(start, stop):
            near = part.start + np.flatnonzero(inside[part])
            if cells is not None:
                kinds = _kinds(cells, area.bounds, x[near], y[near])
                inside[near] = kinds == WHOLE
                near = near[kinds == EDGE]
            places = x[near].astype(np.float64), y[near].astype(np.float64)
            inside[near] = shapely.contains_xy(area, *places)

    spans(len(points), look)
    return inside


def _cells(area: "shapely.Geometry") -> NDArray[np.int8]:
    """Which cells (GRID, GRID) of an area's box lie outside of it, at its edge, or in it whole."""
    left, bottom, right, top = area.bounds
    x, y = np.linspace(left, right, GRID + 1), np.linspace(bottom, top, GRID + 1)
    more = SLACK * (x[1] - x[0]), SLACK * (y[1] - y[0])
    low, high = (
        (x[:-1, None] - more[0], y[:-1] - more[1]),
        (x[1:, None] + more[0], y[1:] + more[1]),
    )
    boxes = shapely.box(*low, *high)
    found = shapely.intersects(area, boxes).astype(np.int8)
    return found + shapely.contains_properly(area, boxes)


def _kinds(
    cells: NDArray[np.int8],
    bounds: tuple[float, ...],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> NDArray[np.int8]:
    """The kind of the cell that each place (n,) within the bounds lies in."""
    left, bottom, right, top = bounds
    across = ((x.astype(np.float64) - left) * (GRID / (right - left))).astype(np.intp)
    up = ((y.astype(np.float64) - bottom) * (GRID / (top - bottom))).astype(np.intp)
    return cells[np.clip(across, 0, GRID - 1), np.clip(up, 0, GRID - 1)]


def select(
    state: State,
    new: NDArray[np.bool_],
    gesture: Gesture | None = None,
    how: str = "",
    query: Query | None = None,
) -> None:
    """Change the selection by a gesture or a query, in the selection's ``mode``.

    Args:
        state: The selection.
        new: Which galaxies it covers, (N,).
        gesture: Its outline, to be shown.
        how: Another mode.
        query: The condition that it fulfils.
    """
    before, how = state.selection.selected, how or state.selection.mode
    selected = combine(before, new, how)
    alone = before is None or how == "replace"
    drawn = None if selected is None or gesture is None else gesture._replace(alone=alone)
    asked = query if selected is not None and alone else None
    state.selection.param.update(selected=selected, gesture=drawn, query=asked)


def undo_selection(state: State) -> None:
    """Restore the previous selection; a second call restores the later one."""
    state.selection.selected = state.selection.previous


def clear(state: State) -> None:
    """Put all galaxies in focus."""
    state.selection.param.update(selected=None, filters={})


def combine(
    before: NDArray[np.bool_] | None, new: NDArray[np.bool_], how: str
) -> NDArray[np.bool_] | None:
    """A selection after one more gesture; None if it is empty.

    Args:
        before: What was selected, (N,); None for nothing.
        new: What the gesture covers, (N,).
        how: The mode.

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


def focus_of(datastore: DataStore, state: State, but: str = "") -> NDArray[np.bool_] | None:
    """The galaxies that are selected and pass all filters, (N,); None if neither limits anything.

    An unknown value (NaN) passes no filter.

    Args:
        datastore: The store of the values.
        state: What is selected and which ranges are kept.
        but: The key of a filter that is ignored.
    """
    mask = state.selection.selected
    quantities = {quantity.key: quantity for quantity in colours_of(datastore.store, state.model)}
    for key, (low, high) in state.selection.filters.items():
        if key in quantities and key != but:
            values = datastore.columns.values(state.model, quantities[key])
            inside = values >= low
            inside &= values <= high
            mask = inside if mask is None else mask & inside
    return mask


class FocusFollower(Follower):
    """Keeps ``focus``, ``previous``, ``gesture`` and ``query`` of the selection up to date.

    To be made before the views. A selection without a gesture removes the outline, and one
    without a query the query.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        selection = self.state.selection
        self._selected, self._gesture = selection.selected, selection.gesture
        self._query = selection.query

    @param.depends(
        "state.model",
        "state.selection.selected",
        "state.selection.gesture",
        "state.selection.filters",
        watch=True,
    )
    def _follow(self) -> None:
        selection = self.state.selection
        before, drawn = self._selected, selection.gesture
        if drawn is self._gesture:
            drawn = None
        self._selected, self._gesture = selection.selected, selection.gesture
        if selection.selected is not before:
            asked = None if selection.query is self._query else selection.query
            self._gesture, self._query = drawn, asked
            selection.param.update(previous=before, gesture=drawn, query=asked)
        selection.focus = focus_of(self.datastore, self.state)


def mask_of(rows: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Some rows as a mask (count,); rows below zero, which stand for none, are left out."""
    mask, known = np.zeros(count, bool), np.asarray(rows, np.intp)
    mask[known[known >= 0]] = True
    return mask


def count_in_focus(state: State) -> int:
    """The number of galaxies in focus; 0 where there is no focus."""
    focus = state.selection.focus
    return 0 if focus is None else int(np.count_nonzero(focus))


def rows_in_focus(state: State) -> NDArray[np.intp]:
    """The rows in focus, in the order of the store; empty where there is no focus."""
    if state.selection.focus is None:
        return np.array([], dtype=np.intp)
    return np.flatnonzero(state.selection.focus)
