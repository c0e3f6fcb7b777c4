"""The panel of the classifier beside the queue: progress of the fit, rates, buttons."""

from html import escape
from typing import Any

import panel as pn
import param

from dashboard.active_learning.training_labels import RULE, cancel, refit, warnings_of
from dashboard.backend.classifier_jobs import ClassifierResult, ClassRates, class_rates
from dashboard.backend.populations import population_title
from dashboard.backend.view import View
from dashboard.components.assets import style
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE
from pcvae.anomaly import NORMAL
from pcvae.ranking import RARE_SHARE, purity

__all__ = ["ClassifierPanel", "rates_html"]


class ClassifierPanel(View):
    """Recall and false-positive rate of each class, and what the SVM was fitted to.

    Reads ``tab``, ``model``, ``features``, ``queue``, ``progress.classifier_status``,
    ``progress.classifier_progress`` and ``progress.scores_arrived`` of the state; writes
    ``queue.training_labels`` and ``queue.refits``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.rates = pn.pane.HTML(
            "",
            stylesheets=[BASE, style(__file__, "classifier_panel.css")],
            width=420,
            sizing_mode="stretch_height",
            margin=(0, 0, 0, 14),
        )
        looks: dict[str, Any] = {"width": 72, "margin": (3, 6)}
        self.button = small_button(
            "Refit",
            "Fit the classifier to the catalogue's classes and all labels (key R): the queue, the "
            "score and the lines on the maps follow.",
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
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.rates

    @property
    def buttons(self) -> list[object]:
        """Refit and cancel."""
        return [self.button, self.stop]

    @param.depends(
        "state.tab",
        "state.model",
        "state.features",
        "state.queue.training_labels",
        "state.queue.refits",
        "state.progress.classifier_status",
        "state.progress.classifier_progress",
        "state.progress.scores_arrived",
        "state.progress.journal_events",
        watch=True,
    )
    def _show(self) -> None:
        state, jobs = self.state, self.datastore.classifier_jobs
        labels, refits = state.queue.training_labels, state.queue.refits
        self.stop.visible = bool(state.progress.classifier_status and refits)
        if state.tab != "queue":
            return
        result = jobs.learnt(state.space, labels)
        trials = jobs.job("trials", state.space, labels) if refits else None
        rates = class_rates(trials.result) if trials and trials.result else []
        counts = dict(result.fitted.used) if result else {}
        warnings = warnings_of(self.datastore, labels, counts) if result else []
        status = progress_html(
            state.progress.classifier_status, state.progress.classifier_progress
        )
        if result and not status:
            status = f"<p>{fitted_html(result, len(self.datastore))}</p>"
        if rates and (told := simulated_note(self.datastore.store.info.source)):
            status += f"<p>{told}</p>"
        self.rates.object = rates_html(rates, warnings, status)


def progress_html(words: str, share: float) -> str:
    """The progress of a fit; empty if none is running."""
    if not words:
        return ""
    value = f' value="{share:.3f}"' if share else ""
    bar = f'<progress max="1"{value} aria-label="{escape(words)}"></progress>'
    return f'<p role="status">{bar} {escape(words)} …</p>'


def rates_html(found: list[ClassRates], notes: list[str], more: str) -> str:
    """A table of the cross-validated rates of each class, with warnings.

    Args:
        found: The classes.
        notes: Warnings, such as of classes that are too small.
        more: HTML that comes first.
    """

    def share(rate: tuple[float, float, float]) -> str:
        value, low, high = (100 * number for number in rate)
        digits = 0 if high > 10 else 1
        return (
            f"<td><b>{value:.{digits}f} %</b> <small>{low:.{digits}f}\N{EN DASH}"
            f"{high:.{digits}f}</small></td>"
        )

    rows = "".join(
        f'<tr><th scope="row">{escape(population_title(rates.name))} <small>{rates.galaxies:,}'
        f"</small></th>{share(rates.recall)}{share(rates.false_positive_rate)}{_purity(rates)}</tr>"
        for rates in found
    )
    head = (
        '<tr><th scope="col">Class</th><th scope="col" title="The share of its galaxies that the '
        'classifier finds without having seen them, with its 95 % interval (Wilson)">Recall</th>'
        '<th scope="col" title="The share of normal galaxies that it takes for this class">'
        "False positives</th>"
        '<th scope="col" title="The share of this class among what it is taken for, in a survey '
        'where one galaxy in 1,000 is of the class">Purity, 1 in 1,000</th></tr>'
    )
    table = f"<table>{head}{rows}</table>" if found else ""
    told = "".join(f'<p class="warning">{escape(text)}.</p>' for text in notes)
    return f'<div class="rates" tabindex="0">{more}{table}{told}<p>{escape(RULE)}</p></div>'


def _purity(rates: ClassRates) -> str:
    """The purity expected where one galaxy in a thousand is of the class, with its interval.

    No false positive among n normal galaxies leaves the upper end at 1.
    """
    recall, false = rates.recall, rates.false_positive_rate
    value, low, high = (
        100 * purity(recall[k], false[j], RARE_SHARE) for k, j in ((0, 0), (1, 2), (2, 1))
    )
    return f"<td><b>{value:.0f} %</b> <small>{low:.0f}\N{EN DASH}{high:.0f}</small></td>"


def simulated_note(source: str) -> str:
    """A sentence where rates are of simulated galaxies; empty for real ones."""
    told = "These rates are of simulated galaxies; real ones will differ."
    return told if "simulated" in source.lower() else ""


def fitted_html(learnt: ClassifierResult, total: int) -> str:
    """The galaxies that SVM and trees were fitted to."""
    used = learnt.fitted.used
    rare = ", ".join(
        f"{count:,} {escape(population_title(name))}"
        for name, count in used.items()
        if name != NORMAL
    )
    normal = f"{used.get(NORMAL, 0):,} of {total:,} galaxies as normal ones"
    return f"SVM and trees of {normal}" + (f", and {rare}" if rare else "")
