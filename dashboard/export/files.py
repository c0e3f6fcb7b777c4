"""Files to export, each made by a worker from the choices of a session."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import panel as pn
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.export.choices import (
    CUTOUT,
    DOSSIER,
    FIGURE,
    FOOTPRINT,
    SELECTION_DOSSIER,
    Choice,
    candidates_of,
    covered,
)
from dashboard.export.chosen_table import ChosenTable, table_maker
from dashboard.export.dossier import Request, Tell, collect_dossier
from dashboard.export.dossier_html import dossier_html
from dashboard.export.dossier_pdf import dossier_pdf
from dashboard.export.fits_cutout import NO_FLUX, as_fits, find_sample, pixels_of
from dashboard.export.footprint import footprint_of
from dashboard.export.map_figure import Paper, map_figure
from dashboard.export.map_layers import Glyphs
from dashboard.export.table_formats import as_file
from dashboard.export.tables import provenance
from dashboard.state import State

__all__ = ["MAX_BYTES", "File", "Maker", "maker_of", "page_address", "too_large"]

MAX_BYTES = 150 << 20  # of a file that a page can hand over to the browser
COLLECTING = 0.2  # share of the time of a dossier that collecting takes, about


class File(NamedTuple):
    """A file for download, and a sentence on it."""

    name: str
    content: bytes
    words: str


Maker = Callable[[Tell], File]


def maker_of(
    datastore: DataStore, state: State, choice: Choice, glyphs: Callable[[], Glyphs] = Glyphs
) -> Maker:
    """A function that makes a file for a worker, with the current choices of a session.

    Args:
        datastore: The galaxies.
        state: The session.
        choice: What is exported.
        glyphs: What other parts of the page lay over the maps now; asked for a figure alone.
    """
    model, row, kind = state.model, state.row, choice.kind
    if choice.what == FIGURE:
        name, shown = f"{datastore.store.info.sample}-map.{kind}", state.frozen()
        laid_over = glyphs()
        paper = Paper(kind, choice.width, choice.dark)
        words = f"The map as it is shown, {choice.width:.0f} mm wide."
        return lambda _: File(name, map_figure(datastore, shown, paper, laid_over), words)
    if choice.what == CUTOUT and row is not None:
        return lambda _: _cutout(datastore, row)
    if choice.what in (DOSSIER, SELECTION_DOSSIER):
        candidates = candidates_of(state, choice.what)
        if candidates is not None:
            learnt = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
            request = Request(candidates, state.plane, page_address(), learnt)
            return partial(_dossier, datastore, request, kind)
    if choice.what == FOOTPRINT:
        rows = covered(datastore, state)
        facts = provenance(datastore, model, f"footprint of {len(rows):,} galaxies")
        return lambda _: _footprint(datastore, rows, kind, facts)
    make = table_maker(datastore, state, choice.what)
    return lambda _: _table(make(), kind)


def page_address() -> str:
    """The address of the page in the browser; empty without one."""
    location = pn.state.location
    if location is None or not location.hostname:
        return ""
    port = f":{location.port}" if location.port else ""
    place = f"{location.hostname}{port}{location.pathname}{location.search}"
    return f"{location.protocol}//{place}"


def too_large(file: File) -> str:
    """What to do about a file that is too large for a page."""
    size, limit = len(file.content) >> 20, MAX_BYTES >> 20
    words = f"The file has {size:,} MB, a page can hand over {limit}. Select fewer galaxies,"
    return f"{words} take Parquet, or read the store's own Parquet files."


def _dossier(datastore: DataStore, request: Request, kind: str, tell: Tell) -> File:
    """A dossier as one file; it tells of its progress over both steps."""
    make = {"pdf": dossier_pdf, "html": dossier_html}[kind]
    dossier = collect_dossier(datastore, request, lambda w, s: tell(w, COLLECTING * s))
    content = make(dossier, lambda w, s: tell(w, COLLECTING + (1 - COLLECTING) * s))
    count = len(dossier.candidates)
    name = f"{datastore.store.info.sample}-dossier-{count}.{kind}"
    return File(name, content, "1 candidate." if count == 1 else f"{count} candidates.")


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
