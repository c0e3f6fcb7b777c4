r"""Metrics of estimates against measured labels.

Shapes are written with n galaxies. A pair with a NaN drops out of every figure; a figure that
needs more pairs than there are is NaN. Errors are estimate minus truth; those of ``orientation``
are taken modulo :math:`\pi`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from pcvae.labels import angle_difference

__all__ = [
    "METRICS",
    "OUTLIER",
    "attenuation",
    "bias",
    "coverage",
    "crps",
    "errors",
    "mad",
    "nmad",
    "outlier_rate",
    "pit",
    "r2",
    "r2_gain",
    "r2_interval",
    "r2_linear",
    "scaled_errors",
    "score",
]

METRICS = (
    "r2", "r2_linear", "nmad", "mad", "bias", "outlier_rate", "crps", "coverage68", "coverage90",
    "low", "high",
)  # fmt: skip

OUTLIER = {  # from which scaled error on an estimate is an outlier
    "orientation": np.radians(10.0),  # ours
    "redshift": 0.15,  # in |dz| / (1 + z): Ilbert et al. (2006), A&A 457, 841
    "log_mass": 0.3,  # a factor of two: Bisigello et al. (2023), MNRAS 520, 3529
    "log_sfr": 0.3,  # the same
}

BLOCK = 100_000  # galaxies drawn at once in a bootstrap
Floats = NDArray[np.float64]


def errors(truth: ArrayLike, estimate: ArrayLike, name: str = "") -> Floats:
    r"""Estimate minus truth, (n,); for ``orientation`` modulo :math:`\pi`.

    Example:
        >>> errors([1.5], [-1.5], "orientation").round(3)
        array([0.142])
    """
    if name == "orientation":
        return angle_difference(estimate, truth)
    return np.asarray(estimate, dtype=np.float64) - np.asarray(truth, dtype=np.float64)


def scaled_errors(truth: ArrayLike, estimate: ArrayLike, name: str = "") -> Floats:
    r"""The errors (n,), for ``redshift`` as :math:`\Delta z / (1 + z)`, z the truth."""
    plain = errors(truth, estimate, name)
    return plain / (1 + np.asarray(truth, dtype=np.float64)) if name == "redshift" else plain


def r2(truth: ArrayLike, estimate: ArrayLike, name: str = "") -> float:
    r"""The share of the variance explained, against the 1:1 line.

    .. math::
        R^2 = 1 - \frac{\sum_i (\hat y_i - y_i)^2}{\sum_i (y_i - \bar y)^2}

    For ``orientation`` both differences are taken modulo :math:`\pi`, the second from the mean
    axis :math:`\frac12 \arg \sum_i e^{2 i y_i}`.

    Reference: Wright (1921), Journal of Agricultural Research 20, 557.

    Args:
        truth: The labels, (n,).
        estimate: Their estimates, (n,).
        name: The label's name.
    """
    truth, estimate = _pairs(truth, estimate)
    if len(truth) < 2:
        return np.nan
    total = np.square(_deviations(truth, name)).sum()
    return float(1 - np.square(errors(truth, estimate, name)).sum() / total) if total else np.nan


def r2_linear(truth: ArrayLike, estimate: ArrayLike, name: str = "") -> float:
    r"""The squared Pearson correlation, which is what the paper calls R2.

    It is that of the best straight line through the pairs, so blind to bias and scale. For
    ``orientation`` it is the size of the circular correlation of the doubled angles
    :math:`\alpha = 2 y, \beta = 2 \hat y`, which needs no mean direction, and is not squared: it
    is a product of two correlations already,

    .. math::
        \rho = \frac{\sum_{i<j} \sin(\alpha_i - \alpha_j) \sin(\beta_i - \beta_j)}
            {\sqrt{\sum_{i<j} \sin^2(\alpha_i - \alpha_j)
            \sum_{i<j} \sin^2(\beta_i - \beta_j)}}

    Reference:
        Pearson (1895), Proceedings of the Royal Society 58, 240; Fisher & Lee (1983),
        Biometrika 70, 327.

    Args:
        truth: The labels, (n,).
        estimate: Their estimates, (n,).
        name: The label's name.
    """
    truth, estimate = _pairs(truth, estimate)
    if len(truth) < 2:
        return np.nan
    if name == "orientation":
        return _circular(2 * truth, 2 * estimate)
    a, b = truth - truth.mean(), estimate - estimate.mean()
    norm = np.square(a).sum() * np.square(b).sum()
    return float((a * b).sum() ** 2 / norm) if norm > 0 else np.nan


def attenuation(truth: ArrayLike, estimate: ArrayLike) -> float:
    r"""The slope of the estimates against the truth: 1 for none, 0 for no information.

    .. math::
        b = \frac{\sum_i (y_i - \bar y)(\hat y_i - \bar{\hat y})}{\sum_i (y_i - \bar y)^2}

    An estimator of least squares draws rare values towards the mean, which gives b < 1.
    Reference: Fuller (1987), Measurement Error Models, 1.1.
    """
    truth, estimate = _pairs(truth, estimate)
    centred = truth - truth.mean() if len(truth) > 1 else np.zeros(0)
    total = np.square(centred).sum()
    return float((centred * estimate).sum() / total) if total else np.nan


def nmad(scaled: ArrayLike) -> float:
    r"""The normalised median absolute deviation of scaled errors.

    .. math::
        \sigma_\mathrm{NMAD} = 1.4826 \, \mathrm{median} |e_i - \mathrm{median}(e)|

    Reference: Brammer, van Dokkum & Coppi (2008), ApJ 686, 1503, eq. 5 (there for
    :math:`e = \Delta z / (1 + z)`).
    """
    e = _finite(scaled)
    return float(1.4826 * np.median(np.abs(e - np.median(e)))) if len(e) > 1 else np.nan


def mad(plain: ArrayLike) -> float:
    r"""The median absolute error, :math:`\mathrm{median} |e_i|`, in the label's own unit."""
    e = _finite(plain)
    return float(np.median(np.abs(e))) if len(e) > 1 else np.nan


