r"""How rare a galaxy is among others: a mixture of Gaussians in a few directions of features.

Shapes are written with N galaxies, d directions and K Gaussians.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mixture", "MixtureShape"]

Floats = NDArray[np.float64]

GALAXIES_EACH = 500  # training galaxies a Gaussian: its covariance has tens of numbers
RIDGE = 0.01  # added to all variances, which are near 1
ROUNDS = 100  # of the fit, at most
ARRAYS = ("weights", "means", "covariances")


class MixtureShape(NamedTuple):
    """The size of a mixture.

    Args:
        directions: d, at most.
        components: K, at most; fewer where there are less than 500 galaxies for each.
        given: How many directions, from the first, a galaxy's rarity is conditional on.
    """

    directions: int
    components: int
    given: int = 0


@dataclass(frozen=True)
class Mixture:
    r"""A density p of training galaxies, and how far below its peak that of others lies.

    .. math::
        s(x) = \frac{2}{d - g} \ln \frac{\max_i p(x_i'' \mid x_i')}{p(x'' \mid x')}, \qquad
        p(x) = \sum_k \pi_k \, \mathcal{N}(x \mid \mu_k, \Sigma_k)

    with the first g directions x' given: a galaxy is not strange for being bright, only for how
    it looks at its brightness. Of one Gaussian and g = 0 that is the squared Mahalanobis distance
    over d, but for a constant.

    Reference: Bishop (2006), Pattern Recognition and Machine Learning, sections 2.3.9 and 9.2.

    Args:
        weights: The shares of the Gaussians, (K,).
        means: (K, d).
        covariances: (K, d, d).
        given: g.
        peak: The largest log density of a training galaxy.
    """

    weights: Floats
    means: Floats
    covariances: Floats
    given: int
    peak: float

    @classmethod
    def fit(cls, white: Floats, shape: MixtureShape) -> "Mixture":
        """The mixture of training galaxies with uncorrelated directions (N, d) of variance 1.

        A fit that has not settled after 100 rounds, or of galaxies that are all alike, is kept.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        count = int(np.clip(len(white) // GALAXIES_EACH, 1, shape.components))
        machine = GaussianMixture(count, reg_covar=RIDGE, max_iter=ROUNDS, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            machine.fit(white)
        given = min(shape.given, white.shape[1] - 1)
        parts = machine.weights_, machine.means_, machine.covariances_
        plain = cls(*parts, given, 0.0)
        return replace(plain, peak=float(plain._log_density(white).max()))

    def surprise(self, white: Floats) -> Floats:
        """The s of galaxies (N, d), at least 0; NaN where a direction is not finite."""
        below = np.maximum(self.peak - self._log_density(white), 0)
        return 2 * below / (white.shape[1] - self.given)

    def arrays(self) -> dict[str, Floats]:
        """All of it as arrays, by name, which ``of`` reads."""
        arrays = {name: getattr(self, name) for name in ARRAYS}
        return arrays | {"facts": np.array([self.given, self.peak])}

    @staticmethod
    def of(arrays: Mapping[str, Floats]) -> "Mixture":
        """The mixture with the arrays that ``arrays`` gave.

        Raises:
            LookupError, ValueError: They are others.
        """
        given, peak = arrays["facts"].tolist()
        weights, means, covariances = (arrays[name] for name in ARRAYS)
        return Mixture(weights, means, covariances, int(given), peak)

    def _log_density(self, white: Floats) -> Floats:
        """The log of the conditional density, (N,)."""
        whole = _log_sum(white, *self._whole)
        return whole - _log_sum(white[:, : self.given], *self._part) if self.given else whole

    @cached_property
    def _whole(self) -> tuple[Floats, Floats, Floats]:
        return _prepared(self.weights, self.means, self.covariances)

    @cached_property
    def _part(self) -> tuple[Floats, Floats, Floats]:
        g = self.given
        return _prepared(self.weights, self.means[:, :g], self.covariances[:, :g, :g])


def _prepared(
    weights: Floats, means: Floats, covariances: Floats
) -> tuple[Floats, Floats, Floats]:
    """Of each Gaussian the log of its height (K,), its whitening (K, d, d) and whitened mean."""
    lower = np.linalg.cholesky(covariances)
    whiten = np.linalg.inv(lower)
    volume = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    height = np.log(weights) - volume - means.shape[1] / 2 * np.log(2 * np.pi)
    return height, whiten, np.einsum("kij,kj->ki", whiten, means)


def _log_sum(values: Floats, height: Floats, whiten: Floats, centre: Floats) -> Floats:
    """The log density (N,) of values (N, d).

    By one product of matrices and without ``scipy.special.logsumexp``: for the few galaxies that
    are encoded at once, that takes a third of the time.
    """
    white = values @ whiten.reshape(-1, values.shape[1]).T
    apart = white.reshape(len(values), *centre.shape) - centre
    logs = height - np.square(apart).sum(axis=2) / 2
    largest = logs.max(axis=1, keepdims=True)
    result: Floats = largest[:, 0] + np.log(np.exp(logs - largest).sum(axis=1))
    return result
