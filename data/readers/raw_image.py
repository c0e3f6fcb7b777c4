"""The image of one galaxy as it was read, and its cutout for the sample.

Shapes are written with C bands, H x W pixels as found and S x S as wanted; rows grow upwards.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LeftOutError", "RawImage", "corner", "cut_image", "overlap", "unusable"]

SAME_SCALE = 0.005  # relative; less than a pixel over a cutout of 128
SLACK = 2.0  # px; a galaxy may sit this far off the middle where the picture ends
MAX_EMPTY = 0.1  # share of pixels at exactly zero: outside the survey, not noise


class LeftOutError(Exception):
    """A galaxy cannot be taken.

    Args:
        reason: The same words for all galaxies with that trouble.
        detail: What was found for this one.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)  # both, so that it can go to another process
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class RawImage(NamedTuple):
    """An image as it was read.

    Args:
        flux: Its pixels (C, H, W).
        centre: Where the galaxy is: x, y [px].
        pixel_scale: Arcsec a pixel; None if not stated.
        north_angle: Direction of north [rad], counter-clockwise from +x; NaN if not known.
        display: The values are those of a picture to look at: zero is black, and resampling
            averages them, whereas fluxes add up.
    """

    flux: NDArray[np.float32]
    centre: tuple[float, float]
    pixel_scale: float | None = None
    north_angle: float = np.nan
    display: bool = False


def cut_image(
    picture: RawImage, size: int, pixel_scale: float | None, bands: tuple[str, ...]
) -> tuple[NDArray[np.float32], float]:
    """Cut (C, S, S) around the galaxy, on pixels of the wanted scale.

    Args:
        picture: What was found.
        size: S.
        pixel_scale: The scale wanted [arcsec]; None takes pixels as they are.
        bands: The names of the planes, for the reasons given.

    Returns:
        The cutout, and the scale it was resampled from [arcsec], NaN if it was not.

    Raises:
        LeftOutError: The picture is too small, or its pixels are no data.
    """
    ratio = 1.0
    if pixel_scale is not None and picture.pixel_scale is not None:
        ratio = pixel_scale / picture.pixel_scale
    if abs(ratio - 1) < SAME_SCALE:
        flux: NDArray[np.floating] = _crop(picture, size)
        origin = np.nan
    else:
        flux, origin = _resample(picture, size, ratio), picture.pixel_scale or np.nan
    _check(flux, bands, 1.0 if picture.display else MAX_EMPTY)
    return np.ascontiguousarray(flux, dtype=np.float32), float(origin)


def corner(picture: RawImage, size: int) -> tuple[int, int]:
    """The first row and column of the ``size`` pixels around the galaxy, without resampling.

    Raises:
        LeftOutError: The picture is too small, or the galaxy too near its edge.
    """
    height, width = picture.flux.shape[1:]
    left = round(_start(picture.centre[0], width, size))
    return round(_start(picture.centre[1], height, size)), left


def _crop(picture: RawImage, size: int) -> NDArray[np.float32]:
    low, left = corner(picture, size)
    return picture.flux[:, low : low + size, left : left + size]


def _resample(picture: RawImage, size: int, ratio: float) -> NDArray[np.float64]:
    """Resample by area: each new pixel gets the flux of the area that it covers."""
    height, width = picture.flux.shape[1:]
    left = _start(picture.centre[0], width, size * ratio)
    low = _start(picture.centre[1], height, size * ratio)
    columns, from_columns = overlap(left, width, size, ratio)
    rows, from_rows = overlap(low, height, size, ratio)
    window = picture.flux[:, from_rows, from_columns].astype(np.float64)
    flux = rows @ window @ columns.T
    return flux / ratio**2 if picture.display else flux


def _start(centre: float, length: int, wanted: float) -> float:
    """Where a window of ``wanted`` pixels around ``centre`` starts, moved a little if it must."""
    if wanted > length + 0.5:
        msg = f"the picture is {length} px wide, {wanted:.0f} are needed"
        raise LeftOutError("picture too small", msg)
    start = centre + 0.5 - wanted / 2
    inside = float(min(max(start, 0.0), max(length - wanted, 0.0)))
    if abs(inside - start) > SLACK:
        msg = f"the galaxy is at pixel {centre:.0f} of {length}, {wanted / 2:.0f} from each edge"
        raise LeftOutError("galaxy too near the edge", f"{msg} are needed")
    return inside


def overlap(
    start: float, length: int, size: int, ratio: float
) -> tuple[NDArray[np.float64], slice]:
    """The length of each old pixel in each new one (S, n), and the slice of the n old pixels.

    Args:
        start: Where the first new pixel begins, in old pixels.
        length: The number of old pixels.
        size: The number of new pixels, S.
        ratio: The length of a new pixel, in old ones.
    """
    window = slice(max(int(start), 0), min(int(np.ceil(start + size * ratio)), length))
    old = np.arange(window.start, window.stop)
    low = start + ratio * np.arange(size)[:, None]
    share = np.minimum(low + ratio, old + 1) - np.maximum(low, old)
    return share.clip(min=0), window


def _check(flux: NDArray[np.floating], bands: tuple[str, ...], most_empty: float) -> None:
    for plane, band in zip(flux, bands, strict=True):
        bad, empty = int((~np.isfinite(plane)).sum()), float((plane == 0).mean())
        if trouble := unusable(bad, empty, band, most_empty):
            raise trouble


def unusable(
    bad: int, empty: float, band: str, most_empty: float = MAX_EMPTY
) -> LeftOutError | None:
    """Why a band of a cutout is no data; None if it is.

    Args:
        bad: The number of its pixels that are not finite.
        empty: The share of those at exactly zero.
        band: Its name.
        most_empty: The share from which on it counts as empty.
    """
    if bad:
        return LeftOutError("pixels not finite", f"{bad} in band {band}")
    if empty >= most_empty:
        return LeftOutError("band without data", f"{empty:.0%} of band {band} is exactly zero")
    return None
