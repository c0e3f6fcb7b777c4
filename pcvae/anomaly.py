"""Rare galaxies: the score by which a classifier sets them apart from normal ones.

The classes are ``normal`` and each rare population; every other population is normal, those that
only resemble the rare ones too. Shapes are written with N galaxies, D features (latents,
photometry or both) and C classes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcvae.classifier import Classifier, load_packages

__all__ = [
    "MAX_NORMAL",
    "NORMAL",
    "UNUSED",
    "AnomalyScore",
    "FitGalaxies",
    "anomaly_score",
    "classes_of",
    "drawn_rows",
    "fit_score",
    "stratified_splits",
    "training_rows",
]

NORMAL = "normal"
UNUSED = ""  # the class of a galaxy that no fit may use
MAX_NORMAL = 5000  # an RBF SVM's time grows with the square of its galaxies


def classes_of(population: Iterable[str], rare: Sequence[str]) -> NDArray[np.str_]:
    """Each galaxy's class: its population if that is rare, else ``normal``."""
    return np.array([item if item in rare else NORMAL for item in population], dtype=np.str_)


def training_rows(
    values: ArrayLike,
    classes: Sequence[str] | NDArray[np.str_],
    judged: ArrayLike = (),
    seed: int = 0,
) -> NDArray[np.intp]:
    """The galaxies that a fit uses: all rare, and at most 5,000 normal ones drawn at random.

    Args:
        values: The latents (N, D); galaxies with NaN take no part.
        classes: Each galaxy's class, (N,); those of class ``UNUSED`` take no part.
        judged: Rows that a person has judged: they are used even if they are normal.
        seed: Fixes the draw.

    Returns:
        Their rows, growing.
    """
    finite = np.isfinite(np.asarray(values, dtype=np.float64)).all(axis=1)
    classes = np.asarray(classes, dtype=np.str_)
    return drawn_rows(finite & (classes != UNUSED), classes == NORMAL, judged, seed)


def drawn_rows(
    usable: NDArray[np.bool_], normal: NDArray[np.bool_], judged: ArrayLike = (), seed: int = 0
) -> NDArray[np.intp]:
    """As ``training_rows``, by which galaxies are usable and which normal, (N,) each."""
    kept, normal = usable.copy(), usable & normal
    certain = np.zeros(len(kept), dtype=bool)
    certain[np.asarray(judged, dtype=np.intp)] = True
    drawn = np.flatnonzero(normal & ~certain)
    room = max(MAX_NORMAL - int((normal & certain).sum()), 0)
    if len(drawn) > room:
        drawn = np.random.default_rng(seed).choice(drawn, room, replace=False)
    kept &= certain | ~normal
    kept[drawn] = True
    return np.flatnonzero(kept)


