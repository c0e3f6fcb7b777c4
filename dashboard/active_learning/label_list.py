"""The list of labels: galaxies with their labels and notes, and who gave them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import panel_material_ui as pmui
import param

from dashboard.gallery.stamp_strip import stamp_items
from dashboard.gallery.strip import MAX_STAMPS, SHOWN, Strip
from dashboard.labelling.labels import label_title, remove
from dashboard.state import GalaxyList
from pcvae.journal import Event

__all__ = ["LabelList", "label_items", "when"]

ANY = ""  # the choice of every label, or everybody's


def when(time: str) -> str:
    """A time of the journal for display, in UTC.

    Example:
        >>> when("2026-11-22T21:05:09.123456+00:00")
        '22 Nov 21:05'
    """
    read = datetime.fromisoformat(time)
    return f"{read.day} {read:%b %H:%M}"


def label_items(items: list[dict[str, Any]], events: list[Event]) -> list[dict[str, Any]]:
    """Stamps captioned with label, person and time, each with a button that removes it.

    Args:
        items: As ``stamp_items`` makes them.
        events: The label of each.
    """
    return [
        item
        | {
            "name": item["id"],
            "caption": label_title(event.label),
            "lines": [event.note, f"{event.user}, {when(event.time)}"],
            "mark": event.number,
            "removable": True,
        }
        for item, event in zip(items, events, strict=True)
    ]


class LabelList(Strip):
    """The labels of all people, the latest first; filtered by label or person, removed one by one.

    Reads ``progress.journal_events``, ``label``, ``user``, ``tab`` and ``dark`` of the state;
    writes ``row``, ``label``, ``user`` and what removing changes.
    """

    key, title = "labels", "Labels"
    _found: Sequence[tuple[int, Event]] = ()

    @param.depends(
        *SHOWN,
        "state.label",
        "state.user",
        "state.progress.journal_events",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[object]:
        return [
            pmui.Select.from_param(
                self.state.param[name],
                label=title,
                size="small",
                variant="outlined",
                width=160,
                margin=(4, 8, 0, 2),
            )
            for name, title in (("label", "Label"), ("user", "By"))
        ]

    def _offer(self) -> None:
        """Offer the labels and people that occur as filters."""
        active = self.datastore.label_table.active
        labels = {label_title(label): label for label in sorted({event.label for event in active})}
        users = {user: user for user in sorted({event.user for event in active})}
        for name, every, found in (
            ("label", "All labels", labels),
            ("user", "Everybody", users),
        ):
            choices = {every: ANY} | found
            parameter = self.state.param[name]
            if choices != parameter.get_range():
                kept = getattr(self.state, name)
                parameter.objects = choices
                self.state.param.update({name: kept if kept in choices.values() else ANY})

    def _events(self) -> list[tuple[int, Event]]:
        """The labelled galaxies of the store with their labels, the latest first."""
        label, user = self.state.label, self.state.user
        events = [
            event
            for event in reversed(self.datastore.label_table.active)
            if label in (ANY, event.label) and user in (ANY, event.user)
        ]
        rows = self.datastore.rows_of(event.galaxy for event in events)
        return [(int(row), event) for row, event in zip(rows, events, strict=True) if row >= 0]

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        self._offer()
        total = len(self.datastore.label_table.active)
        found = self._found = self._events()
        if not total:
            return [], self.datastore.journal_jobs.no_journal or (
                "No labels yet. Pick a galaxy and press 0 to 5, or C for a candidate; "
                "the card has more names and notes."
            )
        if not found:
            return [], "Nobody said that of a galaxy of this store."
        shown = f"the latest {MAX_STAMPS} of " if len(found) > MAX_STAMPS else ""
        of_all = f" of {total:,}" if len(found) < total else ""
        note = f"{shown}{len(found):,}{of_all} labels, the latest first"
        return [(row, "") for row, _ in found], note

    def _galaxies(self) -> GalaxyList:
        rows = [row for row, _ in self._found]
        events = [event for _, event in self._found]
        columns = {
            name: np.array([getattr(event, name) for event in events], str)
            for name in ("label", "note", "user", "time")
        }
        return GalaxyList(self.key, "labels", np.array(rows, np.intp), columns)

    def _items(self, listed: list[tuple[int, str]]) -> list[dict[str, Any]]:
        items = stamp_items(self.datastore, listed[:MAX_STAMPS], dark=self.state.dark)
        return label_items(items, [event for _, event in self._found[: len(items)]])

    def _remove(self, mark: int) -> None:
        for event in self.datastore.label_table.active:
            if event.number == mark:
                remove(self.datastore, self.state, event)
                return
