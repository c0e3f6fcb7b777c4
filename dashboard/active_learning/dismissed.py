"""What the queue leaves out because it is like what was just dismissed."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

import numpy as np
import panel as pn
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE
from dashboard.labelling.labels import ARTEFACT, NORMAL_LABEL, who
from pcvae.journal import Event
from pcvae.label_classes import parts_of
from pcvae.neighbours import Neighbours

__all__ = ["DISMISSING", "LikeDismissed", "dismissals", "left_out_words"]

DISMISSING = ("0", "1", ARTEFACT, NORMAL_LABEL)  # as the classifier counts them as normal
NEAREST = 10  # galaxies that are left out with each that is dismissed


def is_dismissed(event: Event) -> bool:
    """Whether a label dismisses a galaxy, by its score or its name."""
    return any(part in DISMISSING for part in parts_of(event))


def dismissals(datastore: DataStore, since: str) -> dict[int, int]:
    """The rows that this person has dismissed since a time, each with its event's number.

    Args:
        datastore: The labels.
        since: The time, as events have it.
    """
    user = who(datastore)
    events = [
        event
        for event in datastore.label_table.active
        if event.user == user and event.time >= since and is_dismissed(event)
    ]
    rows = datastore.rows_of(event.galaxy for event in events)
    pairs = zip(rows.tolist(), events, strict=True)
    return {row: event.number for row, event in pairs if row >= 0}


def left_out_words(count: int, dismissed: int) -> str:
    """How many galaxies are left out, and why.

    Example:
        >>> left_out_words(17, 2)
        '17 like the 2 just dismissed are left out (the 10 nearest of each)'
    """
    if not count:
        return ""
    like = "the one" if dismissed == 1 else f"the {dismissed:,}"
    nearest = f"the {NEAREST} nearest" + (" of each" if dismissed > 1 else "")
    return f"{count:,} like {like} just dismissed are left out ({nearest})"


class LikeDismissed(View):
    """The galaxies nearest to those that were dismissed in this session, until they are undone.

    Reads ``model``, ``features``, ``whiten``, ``oriented`` and ``queue.taken_back`` of the state;
    writes ``queue.taken_back``.

    Args:
        refresh: Is called once there is an index to find neighbours in.
    """

    def __init__(self, refresh: Callable[[], None], **params: object) -> None:
        super().__init__(**params)
        self._refresh = refresh
        self._since = datetime.now(UTC).isoformat(timespec="microseconds")
        self._near: dict[tuple[object, ...], frozenset[int]] = {}
        self._left_out = set[int]()  # rows, when it was told last
        self._waiting = False
        says = "Show them: list the galaxies again that are like what was just dismissed"
        self.button = small_button(
            "Show them", says, self.take_back, width=86, margin=(0, 0, 0, 8)
        )
        self.note = pn.pane.HTML("", stylesheets=[BASE], sizing_mode="stretch_width", margin=0)
        self.row = pn.Row(
            self.note,
            self.button,
            visible=False,
            sizing_mode="stretch_width",
            margin=(0, 0, 4, 14),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self.row

    def rows(self, also: int | None = None) -> set[int]:
        """The rows that are left out.

        Args:
            also: A row that is dismissed just now, before the journal says so.
        """
        return self._like({*self._dismissed(), *([] if also is None else [also])})

    def tell(self) -> str:
        """Say how many are left out, and why; nothing for none."""
        dismissed = set(self._dismissed())
        self._left_out = self._like(dismissed)
        words = left_out_words(len(self._left_out), len(dismissed))
        self.row.visible = bool(words)
        self.note.object = f'<span class="muted" role="status">{words}</span>' if words else ""
        return words

    def without(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of some rows that are not left out, as it was told last."""
        return rows[~np.isin(rows, list(self._left_out))] if self._left_out else rows

    def take_back(self) -> None:
        """List again what is left out now; later dismissals count anew."""
        numbers = dismissals(self.datastore, self._since).values()
        self.state.queue.taken_back = frozenset(numbers) | self.state.queue.taken_back

    def _dismissed(self) -> list[int]:
        taken_back = self.state.queue.taken_back
        found = dismissals(self.datastore, self._since)
        return [row for row, number in found.items() if number not in taken_back]

    def _like(self, dismissed: set[int]) -> set[int]:
        """The rows nearest to these that nobody has labelled."""
        near = set[int]().union(*map(self._nearest, dismissed)) - dismissed
        ids, labels = self.datastore.ids, self.datastore.label_table.labels
        return {row for row in near if str(ids[row]) not in labels}

    def _nearest(self, row: int) -> frozenset[int]:
        model, metric = self.state.model, self.state.metric
        key = (model, metric, row)
        if key not in self._near:
            index = self.datastore.neighbours.index(model, metric)
            if not index.done():
                self._wait(index)
                return frozenset()
            found = self.datastore.neighbours.nearest(model, row, NEAREST, metric)
            self._near[key] = frozenset(found["row"].tolist())
        return self._near[key]

    def _wait(self, index: Future[Neighbours]) -> None:
        if not self._waiting:
            self._waiting = True
            when_done(index, self._arrive)

    def _arrive(self) -> None:
        self._waiting = False
        self._refresh()