@dataclass(frozen=True)
class AnomalyScore:
    r"""The classifier of some classes, ready to score any number of galaxies.

    Platt's sigmoid makes the margin of each rare class j the probability :math:`r_j` of
    ``normal`` in that pair; the pairs are coupled to

    .. math::
        P(\text{normal}) = 1 \Big/ \Big( \sum_{j=1}^{C-1} \frac{1}{r_j} - (C - 2) \Big), \qquad
        P(j) = \Big( \frac{1}{r_j} - 1 \Big) P(\text{normal})

    Reference:
        Platt (1999), Advances in Large Margin Classifiers, 61; Price et al. (1995), Advances in
        Neural Information Processing Systems 7, 1109.

    Args:
        classes: The classes it was fitted to, ``normal`` first; none if there were fewer than 2.
        used: How many galaxies of each; ``left_out`` says why a class is not used.
        classifier: The fitted SVM and trees; None where there are no classes.
        sigmoids: Slope and offset of each rare class's sigmoid, (C - 1, 2).
    """

    classes: tuple[str, ...]
    used: Mapping[str, int]
    left_out: Mapping[str, str]
    classifier: Classifier | None
    sigmoids: NDArray[np.float64]

    def margins(self, values: ArrayLike) -> NDArray[np.float32]:
        """The margins (M, C - 1) of galaxies with those values (M, D), as of the classifier.

        They are NaN for values with NaN, and where there are no classes.
        """
        if self.classifier is None:
            return np.full((len(np.asarray(values)), 0), np.nan, np.float32)
        return self.classifier.margins(values)

    def score(self, margins: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """1 - P(normal) of galaxies with those margins, (M,); NaN where there are no classes.

        Args:
            margins: As ``margins`` gives them, (M, C - 1).
        """
        if self.classifier is None:
            return np.full(len(margins), np.nan, np.float32)
        odds = self._odds(margins).sum(axis=1)
        return (odds / (1 + odds)).astype(np.float32)

    def probabilities(self, margins: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """The probability of each rare class, (M, C - 1); their sum is the score.

        Args:
            margins: As ``margins`` gives them, (M, C - 1).
        """
        if self.classifier is None:
            return np.zeros((len(margins), 0), np.float32)
        odds = self._odds(margins)
        return np.asarray(odds / (1 + odds.sum(axis=1, keepdims=True)), dtype=np.float32)

    def _odds(self, margins: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """The odds of each rare class against ``normal``, 1 / r - 1, (M, C - 1)."""
        slopes, offsets = self.sigmoids.T
        odds: NDArray[np.float64] = np.exp(np.clip(-(margins * slopes + offsets), -80, 80))
        return odds


def fit_score(
    values: ArrayLike, classes: Sequence[str] | NDArray[np.str_], seed: int = 0
) -> AnomalyScore:
    """Fit the classifier whose score is the probability of not being normal.

    It is a ``Classifier`` on all rare and at most 5,000 normal galaxies. Its sigmoids are fitted
    to what classifiers of up to five folds say of the galaxies that they have not seen, at the
    shares of that training set.

    Args:
        values: The features (N, D); galaxies with NaN take no part.
        classes: Each galaxy's class, (N,); one of fewer than 2 galaxies is left out.
        seed: Fixes the normal galaxies, the folds, the synthetic galaxies and the trees.
    """
    load_packages()
    values = np.asarray(values, dtype=np.float64)
    fitting = FitGalaxies.of(values, np.asarray(classes, dtype=np.str_), seed)
    counts = np.bincount(fitting.codes, minlength=len(fitting.names))
    used = dict(zip(fitting.names, counts.tolist(), strict=True))
    if len(fitting.names) < 2:
        return AnomalyScore((), used, fitting.left_out, None, np.zeros((0, 2)))
    table, codes = values[fitting.rows], fitting.codes
    held_out = np.zeros((len(codes), len(fitting.names) - 1))
    for held in stratified_splits(codes, seed, 1, min(5, int(counts.min()))):
        held_out[held] = Classifier.fit(table[~held], codes[~held], seed).margins(table[held])
    pairs = [(codes == 0) | (codes == code) for code in range(1, len(fitting.names))]
    sigmoids = [
        _sigmoid(held_out[pair, place], codes[pair] == 0) for place, pair in enumerate(pairs)
    ]
    classifier = Classifier.fit(table, codes, seed)
    return AnomalyScore(fitting.names, used, fitting.left_out, classifier, np.array(sigmoids))


def anomaly_score(
    values: ArrayLike, population: Iterable[str], rare: Sequence[str], seed: int = 0
) -> NDArray[np.float64]:
    """The anomaly score of each galaxy: 1 - P(normal) of a classifier on these features.

    Args:
        values: The features (N, D); a galaxy with NaN gets NaN.
        population: Each galaxy's population, N.
        rare: The rare populations; one of fewer than 2 galaxies is left out.
        seed: Fixes the normal galaxies, the folds, the synthetic galaxies and the trees.

    Returns:
        The score in [0, 1], (N,), as ``AnomalyScore`` defines it; NaN for all where no rare
        population is left.
    """
    fitted = fit_score(values, classes_of(population, rare), seed)
    return fitted.score(fitted.margins(values)).astype(np.float64)


@dataclass(frozen=True)
class FitGalaxies:
    """Those that a fit may use: finite, of a class with at least 2, at most 5,000 normal."""

    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    names: tuple[str, ...]
    left_out: dict[str, str]

    @classmethod
    def of(
        cls, values: NDArray[np.float64], classes: NDArray[np.str_], seed: int
    ) -> "FitGalaxies":
        """Those of a table of values (N, D) and its classes (N,)."""
        finite = np.isfinite(values).all(axis=1)
        wanted = [NORMAL, *sorted(set(np.unique(classes).tolist()) - {NORMAL, UNUSED})]
        members = {name: np.flatnonzero(finite & (classes == name)) for name in wanted}
        left_out = {
            name: f"{len(rows)} galaxies with latents; 2 are needed"
            for name, rows in members.items()
            if len(rows) < 2
        }
        if len(members[NORMAL]) > MAX_NORMAL:
            chosen = np.random.default_rng(seed).choice(members[NORMAL], MAX_NORMAL, replace=False)
            members[NORMAL] = np.sort(chosen)
        names = () if NORMAL in left_out else tuple(n for n in wanted if n not in left_out)
        parts = [members[name] for name in names]
        rows = np.concatenate([np.zeros(0, dtype=np.intp), *parts])
        codes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return cls(rows, codes, names, left_out)


def _sigmoid(margins: NDArray[np.float64], normal: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of P(normal) along a margin, to Platt's targets short of 0 and 1."""
    from sklearn.linear_model import LogisticRegression

    count = int(normal.sum())
    target = np.where(normal, (count + 1) / (count + 2), 1 / (len(normal) - count + 2))
    twice = np.concatenate([margins, margins])[:, None]
    answers = np.repeat([1, 0], len(margins))
    line = LogisticRegression(C=np.inf).fit(twice, answers, np.concatenate([target, 1 - target]))
    return float(line.coef_[0, 0]), float(line.intercept_[0])


TEST_SHARE = 0.2  # Gagliano & Villar (2023), section 4


def stratified_splits(
    codes: NDArray[np.intp], seed: int, repeats: int, folds: int
) -> Iterator[NDArray[np.bool_]]:
    """Masks of what is held out: by folds, or (none) a random fifth of each class."""
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        part = np.zeros(len(codes), dtype=np.intp)
        for code in np.unique(codes):
            members = rng.permutation(np.flatnonzero(codes == code))
            if folds:
                part[members] = (np.arange(len(members)) + rng.integers(folds)) % folds
            else:
                part[members[: max(1, round(TEST_SHARE * len(members)))]] = 1
        yield from (part == fold for fold in (range(folds) if folds else (1,)))
