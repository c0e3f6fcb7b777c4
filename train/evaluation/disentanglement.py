"""Disentanglement: labels in the free latents, and the effect of each latent on the image.

Shapes are written with N galaxies, D latents, C bands and S x S pixels.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from pcvae.labels import LABELS
from pcvae.metrics import r2
from pcvae.store import ModelInfo
from train.evaluation.baselines import neighbour_estimates
from train.evaluation.galaxy_pool import Pool

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["free_latents", "leaks", "swaps"]

PICTURES = 256  # galaxies whose latents are swapped


def free_latents(model: ModelInfo) -> list[str]:
    """The latents of a model that no label is tied to."""
    tied = {label.name for label in LABELS} | {"e_cos", "e_sin"}
    return [name for name in model.names if name not in tied]


def leaks(pool: Pool, model: ModelInfo) -> dict[str, float]:
    """The R2 with which the free latents alone tell each label, by nearest neighbours.

    Zero where the free latents are independent of it, as the objective wants.
    """
    free = pool.latents[model.name][free_latents(model)].to_numpy(np.float64)
    found = neighbour_estimates(pool, free) if free.shape[1] else {}
    return {
        name: r2(pool.truth(name)[pool.test], figures.value[pool.test], name)
        for name, figures in found.items()
    }


def swaps(pool: Pool, model: ModelInfo, codec: "Codec", seed: int) -> dict[str, Any]:
    r"""The change of the image by each latent.

    Each latent in turn is swapped between galaxies, and decoded; the figure is

    .. math::
        \sqrt{\langle (\hat x' - \hat x)^2 \rangle / \langle (\hat x - \bar x)^2 \rangle}

    with :math:`\bar x` the mean decoded picture: 0 where the latent changes nothing.
    """
    rng = np.random.default_rng(seed)
    values = pool.values(model).astype(np.float64)
    rows = np.flatnonzero(pool.test & np.isfinite(values).all(axis=1))
    if len(rows) < 2:
        return {}
    rows = rng.permutation(rows)[:PICTURES]
    before = codec.decode(values[rows]).astype(np.float64)
    spread = np.square(before - before.mean(axis=0)).mean()
    changes = {}
    for axis, name in enumerate(model.names):
        swapped = values[rows]
        swapped[:, axis] = np.roll(swapped[:, axis], 1)
        change = np.square(codec.decode(swapped) - before).mean()
        changes[name] = float(np.sqrt(change / spread)) if spread > 0 else np.nan
    return changes
