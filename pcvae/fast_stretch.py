r"""Eq. 1 and the resize in one pass over raw pixels in memory, compiled by numba.

Shapes are written with B galaxies, C bands, N x N raw pixels and S x S network pixels. The results
are those of ``pcvae.preprocess.Stretch`` up to rounding; without numba (the extra ``fast``), on
another device or with other settings, that computes them by torch. The first call of a process
reads the compiled code from numba's cache, and compiles for some seconds if there is none yet.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["bicubic_taps", "has_kernel", "squash_area", "squash_bicubic"]

CUBIC = -0.75  # the parameter of the cubic convolution that torch and OpenCV use
THREAD = 16  # galaxies that are worth a thread

Pixels = NDArray[np.float32]


def has_kernel(flux: torch.Tensor, size: int, method: str, *, resize_first: bool) -> bool:
    """Whether a kernel computes this stretch: of float32 pixels of a CPU, without gradients.

    Args:
        flux: Raw pixels (B, C, N, N).
        size: S.
        method: Of the resize: ``bicubic`` after Eq. 1, or ``area`` of 2 x 2 pixels before it.
        resize_first: Whether the resize comes before Eq. 1.
    """
    plain = flux.device.type == "cpu" and flux.dtype == torch.float32
    if not plain or flux.requires_grad or not len(flux) or not _is_installed():
        return False
    pixels = flux.shape[-1]
    if method == "area":
        return resize_first and pixels == 2 * size
    return method == "bicubic" and not resize_first and pixels != size


def squash_bicubic(
    flux: torch.Tensor, softening: tuple[float, ...], size: int, order: tuple[int, ...]
) -> torch.Tensor:
    r"""Eq. 1, then a bicubic resize without antialiasing, as torch's ``interpolate``.

    .. math::
        x_b = \mathrm{raw}_b / \sqrt{k_b^2 + \mathrm{raw}_b^2}

    Args:
        flux: Raw pixels (B, C, N, N).
        softening: :math:`k_b`, the scale over :math:`\beta`, a number a band [as the pixels].
        size: S.
        order: The raw plane that each plane of the result is made of.

    Returns:
        Images (B, C, S, S), with the bands last in memory, as convolutions want them.
    """
    taps, weights = bicubic_taps(flux.shape[-1], size)

    def call(raw: Pixels, out: Pixels) -> None:
        _compiled("bicubic")(raw, _squared(softening), np.array(order), taps, weights, out)

    return _in_threads(call, flux, size)


def squash_area(
    flux: torch.Tensor, softening: tuple[float, ...], size: int, order: tuple[int, ...]
) -> torch.Tensor:
    """The mean of 2 x 2 pixels, then Eq. 1; arguments and result as of ``squash_bicubic``."""

    def call(raw: Pixels, out: Pixels) -> None:
        _compiled("area")(raw, _squared(softening), np.array(order), out)

    return _in_threads(call, flux, size)


@cache
def bicubic_taps(pixels: int, size: int) -> tuple[NDArray[np.int64], Pixels]:
    r"""The 4 pixels that each pixel of a resized row is made of, and their weights, each (S, 4).

    .. math::
        W(t) = \begin{cases}
            (a + 2) |t|^3 - (a + 3) |t|^2 + 1 & |t| \le 1 \\
            a |t|^3 - 5 a |t|^2 + 8 a |t| - 4 a & 1 < |t| < 2
        \end{cases}

    with a = -0.75; beyond the edge the last pixel repeats.

    Reference:
        Keys (1981), IEEE Transactions on Acoustics, Speech and Signal Processing 29, 1153,
        https://doi.org/10.1109/TASSP.1981.1163711
    """
    half = np.float32(0.5)  # in single precision as torch does, which moves a tap by 1e-5 px
    centre = np.float32(pixels / size) * (np.arange(size, dtype=np.float32) + half) - half
    first = np.floor(centre).astype(np.int64)
    places = first[:, None] + np.arange(-1, 3)
    away = np.abs(centre[:, None] - places)
    near = ((CUBIC + 2) * away - (CUBIC + 3)) * away**2 + 1
    far = ((CUBIC * away - 5 * CUBIC) * away + 8 * CUBIC) * away - 4 * CUBIC
    weights = np.where(away <= 1, near, far).astype(np.float32)
    return places.clip(0, pixels - 1), weights


def _squared(softening: tuple[float, ...]) -> Pixels:
    return np.square(softening).astype(np.float32)


def _in_threads(call: Callable[[Pixels, Pixels], None], flux: torch.Tensor, size: int) -> Any:
    """Call a kernel on slices of the galaxies, in as many threads as torch uses."""
    raw = flux.contiguous().numpy()
    count, bands = raw.shape[:2]
    out = np.empty((count, size, size, bands), np.float32)
    threads = min(torch.get_num_threads(), -(-count // THREAD))
    if threads > 1:
        edges = np.linspace(0, count, threads + 1).astype(int)
        slices = [slice(*pair) for pair in pairwise(edges)]
        list(_threads(os.getpid()).map(lambda part: call(raw[part], out[part]), slices))
    else:
        call(raw, out)
    return torch.from_numpy(out).permute(0, 3, 1, 2)


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    """The threads of this process: one that was forked has none of its parent's."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="stretch")


@cache
def _is_installed() -> bool:
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def _compiled(name: str) -> Callable[..., None]:
    from pcvae import stretch_kernels

    return getattr(stretch_kernels, name)
