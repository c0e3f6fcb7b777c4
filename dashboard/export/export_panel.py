"""Export labels, the selection, a galaxy's cutout or the map as a file."""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.export.chosen_table import LABELS, LIST, SELECTION, ChosenTable, table_maker
from dashboard.export.fits_cutout import NO_FLUX, as_fits, find_sample, pixels_of
from dashboard.export.footprint import CELLS, footprint_of
from dashboard.export.map_figure import figure_png
from dashboard.export.samp import Samp
from dashboard.export.table_formats import FORMATS, as_file
from dashboard.export.tables import provenance
from dashboard.selection.masks import rows_in_focus
from dashboard.state import State

__all__ = ["ExportPanel", "File"]

MAX_BYTES = 150 << 20  # of a file that a page can hand over to the browser
CUTOUT, FIGURE, FOOTPRINT = "cutout", "figure", "footprint"
TABLES = (LABELS, SELECTION, LIST)
KINDS = {form.title: ending for ending, form in FORMATS.items()}


class File(NamedTuple):
    """A file for download, and a sentence on it."""

    name: str
    content: bytes
    words: str


class ExportPanel(View):
    """A button, and the panel that it opens: what is exported, and in which format.

    Reads ``row``, ``model``, ``tab``, ``selection``, ``progress.journal_events`` and what the
    maps show of the state; writes ``selection.wanted_export``.

    Args:
        samp: Sends tables to other programs.
        params: The datastore and the state.
    """

    def __init__(self, samp: Samp, **params: object) -> None:
        super().__init__(**params)
        self.samp = samp
        says = "Export: labels, selection, list, cutout or map, as a file"
        looks = {"variant": "outlined", "width": 92, "height": 40, "margin": (10, 0, 0, 5)}
        self.button = small_button("Export", says, self.open, **looks)
        self.what = pmui.RadioBoxGroup(label="What", options={}, margin=(0, 10))
        self.kind = kind_choice()
        self.what.param.watch(self._offer, "value")
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], sizing_mode="stretch_width")
        says = "Download: make the file, and save it on your computer"
        self.go = small_button("Download", says, self.take, variant="contained")
        says = "Send: to TOPCAT, Aladin, DS9 and others on your computer, by SAMP"
        self.give = small_button("Send by SAMP", says, self.send)
        close = small_button("Close", "Close: back to the galaxies", self.open)
        self.file = unseen_download()
        self.panel = drawer(
            self.what,
            self.kind,
            self.words,
            pn.Row(self.go, self.give, close, self.file),
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
            self.panel.visible = True
            self.file.data = None
            self._refresh()
            if LIST in self.what.options.values():
                self.what.value = LIST

    def take(self) -> None:
        """Make the file in a worker, then send it to the browser."""
        self._say("Making the file …")
        self.go.loading = True
        job = self.datastore.workers.requests.submit(
            maker_of(self.datastore, self.state, self.what.value, self.kind.value)
        )
        when_done(job, lambda: self._hand_over(job))

    def send(self) -> None:
        """Send the table to the programs at the visitor's SAMP hub."""
        self._say("Sending; your SAMP hub may ask whether this page may connect …")
        self.give.loading = True
        self.samp.send(table_maker(self.datastore, self.state, self.what.value), self._sent)

    def _sent(self, words: str, failed: bool) -> None:
        self.give.loading = False
        self._say(words, failed=failed)

    def _hand_over(self, job: "Future[File]") -> None:
        self.go.loading = False
        if error := job.exception():
            self._say(f"That did not work: {error}", failed=True)
            return
        file = job.result()
        if len(file.content) > MAX_BYTES:
            self._say(too_large(file), failed=True)
            return
        hand_over(self.file, file)
        self._say(f"{file.name}: {file.words}")

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
        chosen, count = len(rows_in_focus(self.state)), len(self.datastore.label_table.active)
        first = SELECTION if chosen and not count else LABELS
        kept = self.what.value in options.values()
        if options != self.what.options:  # else a choice that is on its way would be undone
            self.what.param.update(options=options, value=self.what.value if kept else first)
        self._offer()

    def _offer(self, *_: object) -> None:
        self.give.visible = self.what.value in TABLES
        self.kind.visible = bool(kinds := kinds_of(self.what.value))
        if kinds and kinds != self.kind.options:
            self.kind.param.update(options=kinds, value=next(iter(kinds.values())))
        empty = why_nothing(self.datastore, self.state, self.what.value)
        self.go.disabled = self.give.disabled = bool(empty)
        self._say(empty)

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.words.object = status_html(words, failed=failed)


def kind_choice() -> pmui.Select:
    """The choice of a format."""
    looks = {"size": "small", "width": 290, "margin": (8, 10)}
    return pmui.Select(label="As", options=KINDS, value="csv", **looks)


def unseen_download() -> pmui.FileDownload:
    """What hands a file over to the browser."""
    looks = {"label": "", "styles": {"display": "none"}}
    return pmui.FileDownload(callback=lambda: None, filename="pcvae", **looks)


def hand_over(field: pmui.FileDownload, file: File) -> None:
    """Have the browser save a file."""
    field.param.update(data=None, filename=file.name)
    field.callback = lambda: io.BytesIO(file.content)
    field._transfer()


def why_nothing(datastore: DataStore, state: State, what: str) -> str:
    """Why there is nothing to export; empty where there is something."""
    if what == LABELS and not datastore.label_table.active:
        return "Nothing is labelled yet."
    if what == SELECTION and not len(rows_in_focus(state)):
        return "Nothing is selected."
    return ""


def maker_of(datastore: DataStore, state: State, what: str, kind: str) -> Callable[[], File]:
    """A function that makes a file for a worker, with the current choices of a session.

    Args:
        datastore: The galaxies.
        state: The session.
        what: ``labels``, ``selection``, ``list``, ``cutout``, ``footprint`` or ``figure``.
        kind: The format of a table, or the cells of a footprint.
    """
    row = state.row
    if what == FIGURE:
        name, shown = f"{datastore.store.info.sample}-map.png", state.frozen()
        return lambda: File(name, figure_png(datastore, shown), "The map as it is shown.")
    if what == CUTOUT and row is not None:
        return lambda: _cutout(datastore, row)
    if what == FOOTPRINT:
        rows = covered(datastore, state)
        facts = provenance(datastore, state.model, f"footprint of {len(rows):,} galaxies")
        return lambda: _footprint(datastore, rows, kind, facts)
    make = table_maker(datastore, state, what)
    return lambda: _table(make(), kind)


def options_of(datastore: DataStore, state: State) -> dict[str, str]:
    """What can be exported now, with the number of galaxies of each."""
    chosen = len(rows_in_focus(state))
    count = len({event.galaxy for event in datastore.label_table.active})
    options = {f"Labels: {_galaxies(count)}": LABELS}
    options[f"Selection: {chosen:,} of {_galaxies(len(datastore))}"] = SELECTION
    if (listed := state.shown_list) is not None:
        options[f"List: {_galaxies(len(listed.rows))}, {listed.title}"] = LIST
    if state.row is not None:
        options[f"Cutout of {datastore.ids[state.row]}, FITS"] = CUTOUT
    covers = _galaxies(len(covered(datastore, state)))
    return options | {f"Footprint of {covers}, MOC": FOOTPRINT, "The map, PNG": FIGURE}


def kinds_of(what: str) -> dict[str, str]:
    """The forms in which it can be exported; none where there is but one."""
    return KINDS if what in TABLES else CELLS if what == FOOTPRINT else {}


def covered(datastore: DataStore, state: State) -> NDArray[np.intp]:
    """The rows whose footprint is meant: those in focus, all where there is no focus."""
    rows = rows_in_focus(state)
    return rows if len(rows) else np.arange(len(datastore))


def _galaxies(count: int) -> str:
    return "1 galaxy" if count == 1 else f"{count:,} galaxies"


def too_large(file: File) -> str:
    """What to do about a file that is too large for a page."""
    size, limit = len(file.content) >> 20, MAX_BYTES >> 20
    words = f"The file has {size:,} MB, a page can hand over {limit}. Select fewer galaxies,"
    return f"{words} take Parquet, or read the store's own Parquet files."


def _table(chosen: ChosenTable, kind: str) -> File:
    content = as_file(chosen.table, chosen.facts, kind)
    return File(f"{chosen.name}.{kind}", content, f"{len(chosen.table):,} rows.")


def _footprint(
    datastore: DataStore, rows: NDArray[np.intp], cells: str, facts: Mapping[str, str]
) -> File:
    found = footprint_of(datastore, rows, cells, facts)
    return File(f"{datastore.store.info.sample}-footprint.fits", found.content, found.words)


def _cutout(datastore: DataStore, row: int) -> File:
    pixels = pixels_of(datastore, row, find_sample(datastore))
    stamp = pixels.unit == NO_FLUX
    words = f"A display stamp, no fluxes. {pixels.origin}" if stamp else pixels.origin
    name = "".join(c if c.isalnum() or c in "-_.+" else "_" for c in str(datastore.ids[row]))
    return File(f"{name}{'-stamp' * stamp}.fits", as_fits(datastore, row, pixels), words)
