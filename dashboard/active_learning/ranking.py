"""The quantities by which the queue ranks galaxies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import MIN_CLASS, ClassifierResult, probability_choices
from dashboard.backend.datastore import DataStore
from dashboard.backend.neighbour_index import MOVED_AMONG
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import MOVED, PROBABILITY, Quantity
from dashboard.backend.typography import MINUS
from dashboard.state import State
from pcvae.anomaly import NORMAL
from pcvae.ranking import RARE_SHARE, at_base_rate

__all__ = [
    "ERROR",
    "caption_of",
    "expected_purity",
    "offer_ranks",
    "queued",
    "rank_choices",
    "rank_column",
    "rank_words",
    "ranking",
    "waiting_for",
    "why_none",
    "worth_of",
]

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
    """The rows of the queued galaxies, highest rank first.

    Args:
        by: ``margin``, nearest to zero first; all else the largest first.
        values: That value of each galaxy, (N,); those with NaN are left out.
        kept: Which galaxies are queued, (N,).
        most: The largest number of rows.

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
    """The caption of a stamp in the queue.

    Example:
        >>> caption_of("score", 0.98765), caption_of("error", 0.00012)
        ('score 0.988', 'error 0.00012')
    """
    text = f"{value:.2g}" if by == "error" else f"{value:.3f}"
    name = "P" if by.startswith(PROBABILITY) else "moved" if by.startswith(MOVED) else by
    return f"{name} {text}".replace("-", MINUS)


def ranking(datastore: DataStore, state: State) -> NDArray[Any] | None:
    """The values that the queue is ranked by, (N,); None while they are not known."""
    rank = state.queue.rank
    if rank == "error":
        return datastore.columns.values(state.model, ERROR)
    if rank.startswith(MOVED):
        job = datastore.neighbours.moved(state.model, rank.removeprefix(MOVED))
        return job.result() if job.done() and not job.exception() else None
    result = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
    if result is None:
        return None
    if rank.startswith(PROBABILITY):
        return result.of_class(rank.removeprefix(PROBABILITY))
    return result.margin if rank == "margin" else result.score


def rank_choices(datastore: DataStore, state: State) -> dict[str, str]:
    """The titles and keys of all that the queue can be ranked by."""
    classes = probability_choices(datastore.populations.marked, state.queue.training_labels)
    first = {"Anomaly score": "score"} | classes
    others = [name for name in datastore.models if name != state.model]
    moved = {f"Moved from {name}": f"{MOVED}{name}" for name in others}
    return first | {"Closest to the boundary": "margin", "Reconstruction error": "error"} | moved


def offer_ranks(datastore: DataStore, state: State) -> None:
    """Let the queue be ranked by the classes that there are now."""
    queue, offered = state.queue, rank_choices(datastore, state)
    if offered != queue.param.rank.get_range():
        kept = queue.rank if queue.rank in offered.values() else "score"
        queue.param.rank.objects = offered
        queue.rank = kept


def rank_words(rank: str) -> str:
    """How a queue is sorted.

    Example:
        >>> rank_words("derived.class.green_pea")
        'by P(Green Pea)'
    """
    if rank.startswith(MOVED):
        other = rank.removeprefix(MOVED)
        return f"by the share of their {MOVED_AMONG} nearest that differ from {other}'s"
    return BY.get(rank, f"by P({population_title(rank.removeprefix(PROBABILITY))})")


def expected_purity(rank: str, result: ClassifierResult | None, rows: NDArray[np.intp]) -> str:
    """The purity to be expected of some galaxies ranked by a probability, in words.

    The mean of their probabilities where one galaxy in 1,000 is of the class; of the anomaly
    score, where one is of each. Nothing is said of galaxies ranked by something else.
    """
    name = rank.removeprefix(PROBABILITY)
    if result is None or not len(rows) or not (rank == "score" or name in result.classes):
        return ""
    classes = result.classes if rank == "score" else (name,)
    probability = result.score if rank == "score" else result.of_class(name)
    wanted = sum(result.fitted.used[item] for item in classes)
    trained = wanted / (wanted + result.fitted.used[NORMAL])
    there = RARE_SHARE * len(classes)
    share = np.nanmean(at_base_rate(probability[rows], trained, there))
    each = " of each class" if len(classes) > 1 else ""
    return f"; {share:.0%} of these expected true at 1 in 1,000{each}"


def rank_column(rank: str) -> str:
    """The column of an exported list that has what it is ranked by.

    Example:
        >>> rank_column("derived.class.green_pea"), rank_column("score")
        ('p_green_pea', 'anomaly_score')
    """
    if rank.startswith(MOVED):
        return f"moved_from_{rank.removeprefix(MOVED)}"
    names = {"score": "anomaly_score", "margin": "margin", "error": "recon_error"}
    return names.get(rank, f"p_{rank.removeprefix(PROBABILITY)}")


def waiting_for(datastore: DataStore, state: State) -> str:
    """The progress of the fit that the ranking waits for, or why it failed."""
    if state.queue.rank.startswith(MOVED):
        other = state.queue.rank.removeprefix(MOVED)
        compared = datastore.neighbours.moved(state.model, other)
        if compared.done() and compared.exception():
            return f"No comparison with {other}: {compared.exception()}"
        return f"Comparing the neighbours of all galaxies with those by {other} …"
    job = datastore.classifier_jobs.job("score", state.space, state.queue.training_labels)
    if job is not None and job.failure:
        return job.failure
    words = state.progress.classifier_status or "fitting SVM and trees"
    return f"{words[0].upper()}{words[1:]} …"


def queued(
    datastore: DataStore,
    state: State,
    values: NDArray[Any],
    labelled: set[int],
) -> NDArray[np.bool_]:
    """Which galaxies are queued, (N,): of the focus and unlabelled, as is chosen."""
    kept, queue = np.isfinite(values), state.queue
    if queue.focus_only and state.selection.focus is not None:
        kept &= state.selection.focus
    if queue.unlabelled:
        kept &= datastore.populations.normal
        kept[list(labelled)] = False
    return kept


def why_none(values: NDArray[Any]) -> str:
    """Why the queue is empty."""
    if not np.isfinite(values).any():
        return (
            f"There is no class to be told from the normal galaxies. Label at least {MIN_CLASS} "
            f"alike, then refit; or rank by reconstruction error."
        )
    return "Every galaxy of this queue is labelled or of a class that the catalogue knows."
