"""The colour picture that SkyServer shows: three bands, an asinh stretch, eight bits.

Shapes are written with 3 bands and S x S pixels.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

__all__ = ["sky_server_colour"]

# Weight of the reddest, the middle and the bluest band, and how soon the stretch bends: near
# those of Lupton et al. (2004), set so that sky, noise and cores look like SkyServer's.
WEIGHTS = (1.15, 1.45, 2.1)
BEND = 2.0
SKY_LEVEL = 0.012
JPEG_QUALITY = 92


def sky_server_colour(flux: NDArray[np.float64], pixel_area: float) -> NDArray[np.float32]:
    """Stretch three bands together to [0, 1], in steps of 1/255; the hue of a core survives.

    Args:
        flux: (3, S, S) [nanomaggy], in order of wavelength; so is the picture.
        pixel_area: Of these pixels over that of the camera's.
    """
    weights = np.array(WEIGHTS[::-1])[:, None, None]
    colours = flux * weights / pixel_area
    light = np.maximum(colours.sum(0), 1e-6)
    shown = SKY_LEVEL + colours * np.arcsinh(BEND * light) / (BEND * light)
    # A pixel brighter than white keeps its colour.
    shown = np.maximum(shown, 0) / np.maximum(shown.max(0), 1.0)
    return _jpeg(np.round(255 * shown).astype(np.uint8)).astype(np.float32) / np.float32(255)


def _jpeg(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is left of a picture (3, S, S), blue first, after a trip through JPEG."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(picture[::-1].transpose(1, 2, 0).copy()).save(
        file, "JPEG", quality=JPEG_QUALITY
    )
    with Image.open(file) as read:
        return np.asarray(read).transpose(2, 0, 1)[::-1]
