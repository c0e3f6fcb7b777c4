"""Network images of many cutouts of one large image, whose pixels are prepared once for all.

Shapes are written with C bands, an image of H x W pixels, n cutouts of N x N, network images of
S x S and cores of K x K pixels. The results are those of ``pcvae.preprocess.Stretch`` for the
cutouts, up to rounding.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from pcvae.errors import SettingsError, ShapeError
from pcvae.fast_stretch import bicubic_taps, has_kernel
from pcvae.preprocess import Stretch, asinh

__all__ = ["SkyStretch"]

Pixels = NDArray[np.float32]
Places = NDArray[np.int64]


class SkyStretch:
    r"""The stretch of one large image, for its cutouts.

    Where no flux is corrected, all that cutouts share is computed once: Eq. 1 of each pixel, and
    with the resize by area before it the mean of 2 x 2 pixels in four phases, by the parity of a
    cutout's corner. The dust of single galaxies is undone exactly, on their slices: with the
    bicubic resize by the softening :math:`k_b` of Eq. 1,

    .. math::
        x_b = \frac{f_b \, \mathrm{raw}_b}{\sqrt{k_b^2 + (f_b \, \mathrm{raw}_b)^2}}
            = \frac{\mathrm{raw}_b}{\sqrt{(k_b / f_b)^2 + \mathrm{raw}_b^2}}

    and with the resize by area with the very roundings of a corrected cutout, as what undoes
    Eq. 1 (``Photometry``) makes much of them where it saturates.

    Args:
        flux: The image (C, H, W), in the unit that the stretch takes.
        stretch: Of the network; must be one that ``fits``.
        size: Pixels on a side of a cutout, N.
        corrected: Whether fluxes of single galaxies are corrected.

    Raises:
        SettingsError: This stretch is none of those.

    Example:
        >>> stretch = Stretch(("g",), (1.0,), 4, resize="area", resize_first=True, order=(0,))
        >>> sky = SkyStretch(np.ones((1, 20, 20), np.float32), stretch, 8)
        >>> sky.images([[3, 5]])[0].shape
        torch.Size([1, 1, 4, 4])
    """

    def __init__(
        self, flux: Pixels, stretch: Stretch, size: int, *, corrected: bool = False
    ) -> None:
        if not SkyStretch.fits(stretch, size):
            msg = f"expected a stretch of {size} px for which there is a kernel, found {stretch}"
            raise SettingsError(msg)
        self._stretch, self._size, self._corrected = stretch, size, corrected
        self._shape = flux.shape
        squared = np.square(np.divide(stretch.scale, stretch.beta))
        self._squared = squared[list(stretch.order)]
        plain = np.arange(len(flux))
        self._raw = _interleaved(flux, plain) if stretch.core else None
        self._sky = self._prepared(flux)

    @staticmethod
    def fits(stretch: Stretch, size: int) -> bool:
        """Whether there are kernels for this stretch of cutouts of ``size`` pixels."""
        if not stretch.scale or stretch.core > size:
            return False
        like = torch.empty(1, len(stretch.bands), size, size)
        return has_kernel(like, stretch.size, stretch.resize, resize_first=stretch.resize_first)

    def images(self, places: ArrayLike, factors: ArrayLike | None = None) -> tuple[Tensor, Tensor]:
        """The network images (n, C, S, S) and cores (n, C, K, K) of some cutouts.

        Args:
            places: The first row and column of each, (n, 2).
            factors: By which the fluxes of each in each band are multiplied, (n, C).

        Raises:
            SettingsError: Fluxes are to be corrected that were prepared as they are.
            ShapeError: A cutout is not inside the image.
        """
        if factors is not None and not self._corrected:
            msg = "expected corrected=True of a sky whose cutouts are corrected, found False"
            raise SettingsError(msg)
        corners = np.asarray(places, np.int64)
        _check(corners, self._size, self._shape[1:])
        bands, size = self._shape[0], self._stretch.size
        given = np.ones((len(corners), bands)) if factors is None else np.asarray(factors)
        out = np.empty((len(corners), size, size * bands), np.float32)
        in_order = given[:, list(self._stretch.order)]
        if self._stretch.resize_first:
            self._slice_pooled(corners, in_order, out)
        else:
            self._slice_resized(corners, in_order, out)
        return _planes(out, bands), self._cores(corners, given)

    def _prepared(self, flux: Pixels) -> Pixels:
        order = np.array(self._stretch.order)
        if self._corrected:
            return _interleaved(flux, order)
        pooled = self._stretch.resize_first
        sky = _pooled(flux, order) if pooled else _interleaved(flux, order)
        _squash(sky, self._squared)
        return sky

    def _slice_pooled(self, places: Places, factors: NDArray[np.float64], out: Pixels) -> None:
        from pcvae import sky_kernels

        if not self._corrected:
            sky_kernels.pooled_slices(self._sky, places, out)
            return
        squared = _along(self._squared[None], self._stretch.size)[0]
        along = np.tile(factors, (1, self._size))
        sky_kernels.corrected_area_slices(self._sky, places, along, squared, out)

    def _slice_resized(self, places: Places, factors: NDArray[np.float64], out: Pixels) -> None:
        from pcvae import sky_kernels

        pixels = self._size if self._corrected else 0
        squared = _along(self._squared / np.square(factors), pixels)
        columns = bicubic_taps(self._size, self._stretch.size)
        wide = _with_bands(*columns, self._shape[0])
        sky_kernels.bicubic_slices(self._sky, places, squared, self._size, (columns, wide), out)

    def _cores(self, places: Places, factors: NDArray[np.float64]) -> Tensor:
        """The middles in units of their noise, as ``Stretch.cut_core``."""
        from pcvae import sky_kernels

        bands, middle = self._shape[0], self._stretch.core
        out = np.empty((len(places), middle, middle * bands), np.float32)
        if self._raw is not None:
            edge = (self._size - middle) // 2
            units = factors / (self._stretch.noise or np.ones(bands))
            scales = _along(units, middle)
            sky_kernels.scaled_slices(self._raw, places + edge, scales, out)
        core = torch.from_numpy(out)
        return _planes((asinh(core) if self._stretch.noise else core).numpy(), bands)


def _check(places: Places, size: int, ends: tuple[int, int]) -> None:
    """Refuse cutouts of ``size`` pixels that are not inside of H x W pixels."""
    inside = ((places >= 0) & (places + size <= np.array(ends))).all(axis=1)
    if not inside.all():
        row, column = places[~inside][0]
        msg = f"expected cutouts of {size} px inside of {ends[0]} x {ends[1]} px, found one that "
        raise ShapeError(f"{msg}begins at row {row}, column {column}")


def _interleaved(flux: Pixels, order: Places) -> Pixels:
    from pcvae import sky_kernels

    bands, height, width = flux.shape
    out = np.empty((height, width * bands), np.float32)
    sky_kernels.interleave(flux, order, out)
    return out


def _pooled(flux: Pixels, order: Places) -> Pixels:
    from pcvae import sky_kernels

    bands, height, width = flux.shape
    out = np.zeros((2, 2, height // 2, width // 2 * bands), np.float32)
    sky_kernels.pool(flux, order, out)
    return out


def _squash(sky: Pixels, squared: NDArray[np.float64]) -> None:
    """Eq. 1 of rows with their bands, in place, with the square of each band's softening."""
    from pcvae import sky_kernels

    rows = sky.reshape(-1, sky.shape[-1])
    along = _along(squared[None], sky.shape[-1] // len(squared))[0]
    sky_kernels.squash_rows(rows, along, rows)


def _along(values: NDArray[np.float64], pixels: int) -> Pixels:
    """Numbers a band (n, C), repeated for the pixels of a row: (n, pixels C)."""
    return np.tile(values, (1, pixels)).astype(np.float32)


def _with_bands(taps: Places, weights: Pixels, bands: int) -> tuple[Places, Pixels]:
    """The taps and weights of pixels (S, 4) for rows with their bands, (S C, 4)."""
    places = taps[:, None] * bands + np.arange(bands)[:, None]
    return places.reshape(-1, 4), np.repeat(weights, bands, axis=0)


def _planes(rows: Pixels, bands: int) -> Tensor:
    """Rows (n, S, S C) as planes (n, C, S, S), with the bands last in memory."""
    count, size = rows.shape[:2]
    return torch.from_numpy(rows.reshape(count, size, size, bands)).permute(0, 3, 1, 2)
