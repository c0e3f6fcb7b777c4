"""Fits of SVM and trees to the catalogue's classes and to people's labels.

Shapes are written with N galaxies. Training labels are a tuple of (row, class): a fit depends
on nothing else, so that two sessions share a fit only if their labels are the same.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import lru_cache
from threading import Event, Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.populations import Populations, population_title
from dashboard.backend.quantities import PROBABILITY
from dashboard.state import Space
from pcvae.anomaly import NORMAL, UNUSED, AnomalyScore, drawn_rows, fit_score
from pcvae.scan import slices
from pcvae.store import Store
from pcvae.store_info import FeatureColumns
from pcvae.trials import Trials, repeated_folds, wilson_interval

__all__ = [
    "MIN_CLASS",
    "ClassRates",
    "ClassifierJobs",
    "ClassifierResult",
    "Job",
    "TrainingLabels",
    "class_rates",
    "probability_choices",
]

TrainingLabels = tuple[tuple[int, str], ...]
MIN_CLASS = 5  # galaxies of a class of people's own, so that each of five folds tests one
MIN_CERTAIN = 20  # below which a class's rates say little
CHUNK = 50_000  # galaxies between two signs of life
FOLDS, REPEATS = 5, 3
KEPT = 8  # fits kept ready; one of a million galaxies holds 8 MB


class ClassifierResult(NamedTuple):
    """The result of one fit for every galaxy.

    Args:
        score: 1 - P(normal), (N,); NaN where unknown.
        margin: How far beyond the boundary of the normal galaxies, on the side of the rare class
            that is nearest, (N,); negative on the normal side.
        probability: Of each rare class, (N, C - 1), in the order of ``classes``.
        fitted: The fit, with the classes that it used and those that it left out.
    """

    score: NDArray[np.float32]
    margin: NDArray[np.float32]
    probability: NDArray[np.float32]
    fitted: AnomalyScore

    @property
    def classes(self) -> tuple[str, ...]:
        """The rare classes, C - 1."""
        return self.fitted.classes[1:]

    def of_class(self, name: str) -> NDArray[np.float32]:
        """The probability of a class for every galaxy, (N,); NaN if it was not fitted."""
        if name not in self.classes:
            return np.full_like(self.score, np.nan)
        return np.asarray(self.probability[:, self.classes.index(name)])


class ClassRates(NamedTuple):
    """The cross-validated rates of a class, each with its 95 % interval.

    Args:
        name: The class.
        galaxies: The number of its galaxies.
        recall: The share of them that are found, its low and its high end.
        false_positive_rate: The share of the normal galaxies that are taken for it.
    """

    name: str
    galaxies: int
    recall: tuple[float, float, float]
    false_positive_rate: tuple[float, float, float]


class Job:
    """A running computation: its result in ``future``, its progress in words.

    Args:
        call: The work; it is given the job, to report its progress.
        worker: The executor that runs it.
    """

    def __init__(self, call: "Callable[[Job], Any]", worker: ThreadPoolExecutor) -> None:
        self.words, self.share = "waiting for another fit", 0.0
        self._stopped = Event()
        self.future: Future[Any] = worker.submit(call, self)

    def tell(self, words: str, share: float) -> None:
        """Report progress; ends the work if no session needs it any more."""
        if self._stopped.is_set():
            raise CancelledError
        self.words, self.share = words, share

    def stop(self) -> None:
        """End it at its next report."""
        self._stopped.set()
        self.future.cancel()

    @property
    def result(self) -> Any:
        """The result, or None while there is none."""
        done = self.future.done() and not self.future.cancelled()
        return self.future.result() if done and self.future.exception() is None else None

    @property
    def failure(self) -> str:
        """Why there will be no result; empty if there may be one."""
        if not self.future.done() or self.future.cancelled():
            return ""
        error = self.future.exception()
        if error is None or isinstance(error, CancelledError):
            return ""
        return f"The classifier could not be fitted: {error}"


class ClassifierJobs:
    """All fits of a process, run one at a time in a worker of their own.

    Args:
        store: The galaxies.
        populations: Their populations.
    """

    def __init__(self, store: Store, populations: Populations) -> None:
        self._store, self._populations = store, populations
        self.coded = lru_cache(2)(self._coded)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="learn")
        self._jobs: OrderedDict[tuple[object, ...], Job] = OrderedDict()
        self._wants: dict[object, set[tuple[object, ...]]] = {}
        self._lock = Lock()

    def score(self, space: Space, training_labels: TrainingLabels = ()) -> Job:
        """Score all galaxies by SVM and trees on a space's features; a ``ClassifierResult``."""
        key = ("score", space, training_labels)
        return self._job(key, lambda job: self._score(space, training_labels, job))

    def trials(self, space: Space, training_labels: TrainingLabels = ()) -> Job:
        """The same classifier cross-validated in repeated folds; a ``Trials``."""
        key = ("trials", space, training_labels)
        return self._job(key, lambda job: self._trials(space, training_labels, job))

    def job(self, kind: str, space: Space, training_labels: TrainingLabels) -> Job | None:
        """The ``score`` or ``trials`` job if there is one; starts none."""
        return self._jobs.get((kind, space, training_labels))

    def learnt(
        self, space: Space, training_labels: TrainingLabels = ()
    ) -> ClassifierResult | None:
        """The score if it has been computed; starts nothing."""
        job = self.job("score", space, training_labels)
        return job.result if job else None

    def want(self, who: object, keys: Iterable[tuple[object, ...]]) -> None:
        """Declare all jobs that a session needs; jobs that no session needs are stopped.

        Args:
            who: The session.
            keys: ``score`` or ``trials``, the space, and the training labels.
        """
        with self._lock:
            self._wants[who] = set(keys)
            if not self._wants[who]:
                del self._wants[who]
            wanted = set().union(*self._wants.values())
            for key, job in list(self._jobs.items()):
                if key not in wanted and not job.future.done():
                    job.stop()
                    del self._jobs[key]

    def small(self, training_labels: TrainingLabels) -> dict[str, int]:
        """The sizes of user-defined classes that are too small to be fitted."""
        known = set(self._store.info.rare) | {NORMAL, UNUSED}
        counts = Counter(name for _, name in training_labels if name not in known)
        return {name: count for name, count in sorted(counts.items()) if count < MIN_CLASS}

    def rows(self, known: NDArray[np.bool_], training_labels: TrainingLabels) -> NDArray[np.intp]:
        """The galaxies that a fit uses, of those whose values are known, (N,)."""
        names, codes = self.coded(training_labels)
        if UNUSED in names:
            known = known & (codes != names.index(UNUSED))
        judged = [row for row, _ in training_labels]
        return drawn_rows(known, codes == names.index(NORMAL), judged)

    def classes(
        self, training_labels: TrainingLabels, rows: NDArray[np.intp] | None = None
    ) -> NDArray[np.str_]:
        """The class of some galaxies, or of each, (N,): its label's, else the catalogue's."""
        names, codes = self.coded(training_labels)
        return np.array(names)[codes if rows is None else codes[rows]]

    def _coded(self, training_labels: TrainingLabels) -> tuple[list[str], NDArray[np.int16]]:
        """The classes, and each galaxy's as an index into them, (N,)."""
        small = self.small(training_labels)
        taught = [(row, UNUSED if name in small else name) for row, name in training_labels]
        return _coded(self._populations, taught, len(self._store))

    def _job(self, key: tuple[object, ...], call: Callable[[Job], Any]) -> Job:
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.future.cancelled():
                job = self._jobs[key] = Job(call, self._worker)
            self._jobs.move_to_end(key)
            done = [key for key, job in self._jobs.items() if job.future.done()]
            for old in done[:-KEPT]:
                del self._jobs[old]
            return job

    def _score(self, space: Space, training_labels: TrainingLabels, job: Job) -> ClassifierResult:
        job.tell("fitting SVM and trees", 0.0)
        features = self._store.feature_columns(*space)
        count, rows = len(features), self.rows(_known(features), training_labels)
        fitted = fit_score(features.take(rows), self.classes(training_labels, rows))
        score = np.full(count, np.nan, np.float32)
        margin = np.full(count, np.nan, np.float32)
        probability = np.full((count, len(fitted.classes[1:])), np.nan, np.float32)
        for part in slices(0, count if fitted.classes else 0, CHUNK):
            job.tell(f"scoring galaxy {part.start:,} of {count:,}", part.start / count)
            margins = fitted.margins(features.take(part))
            score[part], margin[part] = fitted.score(margins), margins.max(axis=1)
            probability[part] = fitted.probabilities(margins)
        self._store.release()
        return ClassifierResult(score, margin, probability, fitted)

    def _trials(self, space: Space, training_labels: TrainingLabels, job: Job) -> Trials:
        job.tell("cross-validating", 0.0)
        features = self._store.feature_columns(*space)
        rows = self.rows(_known(features), training_labels)
        values, classes = features.take(rows), self.classes(training_labels, rows)
        parts = []
        for seed in range(REPEATS):
            job.tell(f"cross-validating, {FOLDS} folds, {seed + 1} of {REPEATS}", seed / REPEATS)
            parts.append(repeated_folds(values, classes, seed, FOLDS, 1))
        tests = tuple(test for part in parts for test in part.tests)
        return Trials(parts[0].classes, tests, parts[0].left_out)


