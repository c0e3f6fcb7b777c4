"""The colour map of each kind of quantity, on dark and on light ground.

``colour_by.colouring`` says which kind a quantity is of: a new kind is chosen there.
"""

from functools import cache

import numpy as np
from holoviews.plotting.util import process_cmap
from numpy.typing import NDArray

__all__ = ["MAPS", "colour_map"]

MAPS = {
    ("density", True): ("kbc", 0.42, 1.0),
    ("density", False): ("kbc", 0.75, 0.05),
    ("value", True): ("bmy", 0.12, 1.0),
    ("value", False): ("bmy", 0.0, 0.88),
    ("difference", True): ("bjy", 0.0, 1.0),
    ("difference", False): ("bkr", 0.0, 1.0),
    ("cyclic", True): ("colorwheel", 0.0, 1.0),
    ("cyclic", False): ("colorwheel", 0.0, 1.0),
}
"""colorcet's name, and the part of it that is used; by kind and whether the ground is dark."""


@cache
def colour_map(kind: str, dark: bool) -> NDArray[np.float32]:
    """The 256 colours (256, 3) in [0, 1] of a kind of ``MAPS``."""
    name, start, end = MAPS[kind, dark]
    colours = process_cmap(name, 256, provider="colorcet")
    table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]) / 255
    place = np.linspace(start, end, 256) * 255
    return np.stack([np.interp(place, np.arange(256), table[:, i]) for i in range(3)], axis=1)
