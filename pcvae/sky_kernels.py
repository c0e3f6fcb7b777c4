"""The loops of ``pcvae.sky_stretch``, compiled by numba when they are first called.

Shapes are written with C bands, an image of H x W pixels, n cutouts of N x N, network images of
S x S and cores of K x K pixels. Images have their bands last, as the network reads them, and each
row is one run of W C numbers, so that a row of a cutout is one piece of it.
"""

from typing import Any

import numpy as np

from pcvae.stretch_kernels import BLOCK, compiled, compiled_strictly, transpose

__all__ = [
    "bicubic_slices",
    "corrected_area_slices",
    "interleave",
    "pool",
    "pooled_slices",
    "scaled_slices",
    "squash_rows",
]


@compiled
def interleave(flux: Any, order: Any, out: Any) -> None:
    """Planes (C, H, W) in the order of bands as rows (H, W C)."""
    bands = flux.shape[0]
    for i in range(flux.shape[1]):
        row = out[i]
        for c in range(bands):
            given = flux[order[c], i]
            for j in range(flux.shape[2]):
                row[j * bands + c] = given[j]


@compiled_strictly
def pool(flux: Any, order: Any, out: Any) -> None:
    """The means of 2 x 2 pixels of planes (C, H, W) in four phases.

    Args:
        flux: The planes.
        order: The plane of each band of the result, (C,).
        out: Rows (2, 2, H / 2, W / 2 C) of the means that begin at even and at odd rows and
            columns; the last ones of odd phases stay as they are.
    """
    bands, quarter = flux.shape[0], np.float32(0.25)
    for i in range(flux.shape[1] - 1):
        for c in range(bands):
            upper, lower = flux[order[c], i], flux[order[c], i + 1]
            for phase in range(2):
                row = out[i % 2, phase, i // 2]
                for j in range((flux.shape[2] - phase) // 2):
                    k = 2 * j + phase
                    total = upper[k] + upper[k + 1] + lower[k] + lower[k + 1]
                    row[j * bands + c] = quarter * total


@compiled_strictly
def squash_rows(raw: Any, squared: Any, out: Any) -> None:
    """Eq. 1 of rows (H, M), with the square of the softening of each number of a row, (M,)."""
    one = np.float32(1)
    for i in range(raw.shape[0]):
        given, squashed = raw[i], out[i]
        for k in range(squared.shape[0]):
            v = given[k]
            squashed[k] = v * (one / np.sqrt(squared[k] + v * v))


@compiled
def pooled_slices(phases: Any, places: Any, out: Any) -> None:
    """Slices (n, S, S C) of pooled rows.

    Args:
        phases: As ``pool`` makes them.
        places: The first raw row and column of each cutout, (n, 2).
        out: The slices.
    """
    size, width = out.shape[1], out.shape[2]
    bands = width // size
    for b in range(out.shape[0]):
        low, left = places[b, 0], places[b, 1]
        plane, begin = phases[low % 2, left % 2], left // 2 * bands
        for i in range(size):
            given, row = plane[low // 2 + i, begin : begin + width], out[b, i]
            for k in range(width):
                row[k] = given[k]


@compiled_strictly
def corrected_area_slices(sky: Any, places: Any, factors: Any, squared: Any, out: Any) -> None:
    """Slice rows (H, W C), correct their fluxes, average 2 x 2 pixels, squash.

    Each corrected flux is rounded to single precision, as in a sample.

    Args:
        sky: The rows.
        places: The first row and column of each cutout, (n, 2).
        factors: By which its fluxes are multiplied, repeated along a row, (n, 2 S C) of float64.
        squared: The squares of the softenings, repeated along a row, (S C,).
        out: The images, (n, S, S C).
    """
    size, width, across = out.shape[1], out.shape[2], factors.shape[1]
    bands, quarter = width // size, np.float32(0.25)
    upper, lower = np.empty(across, np.float32), np.empty(across, np.float32)
    means = np.empty(across, np.float32)
    for b in range(out.shape[0]):
        low, begin, factor = places[b, 0], places[b, 1] * bands, factors[b]
        for i in range(size):
            first = sky[low + 2 * i, begin : begin + across]
            second = sky[low + 2 * i + 1, begin : begin + across]
            for k in range(across):
                upper[k] = np.float32(first[k] * factor[k])
                lower[k] = np.float32(second[k] * factor[k])
            for k in range(across - bands):  # every second pixel in vain, but in vectors
                total = upper[k] + upper[k + bands] + lower[k] + lower[k + bands]
                means[k] = quarter * total
            row = out[b, i]
            for j in range(size):
                for c in range(bands):
                    row[j * bands + c] = means[2 * j * bands + c]
        squash_rows(out[b], squared, out[b])


@compiled
def scaled_slices(sky: Any, places: Any, factors: Any, out: Any) -> None:
    """Slices (n, K, K C) of rows (H, W C), each times factors repeated along a row, (n, K C)."""
    size, width = out.shape[1], out.shape[2]
    for b in range(out.shape[0]):
        factor, begin = factors[b], places[b, 1] * (width // size)
        for i in range(size):
            given, row = sky[places[b, 0] + i, begin : begin + width], out[b, i]
            for k in range(width):
                row[k] = given[k] * factor[k]


@compiled
def combine_at(rows: Any, top: int, begin: int, resize: Any, width: int, out: Any) -> None:
    """Each row of ``out`` as the weighted sum of 4 pieces of rows that begin at a place.

    Args:
        rows: The rows.
        top: The first of them that counts.
        begin: The first number of a row that counts.
        resize: The 4 rows of each row of ``out`` and their weights.
        width: Numbers of a row that count.
        out: The sums.
    """
    taps, weights = resize
    for i in range(taps.shape[0]):
        w0, w1, w2, w3 = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
        r0 = rows[top + taps[i, 0], begin : begin + width]
        r1 = rows[top + taps[i, 1], begin : begin + width]
        r2 = rows[top + taps[i, 2], begin : begin + width]
        r3, row = rows[top + taps[i, 3], begin : begin + width], out[i]
        for k in range(width):
            row[k] = w0 * r0[k] + w1 * r1[k] + w2 * r2[k] + w3 * r3[k]


@compiled
def bicubic_slices(
    sky: Any, places: Any, squared: Any, pixels: int, resizes: Any, out: Any
) -> None:
    """Slice rows (H, W C), squash them if they are not yet, and resize columns, then rows.

    Args:
        sky: The rows.
        places: The first row and column of each cutout, (n, 2).
        squared: The squares of its softenings, repeated along a row, (n, N C); (n, 0) if the
            rows are squashed already.
        pixels: N.
        resizes: Of the columns: the 4 pixels of each resized one and their weights, each (S, 4);
            and of the rows: the same for each number of a row, (S C, 4).
        out: The images, (n, S, S C).
    """
    size, width = out.shape[1], out.shape[2]
    bands = width // size
    across = pixels * bands
    piece = np.empty((pixels, across), np.float32)
    rows = np.zeros((size, -(-across // BLOCK) * BLOCK), np.float32)
    upright = np.empty((rows.shape[1], size), np.float32)
    turned = np.empty((width, size), np.float32)
    for b in range(out.shape[0]):
        low, begin = places[b, 0], places[b, 1] * bands
        if squared.shape[1]:
            squash_rows(sky[low : low + pixels, begin : begin + across], squared[b], piece)
            combine_at(piece, 0, 0, resizes[0], across, rows)
        else:
            combine_at(sky, low, begin, resizes[0], across, rows)
        transpose(rows, upright)
        combine_at(upright, 0, 0, resizes[1], size, turned)
        for i in range(size):
            row = out[b, i]
            for k in range(width):
                row[k] = turned[k, i]
