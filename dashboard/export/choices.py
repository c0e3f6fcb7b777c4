"""What can be exported, in which formats, and why it cannot be just now."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.export.dossier import MAX_CANDIDATES
from dashboard.export.footprint import CELLS
from dashboard.export.map_figure import COLUMN, PAGE
from dashboard.export.table_formats import FORMATS
from dashboard.selection.masks import count_in_focus, rows_in_focus
from dashboard.state import GalaxyList, State

__all__ = [
    "CUTOUT",
    "DOSSIER",
    "FIGURE",
    "FOOTPRINT",
    "GROUNDS",
    "LABELS",
    "LIST",
    "SELECTION",
    "SELECTION_DOSSIER",
    "TABULAR",
    "WIDTHS",
    "Choice",
    "candidates_of",
    "covered",
    "formats_of",
    "options_of",
    "refusal",
]

LABELS, SELECTION, LIST, CUTOUT, FIGURE = "labels", "selection", "list", "cutout", "figure"
DOSSIER, SELECTION_DOSSIER, FOOTPRINT = "dossier", "selection-dossier", "footprint"
TABULAR = (LABELS, SELECTION, LIST)
TABLES = {form.title: ending for ending, form in FORMATS.items()}
MAX_ROWS = 2_000_000  # galaxies of a table
KINDS = {
    LABELS: TABLES,
    SELECTION: TABLES,
    LIST: TABLES,
    DOSSIER: {"PDF": "pdf", "HTML": "html"},
    SELECTION_DOSSIER: {"PDF": "pdf", "HTML": "html"},
    FOOTPRINT: CELLS,
    FIGURE: {"PDF": "pdf", "PNG": "png", "SVG": "svg"},
}
WIDTHS = {"One column, 88 mm": COLUMN, "Two columns, 180 mm": PAGE}
GROUNDS = {"Light": False, "Dark": True}


class Choice(NamedTuple):
    """What a person exports.

    Args:
        what: One of the constants above.
        kind: The ending of a file of one of its formats, or the cells of a footprint.
        width: Of the map as a figure [mm].
        dark: Whether the figure's ground is dark.
    """

    what: str
    kind: str = ""
    width: float = COLUMN
    dark: bool = False


def formats_of(what: str) -> dict[str, str]:
    """The titles and endings of the formats of what is exported; none where there is but one."""
    return KINDS.get(what, {})


def options_of(datastore: DataStore, state: State) -> dict[str, str]:
    """What can be exported now, with the number of galaxies of each."""
    chosen = count_in_focus(state)
    count = len({event.galaxy for event in datastore.label_table.active})
    options = {f"Labels: {_galaxies(count)}": LABELS}
    options[f"Selection: {chosen:,} of {_galaxies(len(datastore))}"] = SELECTION
    if (listed := state.shown_list) is not None:
        options[f"List: {_galaxies(len(listed.rows))}, {listed.title}"] = LIST
        options[f"Dossier of the list: {_galaxies(len(listed.rows))}"] = DOSSIER
    if chosen:
        options[f"Dossier of the selection: {_galaxies(chosen)}"] = SELECTION_DOSSIER
    if state.row is not None:
        options[f"Cutout of {datastore.ids[state.row]}, FITS"] = CUTOUT
    options[f"Footprint of {_galaxies(chosen or len(datastore))}, MOC"] = FOOTPRINT
    return options | {"The map, as a figure": FIGURE}


def covered(datastore: DataStore, state: State) -> NDArray[np.intp]:
    """The rows whose footprint is meant: those in focus, all where there is no focus."""
    rows = rows_in_focus(state)
    return rows if len(rows) else np.arange(len(datastore))


def candidates_of(state: State, what: str) -> GalaxyList | None:
    """The galaxies of a dossier, in their order; None if there is no such list."""
    if what == SELECTION_DOSSIER:
        return GalaxyList(SELECTION, "the selection", rows_in_focus(state), {})
    return state.shown_list


def refusal(datastore: DataStore, state: State, what: str) -> str:
    """Why that cannot be exported now, in words; empty if it can."""
    if what == LABELS and not datastore.label_table.active:
        return "Nothing is labelled yet."
    chosen = count_in_focus(state)
    if what in (SELECTION, SELECTION_DOSSIER) and not chosen:
        return "Nothing is selected."
    if what == SELECTION and chosen > MAX_ROWS:
        whole = datastore.store.folder / "galaxies.parquet"
        most = f"A table holds {MAX_ROWS:,} galaxies at most; {chosen:,} are selected."
        return f"{most} Select fewer, or read {whole.name} of the store and its latents."
    if what in (DOSSIER, SELECTION_DOSSIER):
        listed = candidates_of(state, what)
        count = 0 if listed is None else len(listed.rows)
        if count > MAX_CANDIDATES:
            less = "Select fewer." if what == SELECTION_DOSSIER else "Choose the first 20 of it."
            return f"A dossier holds {MAX_CANDIDATES} galaxies at most; here are {count:,}. {less}"
    return ""


def _galaxies(count: int) -> str:
    return "1 galaxy" if count == 1 else f"{count:,} galaxies"
