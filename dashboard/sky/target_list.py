"""The target list: matched targets of an uploaded list, stepped through one by one."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.view import Tab
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.file_input import FileField, Upload, UploadError
from dashboard.components.notices import status_html
from dashboard.components.pager import Pager
from dashboard.sky.crossmatch import match, read_targets
from dashboard.sky.target_table import PAGE, TargetTable, match_summary, next_matched, target_items
from dashboard.state import GalaxyList

__all__ = ["TargetList"]

RADIUS = 2.0  # arcsec
EMPTY = (
    "Upload a list of targets, with ids, or with RA and Dec: as CSV, VOTable, FITS, ECSV or "
    "Parquet. Then step through those that are in this store."
)


class TargetList(Tab):
    """The list with its matches, and buttons that step through it.

    Reads ``tab`` of the state; writes ``selection.listed``, ``row`` when stepped, and
    ``wanted_place`` to have the cutout of a target fetched that is not in the store.
    """

    key, title = "targets", "Targets"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._listed: pd.DataFrame | None = None
        self.matched: pd.DataFrame | None = None
        self.field, self.radius = targets_field(), radius_input()
        self.field.param.watch(lambda _: self._take(), "value")
        self.radius.param.watch(lambda _: self._match(), "value")
        self.before = _button("Previous", "the target before", lambda: self.step(-1))
        self.after = _button("Next", "the next target in the store", lambda: self.step(1))
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], width=290, margin=(2, 6))
        calls = {"pick": self.go, "fetch": self.fetch}
        self.table = TargetTable(calls, empty=EMPTY, sizing_mode="stretch_both")
        self.pager = Pager(self._turn, width=200, height=30, margin=(0, 2), visible=False)
        self._enable()

    def __panel__(self) -> pn.viewable.Viewable:
        looks: dict[str, Any] = {"sizing_mode": "stretch_height", "width": 310}
        words = pn.Column(self.words, sizing_mode="stretch_both", scroll="y-auto")
        buttons = pn.Row(self.before, self.after)
        left = pn.Column(pn.Row(self.field, self.radius), buttons, self.pager, words, **looks)
        return pn.Row(left, self.table, sizing_mode="stretch_both", margin=(2, 10, 0, 10))

    def upload(self, file: Upload) -> None:
        """Read this file as a list of targets; a bad one leaves the list as it was."""
        self._say(f"Reading {file.name} …")
        job = self.datastore.workers.requests.submit(read_targets, file)
        when_done(job, lambda: self._read(job))

    def step(self, by: int) -> None:
        """Go to the next target that is in the store, or the one before."""
        if self.matched is not None:
            place = next_matched(self.matched, self.table.current, by)
            if place is not None:
                self.go(place)

    def go(self, place: int) -> None:
        """Go to a target by its place in the list; its galaxy is picked, if it is in the store."""
        if self.matched is None:
            return
        if place // PAGE != self.pager.page:
            self._turn(place // PAGE)
        self.table.current = place
        row = int(self.matched["row"].iloc[place])
        if row >= 0:
            self.state.row = row

    def fetch(self, place: int) -> None:
        """Ask for the cutout of a target that is not in the store."""
        if self.matched is not None:
            target = self.matched.iloc[place]
            self.state.wanted_place = float(target["ra"]), float(target["dec"])

    def _take(self) -> None:
        try:
            if files := self.field.files():
                self.upload(files[0])
        except UploadError as error:
            self._refuse(error)

    def _read(self, job: "Future[pd.DataFrame]") -> None:
        if error := job.exception():
            self._refuse(error)
            return
        self._listed = job.result()
        self._match()

    def _refuse(self, error: BaseException) -> None:
        kept = "" if self.matched is None else " The list before it is still shown."
        self._say(f"Not taken: {error}.{kept}", failed=True)

    def _match(self) -> None:
        if self._listed is None or not self.radius.value:
            return
        radius, requests = self.radius.value, self.datastore.workers.requests
        job = requests.submit(match, self.datastore, self._listed, radius)
        when_done(job, lambda: self._show(job))

    def _show(self, job: "Future[pd.DataFrame]") -> None:
        if error := job.exception():
            self._say(f"The targets cannot be matched: {error}", failed=True)
            return
        self.matched = job.result()
        self.table.current = -1
        self._tell()
        pages = -(-len(self.matched) // PAGE)
        self.pager.param.update(pages=pages, visible=pages > 1)
        self._turn(0)
        self._say(match_summary(self.matched))
        self._enable()

    @param.depends("state.tab", watch=True)
    def _tell(self) -> None:
        """Say which galaxies are listed: the matched ones."""
        if self.state.tab == self.key:
            self.state.selection.listed = (
                None if self.matched is None else listed_targets(self.matched)
            )

    def _turn(self, page: int) -> None:
        """Show a page of the list."""
        if self.matched is not None:
            self.table.items = target_items(self.matched, self.datastore.ids, page)
            self.pager.page = page

    def _enable(self) -> None:
        none = self.matched is None or not (self.matched["row"] >= 0).any()
        for button in (self.before, self.after):
            button.disabled = none

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.words.object = status_html(words, failed=failed)


def listed_targets(matched: pd.DataFrame) -> GalaxyList | None:
    """The galaxies that targets were matched with; None if there is none."""
    found = matched[matched["row"] >= 0]
    columns = {
        "target": found["id"].to_numpy(),
        "matched_by": found["how"].to_numpy(),
        "separation": found["separation"].to_numpy(),
    }
    rows = found["row"].to_numpy(np.intp)
    return GalaxyList(TargetList.key, "matched targets", rows, columns) if len(rows) else None


def targets_field() -> FileField:
    """The upload field."""
    return FileField(
        label="Upload targets",
        uploaded_label="Upload targets",
        variant="outlined",
        size="small",
        width=150,
        margin=(6, 4),
    )


def radius_input() -> pmui.FloatInput:
    """The largest separation of a match [arcsec]."""
    return pmui.FloatInput(
        label="Within [arcsec]",
        value=RADIUS,
        start=0.01,
        end=600.0,
        step=0.5,
        width=120,
        size="small",
        margin=(4, 4),
        description="How far a target may be from a galaxy to be it, where no id is known",
        sx={".MuiIconButton-root": {"display": "none"}},  # they have no names to be read out
    )


def _button(label: str, says: str, call: Callable[[], None]) -> pmui.Button:
    return small_button(label, f"{label}: {says}", call, margin=(2, 3))
