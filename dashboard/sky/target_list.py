"""A person's target list: which targets are in the store, and a walk through them."""

from collections.abc import Callable
from concurrent.futures import Future
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.typography import DASH, MINUS
from dashboard.backend.view import Tab
from dashboard.components.assets import script, style
from dashboard.components.collapsible import small_button
from dashboard.components.component import Component
from dashboard.components.css import BASE
from dashboard.components.file_input import FileField, Upload, UploadError
from dashboard.components.pager import Pager
from dashboard.selection.masks import select
from dashboard.sky.coordinates import apart
from dashboard.sky.crossmatch import TABLES, match, read_targets

__all__ = ["TargetTable", "Targets", "summary"]

PAGE = 100  # targets that are listed at once
RADIUS = 2.0  # arcsec
EMPTY = (
    "Upload a list of targets, with ids, or with RA and Dec: as CSV, VOTable, FITS, ECSV or "
    "Parquet. Then step through those that are in this store."
)


def summary(matched: pd.DataFrame) -> str:
    """How many targets are matched and how, and how far off the farthest one is."""
    how = matched["how"].value_counts()
    found = int((matched["row"] >= 0).sum())
    words = f"{found:,} of {len(matched):,} targets are in this store"
    parts = [f"{how[name]:,} by {name}" for name in ("id", "position") if name in how]
    far = matched.loc[matched["how"] == "position", "separation"].max()
    if np.isfinite(far):
        parts.append(f'at most {far:.2f}" off')
    left = len(matched) - found
    return words + (f" ({', '.join(parts)})" if parts else "") + f"; {left:,} are not."


