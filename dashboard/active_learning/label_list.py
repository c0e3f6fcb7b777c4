"""The list of labels: galaxies with their labels and notes, and who gave them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import panel_material_ui as pmui
import param

from dashboard.gallery.stamp_strip import stamp_items
from dashboard.gallery.strip import MAX_STAMPS, SHOWN, Strip
from dashboard.labelling.labels import full_title, label_title, remove
from dashboard.state import GalaxyList
from pcvae.journal import Event
from pcvae.label_classes import disagreements, parts_of, score_of

__all__ = ["LabelList", "differing_items", "label_items", "when"]

ANY = ""  # the choice of every label, or everybody's
NONE = (
    "No labels yet. Pick a galaxy and press 0 to 5, or C for a candidate; "
    "the card has more names and notes."
)
NOBODY = "Nobody said that of a galaxy of this store."
AGREED = "Nobody differs: no two people have said different things of a galaxy of this store."

Said = tuple[int, list[Event]]  # a galaxy's row, and the labels that people gave it


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
            "caption": full_title(event),
            "lines": [event.note, f"{event.user}, {when(event.time)}"],
            "mark": event.number,
            "removable": True,
        }
        for item, event in zip(items, events, strict=True)
    ]


def differing_items(items: list[dict[str, Any]], said: Sequence[Said]) -> list[dict[str, Any]]:
    """Stamps of galaxies of which people say different things, captioned with who says what.

    Args:
        items: As ``stamp_items`` makes them.
        said: The labels of each.
    """
    found = []
    for item, (_, events) in zip(items, said, strict=True):
        words = [f"{event.user}: {full_title(event)}" for event in events]
        lines = [*words[:1], " \N{MIDDLE DOT} ".join(words[1:])]
        caption = f"{len(events)} people differ"
        found.append(item | {"name": item["id"], "caption": caption, "lines": lines})
    return found


def said_words(events: Sequence[Event]) -> str:
    """Who says what of a galaxy, as a column of a table has it."""
    return "; ".join(f"{event.user}: {' + '.join(parts_of(event))}" for event in events)


def given_of(events: Sequence[Event]) -> set[str]:
    """All names and scores that are given."""
    return {label for event in events for label in parts_of(event)}


def is_listed(event: Event, label: str, user: str) -> bool:
    """Whether a label passes the filters by label and person; empty ones pass all."""
    return label in (ANY, *parts_of(event)) and user in (ANY, event.user)


class LabelList(Strip):
    """The labels of all people, the latest first; filtered by label or person, removed one by one.

    As a choice it lists the galaxies of which people say different things instead, once each.

    Reads ``progress.journal_events``, ``label``, ``user``, ``differing``, ``tab`` and ``dark`` of
    the state; writes ``row``, ``label``, ``user``, ``differing`` and what removing changes.
    """

    key, title = "labels", "Labels"
    _found: Sequence[Said] = ()

    @param.depends(
        *SHOWN,
        "state.label",
        "state.user",
        "state.differing",
        "state.progress.journal_events",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[object]:
        selects = [
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
        differing = pmui.Checkbox.from_param(
            self.state.param.differing, label="people differ", size="small", margin=(6, 8, 0, 2)
        )
        return [*selects, differing]

    def _offer(self) -> None:
        """Offer the labels and people that occur as filters."""
        active = self.datastore.label_table.active
        labels = {label_title(label): label for label in sorted(given_of(active))}
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

    def _events(self) -> list[Said]:
        """The labelled galaxies of the store with their labels, the latest first."""
        label, user = self.state.label, self.state.user
        active = self.datastore.label_table.active
        said = [[event] for event in reversed(active)]
        if self.state.differing:
            said = list(disagreements(active).values())[::-1]
        kept = [events for events in said if any(is_listed(e, label, user) for e in events)]
        rows = self.datastore.rows_of(events[0].galaxy for events in kept)
        return [(int(row), events) for row, events in zip(rows, kept, strict=True) if row >= 0]

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        self._offer()
        total = len(self.datastore.label_table.active)
        found = self._found = self._events()
        differing = self.state.differing
        if not total:
            return [], self.datastore.journal_jobs.no_journal or NONE
        if not found:
            return [], AGREED if differing else NOBODY
        shown = f"the latest {MAX_STAMPS} of " if len(found) > MAX_STAMPS else ""
        of_all = f" of {total:,}" if len(found) < total and not differing else ""
        what = "of which people differ" if differing else "the latest first"
        kind = "labels," if not differing else "galaxy" if len(found) == 1 else "galaxies"
        return [(row, "") for row, _ in found], f"{shown}{len(found):,}{of_all} {kind} {what}"

    def _galaxies(self) -> GalaxyList:
        rows = np.array([row for row, _ in self._found], np.intp)
        if self.state.differing:
            words = np.array([said_words(events) for _, events in self._found], str)
            return GalaxyList(self.key, "galaxies of which people differ", rows, {"said": words})
        events = [event for _, (event,) in self._found]
        columns = {
            name: np.array([getattr(event, name) for event in events], str)
            for name in ("label", "score", "note", "user", "time")
        }
        columns["score"] = np.array([score_of(event) for event in events], str)
        return GalaxyList(self.key, "labels", rows, columns)

    def _items(self, listed: list[tuple[int, str]]) -> list[dict[str, Any]]:
        items = stamp_items(self.datastore, listed[:MAX_STAMPS], dark=self.state.dark)
        found = self._found[: len(items)]
        if self.state.differing:
            return differing_items(items, found)
        return label_items(items, [event for _, (event,) in found])

    def _remove(self, mark: int) -> None:
        for event in self.datastore.label_table.active:
            if event.number == mark:
                remove(self.datastore, self.state, event)
                return
