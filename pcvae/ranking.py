"""Metrics of a ranking: precision, recall at a rate, purity in a field survey.

Shapes are written with n galaxies. A galaxy without a score drops out; a figure that needs more
galaxies than there are is NaN.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcvae.metrics import Floats

__all__ = [
    "RARE_SHARE",
    "at_base_rate",
    "average_precision",
    "listed_purity",
    "precision_at",
    "purity",
    "recall_at",
]

RARE_SHARE = 0.001  # of a class in the survey for which purity is stated


def average_precision(ranking: ArrayLike, rare: ArrayLike) -> float:
    r"""The area under precision against recall, :math:`\sum_k (R_k - R_{k-1}) P_k` (Zhu 2004).

    Args:
        ranking: A score, higher for rarer, (n,).
        rare: Which galaxies are rare, (n,).
    """
    from sklearn.metrics import average_precision_score

    return _ranked(ranking, rare, lambda s, r: average_precision_score(r, s))


def precision_at(ranking: ArrayLike, rare: ArrayLike, k: int) -> float:
    """The share of rare galaxies among the k that rank highest (all, if there are fewer)."""
    return _ranked(ranking, rare, lambda s, r: r[np.argsort(-s, kind="stable")[:k]].mean())


def recall_at(ranking: ArrayLike, rare: ArrayLike, false_positive_rate: float) -> float:
    """The share of rare galaxies above the threshold that so many others pass at most.

    It is a point of the ROC curve: Fawcett (2006), Pattern Recognition Letters 27, 861.
    """

    def above(scores: Floats, among: NDArray[np.bool_]) -> float:
        others = scores[~among]
        place = len(others) - 1 - int(np.floor(false_positive_rate * len(others)))
        threshold = np.partition(others, place)[place]
        return float((scores[among] > threshold).mean())

    return _ranked(ranking, rare, above)


def purity(recall: float, false_positive_rate: float, base_rate: float) -> float:
    r"""The share of rare galaxies among those called rare, where a share b is rare.

    .. math::
        \frac{b \, \mathrm{recall}}{b \, \mathrm{recall} + (1 - b) \, \mathrm{FPR}}

    Reference: Axelsson (2000), ACM TISSEC 3, 186 (the base-rate fallacy), eq. 8.

    Example:
        >>> round(purity(recall=0.94, false_positive_rate=0.05, base_rate=0.001), 3)
        0.018
    """
    called = base_rate * recall + (1 - base_rate) * false_positive_rate
    return float(base_rate * recall / called) if called > 0 else np.nan


def listed_purity(recall: float, listed: int, searched: int, base_rate: float) -> float:
    r"""The share of rare galaxies to be expected in a list, :math:`N b R / n`, at most 1.

    Args:
        recall: R, the share of the rare galaxies that the list holds.
        listed: n, its length.
        searched: N, the galaxies that were ranked.
        base_rate: The share b of rare galaxies among those.

    Example:
        >>> listed_purity(recall=0.5, listed=60, searched=60_000, base_rate=0.001)
        0.5
    """
    return min(1.0, searched * base_rate * recall / listed) if listed else np.nan


def at_base_rate(
    probability: NDArray[np.floating], trained_rate: float, base_rate: float
) -> NDArray[np.float64]:
    r"""The probability of a class where another share of all galaxies is of it.

    .. math::
        \frac{p}{1 - p} \; \to \; \frac{p}{1 - p} \, \frac{b / (1 - b)}{t / (1 - t)}

    Reference: Saerens et al. (2002), Neural Computation 14, 21, eq. 2.4.

    Args:
        probability: By a classifier, (n,).
        trained_rate: The share t of the class among the galaxies that it was fitted to.
        base_rate: The share b that is meant.

    Example:
        >>> at_base_rate(np.array([0.5, 0.99]), 0.1, 0.001).round(3).tolist()
        [0.009, 0.471]
    """
    known = np.clip(np.asarray(probability, dtype=np.float64), 1e-12, 1 - 1e-12)
    odds = known / (1 - known) * (base_rate / (1 - base_rate)) * (1 - trained_rate) / trained_rate
    return np.asarray(odds / (1 + odds))


def _ranked(
    ranking: ArrayLike, rare: ArrayLike, measure: Callable[[Floats, NDArray[np.bool_]], float]
) -> float:
    scores, among = np.asarray(ranking, dtype=np.float64), np.asarray(rare, dtype=bool)
    known = np.isfinite(scores)
    scores, among = scores[known], among[known]
    if not among.any() or among.all():
        return np.nan
    return float(measure(scores, among))
