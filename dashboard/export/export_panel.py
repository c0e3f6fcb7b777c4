"""The panel that exports labels, lists, a dossier, a galaxy's cutout or the map as a file."""

import io
from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.export.choices import LABELS, LIST, SELECTION, TABULAR, options_of, refusal
from dashboard.export.chosen_table import table_maker
from dashboard.export.file_job import FileJob
from dashboard.export.files import MAX_BYTES, File, maker_of, too_large
from dashboard.export.format_choice import FormatChoice
from dashboard.export.map_layers import Glyphs
from dashboard.export.samp import Samp
from dashboard.selection.masks import count_in_focus

__all__ = ["ExportPanel"]


class ExportPanel(View):
    """A button, and the panel that it opens: what is exported, and in which format.

    Reads ``row``, ``model``, ``tab``, ``selection``, ``progress.journal_events`` and what the
    maps show of the state; writes ``selection.wanted_export`` and ``progress.exported``.

    Args:
        samp: Sends tables to other programs.
        glyphs: What other parts of the page lay over the maps now.
    """

    def __init__(
        self, samp: Samp, glyphs: Callable[[], Glyphs] = Glyphs, **params: object
    ) -> None:
        super().__init__(**params)
        self.samp, self._glyphs, self._made = samp, glyphs, ""
        self.job = FileJob(self.datastore.workers.requests, self._tell, self._hand_over)
        says = "Export: labels, selection, list, dossier, cutout or map, as a file"
        looks = {"variant": "outlined", "width": 92, "height": 40, "margin": (10, 0, 0, 5)}
        self.button = small_button("Export", says, self.open, **looks)
        self.what = pmui.RadioBoxGroup(label="What", options={}, margin=(0, 10))
        self.formats = FormatChoice()
        self.what.param.watch(self._offer, "value")
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], sizing_mode="stretch_width")
        says = "Download: make the file, and save it on your computer"
        self.go = small_button("Download", says, self.take, variant="contained")
        says = "Send: to TOPCAT, Aladin, DS9 and others on your computer, by SAMP"
        self.give = small_button("Send by SAMP", says, self.send)
        self.stop = small_button("Cancel", "Cancel: make no file", self.job.cancel, visible=False)
        close = small_button("Close", "Close: back to the galaxies", self.open)
        self.file = unseen_download()
        self.panel = drawer(
            self.what,
            self.formats,
            self.words,
            pn.Row(self.go, self.give, self.stop, close, self.file),
            css_classes=["drop-down", "narrow"],
            stylesheets=[DROP_DOWN],
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(self.button, self.panel, margin=0, width=104)

    def open(self) -> None:
        """Open the panel, or close it."""
        self.panel.visible = not self.panel.visible
        self.file.data = None  # a session is not to hold on to what it has handed over
        self._refresh()

    @param.depends("state.selection.wanted_export", watch=True)
    def _open_for_list(self) -> None:
        """Open the panel with the list chosen."""
        if self.state.selection.wanted_export:
            self.state.selection.wanted_export = False
            if not self.panel.visible:
                self.open()
            if LIST in self.what.options.values():
                self.what.value = LIST

    def take(self) -> None:
        """Make the file in a worker, then send it to the browser; one at a time."""
        if self.job.running:
            return
        self._made = self.what.value
        choice = self.formats.choice(self._made)
        self.stop.visible = True
        self.job.start(maker_of(self.datastore, self.state, choice, self._glyphs))

    def send(self) -> None:
        """Send the table to the programs at the visitor's SAMP hub."""
        self.samp.send(table_maker(self.datastore, self.state, self.what.value), self._say)

    def _tell(self, words: str) -> None:
        self.words.object = status_html(f"Making the file: {words}", busy=True)

    def _hand_over(self, file: File | None, why: str) -> None:
        """Send a file to the browser, or say why there is none."""
        self.stop.visible = False
        if file is None:
            words = f"That did not work: {why}" if why else "Cancelled: no file was made."
            self._say(words, failed=bool(why))
        elif len(file.content) > MAX_BYTES:
            self._say(too_large(file), failed=True)
        else:
            hand_over(self.file, file)
            self._say(f"{file.name}: {file.words}")
            self.state.progress.exported = [*self.state.progress.exported, self._made]

    @param.depends(
        "state.row",
        "state.tab",
        "state.selection.listed",
        "state.selection.first",
        "state.selection.focus",
        "state.progress.journal_events",
        watch=True,
    )
    def _refresh(self) -> None:
        """Show the number of galaxies of each choice."""
        if not self.panel.visible:
            return
        options = options_of(self.datastore, self.state)
        chosen, count = count_in_focus(self.state), len(self.datastore.label_table.active)
        first = SELECTION if chosen and not count else LABELS
        kept = self.what.value in options.values()
        if options != self.what.options:  # else a choice that is on its way would be undone
            self.what.param.update(options=options, value=self.what.value if kept else first)
        self._offer()

    def _offer(self, *_: object) -> None:
        """Offer the formats of what is chosen, and say why it cannot be exported."""
        self.formats.offer(self.what.value)
        words = refusal(self.datastore, self.state, self.what.value)
        self.give.visible = self.what.value in TABULAR
        self.go.disabled = self.give.disabled = bool(words)
        if not self.job.running:
            self._say(words)

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.words.object = status_html(words, failed=failed)


def unseen_download() -> pmui.FileDownload:
    """What hands a file over to the browser."""
    looks = {"label": "", "styles": {"display": "none"}}
    return pmui.FileDownload(callback=lambda: None, filename="pcvae", **looks)


def hand_over(field: pmui.FileDownload, file: File) -> None:
    """Have the browser save a file."""
    field.param.update(data=None, filename=file.name)
    field.callback = lambda: io.BytesIO(file.content)
    field._transfer()