def bias(scaled: ArrayLike) -> float:
    r"""The mean scaled error.

    .. math::
        \langle e \rangle = \frac1n \sum_i e_i, \qquad e = \Delta z / (1 + z)

    for redshifts, the plain error otherwise.
    Reference: Pasquet et al. (2019), A&A 621, A26, section 4.
    """
    e = _finite(scaled)
    return float(e.mean()) if len(e) > 1 else np.nan


def outlier_rate(scaled: ArrayLike, name: str) -> float:
    r"""The share of scaled errors with :math:`|e| >` the label's limit in ``OUTLIER``.

    Args:
        scaled: The scaled errors, (n,).
        name: The label's name.
    """
    e = _finite(scaled)
    return float((np.abs(e) > OUTLIER[name]).mean()) if len(e) > 1 else np.nan


def crps(plain: ArrayLike, sigma: ArrayLike) -> float:
    r"""The mean continuous ranked probability score of Gaussians, in the label's unit.

    .. math::
        \mathrm{CRPS} = \sigma \left[ z (2 \Phi(z) - 1) + 2 \varphi(z) - \pi^{-1/2} \right],
        \qquad z = e / \sigma

    The smaller the better; with :math:`\sigma \to 0` it is the mean absolute error.
    Reference: Gneiting & Raftery (2007), JASA 102, 359, eq. 21.

    Args:
        plain: The errors, (n,).
        sigma: The claimed 1-sigma of each.
    """
    e, s = _pairs(plain, sigma)
    if len(e) < 2:
        return np.nan
    z = e / np.maximum(s, 1e-12)
    density = np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)
    return float((s * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))).mean())


def coverage(plain: ArrayLike, sigma: ArrayLike, level: float) -> float:
    r"""The share of errors within the central interval of that probability.

    .. math::
        \frac1n \sum_i \left[ |e_i| \le \sigma_i \, \Phi^{-1}((1 + p) / 2) \right]

    Args:
        plain: The errors, (n,).
        sigma: The claimed 1-sigma of each.
        level: The probability p, which a calibrated sigma reaches.
    """
    e, s = _pairs(plain, sigma)
    return float((np.abs(e) <= s * ndtri((1 + level) / 2)).mean()) if len(e) > 1 else np.nan


def pit(plain: ArrayLike, sigma: ArrayLike) -> Floats:
    r"""The probability integral transform of each truth, :math:`\Phi(-e / \sigma)`.

    Uniform where the sigmas are right, U-shaped where they are too small.
    Reference: Dawid (1984), Journal of the Royal Statistical Society A 147, 278.
    """
    e, s = _pairs(plain, sigma)
    result: Floats = ndtr(-e / np.maximum(s, 1e-12))
    return result


