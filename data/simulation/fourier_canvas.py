"""A sheet in Fourier space on which GalSim's profiles are summed before one transform a band.

Shapes are written with B bands, S x S pixels and K x L modes (half a plane, as of ``rfft2``).
"""

from collections.abc import Sequence

import galsim
import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["FourierCanvas", "correlated_noise"]

Array = NDArray[np.float64]
Pixels = NDArray[np.float32]
Modes = NDArray[np.complex64]  # seven digits, as the pixels that come of them


class FourierCanvas:
    """Adds sources to B bands and develops them through a point spread function.

    A profile is evaluated once, whatever the number of bands. Positions are in arcsec from the
    centre of the stamp, (S - 1) / 2; +y is the direction of growing rows.

    Args:
        size: Pixels on a side of the stamp, S.
        pixel_scale: Arcsec a pixel.
        bands: B.
    """

    def __init__(self, size: int, pixel_scale: float, bands: int) -> None:
        self.size, self.pixel_scale = size, pixel_scale
        # What lies off the stamp must not come back on its other side.
        self._padded = 2 * int(fft.next_fast_len(-(-3 * size // 4), real=True))
        half = self._padded // 2
        self._step = 2 * np.pi / (self._padded * pixel_scale)
        self._bounds = galsim.BoundsI(0, half, -half, half - 1)
        self._kx = np.arange(half + 1) * self._step
        self._ky = fft.fftfreq(self._padded, 1 / self._padded) * self._step
        self._modes = np.zeros((bands, len(self._ky), len(self._kx)), np.complex64)

    def profile(self, shape: galsim.GSObject, flux: Array, x: float = 0.0, y: float = 0.0) -> None:
        """Add a GalSim profile of unit flux, with its flux (B,) in each band."""
        self._add(self._evaluate(shape) * self._phase(x, y), flux)

    def points(self, place: Array, flux: Array, blur: Array | float = 0.0) -> None:
        """Add n points, or round Gaussians, with their own flux in each band.

        Args:
            place: x, y (2, n).
            flux: (n, B).
            blur: Sigma (n,) [arcsec], or of all.
        """
        x, y = place
        width = -np.square(np.broadcast_to(blur, x.shape)) / 2
        rows = np.exp(-1j * np.outer(self._ky, y) + np.outer(self._ky**2, width))
        columns = np.exp(-1j * np.outer(x, self._kx) + np.outer(width, self._kx**2))
        rows, columns = rows.astype(np.complex64), columns.astype(np.complex64)
        for band, light in enumerate(flux.T.astype(np.float32)):
            self._modes[band] += (rows * light) @ columns

    def image(self, pixels: Array, flux: Array) -> None:
        """Add an image (S, S) of unit sum in the stamp's own pixels."""
        sheet = np.zeros((self._padded, self._padded), np.float32)
        sheet[: self.size, : self.size] = pixels
        back = (self.size - 1) / 2 * self.pixel_scale
        self._add(fft.rfft2(sheet) * self._phase(-back, -back), flux)

    def develop(self, psfs: Sequence[galsim.GSObject]) -> Pixels:
        """The image (B, S, S) through one point spread function a band."""
        centre = (self.size - 1) / 2 * self.pixel_scale
        rows, columns = (np.sinc(k * self.pixel_scale / 2 / np.pi) for k in (self._ky, self._kx))
        seen = self._phase(centre, centre) * np.outer(rows, columns).astype(np.float32)
        blurred = np.stack([self._evaluate(psf) for psf in psfs]) * self._modes * seen
        sheet = fft.irfft2(blurred, s=(self._padded, self._padded))
        return np.asarray(sheet[:, : self.size, : self.size])

    def _evaluate(self, shape: galsim.GSObject) -> Modes:
        """The Fourier transform (K, L) of a profile at the origin."""
        image = galsim.ImageCF(self._bounds, scale=self._step)
        shape.drawKImage(image, recenter=False)
        return np.asarray(fft.ifftshift(image.array, axes=0))

    def _phase(self, x: float, y: float) -> Modes:
        rows, columns = np.exp(-1j * self._ky * y), np.exp(-1j * self._kx * x)
        return np.outer(rows.astype(np.complex64), columns.astype(np.complex64))

    def _add(self, modes: Modes, flux: Array) -> None:
        for band, light in enumerate(np.asarray(flux, np.float32)):
            self._modes[band] += light * modes


def correlated_noise(
    shape: tuple[int, int, int], smooth: float, rng: np.random.Generator
) -> Pixels:
    """Noise (B, S, S) of unit variance a pixel.

    Args:
        shape: (B, S, S).
        smooth: Sigma of the Gaussian that white noise is convolved with [px].
        rng: Draws it.
    """
    size = shape[-1]
    k = 2 * np.pi * fft.fftfreq(size)
    kernel = np.exp(-(smooth**2) / 2 * (k[:, None] ** 2 + k**2))
    kernel /= np.sqrt((kernel**2).mean())
    half = kernel[:, : size // 2 + 1].astype(np.float32)
    white = fft.rfft2(rng.standard_normal(shape, dtype=np.float32))
    return np.asarray(fft.irfft2(white * half, s=shape[1:]))
