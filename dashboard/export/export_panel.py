"""Export labels, the selection, a galaxy's cutout or the map as a file."""

import io
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.export.fits_cutout import NO_FLUX, as_fits, find_sample, pixels_of
from dashboard.export.map_figure import figure_png
from dashboard.export.table_formats import FORMATS, as_file
from dashboard.export.tables import labelled, list_table, provenance, selection
from dashboard.selection.masks import rows_in_focus
from dashboard.state import State

__all__ = ["ExportPanel", "File"]

MAX_BYTES = 150 << 20  # of a file that a page can hand over to the browser
LABELS, SELECTION, LIST, CUTOUT, FIGURE = "labels", "selection", "list", "cutout", "figure"
KINDS = {form.title: ending for ending, form in FORMATS.items()}


class File(NamedTuple):
    """A file for download, and a sentence on it."""

    name: str
    content: bytes
    words: str


class ExportPanel(View):
    """A button, and the panel that it opens: what is exported, and in which format.

    Reads ``row``, ``model``, ``tab``, ``selection``, ``progress.journal_events`` and what the
    maps show of the state; writes ``selection.wanted_export`` and ``progress.exported``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        says = "Export: labels, selection, list, cutout or map, as a file"
        looks = {"variant": "outlined", "width": 92, "height": 40, "margin": (10, 0, 0, 5)}
        self.button = small_button("Export", says, self.open, **looks)
        self.what = pmui.RadioBoxGroup(label="What", options={}, margin=(0, 10))
        self.kind = pmui.Select(
            label="As", options=KINDS, value="csv", size="small", width=170, margin=(8, 10)
        )
        self.what.param.watch(self._offer, "value")
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], sizing_mode="stretch_width")
        says = "Download: make the file, and save it on your computer"
        self.go = small_button("Download", says, self.take, variant="contained")
        close = small_button("Close", "Close: back to the galaxies", self.open)
        self.file = pmui.FileDownload(
            callback=lambda: None, filename="pcvae", label="", styles={"display": "none"}
        )
        self.panel = drawer(
            self.what,
            self.kind,
            self.words,
            pn.Row(self.go, close, self.file),
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
        what = self.what.value
        job = self.datastore.workers.requests.submit(
            maker_of(self.datastore, self.state, what, self.kind.value)
        )
        when_done(job, lambda: self._hand_over(job, what))

    def _hand_over(self, job: "Future[File]", what: str) -> None:
        self.go.loading = False
        if error := job.exception():
            self._say(f"That did not work: {error}", failed=True)
            return
        file = job.result()
        if len(file.content) > MAX_BYTES:
            self._say(too_large(file), failed=True)
            return
        self.file.param.update(data=None, filename=file.name)
        self.file.callback = lambda: io.BytesIO(file.content)
        self.file._transfer()
        self._say(f"{file.name}: {file.words}")
        self.state.progress.exported = [*self.state.progress.exported, what]

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
        self.kind.visible = self.what.value in (LABELS, SELECTION, LIST)
        empty = {
            LABELS: "" if self.datastore.label_table.active else "Nothing is labelled yet.",
            SELECTION: "" if len(rows_in_focus(self.state)) else "Nothing is selected.",
        }.get(self.what.value, "")
        self.go.disabled = bool(empty)
        self._say(empty)

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.words.object = status_html(words, failed=failed)


def maker_of(datastore: DataStore, state: State, what: str, kind: str) -> Callable[[], File]:
    """A function that makes a file for a worker, with the current choices of a session.

    Args:
        datastore: The galaxies.
        state: The session.
        what: ``labels``, ``selection``, ``list``, ``cutout`` or ``figure``.
        kind: The format of a table.
    """
    model, row, listed = state.model, state.row, state.shown_list
    if what == FIGURE:
        name, shown = f"{datastore.store.info.sample}-map.png", state.frozen()
        return lambda: File(name, figure_png(datastore, shown), "The map as it is shown.")
    if what == CUTOUT and row is not None:
        return lambda: _cutout(datastore, row)
    if what == LIST and listed is not None:
        learnt = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
        name = f"{listed.tab}-{len(listed.rows)}"
        return lambda: _table(
            datastore,
            model,
            name,
            kind,
            list_table(datastore, model, listed, learnt),
            listed.title,
        )
    if what == SELECTION:
        rows = rows_in_focus(state)
        return lambda: _table(datastore, model, what, kind, selection(datastore, model, rows))
    return lambda: _table(datastore, model, what, kind, labelled(datastore, model))


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
    return options | {"The map, PNG": FIGURE}


def _galaxies(count: int) -> str:
    return "1 galaxy" if count == 1 else f"{count:,} galaxies"


def too_large(file: File) -> str:
    """What to do about a file that is too large for a page."""
    size, limit = len(file.content) >> 20, MAX_BYTES >> 20
    words = f"The file has {size:,} MB, a page can hand over {limit}. Select fewer galaxies,"
    return f"{words} take Parquet, or read the store's own Parquet files."


def _table(
    datastore: DataStore, model: str, what: str, kind: str, table: Any, title: str = ""
) -> File:
    facts = provenance(datastore, model, f"{title or what} of {datastore.store.info.sample}")
    name = f"{datastore.store.info.sample}-{what}.{kind}"
    return File(name, as_file(table, facts, kind), f"{len(table):,} rows.")


def _cutout(datastore: DataStore, row: int) -> File:
    pixels = pixels_of(datastore, row, find_sample(datastore))
    stamp = pixels.unit == NO_FLUX
    words = f"A display stamp, no fluxes. {pixels.origin}" if stamp else pixels.origin
    name = "".join(c if c.isalnum() or c in "-_.+" else "_" for c in str(datastore.ids[row]))
    return File(f"{name}{'-stamp' * stamp}.fits", as_fits(datastore, row, pixels), words)
