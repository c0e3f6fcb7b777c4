"""Parts of the page that are closed at first, and small buttons."""

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

__all__ = ["drawer", "one_at_a_time", "small_button"]


def drawer(*parts: Any, **looks: object) -> pn.Column:
    """A column that is closed until its ``visible`` says otherwise.

    Its content is sent to the browser when it is first opened, so that the page loads sooner; in
    a tick of its own, with all that its opening changes, as a part that is just being drawn may
    miss a change.

    Args:
        parts: Its content.
        looks: Other parameters of the column.
    """
    column = pn.Column(visible=False, **looks)

    def fill() -> None:
        if not column.objects:
            column.objects = list(parts)

    column.param.watch(lambda _: pn.state.execute(fill, schedule=True), "visible")
    return column


def one_at_a_time(*drawers: pn.Column) -> None:
    """Close the other drawers when one is opened: they have the same place on the page."""

    def close_others(event: Any) -> None:
        for other in drawers:
            if event.new and other is not event.obj:
                other.visible = False

    for column in drawers:
        column.param.watch(close_others, "visible")


def small_button(label: str, says: str, do: Callable[[], object], **looks: object) -> pmui.Button:
    """A button that calls ``do``.

    Whoever works long says so in words, not by the button's ``loading``: Panel's components lose
    the second of two changes that come sooner than the first is drawn.

    Args:
        label: Its text.
        says: Its tooltip, which screen readers read in place of the label.
        do: Called on a click.
        looks: Other parameters; ``variant`` is ``outlined`` unless given.
    """
    looks = {"variant": "outlined", **looks}
    button = pmui.Button(label=label, description=says, size="small", **looks)

    def clicked(_: object) -> None:
        do()

    button.on_click(clicked)
    return button
