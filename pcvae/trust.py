r"""How far a model's labels can be trusted for some galaxies: bias, scatter, intervals.

Shapes are written with n galaxies.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from pcvae.metrics import bias, coverage, errors, nmad, outlier_rate, scaled_errors
from pcvae.trials import wilson_interval

__all__ = ["MIN_JUDGED", "LabelTrust", "is_biased", "is_overconfident", "label_trust"]

MIN_JUDGED = 10  # galaxies below which nothing is said to be off
CERTAIN = 0.9973  # probability that the interval of a bias leaves out 0 by right
LARGE = 0.5  # of the median claimed sigma: with such a bias 90 % intervals hold 87 %
LEAST_COVERAGE = 0.85  # of 90 % intervals


class LabelTrust(NamedTuple):
    """How well a label was inferred for some galaxies.

    Args:
        n: How many of them have a label and an estimate.
        bias: The mean error; of redshifts over 1 + z, as all that follow.
        bias_error: Its standard error.
        nmad: The normalised median absolute deviation.
        outlier_rate: The share beyond the label's limit in ``pcvae.metrics.OUTLIER``.
        coverage68: The share within the claimed 68 % interval.
        coverage90: The share within the claimed 90 % interval.
        sigma: The median claimed 1-sigma.
    """

    n: int
    bias: float
    bias_error: float
    nmad: float
    outlier_rate: float
    coverage68: float
    coverage90: float
    sigma: float


def label_trust(truth: ArrayLike, estimate: ArrayLike, sigma: ArrayLike, name: str) -> LabelTrust:
    """The figures of one label for some galaxies; NaN where fewer than two are known.

    Args:
        truth: The labels, (n,).
        estimate: Their estimates, (n,).
        sigma: The claimed 1-sigma of each difference, (n,), that of the label included.
        name: The label's name.

    Example:
        >>> found = label_trust([0.0, 0.1, 0.2], [0.1, 0.2, 0.3], [0.2] * 3, "log_mass")
        >>> found.n, round(found.bias, 6), found.coverage68
        (3, 0.1, 1.0)
    """
    plain, scaled = errors(truth, estimate, name), scaled_errors(truth, estimate, name)
    claimed = np.asarray(sigma, dtype=np.float64)
    stretch = 1 + np.asarray(truth, dtype=np.float64) if name == "redshift" else 1.0
    known = np.isfinite(plain)
    n = int(known.sum())
    widths = (claimed / stretch)[known & np.isfinite(claimed)]
    return LabelTrust(
        n,
        bias(scaled),
        float(scaled[known].std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
        nmad(scaled),
        outlier_rate(scaled, name),
        coverage(plain, claimed, 0.68),
        coverage(plain, claimed, 0.90),
        float(np.median(widths)) if len(widths) else np.nan,
    )


def is_biased(trust: LabelTrust) -> bool:
    """Whether a label is known to be off: by a bias that is certain and not small.

    It is certain if its 99.73 % interval by Student's t leaves out 0 (3 standard errors of many
    galaxies), and not small beyond half of the median claimed sigma.

    Reference: Student (1908), Biometrika 6, 1.
    """
    if trust.n < MIN_JUDGED:
        return False
    limits = stdtrit(trust.n - 1, (1 + CERTAIN) / 2) * trust.bias_error, LARGE * trust.sigma
    return all(abs(trust.bias) > limit for limit in limits)


def is_overconfident(trust: LabelTrust) -> bool:
    """Whether the claimed sigmas are known to be too small: 90 % intervals hold less than 85 %.

    That is so if the upper end of the share's 95 % Wilson interval lies below.
    """
    if trust.n < MIN_JUDGED or not np.isfinite(trust.coverage90):
        return False
    return wilson_interval(trust.coverage90 * trust.n, trust.n)[1] < LEAST_COVERAGE