def _coded(
    populations: Populations, taught: Sequence[tuple[int, str]], count: int
) -> tuple[list[str], NDArray[np.int16]]:
    rare = populations.marked
    names = list(dict.fromkeys([NORMAL, *rare, *(name for _, name in taught)]))
    codes = np.zeros(count, np.int16)
    for name in rare:
        codes[populations.members(name)] = names.index(name)
    for row, name in taught:
        codes[row] = names.index(name)
    return names, codes


def _known(features: FeatureColumns) -> NDArray[np.bool_]:
    """Which galaxies have all features, (N,)."""
    known = np.empty(len(features), bool)
    for part in slices(0, len(known)):
        known[part] = np.isfinite(features.take(part)).all(axis=1)
    return known


def probability_choices(marked: Sequence[str], training_labels: TrainingLabels) -> dict[str, str]:
    """The titles and keys of the probabilities of the classifier's classes.

    Args:
        marked: The catalogue's rare populations; classes that only labels make come after them.
        training_labels: What people have taught.
    """
    named = {name for _, name in training_labels} - {NORMAL, UNUSED, *marked}
    classes = [*marked, *sorted(named)]
    return {f"P({population_title(name)})": f"{PROBABILITY}{name}" for name in classes}


def class_rates(trials: Trials) -> list[ClassRates]:
    """The rates of each rare class, with Wilson intervals of its number of galaxies."""
    listed = []
    for name in trials.classes[1:] if trials.tests else ():
        rates = trials.rates(name)
        shares = [
            (hits / of_all, *wilson_interval(hits / REPEATS, of_all / REPEATS))
            for hits, of_all in (
                (rates.hits, rates.members),
                (rates.false_alarms, rates.normal),
            )
        ]
        listed.append(ClassRates(name, rates.members // REPEATS, *shares))
    return listed
