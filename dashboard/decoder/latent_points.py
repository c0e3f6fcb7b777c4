"""From places in a latent space to pictures: which latents to decode, and decoding them.

Shapes are written with D latents, n places and S x S pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.dataset import ELLIPTICITY
from pcvae.store import Store

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["Spread", "decoded", "path", "placed", "spread_of", "traversal"]

STEPS = 7  # pictures a latent
REACH = (2, 98)  # percentiles of the sample that a traversal runs between
ENDS = (0.2, 99.8)  # percentiles at the ends of the sliders

Floats = NDArray[np.float64]


class Spread(NamedTuple):
    """How a model's latents are spread over the sample, (D,) each; 0, and -1 to 1, without any.

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
    """How the latents of a model are spread over the galaxies that have all of them."""
    values = store.values(model)
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


def traversal(base: Floats, spread: Spread, steps: int = STEPS) -> Floats:
    """Each latent in turn from low to high, the others as in ``base``; (D, steps, D)."""
    places = np.broadcast_to(base, (len(base), steps, len(base))).copy()
    for axis in range(len(base)):
        places[axis, :, axis] = np.linspace(spread.low[axis], spread.high[axis], steps)
    return places


def path(start: Floats, end: Floats, steps: int) -> Floats:
    """Places on the straight line between two, both ends among them; (steps, D)."""
    share = np.linspace(0, 1, steps)[:, None]
    return start + share * (end - start)


def placed(base: Floats, names: list[str], given: Mapping[str, float]) -> Floats:
    r"""A place (D,) with some of its coordinates replaced.

    An orientation :math:`\phi` that is derived from an ellipticity turns that one and leaves its
    size, :math:`e (\cos 2\phi, \sin 2\phi)`.

    Args:
        base: The place, (D,).
        names: The latents' names.
        given: The new coordinates by name.
    """
    place = np.array(base, dtype=np.float64)
    for name, value in given.items():
        if name in names:
            place[names.index(name)] = value
        elif name == "orientation" and ELLIPTICITY[0] in names:
            pair = [names.index(one) for one in ELLIPTICITY]
            size = np.hypot(*place[pair])
            place[pair] = size * np.cos(2 * value), size * np.sin(2 * value)
    return place


def decoded(codec: "Codec", store: Store, places: Floats) -> NDArray[np.uint8]:
    """Pictures (n, S, S, 3) of places (n, D), stretched as the store's stamps are."""
    stretch = store.info.stamp_stretch or asdict(codec.run.stretch)
    shown = np.clip(codec.decode_rgb(places, stretch), 0, 1)
    return (shown * 255 + 0.5).astype(np.uint8)
