"""Help: the glossary, the keys, the tour again, and the lesson."""

from collections.abc import Callable, Mapping
from html import escape

import panel as pn
import panel_material_ui as pmui

from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE, HELP
from dashboard.shell.glossary import glossary_html
from dashboard.shell.tour import Tour

__all__ = ["Help", "keys_html"]


def keys_html(keys: Mapping[str, str]) -> str:
    """A table of the keys and what each does.

    Example:
        >>> keys_html({"c": "Tag"})
        '<table class="keys"><tr><th scope="row"><kbd>c</kbd></th><td>Tag</td></tr></table>'
    """
    rows = "".join(
        f'<tr><th scope="row"><kbd>{escape(key)}</kbd></th><td>{escape(note)}</td></tr>'
        for key, note in keys.items()
    )
    return f'<table class="keys">{rows}</table>'


class Help(pn.viewable.Viewer):
    """A button that opens a dialog. Reads and writes nothing of the state.

    Args:
        keys: What each key does.
        open_lesson: Begins the lesson, or resumes it.
    """

    def __init__(
        self, keys: Mapping[str, str], open_lesson: Callable[[], None], **params: object
    ) -> None:
        pn.viewable.Viewer.__init__(self, **params)
        self._open_lesson = open_lesson
        self.tour = Tour(sizing_mode="fixed", width=0, height=0, margin=0)
        says = "Help: what the words mean, the keys, a lesson, and the tour again."
        looks = {"variant": "text", "css_classes": ["help"], "margin": (13, 4)}
        self.button = small_button("Help", says, self.open, **looks)
        says = "Take the tour: the parts of the page, one after another."
        self.again = small_button("Take the tour", says, self._again)
        says = "Take the lesson: 15 minutes for who has never met a latent space."
        self.lesson = small_button("Take the lesson", says, self._begin)
        words, self.keys_pane = (
            pn.pane.HTML(html, stylesheets=[BASE, HELP], sizing_mode="stretch_width")
            for html in (glossary_html(), keys_html(keys))
        )
        self.dialog = pmui.Dialog(
            pn.Column(
                pn.Row(self.lesson, self.again, margin=0),
                pmui.Tabs(("Words", words), ("Keys", self.keys_pane), sizing_mode="stretch_width"),
                sizing_mode="stretch_width",
            ),
            title="Help",
            open=False,
            show_close_button=True,
            width_option="md",
        )

        self._layout = pn.Row(self.button, self.tour)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    def show_keys(self, keys: dict[str, str]) -> None:
        """List other keys."""
        self.keys_pane.object = keys_html(keys)

    def open(self) -> None:
        """Open the dialog, which is sent to the browser only now."""
        self.dialog.open = True
        if self.dialog not in self._layout.objects:
            self._layout.append(self.dialog)

    def _again(self) -> None:
        self.dialog.open = False
        self.tour.shown = True

    def _begin(self) -> None:
        self.dialog.open = False
        self._open_lesson()
