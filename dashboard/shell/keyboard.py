"""Keyboard shortcuts: an invisible component that listens to the whole page."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.assets import script
from dashboard.components.component import Component

__all__ = ["Shortcuts"]


class Shortcuts(Component):
    """Calls ``on_key`` with each of ``keys`` that is pressed outside of text fields.

    Arrow keys are left to sliders, menus and focused tabs.
    """

    keys = param.List(default=[], item_type=str, doc="KeyboardEvent.key values to send.")

    _esm = script(__file__, "keyboard.js")

    def __init__(self, on_key: Callable[[str], None], **params: object) -> None:
        super().__init__(**params)
        self._on_key = on_key

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("key") in self.keys:
            self._on_key(data["key"])
