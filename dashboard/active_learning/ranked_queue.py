"""The queue: the galaxies that are most worth looking at, to be judged one after the other."""

from html import escape
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.active_learning.training_labels import RULE, cancel, refit, warnings_of
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import Quantity
from dashboard.backend.svm_jobs import ENOUGH, ClassRates, SvmResult, class_rates
from dashboard.backend.typography import MINUS
from dashboard.components.assets import style
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE
from dashboard.gallery.strip import HEIGHT, MOST, SHOWN, Strip
from dashboard.labelling.labels import judge, label_title
from pcvae.anomaly import NORMAL

__all__ = ["RankedQueue", "caption_of", "rates_html", "worth_of"]

BY = {
    "score": "by anomaly score, the highest first",
    "margin": "by how near they are to the boundary of the normal ones",
    "error": "by reconstruction error, the largest first",
}
QUEUED = 10_000  # galaxies that a queue has at most; it says so
ERROR = Quantity("inferred.recon_error", "Reconstruction error")


def worth_of(
    by: str, values: NDArray[Any], kept: NDArray[np.bool_], most: int = QUEUED
) -> NDArray[np.intp]:
    """The rows of the kept galaxies, the one most worth looking at first.

    Args:
        by: ``score`` or ``error``, largest first; ``margin``, nearest to zero first.
        values: That value of each galaxy, (N,); those with NaN are left out.
        kept: Which galaxies are wanted, (N,).
        most: How many rows at most.

    Example:
        >>> values, kept = np.array([0.2, -3.0, np.nan, 1.0]), np.ones(4, bool)
        >>> worth_of("score", values, kept), worth_of("margin", values, kept)
        (array([3, 0, 1]), array([0, 3, 1]))
    """
    rows = np.flatnonzero(kept & np.isfinite(values))
    key = np.abs(values[rows]) if by == "margin" else -values[rows]
    if len(rows) > most:
        first = np.sort(np.argpartition(key, most)[:most])
        rows, key = rows[first], key[first]
    return rows[np.argsort(key, kind="stable")]


def caption_of(by: str, value: float) -> str:
    """What a stamp says of its place in the queue.

    Example:
        >>> caption_of("score", 0.98765), caption_of("error", 0.00012)
        ('score 0.988', 'error 0.00012')
    """
    text = f"{value:.2g}" if by == "error" else f"{value:.3f}"
    return f"{by} {text}".replace("-", MINUS)


def progress_html(words: str, share: float) -> str:
    """How far a fit is; empty if there are no words."""
    if not words:
        return ""
    value = f' value="{share:.3f}"' if share else ""
    bar = f'<progress max="1"{value} aria-label="{escape(words)}"></progress>'
    return f'<p role="status">{bar} {escape(words)} …</p>'


def rates_html(found: list[ClassRates], notes: list[str], more: str) -> str:
    """How each class fares in cross-validation, and what to think of it.

    Args:
        found: The classes.
        notes: Which of them are too small.
        more: HTML that comes first.
    """

    def share(rate: tuple[float, float, float]) -> str:
        value, low, high = (100 * one for one in rate)
        digits = 0 if high > 10 else 1
        return (
            f"<td><b>{value:.{digits}f} %</b> <small>{low:.{digits}f}\N{EN DASH}"
            f"{high:.{digits}f}</small></td>"
        )

    rows = "".join(
        f'<tr><th scope="row">{escape(population_title(one.name))} <small>{one.galaxies:,}</small>'
        f"</th>{share(one.recall)}{share(one.false_positive_rate)}</tr>"
        for one in found
    )
    head = (
        '<tr><th scope="col">Class</th><th scope="col" title="The share of its galaxies that the '
        'SVM finds without having seen them, with its 95 % interval (Wilson)">Recall</th>'
        '<th scope="col" title="The share of normal galaxies that it takes for this class">'
        "False positives</th></tr>"
    )
    table = f"<table>{head}{rows}</table>" if found else ""
    told = "".join(f'<p class="warning">{escape(one)}.</p>' for one in notes)
    return f'<div class="rates" tabindex="0">{more}{table}{told}<p>{escape(RULE)}</p></div>'


