"""Decision boundaries of a linear SVM in a plane of two latents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pcvae.anomaly import FitGalaxies
from pcvae.classifier import balance, load_packages

__all__ = ["Boundaries", "boundary_grid"]


@dataclass(frozen=True)
class Boundaries:
    """Which class a linear SVM gives each cell of a plane of two latents.

    Args:
        x: The columns' values, (nx,).
        y: The rows' values, (ny,).
        region: Indices into ``classes``, (ny, nx).
        classes: The classes it was fitted to, ``normal`` first.
        used: How many galaxies of each, before SMOTE; ``left_out`` says why a class is not used.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    region: NDArray[np.intp]
    classes: tuple[str, ...]
    used: Mapping[str, int]
    left_out: Mapping[str, str]


def boundary_grid(
    values: ArrayLike,
    classes: Sequence[str] | NDArray[np.str_],
    *,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    size: int = 200,
    seed: int = 0,
) -> Boundaries:
    """The regions of a linear SVM in the plane of two latents, as drawn in the paper's Fig. 2.

    As in the published code, SMOTE sees all galaxies, because the lines are there to be looked
    at; all rare and at most 5,000 normal galaxies take part. Pairs of classes are fitted apart
    (hinge loss) and vote, by liblinear, which needs a hundredth of libsvm's time.

    Args:
        values: The two latents (N, 2); galaxies with NaN take no part.
        classes: Each galaxy's class, (N,); see ``classes_of``.
        limits: The plane's (x, y) ranges; by default those of the galaxies.
        size: Cells on a side.
        seed: Fixes all that is random.
    """
    values = np.asarray(values, dtype=np.float64)
    fitting = FitGalaxies.of(values, np.asarray(classes, dtype=np.str_), seed)
    finite = values[np.isfinite(values).all(axis=1)]
    ends = (
        zip(finite.min(axis=0), finite.max(axis=0), strict=True) if len(finite) else 2 * [(0, 1)]
    )
    (left, right), (bottom, top) = limits or ends
    x, y = np.linspace(left, right, size), np.linspace(bottom, top, size)
    region = np.zeros((size, size), dtype=np.intp)
    if len(fitting.names) > 1:
        cells = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
        region = _linear_votes(values[fitting.rows], fitting.codes, cells, seed)
        region = region.reshape(size, size)
    used = dict(zip(fitting.names, np.bincount(fitting.codes).tolist(), strict=True))
    return Boundaries(x, y, region, fitting.names, used, fitting.left_out)


def _linear_votes(
    values: NDArray[np.float64], codes: NDArray[np.intp], cells: NDArray[np.float64], seed: int
) -> NDArray[np.intp]:
    load_packages()
    from sklearn.multiclass import OneVsOneClassifier
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    values, codes = balance(values, codes, seed)
    scaler = StandardScaler().fit(values)
    linear = LinearSVC(loss="hinge", tol=1e-3, max_iter=100_000, random_state=seed)
    votes = OneVsOneClassifier(linear).fit(scaler.transform(values), codes)
    result: NDArray[np.intp] = votes.predict(scaler.transform(cells))
    return result
