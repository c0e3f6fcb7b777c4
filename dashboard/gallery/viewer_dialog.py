"""A dialog with one large picture of a galaxy."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["ViewerDialog"]


class ViewerDialog(Component):
    """One picture at a time of a galaxy, chosen by buttons or blinked, in a modal dialog.

    Calls ``on_open`` with a row, or None, and the rows to walk along; ``on_step`` with 1 or -1;
    ``on_band`` with a band.
    """

    opened = param.Boolean(default=False, doc="Whether it is on the screen.")
    title = param.String(default="", doc="What the galaxy is.")
    pictures = param.Dict(default={}, doc="Data URIs: image, reconstruction and residual.")
    words = param.String(default="", doc="What is said where there is no picture.")
    bands = param.List(default=[], item_type=str, doc="The bands to choose from.")
    band = param.String(default="", doc="The band that is shown.")

    _stylesheets = [BASE, style(__file__, "viewer_dialog.css")]  # noqa: RUF012
    _esm = script(__file__, "viewer_dialog.js")

    def __init__(
        self,
        on_open: Callable[[int | None, list[int]], None],
        on_step: Callable[[int], None],
        on_band: Callable[[str], None],
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._on_open, self._on_step, self._on_band = on_open, on_step, on_band

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("close"):
            self.opened = False
        elif data.get("open"):
            row, rows = data.get("row"), data.get("rows")
            rows = [one for one in rows if isinstance(one, int)] if isinstance(rows, list) else []
            self._on_open(row if isinstance(row, int) else None, rows)
        elif data.get("step") in (-1, 1):
            self._on_step(data["step"])
        elif data.get("band") in self.bands:
            self._on_band(data["band"])
