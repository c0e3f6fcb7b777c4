"""Where a linear SVM puts each class, as thin lines and a faint fill."""

import contourpy
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pcvae.anomaly import NORMAL, Boundaries

__all__ = ["fill", "outline"]

SMOOTH = 1.5  # cells; takes the stairs out of straight lines
FILL = 0.10  # opacity


def outline(boundaries: Boundaries, name: str) -> list[NDArray[np.float64]]:
    """The border of a class's region as lines (n, 2); none if it has no region."""
    if name not in boundaries.classes:
        return []
    mask = boundaries.region == boundaries.classes.index(name)
    soft = gaussian_filter(mask.astype(np.float64), SMOOTH, mode="nearest")
    lines = contourpy.contour_generator(boundaries.x, boundaries.y, soft).lines(0.5)
    return [np.asarray(line) for line in lines]


def fill(boundaries: Boundaries, colours: dict[str, str]) -> NDArray[np.uint8]:
    """The regions of the rare classes in their colours, (ny, nx, 4) with row 0 at the bottom.

    Args:
        boundaries: The regions.
        colours: The colour ``#rrggbb`` of each class but ``normal``.
    """
    table = np.zeros((len(boundaries.classes) or 1, 4))
    for index, name in enumerate(boundaries.classes):
        if name != NORMAL and name in colours:
            rgb = [int(colours[name][i : i + 2], 16) / 255 for i in (1, 3, 5)]
            table[index] = [*rgb, FILL]
    return (table[boundaries.region] * 255 + 0.5).astype(np.uint8)
