"""Calibration of sigmas: factors and tilts with which intervals reach their coverage."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtri

from pcvae.metrics import coverage

__all__ = ["sigma_factor", "sigma_tilt"]


TILTS = np.arange(-10, 11) / 20


def sigma_factor(
    plain: ArrayLike, sigma: ArrayLike, noise: ArrayLike, level: float = 0.9
) -> float:
    r"""The factor f on the sigmas with which the central intervals cover their share.

    .. math::
        \#\left\{ |e_i| \le \Phi^{-1}((1 + p) / 2) \sqrt{f^2 \sigma_i^2 + s_i^2} \right\}
            = \lceil p \, (n + 1) \rceil

    that is split conformal prediction with the pull as its score (Vovk et al. 2005; Angelopoulos
    & Bates 2021, https://arxiv.org/abs/2107.07511, section 2.3), but for the errors of the
    labels themselves, which are not the estimate's to answer for.

    Args:
        plain: The errors (n,) of galaxies that were not trained on.
        sigma: The claimed 1-sigma of each estimate.
        noise: The 1-sigma :math:`s_i` of each label.
        level: The share p.

    Returns:
        The factor, between 1/20 and 20; 1 where fewer than 20 pairs are known.
    """
    e, s, n = (np.asarray(item, dtype=np.float64) for item in (plain, sigma, noise))
    known = np.isfinite(e) & np.isfinite(s) & np.isfinite(n)
    e, s, n = e[known], s[known], n[known]
    if len(e) < 20:
        return 1.0
    last = min(len(e), int(np.ceil(level * (len(e) + 1)))) - 1
    wanted = ndtri((1 + level) / 2)

    def excess(log_factor: float) -> float:
        pulls = np.abs(e) / np.hypot(np.exp(log_factor) * s, n)
        return float(np.partition(pulls, last)[last]) - wanted

    ends = -np.log(20.0), np.log(20.0)
    if excess(ends[0]) <= 0 or excess(ends[1]) >= 0:
        return float(np.exp(ends[0] if excess(ends[0]) <= 0 else ends[1]))
    return float(np.exp(brentq(excess, *ends, xtol=1e-4)))


def sigma_tilt(
    plain: ArrayLike, sigma: ArrayLike, noise: ArrayLike, estimate: ArrayLike, level: float = 0.9
) -> tuple[float, float]:
    r"""The tilt b with which intervals cover alike at all values of a label, and its factor f.

    .. math::
        \sigma_i \to f \, e^{b x_i} \sigma_i

    An estimator of least squares draws extreme values towards the mean, so that intervals of the
    right width for galaxies of one *estimate* are too narrow at one end of the *label*. Of the
    tilts between -1/2 and 1/2, the one is taken whose coverages in quarters of the label deviate
    least from the level, summed in squares; for each the factor is ``sigma_factor``.

    Args:
        plain: The errors (n,) of galaxies that were not trained on.
        sigma: The claimed 1-sigma of each estimate.
        noise: The 1-sigma of each label.
        estimate: The estimates :math:`x_i` in units of the label's deviation, from its mean.
        level: The coverage wanted.

    Returns:
        b and f; b is 0 where fewer than 80 galaxies are known.
    """
    parts = (np.asarray(item, dtype=np.float64) for item in (plain, sigma, noise, estimate))
    table = np.stack(np.broadcast_arrays(*parts))
    e, s, n, x = table[:, np.isfinite(table).all(axis=0)]
    if len(e) < 80:
        return 0.0, sigma_factor(e, s, n, level)
    quarter = np.argsort(np.argsort(x - e)) * 4 // len(e)  # x - e is the label
    best = np.inf, 0.0, 1.0
    for tilt in sorted(TILTS, key=abs):
        tilted = s * np.exp(tilt * x)
        factor = sigma_factor(e, tilted, n, level)
        claimed = np.hypot(factor * tilted, n)
        reached = [coverage(e[quarter == k], claimed[quarter == k], level) for k in range(4)]
        best = min(best, (float(np.square(np.subtract(reached, level)).sum()), tilt, factor))
    return float(best[1]), best[2]
