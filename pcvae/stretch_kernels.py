"""The loops of ``pcvae.fast_stretch``, compiled by numba when they are first called.

Shapes are written with B galaxies, C bands, N x N raw pixels and S x S network pixels. Rows of
pixels and the weights of a row have names, without which loops over pixels are not vectorised.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

__all__ = ["area", "bicubic", "compiled", "compiled_strictly", "transpose"]

# Rounding may differ; NaN and infinity stay.
LOOSE = frozenset({"arcp", "contract", "nsz", "reassoc"})
STRICT = frozenset({"nsz"})  # rounding is that of the source, whichever loop it stands in
BLOCK = 16  # pixels of a row that are transposed at once, which stay in the first cache


def compiled(
    loops: Callable[..., None], *, cache: bool = True, rounding: frozenset[str] = LOOSE
) -> Any:
    """Loops that numba compiles, and keeps compiled for the next process if it can.

    It cannot where neither the package's folder nor one of the user's may be written to, as in
    a container or a service.
    """
    flags = set(rounding)
    try:
        return numba.njit(loops, fastmath=flags, error_model="numpy", nogil=True, cache=cache)
    except RuntimeError:
        return compiled(loops, cache=False, rounding=rounding)


def compiled_strictly(loops: Callable[..., None]) -> Any:
    """The same with one rounding.

    Where Eq. 1 saturates, its inverse (``Photometry``) makes 1e-3 of a latent of the last digit.
    """
    return compiled(loops, rounding=STRICT)


@compiled
def squash(raw: Any, squared: Any, out: Any) -> None:
    """Eq. 1 of a plane (N, N) with the square of its softening."""
    one = np.float32(1)
    for i in range(raw.shape[0]):
        given, squashed = raw[i], out[i]
        for j in range(raw.shape[1]):
            v = given[j]
            squashed[j] = v * (one / np.sqrt(squared + v * v))


@compiled
def combine(plane: Any, taps: Any, weights: Any, width: Any, out: Any) -> None:
    """Each row of ``out`` as the weighted sum of 4 rows of a plane, in its first pixels."""
    for i in range(taps.shape[0]):
        w0, w1, w2, w3 = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
        r0, r1 = plane[taps[i, 0]], plane[taps[i, 1]]
        r2, r3, row = plane[taps[i, 2]], plane[taps[i, 3]], out[i]
        for j in range(width):
            row[j] = w0 * r0[j] + w1 * r1[j] + w2 * r2[j] + w3 * r3[j]


@compiled
def transpose(rows: Any, out: Any) -> None:
    """Exchange the axes of rows whose length is a multiple of ``BLOCK``."""
    for first in range(0, rows.shape[1], BLOCK):
        for i in range(rows.shape[0]):
            row = rows[i]
            for j in range(BLOCK):
                out[first + j, i] = row[first + j]


@compiled
def bicubic(raw: Any, squared: Any, order: Any, taps: Any, weights: Any, out: Any) -> None:
    """Squash each plane of (B, C, N, N) pixels, resize its columns, then its rows.

    Args:
        raw: The pixels.
        squared: The squares of the softenings, (C,).
        order: The raw plane of each plane of the result, (C,).
        taps: The 4 pixels of each resized one, (S, 4).
        weights: Theirs.
        out: The images (B, S, S, C).
    """
    galaxies, bands, pixels, _ = raw.shape
    size = taps.shape[0]
    plane = np.empty((pixels, pixels), np.float32)  # fits into the second cache, as do the others
    rows = np.empty((size, -(-pixels // BLOCK) * BLOCK), np.float32)
    columns = np.empty((rows.shape[1], -(-size // BLOCK) * BLOCK), np.float32)
    turned = np.empty((size, size), np.float32)
    for b in range(galaxies):
        for c in range(bands):
            squash(raw[b, order[c]], squared[order[c]], plane)
            combine(plane, taps, weights, pixels, rows)
            transpose(rows, columns)
            combine(columns, taps, weights, size, turned)
            for i in range(size):
                for j in range(size):
                    out[b, i, j, c] = turned[j, i]


@compiled_strictly
def area(raw: Any, squared: Any, order: Any, out: Any) -> None:
    """Average 2 x 2 of (B, C, N, N) pixels, then squash; arguments as of ``bicubic``."""
    one, quarter = np.float32(1), np.float32(0.25)
    for b in range(raw.shape[0]):
        for c in range(raw.shape[1]):
            softening = squared[order[c]]
            for i in range(out.shape[1]):
                upper, lower = raw[b, order[c], 2 * i], raw[b, order[c], 2 * i + 1]
                for j in range(out.shape[2]):
                    total = upper[2 * j] + upper[2 * j + 1] + lower[2 * j] + lower[2 * j + 1]
                    v = quarter * total
                    out[b, i, j, c] = v * (one / np.sqrt(softening + v * v))
