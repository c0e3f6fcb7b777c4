"""The queue: galaxies ranked by anomaly score, margin or error, to be labelled in turn."""

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.active_learning.classifier_panel import ClassifierPanel
from dashboard.active_learning.dismissed import DISMISSING, LikeDismissed
from dashboard.active_learning.queue_order import QueueOrder
from dashboard.active_learning.queue_reasons import QueueReasons
from dashboard.active_learning.ranking import (
    caption_of,
    expected_purity,
    offer_ranks,
    queued,
    rank_column,
    rank_words,
    ranking,
    waiting_for,
    why_none,
)
from dashboard.gallery.strip import (
    LINE,
    SHOWN,
    STACKED,
    Strip,
    features_control,
    select,
    stamps_height,
)
from dashboard.labelling.labels import full_title, set_label
from dashboard.state import GalaxyList, State

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
        self.like_dismissed = LikeDismissed(self._refresh, **params)
        super().__init__(**params)
        self._offer()
        self.fit = ClassifierPanel(datastore=self.datastore, state=self.state)
        self.reasons = QueueReasons(datastore=self.datastore, state=self.state)
        self.fit.rates.visible = self.reasons.text.param.visible.rx.not_()

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(*self._above(), self.note, height=36, margin=(3, 0), **LINE)
        parts = self.like_dismissed, self.reasons.button, self.reasons, self.fit
        beside = pn.Column(*parts, width=434, height=stamps_height(self.state), margin=0)
        below = pn.Row(self.strip, beside, **STACKED)
        return pn.Column(above, below, sizing_mode="stretch_width", margin=(2, 10, 0, 10))

    def go_to(self, row: int) -> None:
        """Pick a galaxy of the queue, which shows its page."""
        self.state.row = row

    def step(self, by: int) -> None:
        """Pick the next galaxy of the queue, or the previous one; labelled ones are skipped.

        From a galaxy that is not in the queue it returns to the last position in the queue.
        """
        self._go_on(by)

    def _go_on(self, by: int, dismissed: int | None = None) -> None:
        """Step over what is labelled, and over what is like a galaxy dismissed just now."""
        skipped = self._labelled() if self.state.queue.unlabelled and by > 0 else set()
        skipped |= self.like_dismissed.rows(dismissed)
        row = self._order.step(self.state.row, by, skipped)
        if row is not None:
            self.state.row = row

    def score(self, label: str) -> bool:
        """Label the picked galaxy, and pick the next one unless it is known that saving failed."""
        self._order.locate(self.state.row)
        row = self.state.row if label in DISMISSING else None
        if set_label(self.datastore, self.state, label):
            self._go_on(1, row)
        return True

    @param.depends(
        *SHOWN,
        "state.model",
        "state.features",
        "state.queue.rank",
        "state.queue.focus_only",
        "state.queue.unlabelled",
        "state.queue.taken_back",
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

    @param.depends("state.model", "state.queue.training_labels", watch=True)
    def _offer(self) -> None:
        offer_ranks(self.datastore, self.state)

    def _above(self) -> list[object]:
        return [*queue_controls(self.state), *self.fit.buttons]

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        values, queue = ranking(self.datastore, self.state), self.state.queue
        if values is None:
            return [], waiting_for(self.datastore, self.state)
        focus = self.state.selection.focus if queue.focus_only else None
        wanted = queue.rank, self.state.space, queue.training_labels, queue.unlabelled
        if self._order.is_stale(wanted, focus):
            kept = queued(self.datastore, self.state, values, self._labelled())
            self._order.fill(queue.rank, values, kept, self.state.row)
        page, left_out = self._order.page(), self.like_dismissed.tell()
        rows = self.like_dismissed.without(page)
        if not len(rows):
            return [], f"{left_out[:1].upper()}{left_out[1:]}." if len(page) else why_none(values)
        labels = self.datastore.label_table.labels
        listed = []
        for row in rows.tolist():
            event = labels.get(str(self.datastore.ids[row]))
            caption = caption_of(queue.rank, float(values[row]))
            listed.append((row, caption + (f"\n{full_title(event)}" if event else "")))
        learnt = self.datastore.classifier_jobs.learnt(self.state.space, queue.training_labels)
        purity = expected_purity(queue.rank, learnt, rows)
        return listed, f"{self._order.description}, {rank_words(queue.rank)}{purity}"

    def _galaxies(self) -> GalaxyList:
        rank, rows = self.state.queue.rank, self.like_dismissed.without(self._order.rows)
        values = ranking(self.datastore, self.state)
        columns = {} if values is None else {rank_column(rank): values[rows]}
        return GalaxyList(self.key, f"the queue {rank_words(rank)}", rows, columns)

    def _labelled(self) -> set[int]:
        return set(self.datastore.rows_of(self.datastore.label_table.labels).tolist()) - {-1}

    @param.depends("state.row", watch=True)
    def _turn(self) -> None:
        """Show the page of the queue that the picked galaxy is on."""
        if self._order.turn_to(self.state.row if self.state.tab == self.key else None):
            self._refresh()


def queue_controls(state: State) -> list[object]:
    """What the queue is ranked by, the features, and which galaxies are queued."""
    queue = state.queue
    rank = select(queue.param.rank, "Ranked by", 210, top=2)
    labels = {"unlabelled": "unlabelled only", "focus_only": "selection only"}
    boxes = [
        pmui.Checkbox.from_param(queue.param[name], label=label, size="small", margin=(6, 4))
        for name, label in labels.items()
    ]
    return [rank, *features_control(state, top=2), *boxes]
