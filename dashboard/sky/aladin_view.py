"""Aladin Lite on the page: a frame that shows survey images and marks on them."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component

__all__ = ["AladinView"]


class AladinView(Component):
    """A frame with survey images, as soon as it has an address.

    Args:
        calls: What is called with a message of the frame, by its name: ``failed`` with what could
            not be had, ``picked`` with a row, ``selected`` with rows, ``view`` with the middle
            and the radius [deg] of what is in view.
        params: Parameters of the component.
    """

    address = param.String(default="", doc="Of the frame; none while it is closed.")
    survey = param.String(default="", doc="The images' name in the registry of HiPS.")
    target = param.List(default=None, allow_None=True, doc="The place to go to, (ra, dec) [deg].")
    fov = param.Number(default=0.2, doc="Width of the first view [deg].")
    others = param.List(default=[], doc="Galaxies that are not in focus, (row, ra, dec) each.")
    focus = param.List(default=[], doc="Those in focus.")
    picked = param.List(default=[], doc="The picked galaxy, if it has a place.")

    _stylesheets = [style(__file__, "aladin_view.css")]  # noqa: RUF012
    _esm = script(__file__, "aladin_view.js")

    def __init__(self, calls: dict[str, Callable[[Any], None]], **params: object) -> None:
        super().__init__(**params)
        self._calls = calls

    def draw_box(self) -> None:
        """Let the next drag over the images select what it covers."""
        self._send_msg({"box": True})

    def _handle_msg(self, data: dict[str, Any]) -> None:
        for name, call in self._calls.items():
            if name in data:
                call(data[name])
