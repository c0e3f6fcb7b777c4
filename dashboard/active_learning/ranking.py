"""The quantities by which the queue ranks galaxies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import MIN_CLASS
from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import Quantity
from dashboard.backend.typography import MINUS
from dashboard.state import State

__all__ = ["BY", "ERROR", "caption_of", "worth_of"]


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
        by: ``score`` or ``error``, largest first; ``margin``, nearest to zero first.
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
    return f"{by} {text}".replace("-", MINUS)


def ranking(datastore: DataStore, state: State) -> NDArray[Any] | None:
    """The values that the queue is ranked by, (N,); None while they are not known."""
    if state.queue.rank == "error":
        return datastore.columns.values(state.model, ERROR)
    result = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
    return None if result is None else getattr(result, state.queue.rank)


def waiting_for(datastore: DataStore, state: State) -> str:
    """The progress of the fit that the ranking waits for, or why it failed."""
    job = datastore.classifier_jobs.job("score", state.space, state.queue.training_labels)
    if job is not None and job.failure:
        return job.failure
    words = state.progress.classifier_status or "fitting SVM and trees"
    return f"{words[0].upper()}{words[1:]} …"


def why_none(values: NDArray[Any]) -> str:
    """Why the queue is empty."""
    if not np.isfinite(values).any():
        return (
            f"There is no class to be told from the normal galaxies. Label at least {MIN_CLASS} "
            f"alike, then refit; or rank by reconstruction error."
        )
    return "Every galaxy of this queue is labelled or of a class that the catalogue knows."
