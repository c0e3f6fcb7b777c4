r"""Out of distribution: how far a galaxy lies outside of what a model was trained on.

Shapes are written with N galaxies, F features in blocks and d directions of a block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from pcvae.errors import RunError, brief
from pcvae.mixture import Mixture, MixtureShape

__all__ = ["FAR_OUT", "LEARNT", "MAGNITUDES", "OodScore", "grown_sigma", "unlike"]

Floats = NDArray[np.float64]

FAR_OUT = 0.99  # share of the reference galaxies farther in, from which a galaxy is an outlier
GROWS_FROM = 0.8  # share of the reference galaxies, beyond which sigmas grow
GROWTH_POWER, MAX_GROWTH = 2.0, 2.5  # of runs of earlier versions
MAGNITUDES = MixtureShape(8, 20, given=1)  # of magnitudes and colours, by brightness
LEARNT = MixtureShape(14, 5)  # of features that a network has learnt
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
    r"""How far a galaxy lies outside of the training galaxies in the encoder's features.

    .. math::
        D^2 = \sum_b s_b(W_b (f_b - \mu_b))

    over blocks b of features, whitened in their leading directions, with s as ``Mixture`` defines
    it: an average over the directions, so that no block outweighs another. A galaxy's share is
    that of the reference galaxies with a smaller distance: 0.99 is farther out than 99 % of them.
    Runs of earlier versions have no mixtures: there s is the squared Mahalanobis distance in all
    directions, over their number.

    Reference:
        Lee et al. (2018), Advances in Neural Information Processing Systems 31,
        https://arxiv.org/abs/1807.03888

    Args:
        starts: Where each block begins, and the end of the last.
        mean: Of the features, (F,).
        whiten: A matrix (F_b, d_b) a block.
        quantiles: Of the distances of the reference galaxies, growing.
        mixtures: One a block; none in runs of earlier versions.
    """

    starts: tuple[int, ...]
    mean: Floats
    whiten: tuple[Floats, ...]
    quantiles: Floats
    mixtures: tuple[Mixture, ...] = ()

    @classmethod
    def fit(
        cls,
        features: Floats,
        starts: Sequence[int],
        validation: Floats,
        shapes: Sequence[MixtureShape],
    ) -> "OodScore":
        """The score of training galaxies.

        The quantiles are those of validation galaxies, as the network's own have features of
        less scatter. Where those are fewer than 100, training galaxies count too, each by a score
        that was fitted to four fifths of the others.

        Args:
            features: Of the training galaxies, (N, F).
            starts: Where each block begins, and F.
            validation: Features of galaxies that the network was not fitted to, (M, F).
            shapes: Of each block's mixture.
        """
        score = _unscaled(features, starts, shapes)
        distances = [score.distance(validation)]
        if len(validation) < MIN_REFERENCE and len(features) > FOLDS:
            fold = np.arange(len(features)) % FOLDS
            distances += [
                _unscaled(features[fold != k], starts, shapes).distance(features[fold == k])
                for k in range(FOLDS)
            ]
        quantiles = np.quantile(np.concatenate(distances), np.linspace(0, 1, QUANTILES))
        return replace(score, quantiles=quantiles)

    @property
    def measured(self) -> bool:
        """Whether its first block are magnitudes, where the network decodes any."""
        return bool(self.mixtures)

    def distance(self, features: Floats) -> Floats:
        """The distances D (N,) of features (N, F); NaN where a feature is not finite."""
        total = np.zeros(len(features))
        for place, white in enumerate(_white(self, features)):
            if self.mixtures:
                total += self.mixtures[place].surprise(white)
            else:
                total += np.square(white).sum(axis=1) / max(white.shape[1], 1)
        return np.sqrt(total)

    def share(self, distance: Floats) -> Floats:
        """The share (N,) of the reference galaxies that lie farther in."""
        place = np.interp(distance, self.quantiles, np.linspace(0, 1, len(self.quantiles)))
        return np.where(np.isfinite(distance), place, np.nan)

    def excess(self, distance: Floats) -> Floats:
        r"""How far (N,) galaxies lie beyond most reference galaxies: D / D80 - 1, at least 0.

        D80 is the distance that 80 % of the reference galaxies lie within.
        """
        start = np.interp(GROWS_FROM, np.linspace(0, 1, len(self.quantiles)), self.quantiles)
        ratio = np.where(np.isfinite(distance), distance, 0) / max(float(start), TINY)
        return np.maximum(ratio - 1, 0)

    def growth(self, distance: Floats) -> Floats:
        r"""The factor (N,) by which sigmas of runs of earlier versions grow.

        .. math::
            g = \min\left( \max\left( (D / D_{80})^2, 1 \right), 2.5 \right)
        """
        return np.clip((1 + self.excess(distance)) ** GROWTH_POWER, 1, MAX_GROWTH)

    def write(self, folder: Path) -> None:
        """Save as ``ood.safetensors``, in single precision."""
        single = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in _arrays(self).items()}
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
            return _of({k: v.astype(np.float64) for k, v in load_file(path).items()})
        except (OSError, LookupError, TypeError, ValueError, SafetensorError) as error:
            msg = f"{path} is broken: {brief(error)}. Train again: "
            raise RunError(f"{msg}python -m train.train SAMPLE {folder}") from error


def grown_sigma(sigma: Floats, slope: Floats, excess: Floats) -> Floats:
    r"""The sigmas (N, K) of galaxies that lie far outside, before their calibration.

    .. math::
        \sigma' = \sqrt{\sigma^2 + \min(a x, 1)^2}

    in units of a label's spread among the training galaxies: what a network says of galaxies
    unlike those that it was trained on tends to be worth no more than that spread.

    Args:
        sigma: The network's, in those units, (N, K).
        slope: a of each label, (K,).
        excess: x, as ``OodScore.excess`` gives it, (N,).

    Example:
        >>> far = np.array([0.0, 0.1, 9.0])
        >>> grown_sigma(np.full((3, 1), 0.3), np.array([4.0]), far).round(2).ravel().tolist()
        [0.3, 0.5, 1.04]
    """
    result: Floats = np.hypot(sigma, np.minimum(slope * excess[:, None], 1.0))
    return result


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


def _unscaled(features: Floats, starts: Sequence[int], shapes: Sequence[MixtureShape]) -> OodScore:
    """The score of training galaxies (N, F) without its quantiles."""
    mean = features.mean(axis=0)
    blocks = zip(pairwise(starts), shapes, strict=True)
    whiten = tuple(
        _whitening(features[:, a:b] - mean[a:b])[:, ::-1][:, : shape.directions]
        for (a, b), shape in blocks
    )
    score = OodScore(tuple(starts), mean, whiten, np.zeros(QUANTILES))
    return replace(score, mixtures=tuple(map(Mixture.fit, _white(score, features), shapes)))


def _white(score: OodScore, features: Floats) -> list[Floats]:
    """The whitened directions (N, d_b) of each block."""
    blocks = zip(pairwise(score.starts), score.whiten, strict=True)
    return [(features[:, a:b] - score.mean[a:b]) @ matrix for (a, b), matrix in blocks]


def _arrays(score: OodScore) -> dict[str, Floats]:
    """All of a score as arrays, by name."""
    arrays = {"mean": score.mean, "quantiles": score.quantiles, "starts": np.array(score.starts)}
    arrays |= {f"whiten_{number}": matrix for number, matrix in enumerate(score.whiten)}
    for number, mixture in enumerate(score.mixtures):
        arrays |= {f"mixture_{number}_{k}": v for k, v in mixture.arrays().items()}
    return arrays


def _of(arrays: Mapping[str, Floats]) -> OodScore:
    """The score with the arrays that ``_arrays`` gave, of this version or an earlier one."""
    starts = tuple(int(start) for start in arrays["starts"])
    blocks = range(len(starts) - 1)
    whiten = tuple(arrays[f"whiten_{number}"] for number in blocks)
    known = any(name.startswith("mixture_") for name in arrays)
    mixtures = tuple(_mixture(arrays, number) for number in blocks) if known else ()
    return OodScore(starts, arrays["mean"], whiten, arrays["quantiles"], mixtures)


def _mixture(arrays: Mapping[str, Floats], number: int) -> Mixture:
    start = f"mixture_{number}_"
    mine = {k.removeprefix(start): v for k, v in arrays.items() if k.startswith(start)}
    return Mixture.of(mine)


def _whitening(centred: Floats) -> Floats:
    """The matrix (F, d) that makes the covariance of standardised features the identity.

    The direction of the largest variance is the last.
    """
    spread = centred.std(axis=0)
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)
    scaled = centred * scale
    variances, axes = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = variances > CONSTANT * max(variances.max(initial=0), 1e-300)
    kept[-1] = True  # one at least, even if it is constant
    ridge = RIDGE * len(scale) / len(scaled)
    result: Floats = scale[:, None] * axes[:, kept] / np.sqrt(variances[kept] + ridge)
    return result
