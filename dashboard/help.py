"""Help: the glossary, the keys, and the tour again."""

from html import escape
from typing import Any

import panel as pn
import panel_material_ui as pmui

from dashboard.glossary import glossary_html
from dashboard.style import BASE, HELP
from dashboard.tour import Tour

__all__ = ["Help", "keys_html"]


def keys_html(keys: dict[str, str]) -> str:
    """A table of the keys and what each does.

    Example:
        >>> keys_html({"c": "Tag"})
        '<table class="keys"><tr><th scope="row"><kbd>c</kbd></th><td>Tag</td></tr></table>'
    """
    rows = "".join(
        f'<tr><th scope="row"><kbd>{escape(key)}</kbd></th><td>{escape(said)}</td></tr>'
        for key, said in keys.items()
    )
    return f'<table class="keys">{rows}</table>'


class Help(pn.viewable.Viewer):
    """A button that opens a dialog. Reads and writes nothing of the state.

    Args:
        keys: What each key does.
    """

    def __init__(self, keys: dict[str, str], **params: Any) -> None:
        super().__init__(**params)
        self.tour = Tour(sizing_mode="fixed", width=0, height=0, margin=0)
        self.button = pmui.Button(
            label="Help",
            variant="text",
            size="small",
            description="Help: what the words mean, the keys, and the tour again.",
            css_classes=["help"],
            margin=(13, 4),
        )
        self.again = pmui.Button(
            label="Take the tour",
            variant="outlined",
            size="small",
            description="Take the tour: the parts of the page, one after another.",
        )
        words, self.keys_pane = (
            pn.pane.HTML(html, stylesheets=[BASE, HELP], sizing_mode="stretch_width")
            for html in (glossary_html(), keys_html(keys))
        )
        self.dialog = pmui.Dialog(
            pn.Column(
                self.again,
                pmui.Tabs(("Words", words), ("Keys", self.keys_pane), sizing_mode="stretch_width"),
                sizing_mode="stretch_width",
            ),
            title="Help",
            open=False,
            show_close_button=True,
            width_option="md",
        )
        self.button.on_click(lambda _: self.dialog.param.update(open=True))
        self.again.on_click(lambda _: self._again())

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(self.button, self.dialog, self.tour)

    def _again(self) -> None:
        self.dialog.open = False
        self.tour.shown = True
