"""Boxes and lassos on a figure that select galaxies."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from bokeh.events import PanStart
from holoviews.streams import BoundsXY, Lasso
from numpy.typing import NDArray

from dashboard.backend.plane import inside_box
from dashboard.plotting.markers import Outline
from dashboard.selection.masks import inside_polygon, select
from dashboard.state import Gesture, State

__all__ = ["BoxLasso"]


class BoxLasso:
    """Selects what boxes and lassos cover; with shift held adds, with ctrl or alt subtracts.

    Args:
        state: Its ``selection.selected`` and ``selection.gesture`` are written.
        layer: The layer with the two tools.
        points: Returns the current positions: columns ``x`` and ``y``, N rows.
        plane: Returns the plane of a ``Gesture``.
    """

    def __init__(
        self,
        state: State,
        layer: Any,
        points: Callable[[], pd.DataFrame],
        plane: Callable[[], tuple[str, str, str]],
    ) -> None:
        self._state, self._points, self._plane = state, points, plane
        self._how = ""
        self.outline: Outline | None = None
        self.box, self.lasso = BoundsXY(source=layer), Lasso(source=layer)
        self.box.add_subscriber(self._select_box)
        self.lasso.add_subscriber(self._select_lasso)

    def begin(self, figure: Any) -> None:
        """Draw on a Bokeh figure from now on."""
        self.outline = Outline(figure)
        figure.on_event(PanStart, self._hold)

    def trace(self) -> None:
        """Show the outline of the gesture on the plane where it was drawn."""
        gesture = self._state.selection.gesture
        if self.outline is not None:
            here = gesture if gesture is not None and gesture.plane == self._plane() else None
            self.outline.show(here.corners if here else (), self._state.dark)

    def _hold(self, event: PanStart) -> None:
        """Remember the modifier keys of a gesture: they choose its mode."""
        keys = dict(event.modifiers or {})
        taken = keys.get("ctrl") or keys.get("alt")
        self._how = "add" if keys.get("shift") else "subtract" if taken else ""

    def _select_box(self, bounds: tuple[float, ...] | None) -> None:
        if bounds is not None:
            left, bottom, right, top = bounds
            corners = ((left, bottom), (right, bottom), (right, top), (left, top))
            self._select(inside_box(self._points(), bounds), corners)

    def _select_lasso(self, geometry: Any) -> None:
        if geometry is not None:
            corners = tuple((float(x), float(y)) for x, y in geometry)
            self._select(inside_polygon(self._points(), np.array(corners)), corners)

    def _select(
        self, covered: NDArray[np.bool_], corners: tuple[tuple[float, float], ...]
    ) -> None:
        select(self._state, covered, Gesture(self._plane(), corners), self._how)
        self._how = ""
