"""Rare galaxies in a latent space: support vector machines that set them apart.

The classes are ``normal`` and each rare population; every other population is normal, those that
only resemble the rare ones too. Shapes are written with N galaxies, D latents and C classes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from imblearn.pipeline import Pipeline

__all__ = [
    "MAX_NORMAL",
    "NORMAL",
    "UNUSED",
    "SvmGalaxies",
    "SvmScore",
    "anomaly_score",
    "balance",
    "classes_of",
    "fit_score",
    "load_packages",
    "margin_from_normal",
    "pipeline",
    "stratified_splits",
    "training_rows",
]

NORMAL = "normal"
UNUSED = ""  # the class of a galaxy that no fit may use
MIN_EXPONENT = -60.0  # of a kernel's exponent; much less gives denormal numbers, which are slow
_LOADING = Lock()
BLOCK = 512  # galaxies whose kernel fits a processor's cache
MAX_NORMAL = 5000  # an RBF SVM's time grows with the square of its galaxies
SMOTE_NEIGHBOURS = 5  # as in Chawla et al. (2002), and imblearn's default


def classes_of(population: Iterable[str], rare: Sequence[str]) -> NDArray[np.str_]:
    """Each galaxy's class: its population if that is rare, else ``normal``."""
    return np.array([item if item in rare else NORMAL for item in population], dtype=np.str_)


