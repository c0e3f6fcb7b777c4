"""What a map says where no galaxy is in view, with a button that leads back."""

from typing import TYPE_CHECKING

import panel as pn
import param

from dashboard.backend.plane import inside_box
from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE
from dashboard.components.notices import status_html
from dashboard.state import Axes

__all__ = ["EmptyNote"]

NOTHING = "No galaxy is in view here."
MIDDLE = {
    "position": "absolute",
    "left": "50%",
    "top": "42%",
    "transform": "translate(-50%, -50%)",
    "z-index": "3",
    "text-align": "center",
    "padding": "10px 14px",
    "border-radius": "8px",
    "background": "var(--panel-background-color)",
}


class EmptyNote(View):
    """A sentence and a button over a map that shows no galaxy, though the store has some.

    Reads the axes; writes ``zoom`` of the axes.
    """

    if TYPE_CHECKING:
        axes: Axes
    else:
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        words = pn.pane.HTML(status_html(NOTHING), stylesheets=[BASE], margin=(0, 0, 4, 0))
        says = "Show all galaxies: back to the first view"
        button = small_button("Show all galaxies", says, self.go_back)
        self.note = drawer(words, button, width=200, margin=0, styles=MIDDLE)
        self._look()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.note

    def go_back(self) -> None:
        """Show all galaxies."""
        self.axes.zoom = None

    @param.depends("axes.zoom", "axes.model", "axes.x", "axes.y", watch=True)
    def _look(self) -> None:
        """Look whether any galaxy is in view; the first view has some, if there are any."""
        self.note.visible = self.axes.zoom is not None and self._is_empty()

    def _is_empty(self) -> bool:
        plane = self.datastore.columns.plane(*self.axes.plane)
        (left, right), (bottom, top) = plane.clamped(self.axes.zoom)
        return not inside_box(plane.points, (left, bottom, right, top)).any()
