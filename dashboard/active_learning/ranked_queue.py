"""The queue: galaxies ranked by anomaly score, margin or error, to be labelled in turn."""

from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.active_learning.classifier_panel import ClassifierPanel
from dashboard.active_learning.queue_order import QueueOrder
from dashboard.active_learning.ranking import (
    caption_of,
    expected_purity,
    offer_ranks,
    rank_column,
    rank_words,
    ranking,
    waiting_for,
    why_none,
)
from dashboard.gallery.strip import SHOWN, Strip, features_control
from dashboard.labelling.labels import label_title, set_label
from dashboard.state import GalaxyList

__all__ = ["RankedQueue"]


class RankedQueue(Strip):
    """The ranked galaxies in pages, beside the panel of the SVM that ranks them.

    Reads ``queue``, ``selection.focus``, ``progress.scores_arrived``, ``progress.journal_events``,
    ``model``, ``features``, ``tab``, ``dark`` and ``row`` of the state; writes ``row``,
    ``features`` and what labels change.
    """

    key, title = "queue", "Queue"

    def __init__(self, **params: object) -> None:
        self._order = QueueOrder()
        super().__init__(**params)
        self._offer()
        self.fit = ClassifierPanel(datastore=self.datastore, state=self.state)

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(
            *self._above(), self.note, height=36, margin=(3, 0), sizing_mode="stretch_width"
        )
        below = pn.Row(self.strip, self.fit, sizing_mode="stretch_width")
        return pn.Column(above, below, sizing_mode="stretch_width", margin=(2, 10, 0, 10))

    def step(self, by: int) -> None:
        """Pick the next galaxy of the queue, or the previous one; labelled ones are skipped.

        From a galaxy that is not in the queue it returns to the last position in the queue.
        """
        skipped = self._labelled() if self.state.queue.unlabelled and by > 0 else set()
        row = self._order.step(self.state.row, by, skipped)
        if row is not None:
            self.state.row = row

    def score(self, label: str) -> bool:
        """Label the picked galaxy, and pick the next one unless it is known that saving failed."""
        self._order.locate(self.state.row)
        if set_label(self.datastore, self.state, label):
            self.step(1)
        return True

    @param.depends(
        *SHOWN,
        "state.model",
        "state.features",
        "state.queue.rank",
        "state.queue.focus_only",
        "state.queue.unlabelled",
        "state.queue.training_labels",
        "state.queue.refits",
        "state.selection.focus",
        "state.progress.scores_arrived",
        "state.progress.journal_events",
        "state.progress.classifier_status",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    @param.depends("state.queue.training_labels", watch=True)
    def _offer(self) -> None:
        offer_ranks(self.datastore, self.state)

    def _above(self) -> list[object]:
        queue = self.state.queue
        rank = pmui.Select.from_param(
            queue.param.rank, label="Ranked by", size="small", variant="outlined", width=210,
            margin=(2, 6, 0, 4),
        )  # fmt: skip
        labels = {"unlabelled": "unlabelled only", "focus_only": "selection only"}
        boxes = [
            pmui.Checkbox.from_param(queue.param[name], label=label, size="small", margin=(6, 4))
            for name, label in labels.items()
        ]
        return [rank, *features_control(self.state, top=2), *boxes, *self.fit.buttons]

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        values, queue = ranking(self.datastore, self.state), self.state.queue
        if values is None:
            return [], waiting_for(self.datastore, self.state)
        focus = self.state.selection.focus if queue.focus_only else None
        wanted = queue.rank, self.state.space, queue.training_labels, queue.unlabelled
        if self._order.is_stale(wanted, focus):
            self._order.fill(queue.rank, values, self._kept(values, focus), self.state.row)
        rows = self._order.page()
        if not len(rows):
            return [], why_none(values)
        labels = self.datastore.label_table.labels
        listed = []
        for row in rows.tolist():
            event = labels.get(str(self.datastore.ids[row]))
            caption = caption_of(queue.rank, float(values[row]))
            listed.append((row, caption + (f"\n{label_title(event.label)}" if event else "")))
        learnt = self.datastore.classifier_jobs.learnt(self.state.space, queue.training_labels)
        purity = expected_purity(queue.rank, learnt, rows)
        return listed, f"{self._order.description}, {rank_words(queue.rank)}{purity}"

    def _galaxies(self) -> GalaxyList:
        rank, rows = self.state.queue.rank, self._order.rows
        values = ranking(self.datastore, self.state)
        columns = {} if values is None else {rank_column(rank): values[rows]}
        return GalaxyList(self.key, f"the queue {rank_words(rank)}", rows, columns)

    def _kept(self, values: NDArray[Any], focus: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Which galaxies are queued, (N,)."""
        kept = np.isfinite(values)
        if focus is not None:
            kept &= focus
        if self.state.queue.unlabelled:
            kept &= self.datastore.populations.normal
            kept[list(self._labelled())] = False
        return kept

    def _labelled(self) -> set[int]:
        return set(self.datastore.rows_of(self.datastore.label_table.labels).tolist()) - {-1}

    @param.depends("state.row", watch=True)
    def _turn(self) -> None:
        """Show the page of the queue that the picked galaxy is on."""
        if self._order.turn_to(self.state.row if self.state.tab == self.key else None):
            self._refresh()
