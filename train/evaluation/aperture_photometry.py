"""Photometry from pixels: the light in rings, for samples whose catalogue has no fluxes.

Shapes are written with N galaxies, C bands, R rings and S x S pixels.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.cutouts import Sample

__all__ = ["annular_colours", "ring_means"]

EDGES = (0.0, 0.03, 0.06, 0.12, 0.20, 0.35, 0.60, 1.0)  # of half the stamp's side


def ring_means(flux: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean pixel in rings about the stamp's centre: (N, C, S, S) to (N, C, R)."""
    size = flux.shape[-1]
    y, x = np.indices((size, size)) - (size - 1) / 2
    ring = np.digitize(np.hypot(x, y).ravel() / (size / 2), EDGES) - 1
    inside = ring < len(EDGES) - 1
    member = np.eye(len(EDGES) - 1, dtype=np.float32)[ring[inside]]
    pixels = flux.reshape(*flux.shape[:2], -1)[..., inside]
    return (pixels @ member / np.maximum(member.sum(axis=0), 1)).astype(np.float64)


def annular_colours(samples: Sequence[Sample], ids: pd.Series) -> NDArray[np.float64]:
    """Ring means of every band and their differences between neighbouring bands.

    Args:
        samples: Where the galaxies are looked for.
        ids: The galaxies, N.

    Returns:
        Features (N, (2 C - 1) R); NaN for galaxies in none of the samples.
    """
    rings = len(EDGES) - 1
    bands = len(samples[0].info.bands)
    features = np.full((len(ids), (2 * bands - 1) * rings), np.nan)
    place = pd.Series(np.arange(len(ids)), index=ids.to_numpy())
    for sample in samples:
        wanted = sample.catalog["id"].map(place).to_numpy(np.float64)
        for where, flux in sample.blocks():
            means = ring_means(flux)
            table = np.concatenate([means, means[:, :-1] - means[:, 1:]], axis=1)
            known = np.isfinite(wanted[where])
            target = wanted[where][known].astype(np.intp)
            features[target] = table.reshape(len(table), -1)[known]
    return features
