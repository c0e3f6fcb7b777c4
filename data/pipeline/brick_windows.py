"""Where on a brick the cutouts of its galaxies are, and which of them can be taken.

Shapes are written with m galaxies, C bands and H x W pixels.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.readers.legacy_bricks import Brick
from data.readers.raw_image import (
    MAX_EMPTY,
    SAME_SCALE,
    LeftOutError,
    RawImage,
    corner,
    unusable,
)

__all__ = ["Window", "windows"]

TILE = 32  # px

Places = NDArray[np.int64]


class Window(NamedTuple):
    """The cutout of a galaxy on its brick.

    Args:
        row: Of the candidates.
        low: Its first row of pixels.
        left: Its first column.
        north: Direction of north [rad], counter-clockwise from +x.
        trouble: Why it is left out; None for one that is taken.
    """

    row: int
    low: int = 0
    left: int = 0
    north: float = np.nan
    trouble: LeftOutError | None = None


def windows(
    brick: Brick,
    rows: Iterable[int],
    positions: NDArray[np.float64],
    field: tuple[int, float],
    bands: Sequence[str],
) -> list[Window]:
    """The windows of some galaxies, left out for the reasons for which ``cut_image`` does it.

    A brick of another pixel scale is left out too: nothing is resampled here.

    Args:
        brick: The brick, in memory.
        rows: Those of its galaxies among the candidates.
        positions: Right ascension and declination of all candidates (n, 2) [deg].
        field: Pixels on a side of a cutout, and arcsec a pixel.
        bands: The names of the planes, for the reasons given.
    """
    found = [_window(brick, row, positions[row], field) for row in rows]
    taken = [place for place, window in enumerate(found) if window.trouble is None]
    low = np.array([found[place].low for place in taken], np.int64)
    left = np.array([found[place].left for place in taken], np.int64)
    for plane, band in zip(brick.flux if taken else (), bands, strict=False):
        for index, trouble in _unusable(plane, band, low, left, field[0]):
            window = found[taken[index]]
            if window.trouble is None:
                found[taken[index]] = window._replace(trouble=trouble)
    return found


def _window(
    brick: Brick, row: int, position: NDArray[np.float64], field: tuple[int, float]
) -> Window:
    size, pixel_scale = field
    try:
        picture = brick.image(row, position)
        _check_scale(picture, pixel_scale)
        low, left = corner(picture, size)
    except LeftOutError as error:
        return Window(row, trouble=error)
    return Window(row, low, left, picture.north_angle)


def _check_scale(picture: RawImage, pixel_scale: float) -> None:
    found = picture.pixel_scale or pixel_scale
    if abs(pixel_scale / found - 1) >= SAME_SCALE:
        msg = f"{found:.3f} arcsec a pixel, the run needs {pixel_scale:.3f}"
        raise LeftOutError("other pixel scale", msg)


def _unusable(
    plane: NDArray[np.float32], band: str, low: Places, left: Places, size: int
) -> Iterator[tuple[int, LeftOutError]]:
    """The number of each window in which a plane is no data, and what is wrong with it."""
    bad = _counts(~np.isfinite(plane), low, left, size, 1)
    zero = _counts(plane == 0, low, left, size, MAX_EMPTY * size**2)
    share = zero / size**2
    for index in np.flatnonzero((bad > 0) | (share >= MAX_EMPTY)):
        if trouble := unusable(int(bad[index]), float(share[index]), band):
            yield int(index), trouble


def _counts(
    mask: NDArray[np.bool_], low: Places, left: Places, size: int, least: float
) -> NDArray[np.int64]:
    """How many pixels of each window are marked, (m,); zeros where fewer than ``least`` can be.

    By sums over all pixels below and left of each, of which a window takes four; unless sums
    over tiles, of which a window touches some, tell that none has so many.
    """
    if np.count_nonzero(mask) < least or _bounds(mask, low, left, size).max() < least:
        return np.zeros(len(low), np.int64)
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int32)
    np.cumsum(mask, axis=0, out=sums[1:, 1:], dtype=np.int32)
    np.cumsum(sums, axis=1, out=sums)
    high, right = low + size, left + size
    inside = sums[high, right] - sums[low, right] - sums[high, left] + sums[low, left]
    return inside.astype(np.int64)


def _bounds(mask: NDArray[np.bool_], low: Places, left: Places, size: int) -> NDArray[np.int64]:
    """How many pixels of the tiles that each window touches are marked, (m,)."""
    edges = [np.arange(0, length, TILE) for length in mask.shape]
    strips = np.add.reduceat(mask, edges[0], axis=0, dtype=np.int32)
    tiles = np.add.reduceat(strips, edges[1], axis=1).astype(np.int64)
    sums = np.pad(tiles.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    bottom, begin = low // TILE, left // TILE
    top, end = (low + size - 1) // TILE + 1, (left + size - 1) // TILE + 1
    bounds: NDArray[np.int64]
    bounds = sums[top, end] - sums[bottom, end] - sums[top, begin] + sums[bottom, begin]
    return bounds
