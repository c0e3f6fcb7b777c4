"""Images of surveys around the picked galaxy, with the galaxies of the store over them."""

from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import Latest, has_session, when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.selection.masks import mask_of, select
from dashboard.sky.aladin_files import FRAME, fetch_script
from dashboard.sky.aladin_view import AladinView

__all__ = ["MAX_MARKS", "Marks", "SurveyImages", "marks_in"]

SURVEYS = {  # names of HiPS, https://aladin.cds.unistra.fr/hips/list
    "Legacy Surveys": "CDS/P/DESI-Legacy-Surveys/DR10/color",
    "SDSS": "CDS/P/SDSS9/color",
    "Pan-STARRS": "CDS/P/PanSTARRS/DR1/color-z-zg-g",
    "DSS": "CDS/P/DSS2/color",
    "unWISE": "CDS/P/unWISE/color-W2-W1W2-W1",
    "GALEX": "CDS/P/GALEXGR6_7/color",
}
MAX_MARKS = 2000  # galaxies that are marked at once
OVER = {"position": "absolute", "inset": "0", "z-index": "3"}  # the map stays below
ABOVE = {
    "position": "absolute",
    "top": "4px",
    "left": "8px",
    "z-index": "4",
    "padding": "1px 8px",
    "border-radius": "4px",
    "background": "var(--panel-background-color)",
}
OPEN = (
    "Survey images",
    "Survey images: show the sky around the galaxy by Aladin Lite, from Strasbourg",
)
CLOSE = "Map of the sky", "Map of the sky: show all galaxies without images"
LOOKS: dict[str, Any] = {"margin": (2, 3), "height": 28, "visible": False}
FAILURES = {
    "images": "No connection with alasky.cds.unistra.fr, which has the images: once there is one, "
    "open them again.",
    "script": "Aladin Lite did not start: it needs a browser with WebGL 2.",
}


class Marks(NamedTuple):
    """The galaxies of a view that are marked: (row, ra, dec) each.

    Args:
        focus: Those in focus.
        others: The others.
        total: How many galaxies are in view, marked or not.
    """

    focus: list[list[float]]
    others: list[list[float]]
    total: int


def marks_in(
    datastore: DataStore,
    focus: NDArray[np.bool_] | None,
    view: tuple[float, float, float],
) -> Marks:
    """The galaxies within a circle on the sky, at most ``MAX_MARKS``: those in focus first.

    Args:
        datastore: The galaxies.
        focus: Which of them are in focus, (N,); None for no focus.
        view: Middle and radius of the circle: ra, dec, radius [deg].
    """
    rows = datastore.sky().within(*view)
    inside = np.zeros(len(rows), bool) if focus is None else focus[rows]
    chosen = _thinned(rows[inside], MAX_MARKS)
    others = _thinned(rows[~inside], MAX_MARKS - len(chosen))
    return Marks(_placed(datastore, chosen), _placed(datastore, others), len(rows))


def _thinned(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many of the rows, spread evenly over them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)] if most else rows[:0]


def _placed(datastore: DataStore, rows: NDArray[np.intp]) -> list[list[float]]:
    galaxies = datastore.store.galaxies
    places = (galaxies[name].to_numpy(np.float64)[rows].tolist() for name in ("ra", "dec"))
    return [list(mark) for mark in zip(rows.tolist(), *places, strict=True)]


