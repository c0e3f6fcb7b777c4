"""Galaxy images as pictures: PNGs in data URIs, residuals, scale bars.

Arrays are (S, S, 3) with row 0 at the bottom; pictures have it at the bottom too.
"""

import base64
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data.readers.raw_image import overlap

__all__ = [
    "Residual",
    "area_mean",
    "bar_html",
    "channels_of",
    "compass_svg",
    "data_uri",
    "in_band",
    "residual",
    "scale_bar",
]

MIN_LIMIT = 0.02  # of the display range; a smaller residual is not seen on the stamp either
QUANTILE = 0.995  # of the absolute residuals; a hot pixel must not hide the rest
COLD, HOT = np.array([0.23, 0.55, 0.95]), np.array([0.98, 0.50, 0.18])
BARS = (1, 2, 5, 10, 20, 30, 60, 120, 300)  # arcsec


class Residual(NamedTuple):
    """A residual as a picture.

    Args:
        picture: (S, S, 3) uint8; zero is dark, positive warm, negative cold.
        limit: Where the colours end, in units of the display range.
    """

    picture: NDArray[np.uint8]
    limit: float


def data_uri(picture: NDArray[np.uint8], kind: str = "PNG") -> str:
    """A picture (S, S, 3) as the data URI of a PNG, or of a small WEBP."""
    buffer = io.BytesIO()
    options = {"compress_level": 3} if kind == "PNG" else {"quality": 88}
    Image.fromarray(np.flipud(picture)).save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()


def area_mean(image: NDArray[np.floating], size: int) -> NDArray[np.floating]:
    """Resize (S, S, C) to (size, size, C), each new pixel the mean of the area it covers."""
    ratio = image.shape[0] / size
    weights = overlap(0.0, image.shape[0], size, ratio)[0].astype(np.float32) / np.float32(ratio)
    return np.einsum("ij,jkc,lk->ilc", weights, image, weights, optimize=True)


def channels_of(bands: Sequence[str]) -> dict[str, int]:
    """Which of red, green and blue shows each band, as pictures are coloured; none for one band.

    Example:
        >>> channels_of(("g", "r", "z")), channels_of(("g",))
        ({'g': 2, 'r': 1, 'z': 0}, {})
    """
    shown = {bands[0]: 2, bands[len(bands) // 2]: 1, bands[-1]: 0}
    return shown if len(bands) > 1 else {}


def in_band(picture: NDArray[Any], channel: int | None) -> NDArray[Any]:
    """A picture (S, S, 3) with one of its channels alone, in grey; None leaves it in colour."""
    return picture if channel is None else picture[..., [channel] * 3]


def residual(
    image: NDArray[np.floating], reconstruction: NDArray[np.floating], *, dark: bool = True
) -> Residual:
    """The residual: image minus reconstruction, averaged over the colours.

    Args:
        image: (S, S, 3) in [0, 1].
        reconstruction: Likewise; its size is the picture's.
        dark: Whether zero is black, or white.
    """
    difference = (area_mean(image, reconstruction.shape[0]) - reconstruction).mean(axis=2)
    limit = max(float(np.quantile(np.abs(difference), QUANTILE)), MIN_LIMIT)
    share = np.clip(difference / limit, -1, 1)[..., None]
    zero = np.full(3, 0.05 if dark else 1.0)
    colour = np.where(share > 0, HOT, COLD)
    mixed = zero + np.abs(share) * (colour - zero)
    return Residual((mixed * 255 + 0.5).astype(np.uint8), limit)


def scale_bar(pixel_scale: float | None, size: int) -> tuple[str, float] | None:
    """A round angle of about a quarter of a stamp: its text and share of the width."""
    if not pixel_scale or not size:
        return None
    width = pixel_scale * size
    angle = min(BARS, key=lambda bar: abs(bar / width - 0.25))
    return f"{angle}″", angle / width


def bar_html(pixel_scale: float | None, size: int) -> str:
    """The scale bar to be laid over a stamp; empty where the scale is unknown."""
    bar = scale_bar(pixel_scale, size)
    return f'<span class="bar" style="width:{100 * bar[1]:.1f}%">{bar[0]}</span>' if bar else ""


def compass_svg(north: float) -> str:
    """North and east, with the picture's +y up; east is a quarter turn on from north.

    Args:
        north: Direction of north [rad], counter-clockwise from +x; nothing is drawn for NaN.
    """
    if not np.isfinite(north):
        return ""
    parts = []
    for name, angle in (("N", north), ("E", north + np.pi / 2)):
        x, y = np.cos(angle), -np.sin(angle)
        parts.append(
            f'<path d="M24 24L{24 + 11 * x:.1f} {24 + 11 * y:.1f}"/>'
            f'<text x="{24 + 17 * x:.1f}" y="{24 + 17 * y:.1f}">{name}</text>'
        )
    return f'<svg class="compass" viewBox="0 0 48 48" aria-hidden="true">{"".join(parts)}</svg>'
