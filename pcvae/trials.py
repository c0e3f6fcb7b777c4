"""The trials of a classifier on galaxies that it was not fitted to, and their rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcvae.anomaly import FitGalaxies, stratified_splits
from pcvae.classifier import (
    Classifier,
    fit_trees,
    load_packages,
    margin_from_normal,
    pipeline,
    tree_margins,
)

__all__ = [
    "HeldOut",
    "Kind",
    "Rates",
    "Trials",
    "paper_trials",
    "repeated_folds",
    "wilson_interval",
]

Kind = Literal["default", "svm", "trees", "paper"]


def wilson_interval(k: float, n: float, level: float = 0.95) -> tuple[float, float]:
    r"""The Wilson score interval of a share, k of n.

    .. math::
        \frac{1}{1 + z^2/n} \left[ \hat p + \frac{z^2}{2n}
            \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}} \right]

    Reference:
        Wilson (1927), Journal of the American Statistical Association 22, 209.

    Args:
        k: How many; a mean over repeats may be a fraction.
        n: Of how many; none of none gives NaN.
        level: The probability that the interval covers.

    Example:
        >>> [round(float(end), 3) for end in wilson_interval(8, 10)]
        [0.49, 0.943]
    """
    if n <= 0:
        return np.nan, np.nan
    z, share = NormalDist().inv_cdf((1 + level) / 2), k / n
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (share + z**2 / (2 * n) + np.array([-half, half])) / (1 + z**2 / n)
    return float(low) if k > 0 else 0.0, float(high) if k < n else 1.0


@dataclass(frozen=True)
class HeldOut:
    """The result of one trial for the n galaxies that it was not fitted to.

    Args:
        rows: Their rows, (n,).
        truth: Indices of their classes, (n,).
        predicted: Indices of the classes given to them, (n,).
        margin: How far on each rare class's side of what separates it from the normal ones,
            (n, C - 1).
    """

    rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    predicted: NDArray[np.intp]
    margin: NDArray[np.float64]


@dataclass(frozen=True)
class Rates:
    """The rates of one rare class: means and standard deviations over trials, and counts.

    Args:
        recall: The share of its galaxies that were given to it; ``recall_std`` its spread.
        false_positive_rate: The share of the normal galaxies that were given to it; and spread.
        hits: How many of its ``members`` were given to it, in all trials together.
        false_alarms: How many ``normal`` galaxies were, in all trials together.
    """

    recall: float
    recall_std: float
    false_positive_rate: float
    false_positive_rate_std: float
    hits: int
    members: int
    false_alarms: int
    normal: int


@dataclass(frozen=True)
class Trials:
    """Several fits of a classifier, each tested on galaxies that it has not seen.

    The classes begin with ``normal``; ``left_out`` says why a class is not among them.
    """

    classes: tuple[str, ...]
    tests: tuple[HeldOut, ...]
    left_out: Mapping[str, str]

    def confusion(self) -> NDArray[np.intp]:
        """The counts (trials, C, C): of each true class (row), how many went to each class."""
        size = len(self.classes)
        flat = [np.bincount(t.truth * size + t.predicted, minlength=size**2) for t in self.tests]
        return np.array(flat, dtype=np.intp).reshape(-1, size, size)

    def rates(self, name: str) -> Rates:
        """The rates of a rare class."""
        index, counts = self.classes.index(name), self.confusion()
        hits, alarms = counts[:, index, index], counts[:, 0, index]
        members, normal = counts[:, index].sum(axis=1), counts[:, 0].sum(axis=1)
        # A fold of a small class may hold none of its galaxies.
        recall, false_rate = hits[members > 0] / members[members > 0], alarms / normal
        spreads = float(recall.std()), float(false_rate.std())
        totals = (int(count.sum()) for count in (hits, members, alarms, normal))
        return Rates(
            float(recall.mean()), spreads[0], float(false_rate.mean()), spreads[1], *totals
        )


def paper_trials(
    values: ArrayLike, classes: Sequence[str] | NDArray[np.str_], seed: int = 0, trials: int = 5
) -> Trials:
    """The published experiment: random splits 80/20 that keep the classes' shares.

    The SVM is ``pipeline("paper")``; SMOTE sees the training part only.

    Args:
        values: The latents (N, D); galaxies with NaN take no part.
        classes: Each galaxy's class, (N,); one of fewer than 2 galaxies is left out.
        seed: Fixes the splits and the synthetic galaxies.
        trials: How many splits.
    """
    return _trials(values, classes, seed, ("paper", trials, 0))


def repeated_folds(
    values: ArrayLike,
    classes: Sequence[str] | NDArray[np.str_],
    seed: int = 0,
    folds: int = 5,
    repeats: int = 3,
    *,
    kind: Kind = "default",
) -> Trials:
    """Cross-validation in which every galaxy is tested once a repeat, classes kept.

    SMOTE sees the training part only.

    Args:
        values: The latents (N, D); they, ``classes`` and ``seed`` are as for ``paper_trials``.
        classes: Each galaxy's class, (N,).
        seed: Fixes all that is random.
        folds: Into how many parts; a class of fewer galaxies is missing in some.
        repeats: How often, with other folds each time.
        kind: ``default`` for a ``Classifier``, of SVM and trees; ``svm`` or ``trees`` for one of
            them alone; ``paper`` for the published SVM.
    """
    return _trials(values, classes, seed, (kind, repeats, folds))


def _trials(
    values: ArrayLike,
    classes: Sequence[str] | NDArray[np.str_],
    seed: int,
    plan: tuple[Kind, int, int],
) -> Trials:
    kind, repeats, folds = plan
    load_packages()
    values = np.asarray(values, dtype=np.float64)
    fitting = FitGalaxies.of(values, np.asarray(classes, dtype=np.str_), seed)
    if len(fitting.names) < 2:
        return Trials(fitting.names, (), fitting.left_out)
    table, tests = values[fitting.rows], []
    for held in stratified_splits(fitting.codes, seed, repeats, folds):
        given = table[~held], fitting.codes[~held], table[held]
        predicted, margin = _tell(kind, *given, seed)
        tests.append(HeldOut(fitting.rows[held], fitting.codes[held], predicted, margin))
    return Trials(fitting.names, tuple(tests), fitting.left_out)


def _tell(
    kind: Kind,
    table: NDArray[np.float64],
    codes: NDArray[np.intp],
    held: NDArray[np.float64],
    seed: int,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The classes and the margins that a classifier gives to galaxies held out."""
    if kind == "default":
        margin = Classifier.fit(table, codes, seed).margins(held).astype(np.float64)
        return Classifier.predict(margin), margin
    if kind == "trees":
        trees = fit_trees(table, codes, seed)
        return trees.predict(held), tree_margins(trees, held)
    svm = pipeline("paper" if kind == "paper" else "default", seed).fit(table, codes)
    decision = svm.decision_function(held)
    return svm.predict(held), margin_from_normal(decision, int(codes.max()) + 1)