def r2_interval(
    truth: ArrayLike, estimate: ArrayLike, name: str = "", seed: int = 0, draws: int = 1000
) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of ``r2``, galaxies drawn with replacement.

    Reference: Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 13.3.

    Args:
        truth: The labels, (n,).
        estimate: Their estimates, (n,).
        name: The label's name.
        seed: Fixes the ``draws``.
        draws: How many.
    """
    truth, estimate = _pairs(truth, estimate)
    return _percentiles(_draws(truth, errors(truth, estimate, name), name, seed, draws))


def r2_gain(
    truth: ArrayLike, better: ArrayLike, worse: ArrayLike, name: str = "", seed: int = 0
) -> tuple[float, float, float]:
    """By how much one estimate's ``r2`` exceeds another's: the gain and its 95 % interval.

    The bootstrap is paired: each draw scores both on the same galaxies, of which only those
    count that have both estimates.

    Args:
        truth: The labels, (n,).
        better: The one estimate, (n,).
        worse: The other, (n,).
        name: The label's name.
        seed: Fixes the draws.
    """
    first, second = (errors(truth, item, name) for item in (better, worse))
    both = np.isfinite(first) & np.isfinite(second)
    known = np.asarray(truth, dtype=np.float64)[both]
    total = np.square(_deviations(known, name)).sum() if len(known) > 1 else 0.0
    if not total:
        return np.nan, np.nan, np.nan
    gain = (np.square(second[both]).sum() - np.square(first[both]).sum()) / total
    drawn = [_draws(known, item[both], name, seed, 1000) for item in (first, second)]
    return float(gain), *_percentiles(drawn[0] - drawn[1])


def score(
    truth: ArrayLike,
    estimate: ArrayLike,
    name: str,
    sigma: ArrayLike | None = None,
    seed: int = 0,
    draws: int = 1000,
) -> dict[str, float]:
    """All of ``METRICS`` for one label, and ``n``, how many pairs they stand on.

    Args:
        truth: The labels, (n,).
        estimate: Their estimates, (n,).
        name: The label's name.
        sigma: The claimed 1-sigma of each, (n,); without, ``crps`` and coverages are NaN.
        seed: Fixes the bootstrap's draws.
        draws: How many; ``low`` and ``high`` are NaN without any.
    """
    plain, scaled = errors(truth, estimate, name), scaled_errors(truth, estimate, name)
    claimed = np.full(plain.shape, np.nan) if sigma is None else np.asarray(sigma, np.float64)
    low, high = r2_interval(truth, estimate, name, seed, draws)
    return {
        "n": int(np.isfinite(plain).sum()),
        "r2": r2(truth, estimate, name),
        "r2_linear": r2_linear(truth, estimate, name),
        "nmad": nmad(scaled),
        "mad": mad(plain),
        "bias": bias(scaled),
        "outlier_rate": outlier_rate(scaled, name),
        "crps": crps(plain, claimed),
        "coverage68": coverage(plain, claimed, 0.68),
        "coverage90": coverage(plain, claimed, 0.90),
        "low": low,
        "high": high,
    }


def _draws(truth: Floats, plain: Floats, name: str, seed: int, draws: int) -> Floats:
    """The ``r2`` of bootstrap samples, (draws,); NaN where a sample has no variance."""
    rng, size, found = np.random.default_rng(seed), len(truth), np.full(draws, np.nan)
    if size < 2:
        return found
    squares, apart = np.square(plain), _deviations(truth, name)
    several = max(1, BLOCK // size)
    for start in range(0, draws, several):
        rows = rng.integers(size, size=(min(several, draws - start), size))
        total = np.square(apart[rows]).sum(axis=1) - apart[rows].sum(axis=1) ** 2 / size
        total[total <= 0] = np.nan
        found[start : start + several] = 1 - squares[rows].sum(axis=1) / total
    return found


def _percentiles(drawn: Floats) -> tuple[float, float]:
    if np.isnan(drawn).all():
        return np.nan, np.nan
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _pairs(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    return a[both], b[both]


def _finite(values: ArrayLike) -> Floats:
    values = np.asarray(values, dtype=np.float64)
    return values[np.isfinite(values)]


def _circular(alpha: Floats, beta: Floats) -> float:
    """The size of Fisher & Lee's correlation: its pairs' sums, written as sums over galaxies."""
    a, b, size = np.exp(1j * alpha), np.exp(1j * beta), len(alpha)
    pairs = np.abs((a * b.conj()).sum()) ** 2 - np.abs((a * b).sum()) ** 2
    norm = (size**2 - np.abs((a**2).sum()) ** 2) * (size**2 - np.abs((b**2).sum()) ** 2)
    return float(np.abs(pairs) / np.sqrt(norm)) if norm > 1e-9 else np.nan


def _deviations(values: Floats, name: str) -> Floats:
    """From the mean; for orientations from the mean axis."""
    if name == "orientation":
        return angle_difference(values, np.angle(np.exp(2j * values).sum()) / 2)
    return values - values.mean()
