"""Points of a latent space: which ones to decode, and decoding them.

Shapes are written with D latents, n places and S x S pixels.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.latent_range import Floats, Spread
from pcvae.dataset import ELLIPTICITY
from pcvae.store import Store

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["decoded", "path", "placed", "traversal"]

STEPS = 7  # pictures a latent


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
            pair = [names.index(name) for name in ELLIPTICITY]
            size = np.hypot(*place[pair])
            place[pair] = size * np.cos(2 * value), size * np.sin(2 * value)
    return place


def decoded(codec: "Codec", store: Store, places: Floats) -> NDArray[np.uint8]:
    """Pictures (n, S, S, 3) of places (n, D), stretched as the store's stamps are."""
    stretch = store.info.stamp_stretch or asdict(codec.run.stretch)
    shown = np.clip(codec.decode_rgb(places, stretch), 0, 1)
    return (shown * 255 + 0.5).astype(np.uint8)
