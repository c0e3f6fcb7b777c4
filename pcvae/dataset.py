r"""Training data: the split by id, and the labels as targets of the tied latents.

Shapes are written with N galaxies, D latents and K of them tied to labels. An orientation is
either the angle :math:`\phi` itself, as in the paper, or the two components of the ellipticity
:math:`(e \cos 2\phi, e \sin 2\phi)`, :math:`e = (1 - q) / (1 + q)`, which do not wrap and ask
little of round galaxies.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.errors import SettingsError
from pcvae.labels import (
    LABELS,
    PAPER_ORIENTATION_SIGMA,
    PAPER_SIGMA_FLOOR,
    Label,
    Latent,
    wrap_angle,
)

__all__ = [
    "ELLIPTICITY",
    "LabelConfig",
    "LatentSpace",
    "Measured",
    "assign_split",
    "latent_space",
    "measure_labels",
    "orientation_of",
]

ELLIPTICITY = ("e_cos", "e_sin")
SHARES = 0.1, 0.1  # of the galaxies, for validation and for the test, if nothing else is said
SHAPE_SIGMA_FLOOR = 0.03  # of an ellipticity component; about what sky noise leaves at S/N 30
UNIFORM_SIGMA = np.pi / np.sqrt(12)  # rad; what an angle of which nothing is known has


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """How labels become targets.

    Args:
        angle: ``phi`` (the paper's) or ``ellipticity``.
        errors: ``published`` (every error at least 1e-3, the redshift's 1e-3, the orientation's
            0.1 rad), ``floored`` (at least the label's own floor) or ``given`` (as they are, 0
            where missing: not to learn from, as no label is exact, but to judge by).
        standardise: Whether the network sees labels with mean 0 and deviation 1.
    """

    angle: str = "phi"
    errors: str = "published"
    standardise: bool = False

    def __post_init__(self) -> None:
        forms = "published", "floored", "given"
        if self.angle not in ("phi", "ellipticity") or self.errors not in forms:
            msg = f"expected phi or ellipticity, published, floored or given; found {self}"
            raise SettingsError(msg)


@dataclass(frozen=True, slots=True)
class LatentSpace:
    """The axes of a model, and how its network's numbers become physical ones.

    Args:
        latents: All D axes in their order, the tied ones first.
        mean: Of each axis; the network's 0.
        scale: Of each axis; the network's 1.
        tied: How many of them are tied to labels, K.
        factor: What the network's sigma of each axis is multiplied by, so that its intervals
            cover what they say (``pcvae.calibration.sigma_factor``); empty for 1.
        tilt: What the network's sigma of each axis grows by with its mean, as the power of e in
            the network's units (``pcvae.calibration.sigma_tilt``); empty for 0.
        angle_factor: The same as ``factor`` for the error of an orientation that is derived from
            two axes, and of round galaxies far from Gaussian.
        grows: Whether the sigmas of tied axes grow by a factor with the distance from the
            training galaxies (``pcvae.ood.OodScore.growth``): in runs of earlier versions.
        growth: How fast those of each tied axis grow with that distance
            (``pcvae.ood.grown_sigma``); empty for not at all.
    """

    latents: tuple[Latent, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    tied: int
    factor: tuple[float, ...] = ()
    tilt: tuple[float, ...] = ()
    angle_factor: float = 1.0
    grows: bool = False
    growth: tuple[float, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the axes."""
        return [latent.name for latent in self.latents]

    @property
    def orientation(self) -> str:
        """The column with the angle: a latent or one derived from two; empty for none."""
        names = self.names
        return "orientation" if "orientation" in names or ELLIPTICITY[0] in names else ""


class Measured(NamedTuple):
    """The labels in their own units, each (N, K); NaN where unknown."""

    truth: NDArray[np.float64]
    sigma: NDArray[np.float64]


def assign_split(
    ids: Iterable[str],
    populations: Sequence[str],
    held_out: Sequence[str],
    seed: int,
    *,
    shares: tuple[float, float] = SHARES,
) -> NDArray[np.str_]:
    """Say for each galaxy whether it is ``train``, ``validation``, ``test`` or ``held_out``.

    A hash of seed and id decides, so that a galaxy keeps its split when others come or go.

    Args:
        ids: The galaxies, N.
        populations: Of each.
        held_out: The populations that never train.
        seed: Of the hash.
        shares: Of the others, for validation and for the test.

    Raises:
        SettingsError: The shares are not between 0 and 1, or leave nothing to train on.
    """
    validation, test = shares
    if not (0 < validation < 1 and 0 <= test < 1 and validation + test < 1):
        msg = (
            f"expected shares for validation (above 0) and test that leave some to train on, "
            f"found {validation:g} and {test:g}"
        )
        raise SettingsError(msg)
    never = set(held_out)
    ends = {"train": 1 - validation - test, "validation": 1 - test, "test": 1.0}
    return np.array(
        [
            "held_out" if population in never else _share(f"{seed}:{galaxy}", ends)
            for galaxy, population in zip(ids, populations, strict=True)
        ],
        dtype="<U10",
    )


def latent_space(catalog: pd.DataFrame, config: LabelConfig | None, latents: int) -> LatentSpace:
    """The axes of a model that is to learn from these galaxies.

    A label without a single known value ties nothing: its place goes to a free latent.

    Args:
        catalog: The training galaxies.
        config: How labels become targets; None for a model without physics.
        latents: How many axes it has if the angle is one of them; an ellipticity adds one.
    """
    if config is None:
        axes = tuple(Latent(f"latent_{i}", f"Latent {i}") for i in range(latents))
        return LatentSpace(axes, (0.0,) * latents, (1.0,) * latents, 0)
    total = latents + (config.angle == "ellipticity")
    known = [label for label in LABELS if np.isfinite(_truth(catalog, label, config)).any()]
    tied = [latent for label in known for latent in _latents(label, config)]
    if len(tied) > total:
        msg = f"expected at least {len(tied)} latents for {len(tied)} tied ones, found {total}"
        raise SettingsError(msg)
    free = [Latent(f"free_{i}", f"Free latent {i}") for i in range(total - len(tied))]
    truth = measure_labels(catalog, [latent.name for latent in tied], config).truth
    mean, scale = np.zeros(total), np.ones(total)
    if config.standardise:
        for k, latent in enumerate(tied):
            mean[k], scale[k] = _moments(truth[:, k], latent)
    return LatentSpace((*tied, *free), tuple(mean.tolist()), tuple(scale.tolist()), len(tied))


def measure_labels(catalog: pd.DataFrame, names: Sequence[str], config: LabelConfig) -> Measured:
    """The truth and the errors of the tied latents of these names, each (N, K)."""
    values, errors = [], []
    for label in LABELS:
        wanted = [n for n, latent in enumerate(_latents(label, config)) if latent.name in names]
        truth, sigma = _truth(catalog, label, config), _sigma(catalog, label, config)
        values += [truth[:, n] for n in wanted]
        errors += [sigma[:, n] for n in wanted]
    if not values:
        return Measured(np.empty((len(catalog), 0)), np.empty((len(catalog), 0)))
    truth, sigma = np.stack(values, axis=1), np.stack(errors, axis=1)
    return Measured(truth, np.where(np.isfinite(truth), sigma, np.nan))


def orientation_of(
    mu: NDArray[np.float64], sigma: NDArray[np.float64], factor: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""The angle and its error [rad] from ellipticity components, each (N, 2).

    .. math::
        \phi = \tfrac{1}{2} \operatorname{atan2}(e_s, e_c), \qquad
        \sigma_\phi^2 = \frac{e_s^2 \sigma_c^2 + e_c^2 \sigma_s^2}{4 \, e^4}

    multiplied by the factor, and capped at the :math:`\pi / \sqrt{12}` of an angle of which
    nothing is known.
    """
    double = np.arctan2(mu[:, 1], mu[:, 0])
    across = np.hypot(np.sin(double) * sigma[:, 0], np.cos(double) * sigma[:, 1])
    spread = across / np.maximum(2 * np.hypot(mu[:, 0], mu[:, 1]), 1e-12)
    return wrap_angle(double / 2), np.minimum(factor * spread, UNIFORM_SIGMA)


def _share(text: str, ends: Mapping[str, float]) -> str:
    """The first share that a hash of the text, even in [0, 1), lies below the end of."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    fraction = int.from_bytes(digest, "big") / 2**64
    return next(name for name, end in ends.items() if fraction < end)


def _latents(label: Label, config: LabelConfig) -> list[Latent]:
    if label.name == "orientation" and config.angle == "ellipticity":
        return [
            Latent(ELLIPTICITY[0], "Ellipticity e cos 2φ"),
            Latent(ELLIPTICITY[1], "Ellipticity e sin 2φ"),
        ]
    return [Latent(label.name, label.title, label.unit)]


def _truth(catalog: pd.DataFrame, label: Label, config: LabelConfig) -> NDArray[np.float64]:
    value = catalog[label.name].to_numpy(np.float64)
    if label.name != "orientation":
        return value[:, None]
    phi = wrap_angle(value)
    if config.angle == "phi":
        return phi[:, None]
    e = _ellipticity(catalog)
    return np.stack([e * np.cos(2 * phi), e * np.sin(2 * phi)], axis=1)


def _sigma(catalog: pd.DataFrame, label: Label, config: LabelConfig) -> NDArray[np.float64]:
    """The errors (N, 1 or 2) that the loss divides by, in the label's unit."""
    error = catalog[label.error].to_numpy(np.float64)
    if config.errors == "given":
        error = np.where(error > 0, error, 0.0)[:, None]
        if label.name == "orientation" and config.angle == "ellipticity":
            return np.repeat(2 * _ellipticity(catalog)[:, None] * error, 2, axis=1)
        return error
    error = np.where(error > 0, error, label.sigma_missing)[:, None]
    if config.errors == "published":
        if label.name == "orientation":
            error = np.full_like(error, PAPER_ORIENTATION_SIGMA)
        if label.name == "redshift":
            error = np.full_like(error, PAPER_SIGMA_FLOOR)
        return np.maximum(error, PAPER_SIGMA_FLOOR)
    if label.name == "orientation" and config.angle == "ellipticity":
        spread = 2 * _ellipticity(catalog)[:, None] * np.maximum(error, label.sigma_floor)
        return np.repeat(np.maximum(spread, SHAPE_SIGMA_FLOOR), 2, axis=1)
    return np.maximum(error, label.sigma_floor)


def _ellipticity(catalog: pd.DataFrame) -> NDArray[np.float64]:
    q = catalog["axis_ratio"].to_numpy(np.float64)
    return (1 - q) / (1 + q)


def _moments(truth: NDArray[np.float64], latent: Latent) -> tuple[float, float]:
    if latent.name in ELLIPTICITY:  # both by one factor, so that a rotation stays a rotation
        return 0.0, 0.2
    return float(np.nanmean(truth)), max(float(np.nanstd(truth)), 1e-3)