class TargetTable(Component):
    """A page of the list; calls ``on_pick`` or ``on_fetch`` with the place in the list."""

    items = param.List(default=[], item_type=dict, doc="As ``Targets`` makes them.")
    current = param.Integer(default=-1, doc="Which one is stepped to.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, style(__file__, "target_list.css")]  # noqa: RUF012
    _esm = script(__file__, "target_list.js")

    def __init__(self, calls: dict[str, Callable[[int], None]], **params: Any) -> None:
        super().__init__(**params)
        self._calls = calls

    def _handle_msg(self, data: dict[str, Any]) -> None:
        shown = {item["n"] for item in self.items}
        for name, call in self._calls.items():
            if data.get(name) in shown:
                call(data[name])


class Targets(Tab):
    """The list with its matches, and buttons that step through it.

    Reads nothing of the state; writes ``row`` when stepped, ``selected`` when asked to, and
    ``wanted_place`` to have the cutout of a target fetched that is not in the store.
    """

    key, title = "targets", "Targets"

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._listed: pd.DataFrame | None = None
        self.matched: pd.DataFrame | None = None
        self.field = FileField(
            label="Upload targets",
            uploaded_label="Upload targets",
            accept=",".join(TABLES),
            variant="outlined",
            size="small",
            width=150,
            margin=(6, 4),
        )
        self.field.param.watch(lambda _: self._take(), "value")
        self.radius = pmui.FloatInput(
            label="Within [arcsec]", value=RADIUS, start=0.01, end=600.0, step=0.5, width=120
        )
        self.radius.param.update(
            size="small",
            margin=(4, 4),
            description="How far a target may be from a galaxy to be it, where no id is known",
            sx={".MuiIconButton-root": {"display": "none"}},  # they have no names to be read out
        )
        self.radius.param.watch(lambda _: self._match(), "value")
        self.before = self._button("Previous", "the target before", lambda: self.step(-1))
        self.after = self._button("Next", "the next target in the store", lambda: self.step(1))
        self.choose = self._button(
            "Select the matched", "let their galaxies be the selection", self.select_matched
        )
        self.words = pn.pane.HTML("", stylesheets=[BASE], width=290, margin=(2, 6))
        self.table = TargetTable(
            {"pick": self.go, "fetch": self.fetch}, empty=EMPTY, sizing_mode="stretch_both"
        )
        self.pager = Pager(self._turn, width=200, height=30, margin=(0, 2), visible=False)
        self._enable()

    def __panel__(self) -> pn.viewable.Viewable:
        left = pn.Column(
            pn.Row(self.field, self.radius),
            pn.Row(self.before, self.after, self.choose),
            self.pager,
            pn.Column(self.words, sizing_mode="stretch_both", scroll="y-auto"),
            width=310,
            sizing_mode="stretch_height",
        )
        return pn.Row(left, self.table, sizing_mode="stretch_both", margin=(2, 10, 0, 10))

    def upload(self, file: Upload) -> None:
        """Take this file for a list of targets; a bad one leaves the list as it was."""
        self._say(f"Reading {file.name} …")
        job = self.datastore.workers.requests.submit(read_targets, file)
        when_done(job, lambda: self._read(job))

    def step(self, by: int) -> None:
        """Go to the next target that is in the store, or the one before."""
        if self.matched is None:
            return
        there = np.flatnonzero(self.matched["row"] >= 0)
        place = np.searchsorted(there, self.table.current, "right" if by > 0 else "left")
        place += 0 if by > 0 else -1
        if 0 <= place < len(there):
            self.go(int(there[place]))

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

    def select_matched(self) -> None:
        """Let the galaxies of the list be the selection, as the maps' gestures do."""
        if self.matched is not None:
            mask = np.zeros(len(self.datastore), bool)
            mask[self.matched["row"][self.matched["row"] >= 0]] = True
            select(self.state, mask, how="replace")

    def _take(self) -> None:
        try:
            files = self.field.files()
            if files:
                self.upload(files[0])
        except UploadError as error:
            self._say(f"Not taken: {error}", failed=True)

    def _read(self, job: "Future[pd.DataFrame]") -> None:
        if error := job.exception():
            self._say(f"Not taken: {error}", failed=True)
            return
        self._listed = job.result()
        self._match()

    def _match(self) -> None:
        if self._listed is None or not self.radius.value:
            return
        job = self.datastore.workers.requests.submit(
            match, self.datastore, self._listed, self.radius.value
        )
        when_done(job, lambda: self._show(job))

    def _show(self, job: "Future[pd.DataFrame]") -> None:
        if error := job.exception():
            self._say(f"The targets cannot be matched: {error}", failed=True)
            return
        self.matched = job.result()
        self.table.current = -1
        pages = -(-len(self.matched) // PAGE)
        self.pager.param.update(pages=pages, visible=pages > 1)
        self._turn(0)
        self._say(summary(self.matched))
        self._enable()

    def _turn(self, page: int) -> None:
        """Show a page of the list."""
        self.table.items, self.pager.page = self._items(page), page

    def _items(self, page: int) -> list[dict[str, Any]]:
        start = page * PAGE
        if self.matched is None:
            return []
        some = self.matched.iloc[start : start + PAGE].to_dict("records")
        return [self._item(start + i, one) for i, one in enumerate(some)]

    def _item(self, n: int, one: dict[Any, Any]) -> dict[str, Any]:
        known, row = bool(np.isfinite([one["ra"], one["dec"]]).all()), int(one["row"])
        place = f"{one['ra']:.5f} {one['dec']:+.5f}".replace("-", MINUS) if known else DASH
        separation = float(one["separation"])
        return {
            "n": n,
            "row": row,
            "target": one["id"] or place,
            "place": place,
            "galaxy": str(self.datastore.ids[row]) if row >= 0 else "not in this store",
            "how": one["how"],
            "separation": apart(separation) if np.isfinite(separation) else DASH,
            "fetch": known and row < 0,
        }

    def _enable(self) -> None:
        some = self.matched is not None and bool((self.matched["row"] >= 0).any())
        for button in (self.before, self.after, self.choose):
            button.disabled = not some

    def _say(self, words: str, *, failed: bool = False) -> None:
        role = 'style="color:var(--accent)" role="alert"' if failed else 'role="status"'
        self.words.object = f"<div {role}>{escape(words)}</div>"

    def _button(self, label: str, says: str, call: Callable[[], None]) -> pmui.Button:
        return small_button(label, f"{label}: {says}", call, margin=(2, 3))
