"""Labels as training data of the SVM, and the fits that a session waits for."""

import panel as pn
import param
from panel.io.callbacks import PeriodicCallback

from dashboard.backend.classifier_jobs import MIN_CERTAIN, MIN_CLASS, Job, TrainingLabels
from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import has_session, when_done
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import ANOMALY, PROBABILITY
from dashboard.backend.view import Follower
from dashboard.components.notices import report
from dashboard.state import Space, State
from pcvae.anomaly import NORMAL
from pcvae.label_classes import label_class

__all__ = [
    "RULE",
    "ClassifierFits",
    "cancel",
    "refit",
    "training_labels_of",
    "wanted_fits",
    "warnings_of",
]

RULE = (
    "A name is a class. Scores 4 and 5 and Candidate make the class Candidate; 0, 1, Artefact and "
    "Normal count as normal; 2 and 3 take no part. Scores leave the catalogue's rare galaxies as "
    "they are. With a name and a score the name counts. Where people differ, the last word "
    f"counts. A new class takes part from {MIN_CLASS} galaxies on."
)
TICK = 400  # ms between looks at how far a fit is


def training_labels_of(datastore: DataStore) -> TrainingLabels:
    """The training classes that the journal's labels give, by ``RULE``: (row, class), by rows."""
    found = {}
    for galaxy, event in datastore.label_table.labels.items():
        row = datastore.row_of(galaxy)
        name = None if row is None else _class_of(datastore, row, event.label)
        if row is not None and name is not None:
            found[row] = name
    return tuple(sorted(found.items()))


def refit(datastore: DataStore, state: State) -> None:
    """Refit the classifier to the catalogue's classes and all current labels."""
    training_labels = training_labels_of(datastore)
    queue = state.queue
    queue.param.update(
        previous_labels=queue.training_labels,
        training_labels=training_labels,
        refits=queue.refits + 1,
    )
    state.progress.message = _said(training_labels)


def cancel(state: State) -> None:
    """Cancel a refit, and show the fit that was shown before."""
    state.queue.param.update(training_labels=state.queue.previous_labels, refits=0)
    state.progress.message = "The refit was cancelled; the fit before it shows"


def wanted_fits(state: State) -> set[tuple[str, Space, TrainingLabels]]:
    """The fits that a session shows or waits for, as ``ClassifierJobs.want`` takes them."""
    if not state.progress.loaded:
        return set()
    ranked = state.tab == "queue" and state.queue.rank != "error"
    keys: set[tuple[str, Space, TrainingLabels]] = set()
    coloured = state.colour == ANOMALY or state.colour.startswith(PROBABILITY)
    if ranked or coloured or state.queue.refits:
        keys.add(("score", state.space, state.queue.training_labels))
    if state.queue.refits:
        keys.add(("trials", state.space, state.queue.training_labels))
    return keys


class ClassifierFits(Follower):
    """Starts the fits that a session needs, reports their progress, counts their arrivals.

    To be made before the views. Reads ``tab``, ``colour``, ``model``, ``features``,
    ``queue.rank``, ``queue.training_labels``, ``queue.refits`` and ``progress.loaded`` of the
    state; writes ``progress.scores_arrived``, ``progress.classifier_status``,
    ``progress.classifier_progress`` and ``progress.notices``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._ticking: list[PeriodicCallback] = []
        _want_nothing_when_gone(self.datastore, self.state)

    @param.depends(
        "state.tab",
        "state.colour",
        "state.model",
        "state.features",
        "state.queue.rank",
        "state.queue.training_labels",
        "state.queue.refits",
        "state.progress.loaded",
        watch=True,
    )
    def _fit(self) -> None:
        datastore, state = self.datastore, self.state
        datastore.classifier_jobs.want(id(state), wanted_fits(state))
        waiting = [job for job in _jobs(datastore, state) if not job.future.done()]
        for job in waiting:
            when_done(job.future, self._arrive)
        if not waiting and _failures(datastore, state):
            self._arrive()  # it failed before it could be waited for
        if waiting and not self._ticking and has_session():
            self._ticking.append(pn.state.add_periodic_callback(self._report, TICK))
        self._report()

    def _report(self) -> None:
        words, share = _progress(_jobs(self.datastore, self.state))
        self.state.progress.param.update(classifier_status=words, classifier_progress=share)
        report(self.state, "fit", next(iter(_failures(self.datastore, self.state)), ""))
        while self._ticking and not words:
            self._ticking.pop().stop()

    def _arrive(self) -> None:
        self._report()
        self.state.progress.scores_arrived += 1


def _want_nothing_when_gone(datastore: DataStore, state: State) -> None:
    if has_session():
        pn.state.on_session_destroyed(lambda _: datastore.classifier_jobs.want(id(state), ()))


def _failures(datastore: DataStore, state: State) -> list[str]:
    return [job.failure for job in _jobs(datastore, state) if job.failure]


def warnings_of(
    datastore: DataStore, training_labels: TrainingLabels, counts: dict[str, int]
) -> list[str]:
    """Warnings of classes that are too small to be fitted, or for certain rates.

    Args:
        datastore: The store of the classes.
        training_labels: The labels that the SVM was fitted to.
        counts: The galaxies of each class that it used.
    """
    small = [
        f"{population_title(name)}: {count} labelled, {MIN_CLASS} needed; it takes no part yet"
        for name, count in datastore.classifier_jobs.small(training_labels).items()
    ]
    rare = [name for name in datastore.populations.marked if name not in counts]
    none = [
        f"{population_title(name)}: {len(datastore.populations.members(name))} in the catalogue, "
        "2 needed; it takes no part"
        for name in rare
    ]
    few = [
        f"{population_title(name)}: only {count} galaxies, so its rates are uncertain; "
        f"{MIN_CERTAIN} or more would tell"
        for name, count in counts.items()
        if name != NORMAL and count < MIN_CERTAIN
    ]
    return small + none + few


def _class_of(datastore: DataStore, row: int, label: str) -> str | None:
    """The class that a label gives a galaxy; None where the catalogue's class remains."""
    ordinary = set(datastore.populations.all) - set(datastore.store.info.rare)
    return label_class(label, ordinary, rare=not datastore.populations.normal[row])


def _jobs(datastore: DataStore, state: State) -> list[Job]:
    makers = {"score": datastore.classifier_jobs.score, "trials": datastore.classifier_jobs.trials}
    return [
        makers[kind](space, training_labels)
        for kind, space, training_labels in sorted(wanted_fits(state))
    ]


def _progress(jobs: list[Job]) -> tuple[str, float]:
    """The progress of the first unfinished job; empty words if all are done."""
    waiting = [job for job in jobs if not job.future.done()]
    running = [job for job in waiting if job.future.running()] or waiting
    return (running[0].words, running[0].share) if running else ("", 0.0)


def _said(training_labels: TrainingLabels) -> str:
    if not training_labels:
        return "Refit to the catalogue's classes: nobody has labelled a galaxy that teaches more"
    count = len(training_labels)
    return f"Refit with {count:,} labelled {'galaxy' if count == 1 else 'galaxies'}"
