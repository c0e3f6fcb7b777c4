"""A small button."""

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

__all__ = ["small_button"]


def small_button(label: str, says: str, do: Callable[[], Any], **looks: Any) -> pmui.Button:
    """A button that calls ``do``.

    Args:
        label: What is written on it.
        says: Its tooltip, which screen readers read in place of the label.
        do: What it does.
        looks: Other parameters; ``variant`` is ``outlined`` unless given.
    """
    looks = {"variant": "outlined", **looks}
    button = pmui.Button(label=label, description=says, size="small", **looks)
    button.on_click(lambda _: do())
    return button
