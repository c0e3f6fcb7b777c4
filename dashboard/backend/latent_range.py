"""The range of a model's latents over the sample, for sliders and traversals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.store import Store

__all__ = ["Floats", "Spread", "spread_of"]

Floats = NDArray[np.float64]

REACH = (2, 98)  # percentiles of the sample that a traversal runs between


ENDS = (0.2, 99.8)  # percentiles at the ends of the sliders


class Spread(NamedTuple):
    """The distribution of a model's latents, (D,) each; 0, and -1 to 1, without galaxies.

    Args:
        median: Their medians.
        low: Where a traversal begins.
        high: Where it ends.
        least: The lower end of a slider.
        most: Its upper end.
    """

    median: Floats
    low: Floats
    high: Floats
    least: Floats
    most: Floats


def spread_of(store: Store, model: str) -> Spread:
    """The distribution of the latents of a model over the galaxies that have all of them.

    Of a model with too many latents to look at, none is read.
    """
    about = store.model(model)
    values = np.zeros((0, len(about.latents))) if about.wide else store.values(model)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        zero = np.zeros(values.shape[1])
        return Spread(zero, zero - 1, zero + 1, zero - 1, zero + 1)
    low, median, high = np.percentile(values, (REACH[0], 50, REACH[1]), axis=0)
    least, most = np.percentile(values, ENDS, axis=0)
    flat = most <= least
    return Spread(
        median, low, high, np.where(flat, least - 1, least), np.where(flat, most + 1, most)
    )
