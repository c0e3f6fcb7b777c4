"""Pagination."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["Pager"]


class Pager(Component):
    """The current page of how many, and buttons; calls ``on_go`` with the index of a page."""

    page = param.Integer(default=0, doc="The page's index.")
    pages = param.Integer(default=1, doc="How many there are.")

    _stylesheets = [BASE, style(__file__, "pager.css")]  # noqa: RUF012
    _esm = script(__file__, "pager.js")

    def __init__(self, on_go: Callable[[int], None], **params: object) -> None:
        super().__init__(**params)
        self._on_go = on_go

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if isinstance(data.get("go"), int) and 0 <= data["go"] < self.pages:
            self._on_go(data["go"])
