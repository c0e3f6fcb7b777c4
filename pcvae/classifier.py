"""What tells rare classes from normal galaxies: an RBF SVM, and gradient-boosted trees.

Shapes are written with N galaxies, D features and C classes, of which class 0 is ``normal``.
"""

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
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = [
    "MIN_TREES",
    "Classifier",
    "balance",
    "fit_trees",
    "load_packages",
    "margin_from_normal",
    "pipeline",
    "svm_margins",
    "tree_margins",
]

_LOADING = Lock()
BLOCK = 512  # galaxies whose kernel fits a processor's cache
MIN_EXPONENT = -60.0  # of a kernel's exponent; much less gives denormal numbers, which are slow
MIN_TREES = 20  # galaxies of a class from which on trees tell it better than the SVM alone
SVM_WEIGHT = 3.0  # logarithm of the odds for a unit of the SVM's decision
SMOTE_NEIGHBOURS = 5  # as in Chawla et al. (2002), and imblearn's default
TINY = 1e-300  # the least probability, for a logarithm


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


def fit_trees(
    table: NDArray[np.float64], codes: NDArray[np.intp], seed: int = 0
) -> "HistGradientBoostingClassifier":
    """Gradient-boosted trees, each split of which saw a random half of the features.

    In one thread: several gain nothing on so few galaxies, and where other work shares the
    processor they wait for each other, twenty times as long.

    Reference: Friedman (2001), Annals of Statistics 29, 1189.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(
        learning_rate=0.05, max_features=0.5, early_stopping=False, random_state=seed
    )
    with threadpool_limits(1, "openmp"):
        return trees.fit(table, codes)


@dataclass(frozen=True)
class Classifier:
    r"""The RBF SVM of some classes, and trees beside it for those that are large enough.

    The margin of rare class j of :math:`n_j` galaxies weighs the SVM's decision :math:`f_j`
    against ``normal`` and, from 20 galaxies on, the odds that the trees give:

    .. math::
        m_j = 3 f_j + \ln \frac{p_j}{p_0} + \ln \frac{n_0}{n_j}

    Both are zero where the classes are as likely, were they of one size. Trees find the sparse
    ends of a distribution better, the SVM what few examples show.

    Args:
        svm: The fitted pipeline.
        trees: The fitted trees; None where no class is large enough.
        counts: The galaxies of each class, (C,).
    """

    svm: "Pipeline"
    trees: "HistGradientBoostingClassifier | None"
    counts: NDArray[np.intp]

    @classmethod
    def fit(
        cls, table: NDArray[np.float64], codes: NDArray[np.intp], seed: int = 0
    ) -> "Classifier":
        """Fit both to features (N, D), finite, and the indices of their classes (N,)."""
        counts = np.bincount(codes)
        large = (counts[1:] >= MIN_TREES).any()
        trees = fit_trees(table, codes, seed) if large else None
        return cls(pipeline("default", seed).fit(table, codes), trees, counts)

    def margins(self, values: ArrayLike) -> NDArray[np.float32]:
        """How far on each rare class's side galaxies lie, (M, C - 1); NaN for features with NaN.

        Args:
            values: Their features, (M, D).
        """
        values = np.asarray(values, dtype=np.float64)
        result = np.float32(SVM_WEIGHT) * svm_margins(self.svm, values)
        if self.trees is not None and len(values):
            large = self.counts[1:] >= MIN_TREES
            told = tree_margins(self.trees, values) + np.log(self.counts[0] / self.counts[1:])
            result[:, large] += told[:, large].astype(np.float32)
        return result

    @staticmethod
    def predict(margins: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
        """The class (M,) of each galaxy: that of the largest margin above zero, else normal."""
        best = np.asarray(margins.argmax(axis=1), dtype=np.intp)
        return np.where(np.take_along_axis(margins, best[:, None], 1)[:, 0] > 0, best + 1, 0)


def tree_margins(
    trees: "HistGradientBoostingClassifier", values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The logarithm of the odds of each rare class against normal, (M, C - 1)."""
    with threadpool_limits(1, "openmp"):
        odds = np.log(np.maximum(trees.predict_proba(values), TINY))
    result: NDArray[np.float64] = odds[:, 1:] - odds[:, :1]
    return result


def svm_margins(svm: "Pipeline", values: NDArray[np.float64]) -> NDArray[np.float32]:
    """The SVM's decisions for each rare class against normal, (M, C - 1); NaN for NaN.

    The same as the pipeline's ``decision_function`` in single precision, and ten times sooner:
    libsvm evaluates its kernel galaxy by galaxy.

    Args:
        svm: The fitted pipeline.
        values: Features, (M, D).
    """
    support, weights, offsets, gamma = _kernel_of(svm)
    result = np.full((len(values), len(offsets)), np.nan, np.float32)
    half = gamma * (support**2).sum(axis=1)
    with threadpool_limits(1, "blas"):  # threads wait for each other in so small products
        for start in range(0, len(values), BLOCK):
            block = svm["scaler"].transform(values[start : start + BLOCK])
            block = block.astype(np.float32)
            kernel = (2 * gamma * block) @ support.T
            kernel -= half + gamma * (block**2).sum(axis=1, keepdims=True)
            np.maximum(kernel, MIN_EXPONENT, out=kernel)
            parts = np.exp(kernel, out=kernel) @ weights
            result[start : start + BLOCK] = parts + offsets
    return result


def load_packages() -> None:
    """Import scikit-learn and imbalanced-learn, one thread at a time.

    Of two threads that begin at once, one may see half of them and fail.
    """
    with _LOADING:
        import_module("imblearn.pipeline")
        for name in ("ensemble", "linear_model", "multiclass"):
            import_module(f"sklearn.{name}")


def margin_from_normal(decision: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Of the pairwise decisions those against normal (class 0), positive for the rare class."""
    if decision.ndim == 1:
        return decision[:, None]
    return -decision[:, : classes - 1]


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
