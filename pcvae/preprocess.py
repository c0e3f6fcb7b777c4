r"""From raw fluxes to network images: the stretch of Eq. 1 and the resize.

Shapes are written with B galaxies, C bands, N x N raw pixels and S x S network pixels.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec import ValidationError
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from pcvae.errors import RunError, SettingsError, ShapeError, brief
from pcvae.fast_stretch import has_kernel, squash_area, squash_bicubic
from pcvae.folders import convert

__all__ = [
    "Stretch",
    "asinh",
    "display",
    "display_stretch",
    "mean_maxima",
    "pixel_noise",
    "squash",
    "symmetries",
    "unsquash",
]

# Flux in each band of a galaxy that is shown grey: g - r = 0.6, r - i = 0.25, r - z = 0.5 mag,
# about the colours of a spiral at z = 0.1.
GREY = {"g": 0.57, "r": 1.0, "i": 1.26, "z": 1.58}
DISPLAY_BETA = 20.0  # twice the network's: faint galaxies show, and sky noise not yet
MAX_STRETCHED = 0.999999  # beyond it the inverse of Eq. 1 has no digits left in float32


def squash(y: Tensor) -> Tensor:
    r"""Eq. 1's function of the scaled flux, without its transcendental functions.

    .. math::
        \tanh(\operatorname{asinh}(y)) = \frac{y}{\sqrt{1 + y^2}}

    Reference:
        Gagliano & Villar (2023), Eq. 1, https://arxiv.org/abs/2312.16687

    Example:
        >>> squash(torch.tensor([0.0, 0.75]))
        tensor([0.0000, 0.6000])
    """
    return torch.addcmul(y.new_ones(()), y, y).rsqrt_().mul_(y)


def unsquash(x: Tensor) -> Tensor:
    r"""The inverse of ``squash``, :math:`y = x / \sqrt{1 - x^2}`, for x up to 0.999999.

    Example:
        >>> unsquash(torch.tensor([0.0, 0.6]))
        tensor([0.0000, 0.7500])
    """
    x = x.clamp(-MAX_STRETCHED, MAX_STRETCHED)
    return x * torch.rsqrt(1 - x * x)


def asinh(y: Tensor) -> Tensor:
    r"""The inverse hyperbolic sine, four times as fast as torch's on a CPU.

    .. math::
        \operatorname{asinh}(y) = \operatorname{sgn}(y) \ln \left( |y| + \sqrt{1 + y^2} \right)

    Example:
        >>> asinh(torch.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.8814,  0.0000,  0.8814])
    """
    size = torch.addcmul(y.new_ones(()), y, y).sqrt_().add_(y.abs())
    return size.log_().copysign_(y)


@dataclass(frozen=True, slots=True)
class Stretch:
    r"""How raw pixels become the network's image; saved with the model as ``stretch.json``.

    .. math::
        x_b = \tanh\left(\operatorname{asinh}\left(
            \beta \, \mathrm{raw}_b / \langle \max \mathrm{raw}_b \rangle \right)\right)

    Args:
        bands: The bands of the raw planes.
        scale: :math:`\langle \max \mathrm{raw}_b \rangle` [nanomaggy], a number a band; empty
            where the pixels are display values already: the stretch is then the identity.
        size: Pixels on a side, S.
        beta: :math:`\beta` of Eq. 1.
        resize: ``bicubic`` as the published code (no antialiasing), or ``area`` (mean).
        resize_first: Resize the linear flux, which keeps it, rather than the stretched image.
        order: The raw plane that each plane of the network's image is made of.
        core: Raw pixels on a side, K, of the middle that the encoder is given as they are; 0 for
            none.
        noise: The noise of a raw pixel [nanomaggy], a number a band, in units of which it sees
            them; empty where pixels are display values.
    """

    bands: tuple[str, ...]
    scale: tuple[float, ...]
    size: int = 69
    beta: float = 10.0
    resize: str = "bicubic"
    resize_first: bool = False
    order: tuple[int, ...] = (2, 1, 0)
    core: int = 0
    noise: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.resize not in ("bicubic", "area"):
            msg = f"expected resize 'bicubic' or 'area', found {self.resize!r}"
            raise SettingsError(msg)
        if self.scale and (len(self.scale) != len(self.bands) or min(self.scale) <= 0):
            msg = f"expected a positive scale for each of {self.bands}, found {self.scale}"
            raise SettingsError(msg)

    def __call__(self, flux: Tensor) -> Tensor:
        """Map (B, C, N, N) raw pixels to (B, C, S, S) network images.

        Raises:
            ShapeError: The pixels are not square, or of another number of bands.
        """
        if flux.ndim != 4 or flux.shape[1] != len(self.bands) or flux.shape[2] != flux.shape[3]:
            msg = f"expected pixels (B, {len(self.bands)}, N, N), found {tuple(flux.shape)}"
            raise ShapeError(msg)
        if self.scale and has_kernel(flux, self.size, self.resize, resize_first=self.resize_first):
            kernel = squash_area if self.resize_first else squash_bicubic
            return kernel(flux, tuple(s / self.beta for s in self.scale), self.size, self.order)
        steps = (self._resize, self._squash)
        first, second = steps if self.resize_first else reversed(steps)
        image = second(first(flux))
        if image is not flux and self.order == tuple(range(len(self.bands))):
            return image  # in order already, and not the caller's own pixels
        return image[:, list(self.order)]

    def cut_core(self, flux: Tensor) -> Tensor:
        r"""The middle of (B, C, N, N) raw pixels in units of their noise, (B, C, K, K).

        .. math::
            \operatorname{asinh}\left( \mathrm{raw}_b / \sigma_b \right)

        which neither saturates nor averages, as Eq. 1 and the resize do. Display values stay as
        they are.
        """
        edge = (flux.shape[-1] - self.core) // 2
        core = flux[..., edge : edge + self.core, edge : edge + self.core]
        if not self.noise:
            return core
        return asinh(core / core.new_tensor(self.noise).view(1, -1, 1, 1))

    def restore(self, image: Tensor) -> Tensor:
        """Map (B, C, S, S) network images back to the raw unit and order of bands."""
        raw = image[:, list(np.argsort(self.order))]
        return unsquash(raw) / self._factor(raw) if self.scale else raw

    def write(self, folder: Path) -> None:
        """Save as ``stretch.json``."""
        (folder / "stretch.json").write_text(json.dumps(asdict(self), indent=1) + "\n")

    @staticmethod
    def read(folder: Path) -> "Stretch":
        """Read ``stretch.json``.

        Raises:
            RunError: It is missing or broken.
        """
        try:
            return Stretch.of(json.loads((folder / "stretch.json").read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            msg = f"{folder} has no readable stretch.json: {brief(error)}. Train again: "
            raise RunError(msg + "python -m train.train SAMPLE RUN") from error

    @staticmethod
    def of(facts: dict[str, Any]) -> "Stretch":
        """The stretch of these facts, as JSON keeps them.

        Raises:
            SettingsError: They are not those of a stretch.
        """
        try:
            return convert(facts, Stretch)
        except ValidationError as error:
            msg = f"expected a stretch as pcvae writes it: {brief(error)}"
            raise SettingsError(msg) from error

    def _factor(self, like: Tensor) -> Tensor:
        return (self.beta / like.new_tensor(self.scale)).view(1, -1, 1, 1)

    def _squash(self, flux: Tensor) -> Tensor:
        """Eq. 1 as raw / sqrt(k^2 + raw^2), k = scale / beta: a pass over the pixels less."""
        if not self.scale:
            return flux
        return torch.addcmul(self._factor(flux) ** -2, flux, flux).rsqrt_().mul_(flux)

    def _resize(self, image: Tensor) -> Tensor:
        return _resized(image, self.size, self.resize)


def _resized(image: Tensor, size: int, method: str) -> Tensor:
    if image.shape[-1] == size:
        return image
    if method == "area" and image.shape[-1] == 2 * size:
        return _halved(image)
    if method == "area":
        return adaptive_avg_pool2d(image, size)
    return interpolate(image, size=size, mode="bicubic", align_corners=False)


def mean_maxima(blocks: Iterable[NDArray[np.float32]]) -> tuple[float, ...]:
    r"""The scale of Eq. 1, :math:`\langle \max \mathrm{raw}_b \rangle`, over blocks of images.

    Args:
        blocks: Raw pixels, each (n, C, N, N) [nanomaggy]; n may be 0.

    Raises:
        SettingsError: There is no image, or a band's mean maximum is not positive.
    """
    total, count = np.zeros(1), 0
    for block in blocks:
        total = total + block.max(axis=(2, 3)).astype(np.float64).sum(axis=0)
        count += len(block)
    if count == 0 or (total <= 0).any():
        msg = f"expected images with positive fluxes, found maxima {total} of {count} images"
        raise SettingsError(msg)
    return tuple(float(item) for item in total / count)


def pixel_noise(blocks: Iterable[NDArray[np.float32]]) -> tuple[float, ...]:
    r"""The noise of a pixel in each band, the median over images of their own.

    .. math::
        \sigma_b = 1.4826 \, \operatorname{median} \left| x - \operatorname{median} x \right|

    Args:
        blocks: Raw pixels, each (n, C, N, N) [nanomaggy]; n may be 0.

    Raises:
        SettingsError: There is no image, or a band has no noise.
    """
    levels = [level for block in blocks for level in _spread(block)]
    noise = np.median(levels, axis=0) if levels else np.zeros(1)
    if not (noise > 0).all():
        msg = f"expected images with noise in every band, found {noise} of {len(levels)} images"
        raise SettingsError(msg)
    return tuple(float(level) for level in noise)


def symmetries(image: Tensor) -> Iterator[Tensor]:
    """The 8 images that the flips and turns of the square make of each of (B, C, S, S)."""
    for turned in (image, image.transpose(-1, -2)):
        for flipped in (turned, turned.flip(-1)):
            yield from (flipped, flipped.flip(-2))


def display(raw: Tensor, stretch: Stretch) -> NDArray[np.float32]:
    """Colour pictures (B, S, S, 3) in [0, 1] of raw pixels (B, C, N, N).

    The reddest band is shown red, the bluest blue, the middle one green; row 0 stays row 0.
    """
    image = stretch(raw)[:, np.argsort(stretch.order).tolist()]
    return image[:, _rgb(stretch.bands)].clamp(0, 1).permute(0, 2, 3, 1).numpy()


def display_stretch(network: Stretch, size: int) -> Stretch:
    """The stretch of pictures (size x size) for people, one for all galaxies.

    It is Eq. 1 with a larger beta and, where the bands are known, with colours that do not hang
    on which galaxies the network learnt from: an old galaxy looks red, a young one blue. Images
    that come stretched are shown as they are.

    Args:
        network: The stretch of a model of these galaxies; its scale sets the level.
        size: Pixels on a side.
    """
    scale, bands = network.scale, network.bands
    if scale and all(band in GREY for band in bands):
        level = float(
            np.mean([number / GREY[band] for number, band in zip(scale, bands, strict=True)])
        )
        scale = tuple(level * GREY[band] for band in bands)
    order = tuple(range(len(bands)))
    return replace(network, scale=scale, size=size, beta=DISPLAY_BETA, order=order)


def _halved(image: Tensor) -> Tensor:
    """The mean of each 2 x 2 pixels: ``avg_pool2d``, but five times as fast on a CPU."""
    rows = image[:, :, ::2] + image[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]).mul_(0.25)


def _spread(block: NDArray[np.float32]) -> NDArray[np.float64]:
    if not len(block):
        return np.zeros((0, 1))
    middle = np.median(block, axis=(2, 3), keepdims=True)
    return 1.4826 * np.median(np.abs(block - middle), axis=(2, 3)).astype(np.float64)


def _rgb(bands: Sequence[str]) -> list[int]:
    return [len(bands) - 1, len(bands) // 2, 0]
