"""A sheet in Fourier space on which GalSim's profiles are summed before one transform a band.

Shapes are written with B bands, S x S pixels and K x L modes (half a plane, as of ``rfft2``).
"""

from collections.abc import Sequence

import galsim
import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["Canvas"]

Array = NDArray[np.float64]
Modes = NDArray[np.complex128]


class Canvas:
    """Adds sources to B bands and develops them through a point spread function.

    A profile is evaluated once, whatever the number of bands: 0.5 ms for 128 pixels. Positions
    are in arcsec from the centre of the stamp, (S - 1) / 2; +y is the direction of growing rows.

    Args:
        size: Pixels on a side of the stamp, S.
        pixel_scale: Arcsec a pixel.
        bands: B.
    """

    def __init__(self, size: int, pixel_scale: float, bands: int) -> None:
        self.size, self.pixel_scale = size, pixel_scale
        # What lies off the stamp must not come back on its other side.
        self.padded = int(fft.next_fast_len(3 * size // 2, real=True))
        self.padded += self.padded % 2
        half = self.padded // 2
        self._step = 2 * np.pi / (self.padded * pixel_scale)
        self._bounds = galsim.BoundsI(0, half, -half, half - 1)
        self._kx = np.arange(half + 1) * self._step
        self._ky = fft.fftfreq(self.padded, 1 / self.padded) * self._step
        self.k2 = self._ky[:, None] ** 2 + self._kx**2
        self._pixel = np.outer(
            *(np.sinc(k * pixel_scale / 2 / np.pi) for k in (self._ky, self._kx))
        )
        self.modes = np.zeros((bands, len(self._ky), len(self._kx)), np.complex128)

    def profile(self, shape: galsim.GSObject, flux: Array, x: float = 0.0, y: float = 0.0) -> None:
        """Add a GalSim profile of unit flux, with its flux (B,) in each band."""
        self._add(self.evaluate(shape) * self._phase(x, y), flux)

    def points(
        self, place: Array, flux: Array, share: Array | None = None, blur: float = 0.0
    ) -> None:
        """Add points at x, y (2, n) that share (n,) the flux (B,), or Gaussians of sigma blur."""
        x, y = place
        rows = np.exp(-1j * np.multiply.outer(self._ky, y) - (self._ky**2 * blur**2 / 2)[:, None])
        columns = np.exp(-1j * np.multiply.outer(x, self._kx) - self._kx**2 * blur**2 / 2)
        self._add((rows if share is None else rows * share) @ columns, flux)

    def image(self, pixels: Array, flux: Array, x: float = 0.0, y: float = 0.0) -> None:
        """Add an image (S, S) of unit sum, centred on x, y."""
        sheet = np.zeros((self.padded, self.padded))
        sheet[: self.size, : self.size] = pixels
        back = (self.size - 1) / 2 * self.pixel_scale
        self._add(fft.rfft2(sheet) * self._phase(x - back, y - back), flux)

    def evaluate(self, shape: galsim.GSObject) -> Modes:
        """The Fourier transform (K, L) of a profile at the origin."""
        image = galsim.ImageCD(self._bounds, scale=self._step)
        shape.drawKImage(image, recenter=False)
        return np.asarray(fft.ifftshift(image.array, axes=0))

    def develop(self, psfs: Sequence[galsim.GSObject]) -> Array:
        """The image (B, S, S) through one point spread function a band."""
        centre = (self.size - 1) / 2 * self.pixel_scale
        seen = self._phase(centre, centre) * self._pixel
        blurred = np.stack([self.evaluate(psf) for psf in psfs]) * self.modes * seen
        sheet = fft.irfft2(blurred, s=(self.padded, self.padded))
        return np.asarray(sheet[:, : self.size, : self.size])

    def noise(self, smooth: float, rng: np.random.Generator) -> Array:
        """Noise (B, S, S) of unit variance, correlated by a Gaussian of this sigma [arcsec]."""
        white = rng.standard_normal((len(self.modes), self.padded, self.padded))
        kernel = np.exp(-self.k2 * smooth**2 / 2)
        # Modes of the half plane stand for two, but for the first and the last column.
        weight = np.full(len(self._kx), 2.0)
        weight[[0, -1]] = 1.0
        kernel /= np.sqrt((kernel**2 * weight).sum() / self.padded**2)
        sheet = fft.irfft2(fft.rfft2(white) * kernel, s=(self.padded, self.padded))
        return np.asarray(sheet[:, : self.size, : self.size])

    def _phase(self, x: float, y: float) -> Modes:
        return np.outer(np.exp(-1j * self._ky * y), np.exp(-1j * self._kx * x))

    def _add(self, modes: Modes, flux: Array) -> None:
        for band, one in enumerate(np.asarray(flux)):
            self.modes[band] += one * modes