class SurveyImages(View):
    """Aladin Lite, opened when asked for: a click on a mark picks it, a drawn box selects.

    Reads ``row``, ``external`` and ``selection.focus`` of the state; writes ``row``, ``strip`` and
    ``selection.selected``.
    """

    opened = param.Boolean(default=False, doc="Whether the images are shown, not the map.")

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._view: tuple[float, float, float] | None = None
        self._opening = False
        self._latest = Latest(self.datastore.workers.quick.submit)
        calls = {"failed": self._fail, "picked": self._pick, "selected": self._select}
        self.frame = AladinView(
            {**calls, "view": self._look}, survey=SURVEYS["Legacy Surveys"],
            sizing_mode="stretch_both", visible=False, styles=OVER,
        )  # fmt: skip
        self.toggle = small_button(*OPEN, self.turn, **LOOKS)
        self.toggle.visible = has_session()  # a notebook has no server to ask for the frame
        self.survey = pmui.Select.from_param(
            self.frame.param.survey, label="Images", options=SURVEYS, size="small",
            variant="outlined", width=140, margin=(5, 4, 0, 4), visible=False,
            sx={".MuiSelect-select": {"padding": "3px 8px"}},
        )  # fmt: skip
        says = "Draw a box: drag over the images to select what it covers"
        self.box = small_button("Draw a box", says, self.frame.draw_box, **LOOKS)
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], margin=(2, 8), visible=False)
        self.bar = pn.Row(self.survey, self.box, self.toggle, margin=0)

    def __panel__(self) -> pn.viewable.Viewable:
        return self.frame

    def turn(self) -> None:
        """Open the images, or close them."""
        if self._opening:
            return
        if self.opened:
            self.frame.address = ""
            self._say("")
            self._open(False)
            return
        self._say("Opening …", busy=True)
        self._opening = True
        job = self.datastore.workers.requests.submit(fetch_script)
        when_done(job, lambda: self._begin(job))

    def _begin(self, job: "Future[Path]") -> None:
        self._opening = False
        if error := job.exception():
            self._say(f"{error}.", failed=True)
            return
        self._say("")
        self._follow()
        self.frame.address = FRAME
        self.state.strip = max(self.state.strip, self.state.param.strip.softbounds[1])
        self._open(True)

    def _open(self, opened: bool) -> None:
        for part in (self.survey, self.box, self.frame):
            part.visible = opened
        self.opened = opened
        label, description = CLOSE if opened else OPEN
        self.toggle.param.update(label=label, description=description)

    @param.depends("state.row", "state.external", watch=True)
    def _follow(self) -> None:
        """Go to the picked galaxy, or to the external one."""
        row, external = self.state.row, self.state.external
        if row is not None:
            (mark,) = _placed(self.datastore, np.array([row]))
        elif external is not None:
            mark = [-1, float(external.ra), float(external.dec)]
        else:
            return
        known = bool(np.isfinite(mark).all())
        self.frame.param.update(picked=[mark] if known else [], target=mark[1:] if known else None)

    @param.depends("state.selection.focus", watch=True)
    def _mark(self) -> None:
        """Mark the galaxies in view."""
        if self._view is not None and self.opened:
            work = partial(marks_in, self.datastore, self.state.selection.focus, self._view)
            self._latest.ask(work, self._show)

    def _show(self, job: "Future[Marks]") -> None:
        focus, others, total = job.result()
        self.frame.param.update(focus=focus, others=others)
        left = total - len(focus) - len(others)
        self._say(f"{total - left:,} of {total:,} galaxies in view are marked." if left else "")

    def _look(self, view: object) -> None:
        if isinstance(view, list) and len(view) == 3 and np.isfinite(view).all():
            self._view = (float(view[0]), float(view[1]), float(view[2]))
            self._mark()

    def _pick(self, row: object) -> None:
        if isinstance(row, int) and 0 <= row < len(self.datastore):
            self.state.row = row

    def _select(self, rows: object) -> None:
        """Let what a box covers change the selection, in its mode."""
        if isinstance(rows, list):
            count = len(self.datastore)
            known = [row for row in rows if isinstance(row, int) and row < count]
            select(self.state, mask_of(known, count))

    def _fail(self, what: object) -> None:
        self.frame.address = ""
        self._open(False)
        self._say(FAILURES.get(str(what), FAILURES["script"]), failed=True)

    def _say(self, words: str, *, failed: bool = False, busy: bool = False) -> None:
        html = status_html(words, failed=failed, busy=busy) if words else ""
        self.words.param.update(object=html, visible=bool(words))
