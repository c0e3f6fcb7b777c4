"""Means and covariances of many galaxies, part by part. Shapes are written with D features."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments"]

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    r"""How many galaxies, their mean (D,), and :math:`\sum (x - \bar x)(x - \bar x)^T` (D, D)."""

    number: int
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, values: Floats) -> "Moments":
        """Those of galaxies with these features (N, D); rows with NaN do not count."""
        values = values[np.isfinite(values).all(axis=1)]
        mean = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
        centred = values - mean
        return cls(len(values), mean, centred.T @ centred)

    def joined(self, other: "Moments") -> "Moments":
        r"""Those of both sets together.

        .. math::
            S = S_a + S_b + \frac{n_a n_b}{n_a + n_b} \delta \delta^T, \quad
            \delta = \bar x_b - \bar x_a

        Reference: Chan, Golub & LeVeque (1983), The American Statistician 37, 242.
        """
        total = self.number + other.number
        if not total:
            return self
        apart = other.mean - self.mean
        share = other.number / total
        between = np.outer(apart, apart) * self.number * share
        scatter = self.scatter + other.scatter + between
        return Moments(total, self.mean + apart * share, scatter)

    def points(self) -> Floats:
        """At most 2 D points (m, D) with the same mean and covariance as these galaxies."""
        axes = len(self.mean)
        if self.number < 2:
            return self.mean[None]
        variances, vectors = np.linalg.eigh(self.scatter / self.number)
        steps = (vectors * np.sqrt(axes * np.clip(variances, 0, None))).T
        return np.concatenate([self.mean + steps, self.mean - steps])