class RankedQueue(Strip):
    """The galaxies most worth looking at, and the SVM that says which they are.

    Reads ``rank``, ``within``, ``unlabelled``, ``focus``, ``model``, ``training_labels``,
    ``refits``, ``scored``, ``learning``, ``share``, ``revision``, ``tab`` and ``dark`` of the
    state; writes ``row``, ``rank``, ``within``, ``unlabelled``, ``training_labels``, ``refits``
    and what labels change.
    """

    key, title = "queue", "Queue"

    def __init__(self, **params: Any) -> None:
        self._order: NDArray[np.intp] = np.array([], np.intp)
        self._made_for: tuple[Any, ...] = ()
        self._of: NDArray[np.bool_] | None = None
        self._place, self._start, self._found = -1, 0, 0
        self._since: int | None = None  # the galaxy that was picked before there was this queue
        self.rates = pn.pane.HTML(
            "",
            stylesheets=[BASE, style(__file__, "ranked_queue.css")],
            width=420,
            height=HEIGHT,
            margin=(0, 0, 0, 14),
        )
        looks = {"width": 72, "margin": (3, 6)}
        self.button = small_button(
            "Refit",
            "Fit the SVM to the catalogue's classes and all labels (key R): the queue, the score "
            "and the lines on the maps follow.",
            lambda: refit(self.datastore, self.state),
            **looks,
        )
        self.stop = small_button(
            "Cancel",
            "Give the refit up and keep the fit before it.",
            lambda: cancel(self.state),
            visible=False,
            **looks,
        )
        super().__init__(**params)

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(
            *self._above(), self.said, height=36, margin=(3, 0), sizing_mode="stretch_width"
        )
        below = pn.Row(self.strip, self.rates, sizing_mode="stretch_width")
        return pn.Column(above, below, sizing_mode="stretch_width", margin=(2, 10, 0, 10))

    def step(self, by: int) -> None:
        """Pick the next galaxy of the queue, or the previous one; going on passes labelled ones.

        From a galaxy that is not in the queue it goes back to where the queue was left.
        """
        away = self._placed() is None and self._place >= 0
        here, self._since = self._place if away and by > 0 else self._place + by, None
        if self.state.queue.unlabelled and by > 0:
            labelled = self._labelled()
            while here < len(self._order) and self._order[here] in labelled:
                here += 1
        if 0 <= here < len(self._order):
            self.state.row = int(self._order[here])

    def score(self, label: str) -> bool:
        """Label the picked galaxy, and go on to the next if that is saved."""
        self._placed()
        if judge(self.datastore, self.state, label):
            self.step(1)
        return True

    @param.depends(
        *SHOWN,
        "state.model",
        "state.queue.rank",
        "state.queue.focus_only",
        "state.queue.unlabelled",
        "state.queue.training_labels",
        "state.queue.refits",
        "state.selection.focus",
        "state.progress.scores_arrived",
        "state.progress.journal_events",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[Any]:
        state = self.state
        by = pmui.Select.from_param(
            state.queue.param.rank, label="Ranked by", size="small", variant="outlined", width=210,
            margin=(2, 6, 0, 4),
        )  # fmt: skip
        boxes = [
            pmui.Checkbox.from_param(
                state.queue.param[name], label=label, size="small", margin=(6, 4)
            )
            for name, label in (
                ("unlabelled", "unlabelled only"),
                ("focus_only", "selection only"),
            )
        ]
        return [by, *boxes, self.button, self.stop]

    def _values(self) -> NDArray[Any] | None:
        """What the queue is ranked by, (N,); None while that is not known."""
        state, datastore = self.state, self.datastore
        if state.queue.rank == "error":
            return datastore.columns.values(state.model, ERROR)
        learnt = datastore.svm_jobs.learnt(state.model, state.queue.training_labels)
        return None if learnt is None else getattr(learnt, state.queue.rank)

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        values, state = self._values(), self.state
        if values is None:
            return [], self._waiting()
        made_for = (
            state.queue.rank,
            state.model,
            state.queue.training_labels,
            state.queue.focus_only,
            state.queue.unlabelled,
        )
        within = state.selection.focus if state.queue.focus_only else None
        if made_for != self._made_for or within is not self._of:
            self._made_for, self._of = made_for, within
            self._rank(values)
        shown = self._order[self._start : self._start + MOST]
        if not len(shown):
            return [], self._why_none(values)
        labels = self.datastore.label_table.labels
        listed = []
        for row in shown.tolist():
            said = labels.get(str(self.datastore.ids[row]))
            caption = caption_of(state.queue.rank, float(values[row]))
            listed.append((row, caption + (f"\n{label_title(said.label)}" if said else "")))
        return listed, self._words()

    def _words(self) -> str:
        """Which part of the queue is shown, and how that is ranked."""
        end, queued = min(self._start + MOST, len(self._order)), f"{len(self._order):,}"
        if len(self._order) < self._found:
            queued = f"the first {queued} of {self._found:,}"
        return f"{self._start + 1:,}\N{EN DASH}{end:,} of {queued}, {BY[self.state.queue.rank]}"

    def _rank(self, values: NDArray[Any]) -> None:
        kept = np.isfinite(values)
        if self._of is not None:
            kept &= self._of
        if self.state.queue.unlabelled:
            kept &= self.datastore.populations.normal
            kept[list(self._labelled())] = False
        self._order, self._found = worth_of(self.state.queue.rank, values, kept), int(kept.sum())
        self._place, self._start, self._since = -1, 0, self.state.row

    def _labelled(self) -> set[int]:
        return set(self.datastore.rows_of(self.datastore.label_table.labels).tolist()) - {-1}

    def _placed(self) -> int | None:
        """Where in the queue the picked galaxy is; None if it was not picked from it."""
        if self.state.row == self._since:
            return None
        found = np.flatnonzero(self._order == (-1 if self.state.row is None else self.state.row))
        if not len(found):
            return None
        self._place = int(found[0])
        return self._place

    def _waiting(self) -> str:
        state = self.state
        job = self.datastore.svm_jobs.job("score", state.model, state.queue.training_labels)
        if job is not None and job.failure:
            return job.failure
        words = state.progress.svm_status or "fitting the SVM"
        return f"{words[0].upper()}{words[1:]} …"

    def _why_none(self, values: NDArray[Any]) -> str:
        if not np.isfinite(values).any():
            return (
                f"There is no class to be told from the normal galaxies. Label at least {ENOUGH} "
                f"alike, then refit; or rank by reconstruction error."
            )
        return "Every galaxy of this queue is labelled or of a class that the catalogue knows."

    @param.depends("state.row", watch=True)
    def _turn(self) -> None:
        """Show the page of the queue that the picked galaxy is on."""
        self._since = None
        place = self._placed() if self.state.tab == self.key else None
        if place is not None and place // MOST != self._start // MOST:
            self._start = place - place % MOST
            self._refresh()

    def _refresh(self) -> None:
        super()._refresh()
        self._tell()

    @param.depends("state.progress.svm_status", "state.progress.svm_progress", watch=True)
    def _tell(self) -> None:
        """Say how far the fit is, and what came of it."""
        state, learning = self.state, self.datastore.svm_jobs
        self.stop.visible = bool(state.progress.svm_status and state.queue.refits)
        if state.tab != self.key:
            return
        if self._values() is None:
            self.strip.empty = self._waiting()
        learnt = learning.learnt(state.model, state.queue.training_labels)
        trials = (
            learning.job("trials", state.model, state.queue.training_labels)
            if state.queue.refits
            else None
        )
        found = class_rates(trials.result) if trials and trials.result else []
        counts = dict(learnt.svm.used) if learnt else {}
        notes = warnings_of(self.datastore, state.queue.training_labels, counts) if learnt else []
        more = progress_html(state.progress.svm_status, state.progress.svm_progress)
        if learnt and not more:
            more = f"<p>{_fitted(learnt, len(self.datastore))}</p>"
        self.rates.object = rates_html(found, notes, more)


def _fitted(learnt: SvmResult, total: int) -> str:
    """To what the SVM was fitted."""
    used = learnt.svm.used
    rare = ", ".join(
        f"{count:,} {escape(population_title(name))}"
        for name, count in used.items()
        if name != NORMAL
    )
    normal = f"{used.get(NORMAL, 0):,} of {total:,} galaxies as normal ones"
    return f"SVM of {normal}" + (f", and {rare}" if rare else "")