def balance(
    values: NDArray[np.float64], classes: NDArray[Any], seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Oversample every class to the size of the largest by synthetic galaxies (SMOTE).

    A synthetic galaxy lies between one of its class and one of that one's 5 nearest in the
    class, or of all where the class is smaller; a class of a single galaxy repeats it.

    Reference:
        Chawla et al. (2002), Journal of Artificial Intelligence Research 16, 321.

    Args:
        values: The latents (N, D), finite.
        classes: Their classes (N,).
        seed: Fixes what is synthetic.
    """
    load_packages()
    from imblearn.over_sampling import SMOTE, RandomOverSampler

    names, counts = np.unique(classes, return_counts=True)
    for name, count in zip(names, counts, strict=True):
        wanted = {name: int(counts.max())}
        near = min(SMOTE_NEIGHBOURS, int(count) - 1)
        if near < 1:
            sampler = RandomOverSampler(sampling_strategy=wanted, random_state=seed)
        else:
            sampler = SMOTE(sampling_strategy=wanted, k_neighbors=near, random_state=seed)
        if count < counts.max():
            values, classes = sampler.fit_resample(values, classes)
    return values, classes


def pipeline(kind: Literal["default", "paper"] = "default", seed: int = 0) -> "Pipeline":
    """An unfitted RBF SVM with its scaler and SMOTE, which act on what it is fitted to only.

    ``paper`` is the published code's: scaled after SMOTE, ``gamma`` 1/D. ``default`` scales by
    the real galaxies alone, and ``gamma`` is 1 / (D variance).

    Reference: Gagliano & Villar (2023), section 4, https://arxiv.org/abs/2312.16687
    """
    load_packages()
    from imblearn import FunctionSampler
    from imblearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    smote = ("smote", FunctionSampler(func=balance, kw_args={"seed": seed}))
    scaler = ("scaler", StandardScaler())
    gamma = "auto" if kind == "paper" else "scale"
    svm = ("svm", SVC(kernel="rbf", gamma=gamma, decision_function_shape="ovo"))
    return Pipeline([smote, scaler, svm] if kind == "paper" else [scaler, smote, svm])


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
    kept = finite & (classes != UNUSED)
    normal = kept & (classes == NORMAL)
    certain = np.zeros(len(classes), dtype=bool)
    certain[np.asarray(judged, dtype=np.intp)] = True
    drawn = np.flatnonzero(normal & ~certain)
    room = max(MAX_NORMAL - int((normal & certain).sum()), 0)
    if len(drawn) > room:
        drawn = np.random.default_rng(seed).choice(drawn, room, replace=False)
    kept[normal] = certain[normal]
    kept[drawn] = True
    return np.flatnonzero(kept)


@dataclass(frozen=True)
class SvmScore:
    r"""The RBF SVM of some classes, ready to score any number of galaxies.

    Of the SVM's pairs of classes those that have ``normal`` count. Each has a decision
    :math:`f_j`, here positive on the side of the rare class j, and Platt's sigmoid makes it the
    probability :math:`r_j` of ``normal`` in that pair; the pairs are coupled to

    .. math::
        P(\text{normal}) = 1 \Big/ \Big( \sum_{j=1}^{C-1} \frac{1}{r_j} - (C - 2) \Big)

    Reference:
        Platt (1999), Advances in Large Margin Classifiers, 61; Price et al. (1995), Advances in
        Neural Information Processing Systems 7, 1109.

    Args:
        classes: The classes it was fitted to, ``normal`` first; none if there were fewer than 2.
        used: How many galaxies of each, before SMOTE; ``left_out`` says why a class is not used.
        svm: The fitted pipeline; None where there are no classes.
        sigmoids: Slope and offset of each rare class's sigmoid, (C - 1, 2).
    """

    classes: tuple[str, ...]
    used: Mapping[str, int]
    left_out: Mapping[str, str]
    svm: "Pipeline | None"
    sigmoids: NDArray[np.float64]

    def margins(self, values: ArrayLike) -> NDArray[np.float32]:
        """How far on each rare class's side galaxies lie, (M, C - 1); NaN for latents with NaN.

        The same as the pipeline's ``decision_function`` in single precision, and ten times
        sooner: libsvm evaluates its kernel galaxy by galaxy.

        Args:
            values: Their latents, (M, D).
        """
        values = np.asarray(values, dtype=np.float64)
        result = np.full((len(values), max(len(self.classes) - 1, 0)), np.nan, np.float32)
        if self.svm is None:
            return result
        support, weights, offsets, gamma = _kernel_of(self.svm)
        half = gamma * (support**2).sum(axis=1)
        with threadpool_limits(1, "blas"):  # threads wait for each other in so small products
            for start in range(0, len(values), BLOCK):
                block = self.svm["scaler"].transform(values[start : start + BLOCK])
                block = block.astype(np.float32)
                kernel = (2 * gamma * block) @ support.T
                kernel -= half + gamma * (block**2).sum(axis=1, keepdims=True)
                np.maximum(kernel, MIN_EXPONENT, out=kernel)
                parts = np.exp(kernel, out=kernel) @ weights
                result[start : start + BLOCK] = parts + offsets
        return result

    def score(self, margins: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """1 - P(normal) of galaxies with those margins, (M,); NaN where there are no classes.

        Args:
            margins: As ``margins`` gives them, (M, C - 1).
        """
        if self.svm is None:
            return np.full(len(margins), np.nan, np.float32)
        slopes, offsets = self.sigmoids.T
        # 1 / r of each pair is one plus the odds against normal.
        odds = np.exp(np.clip(-(margins * slopes + offsets), -80, 80)).sum(axis=1)
        return (odds / (1 + odds)).astype(np.float32)


def fit_score(
    values: ArrayLike, classes: Sequence[str] | NDArray[np.str_], seed: int = 0
) -> SvmScore:
    """Fit the SVM whose score is the probability of not being normal.

    The SVM is ``pipeline("default")`` on all rare and at most 5,000 normal galaxies. Its sigmoids
    are fitted to what SVMs of up to five folds say of the galaxies that they have not seen, at
    the shares of that training set.

    Args:
        values: The latents (N, D); galaxies with NaN take no part.
        classes: Each galaxy's class, (N,); one of fewer than 2 galaxies is left out.
        seed: Fixes the normal galaxies, the folds and the synthetic galaxies.
    """
    values = np.asarray(values, dtype=np.float64)
    fitting = SvmGalaxies.of(values, np.asarray(classes, dtype=np.str_), seed)
    counts = np.bincount(fitting.codes, minlength=len(fitting.names))
    used = dict(zip(fitting.names, counts.tolist(), strict=True))
    if len(fitting.names) < 2:
        return SvmScore((), used, fitting.left_out, None, np.zeros((0, 2)))
    table, codes = values[fitting.rows], fitting.codes
    held_out = np.zeros((len(codes), len(fitting.names) - 1))
    for held in stratified_splits(codes, seed, 1, min(5, int(counts.min()))):
        svm = pipeline("default", seed).fit(table[~held], codes[~held])
        held_out[held] = margin_from_normal(svm.decision_function(table[held]), len(fitting.names))
    pairs = [(codes == 0) | (codes == code) for code in range(1, len(fitting.names))]
    sigmoids = [
        _sigmoid(held_out[pair, place], codes[pair] == 0) for place, pair in enumerate(pairs)
    ]
    svm = pipeline("default", seed).fit(table, codes)
    return SvmScore(fitting.names, used, fitting.left_out, svm, np.array(sigmoids))


def anomaly_score(
    values: ArrayLike, population: Iterable[str], rare: Sequence[str], seed: int = 0
) -> NDArray[np.float64]:
    """The anomaly score of each galaxy: 1 - P(normal) of the RBF SVM on these latents.

    Args:
        values: The latents (N, D); a galaxy with NaN gets NaN.
        population: Each galaxy's population, N.
        rare: The rare populations; one of fewer than 2 galaxies is left out.
        seed: Fixes the normal galaxies, the folds and the synthetic galaxies.

    Returns:
        The score in [0, 1], (N,), as ``SvmScore`` defines it; NaN for all where no rare
        population is left.
    """
    fitted = fit_score(values, classes_of(population, rare), seed)
    return fitted.score(fitted.margins(values)).astype(np.float64)


@dataclass(frozen=True)
class SvmGalaxies:
    """Those that a fit may use: finite, of a class with at least 2, at most 5,000 normal."""

    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    names: tuple[str, ...]
    left_out: dict[str, str]

    @classmethod
    def of(
        cls, values: NDArray[np.float64], classes: NDArray[np.str_], seed: int
    ) -> "SvmGalaxies":
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


def load_packages() -> None:
    """Import scikit-learn and imbalanced-learn, one thread at a time.

    Of two threads that begin at once, one may see half of them and fail.
    """
    with _LOADING:
        for name in ("imblearn.pipeline", "sklearn.linear_model", "sklearn.multiclass"):
            import_module(name)


def _sigmoid(margins: NDArray[np.float64], normal: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of P(normal) along a margin, to Platt's targets short of 0 and 1."""
    from sklearn.linear_model import LogisticRegression

    count = int(normal.sum())
    target = np.where(normal, (count + 1) / (count + 2), 1 / (len(normal) - count + 2))
    twice = np.concatenate([margins, margins])[:, None]
    answers = np.repeat([1, 0], len(margins))
    line = LogisticRegression(C=np.inf).fit(twice, answers, np.concatenate([target, 1 - target]))
    return float(line.coef_[0, 0]), float(line.intercept_[0])


def _kernel_of(
    svm: "Pipeline",
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], np.float32]:
    """Support vectors (V, D), their weights (V, C - 1) and offsets in each margin, and gamma.

    Scikit-learn keeps the weights of the pair of class 0 and class j in row j - 1 for class 0's
    support vectors, in row 0 for class j's; two classes have the opposite sign.
    """
    machine = svm["svm"]
    ends = np.cumsum(machine.n_support_)
    weights = np.zeros((ends[-1], len(ends) - 1))
    weights[: ends[0]] = machine.dual_coef_[:, : ends[0]].T
    for place, (start, end) in enumerate(pairwise(ends)):
        weights[start:end, place] = machine.dual_coef_[0, start:end]
    sign = 1 if len(ends) == 2 else -1
    offsets = sign * machine.intercept_[: len(ends) - 1]
    support = machine.support_vectors_.astype(np.float32)
    parts = support, (sign * weights).astype(np.float32), offsets.astype(np.float32)
    return *parts, np.float32(machine._gamma)


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


def margin_from_normal(decision: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Of the pairwise decisions those against normal (class 0), positive for the rare class."""
    if decision.ndim == 1:
        return decision[:, None]
    return -decision[:, : classes - 1]
