r"""Out of distribution: how far a galaxy lies outside of what a model was trained on.

Shapes are written with N galaxies, F features in blocks and d directions of a block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pcvae.errors import RunError, brief

__all__ = ["FAR_OUT", "OodScore", "unlike"]

Floats = NDArray[np.float64]

FAR_OUT = 0.99  # share of the reference galaxies farther in, from which a galaxy is an outlier
GROWS_FROM = 0.8  # share of the reference galaxies, beyond which sigmas grow
GROWTH_POWER, MAX_GROWTH = 2.0, 2.5
TINY = 1e-12
FILE = "ood.safetensors"
RIDGE = 0.2  # times F / N: added to the variance of every direction, of 1 on average
MIN_REFERENCE = 100  # validation galaxies, of fewer of which quantiles say little
FOLDS = 5
CONSTANT = 1e-6  # of the variance: a direction that the training galaxies do not vary in
QUANTILES = 1001
MIN_SAMPLE = 20  # galaxies, below which a sample is not compared
UNLIKE = 0.25  # Kolmogorov-Smirnov distance from which a sample is called unlike


@dataclass(frozen=True)
class OodScore:
    r"""The Mahalanobis distance from the training galaxies in the encoder's features.

    .. math::
        D^2 = \sum_b \frac{1}{d_b} (f_b - \mu_b)^T (\Sigma_b + \epsilon I)^{-1} (f_b - \mu_b)

    over blocks b of standardised features, each with its own d, so that no block outweighs
    another. A galaxy's share is that of the reference galaxies with a smaller distance: 0.99 is
    farther out than 99 % of them.

    Reference:
        Lee et al. (2018), Advances in Neural Information Processing Systems 31,
        https://arxiv.org/abs/1807.03888

    Args:
        starts: Where each block begins, and the end of the last.
        mean: Of the features, (F,).
        whiten: A matrix (F_b, d_b) a block.
        quantiles: Of the distances of the reference galaxies, growing.
    """

    starts: tuple[int, ...]
    mean: Floats
    whiten: tuple[Floats, ...]
    quantiles: Floats

    @classmethod
    def fit(cls, features: Floats, starts: Sequence[int], validation: Floats) -> "OodScore":
        """The score of training galaxies.

        The quantiles are those of validation galaxies, as the network's own have features of
        less scatter. Where those are fewer than 100, training galaxies count too, each by a score
        that was fitted to four fifths of the others.

        Args:
            features: Of the training galaxies, (N, F).
            starts: Where each block begins, and F.
            validation: Features of galaxies that the network was not fitted to, (M, F).
        """
        score = cls._unscaled(features, starts)
        distances = [score.distance(validation)]
        if len(validation) < MIN_REFERENCE and len(features) > FOLDS:
            fold = np.arange(len(features)) % FOLDS
            distances += [
                cls._unscaled(features[fold != k], starts).distance(features[fold == k])
                for k in range(FOLDS)
            ]
        quantiles = np.quantile(np.concatenate(distances), np.linspace(0, 1, QUANTILES))
        return replace(score, quantiles=quantiles)

    @classmethod
    def _unscaled(cls, features: Floats, starts: Sequence[int]) -> "OodScore":
        mean = features.mean(axis=0)
        blocks = [slice(a, b) for a, b in pairwise(starts)]
        whiten = tuple(_whitening(features[:, block] - mean[block]) for block in blocks)
        return cls(tuple(starts), mean, whiten, np.zeros(QUANTILES))

    def distance(self, features: Floats) -> Floats:
        """The distances D (N,) of features (N, F); NaN where a feature is not finite."""
        total = np.zeros(len(features))
        for (start, end), matrix in zip(pairwise(self.starts), self.whiten, strict=True):
            white = (features[:, start:end] - self.mean[start:end]) @ matrix
            total += np.square(white).sum(axis=1) / max(matrix.shape[1], 1)
        return np.sqrt(total)

    def share(self, distance: Floats) -> Floats:
        """The share (N,) of the reference galaxies that lie farther in."""
        place = np.interp(distance, self.quantiles, np.linspace(0, 1, len(self.quantiles)))
        return np.where(np.isfinite(distance), place, np.nan)

    def growth(self, distance: Floats) -> Floats:
        r"""The factor (N,) by which the sigmas of far galaxies grow.

        .. math::
            g = \min\left( \max\left( (D / D_{80})^2, 1 \right), 2.5 \right)

        with the distance that 80 % of the reference galaxies lie within. Chosen on simulated
        populations that never trained, with the field's median width and CRPS growing by at most
        5 %; steeper or unlimited growth covers more of them, at a worse CRPS. Nothing that a run
        can see of its own galaxies says how wrong it is outside of them.
        """
        start = np.interp(GROWS_FROM, np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        ratio = np.where(np.isfinite(distance), distance, 0) / max(float(start), TINY)
        return np.clip(ratio**GROWTH_POWER, 1, MAX_GROWTH)

    def write(self, folder: Path) -> None:
        """Save as ``ood.safetensors``, in single precision."""
        arrays = {"mean": self.mean, "quantiles": self.quantiles, "starts": np.array(self.starts)}
        arrays |= {f"whiten_{number}": matrix for number, matrix in enumerate(self.whiten)}
        single = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in arrays.items()}
        (folder / FILE).write_bytes(save(single))

    @staticmethod
    def read(folder: Path) -> "OodScore | None":
        """Read ``ood.safetensors``; None for a run of an earlier version, which has none.

        Raises:
            RunError: It is broken.
        """
        path = folder / FILE
        if not path.exists():
            return None
        try:
            arrays = {k: v.astype(np.float64) for k, v in load_file(path).items()}
            starts = tuple(int(start) for start in arrays["starts"])
            whiten = tuple(arrays[f"whiten_{number}"] for number in range(len(starts) - 1))
            return OodScore(starts, arrays["mean"], whiten, arrays["quantiles"])
        except (OSError, LookupError, TypeError, ValueError, SafetensorError) as error:
            msg = f"{path} is broken: {brief(error)}. Train again: "
            raise RunError(f"{msg}python -m train.train SAMPLE {folder}") from error


def unlike(share: Floats) -> float | None:
    r"""How unlike the training sample a sample is; None where it is not, or too small to tell.

    The Kolmogorov-Smirnov distance of the galaxies' shares from even ones, if that is at least
    0.25.

    Args:
        share: As ``OodScore.share`` gives them, (N,).

    Example:
        >>> unlike(np.linspace(0, 1, 100)), unlike(np.full(100, 0.999))
        (None, 0.999)
    """
    known = np.sort(share[np.isfinite(share)])
    if len(known) < MIN_SAMPLE:
        return None
    steps = np.arange(len(known) + 1) / len(known)
    far = float(max(np.abs(known - steps[:-1]).max(), np.abs(known - steps[1:]).max()))
    return far if far >= UNLIKE else None


def _whitening(centred: Floats) -> Floats:
    """The matrix (F, d) that makes the covariance of standardised features the identity."""
    spread = centred.std(axis=0)
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)
    scaled = centred * scale
    variances, axes = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = variances > CONSTANT * max(variances.max(initial=0), 1e-300)
    ridge = RIDGE * len(scale) / len(scaled)
    result: Floats = scale[:, None] * axes[:, kept] / np.sqrt(variances[kept] + ridge)
    return result
