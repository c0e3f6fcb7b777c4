r"""The orientation, shape, size and fluxes of the galaxy in the middle of a stamp.

Shapes are written with n galaxies, C bands and S x S pixels. Angles are in radians,
counter-clockwise from +x of the array, in :math:`(-\pi/2, \pi/2]`; row index grows upwards (+y).
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from pcvae.catalog import flux_columns
from pcvae.errors import ShapeError
from pcvae.labels import wrap_angle

__all__ = [
    "BLENDED",
    "EDGE",
    "NOT_FOUND",
    "PAPER_BOX",
    "ROUND",
    "Measurement",
    "describe_flag",
    "measure",
    "measure_block",
]

NOT_FOUND = 1  # nothing detected near the centre: all is NaN
BLENDED = 2  # other sources have over BLEND_SHARE of the flux that it runs together with
EDGE = 4  # reaches the edge of the stamp
ROUND = 8  # axis ratio above ROUND_RATIO: the angle means little
FLAGS = {NOT_FOUND: "not found", BLENDED: "blended", EDGE: "at the edge", ROUND: "round"}

PAPER_BOX = 10  # px; subtracts the outskirts of galaxies more than a few boxes wide
BOX = 32  # px; median error 0.7 deg against 1.1 deg with the paper's, on simulated galaxies
FILTER = 3  # boxes, the paper's
FWHM = 3.0  # px, of the Gaussian convolution before detection
THRESHOLD = 1.5  # standard deviations of the background
MIN_PIXELS = 10
DEBLEND_LEVELS, DEBLEND_CONTRAST = 32, 0.001
NEAR = 1 / 16  # of the stamp's side: how far from its centre the galaxy may lie
ROUND_RATIO = 0.9
BLEND_SHARE = 0.05
MIN_NOISE = {"nanomaggy": 0.0, "stretched": 0.06}  # of a stack; pictures clip their noise
KRON, KRON_LEAST, KRON_MOST = 2.5, 3.5, 10.0  # Bertin & Arnouts (1996), in semi-axes
NOISE_BLOCK = 4  # px; resampled coadds have noise that is correlated over about two
ERROR_FLOOR = 0.03  # rad; knots, bulges and neighbours of simulated galaxies
ERROR_BLENDED = 0.1  # rad; the paper's for all
ERROR_MOST = np.pi / np.sqrt(12)  # rad; of an angle of which nothing is known


class Measurement(NamedTuple):
    r"""Measurements of a galaxy; NaN where nothing was found.

    Args:
        orientation: Of the major axis [rad], in :math:`(-\pi/2, \pi/2]`.
        orientation_err: Its 1-sigma error [rad].
        axis_ratio: Minor over major axis of the second moments, as observed (with the PSF).
        r50: Radius of the circle that holds half of the Kron flux [px]; NaN if ``stretched``.
        orientation_flag: A sum of ``NOT_FOUND``, ``BLENDED``, ``EDGE``, ``ROUND``.
        fluxes: Flux and error [nanomaggy] of each band in the Kron ellipse of the stack, one
            aperture for all bands; NaN if ``stretched``.
    """

    orientation: float
    orientation_err: float
    axis_ratio: float
    r50: float
    orientation_flag: int
    fluxes: dict[str, tuple[float, float]]


class _Shape(NamedTuple):
    x: float  # px, of the centroid
    y: float
    a: float  # px, standard deviation along the major axis
    b: float
    theta: float  # rad


def measure(
    flux: NDArray[np.float32], bands: Sequence[str], unit: str = "nanomaggy", box: int = BOX
) -> Measurement:
    """Measure the galaxy nearest the middle (S - 1) / 2 of a stamp.

    As in the paper, on the linear sum of the bands: median background in boxes, convolution with
    a Gaussian, detection, deblending, second moments of the central source.

    Reference:
        Gagliano & Villar (2023), section 2, https://arxiv.org/abs/2312.16687

    Args:
        flux: The stamp (C, S, S), finite.
        bands: The C names.
        unit: ``nanomaggy``, or ``stretched``: then only the shape, on the pixels as given.
        box: Side of the background's boxes [px]; the paper's is ``PAPER_BOX``.

    Raises:
        ShapeError: The stamp is not of shape (C, S, S).
    """
    if flux.ndim != 3 or flux.shape[0] != len(bands) or flux.shape[1] != flux.shape[2]:
        msg = f"expected a stamp of shape ({len(bands)}, S, S), found {flux.shape}"
        raise ShapeError(msg)
    pixels = flux.astype(np.float64)
    stack, noise = _subtract_background(pixels.sum(0), box, MIN_NOISE[unit])
    labels, mine, flag = _segment(stack, noise)
    shape = _shape(stack, labels > 0, mine)
    if shape is None:
        return Measurement(np.nan, np.nan, np.nan, np.nan, NOT_FOUND, _no_fluxes(bands))
    ratio = shape.b / shape.a
    flag |= EDGE * _touches_edge(mine) | ROUND * (ratio > ROUND_RATIO)
    floor = ERROR_BLENDED if flag & BLENDED else ERROR_FLOOR
    error = _angle_error(ratio, stack[mine].sum() / (noise * np.sqrt(mine.sum())), floor)
    r50, fluxes = np.nan, _no_fluxes(bands)
    if unit == "nanomaggy":
        r50, fluxes = _photometry(pixels, bands, labels, mine, shape)
    return Measurement(shape.theta, error, ratio, r50, int(flag), fluxes)


def measure_block(
    flux: NDArray[np.float32], bands: Sequence[str], unit: str = "nanomaggy", box: int = BOX
) -> pd.DataFrame:
    """Measure a block of stamps (n, C, S, S): a row a galaxy, columns as in the catalogue."""
    rows = [measure(stamp, bands, unit, box) for stamp in flux]
    table = {name: [getattr(row, name) for row in rows] for name in Measurement._fields[:-1]}
    for band, column in zip(bands, flux_columns(bands), strict=True):
        table[column] = [row.fluxes[band][0] for row in rows]
        table[f"{column}_err"] = [row.fluxes[band][1] for row in rows]
    whole = {"orientation_flag": np.int64}
    return pd.DataFrame({k: np.array(v, whole.get(k, np.float64)) for k, v in table.items()})


def describe_flag(flag: int) -> str:
    """The flag in words; empty if nothing is the matter.

    Example:
        >>> describe_flag(BLENDED | ROUND)
        'blended, round'
    """
    return ", ".join(words for bit, words in FLAGS.items() if flag & bit)


def _subtract_background(
    stack: NDArray[np.float64], box: int, least_noise: float
) -> tuple[NDArray[np.float64], float]:
    from photutils.background import Background2D, MedianBackground

    box = min(box, len(stack))
    sky = Background2D(
        stack,
        (box, box),
        filter_size=(FILTER, FILTER),
        bkg_estimator=MedianBackground(),
        exclude_percentile=90,  # a box full of galaxy still says more than none
    )
    # Only a stamp without any noise needs the last term.
    noise = max(float(sky.background_rms_median), least_noise, 1e-6 * float(np.ptp(stack)))
    return stack - sky.background, noise


def _segment(
    stack: NDArray[np.float64], noise: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """All sources' labels (S, S), which pixels are the central one's, and its flag so far."""
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning

    smooth = ndimage.gaussian_filter(stack, FWHM / np.sqrt(8 * np.log(2)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        found = detect_sources(smooth, THRESHOLD * noise, n_pixels=MIN_PIXELS)
    if found is None:
        return np.zeros(stack.shape, np.int64), np.zeros(stack.shape, bool), 0
    labels = found.data.astype(np.int64)
    mine = _central(labels)
    peaks = mine & (ndimage.maximum_filter(smooth, 5) == smooth)
    if peaks.sum() < 2:
        return labels, mine, 0
    labels = _deblend(smooth, labels, mine)
    central = _central(labels)
    share = smooth[mine & ~central].sum() / smooth[mine].sum()
    return labels, central, BLENDED * bool(share > BLEND_SHARE)


def _central(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The pixels of the source that has the pixel nearest the middle, if that is near."""
    middle = (len(labels) - 1) / 2
    rows, columns = np.nonzero(labels)
    distance = np.hypot(rows - middle, columns - middle)
    nearest = distance.argmin()
    if distance[nearest] > NEAR * len(labels):
        return np.zeros(labels.shape, bool)
    return labels == labels[rows[nearest], columns[nearest]]


def _deblend(
    smooth: NDArray[np.float64], labels: NDArray[np.int64], mine: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The labels with the central source split into its parts."""
    from photutils.segmentation import SegmentationImage, deblend_sources

    (where,) = ndimage.find_objects(mine.astype(np.int8))
    whole = SegmentationImage(mine[where].astype(np.int32))
    with warnings.catch_warnings():
        # Some sources have too many peaks for its first choice of levels, it then takes others.
        warnings.filterwarnings("ignore", message=".*deblending mode", category=UserWarning)
        parts = deblend_sources(
            smooth[where],
            whole,
            n_pixels=MIN_PIXELS,
            n_levels=DEBLEND_LEVELS,
            contrast=DEBLEND_CONTRAST,
            progress_bar=False,
        ).data
    labels = labels.copy()
    labels[where] = np.where(parts > 0, labels.max() + parts, labels[where])
    return labels


def _shape(
    stack: NDArray[np.float64], found: NDArray[np.bool_], mine: NDArray[np.bool_]
) -> _Shape | None:
    """The shape of a source, with what others cover of it as seen opposite its centre."""
    first = _moments(stack, mine) if mine.any() else None
    if first is None:
        return None
    filled = np.stack([stack, mine])
    _replace_neighbours(filled, found & ~mine, first)
    whole = filled[1] > 0
    return _moments(filled[0], whole) if (whole != mine).any() else first


def _moments(stack: NDArray[np.float64], mine: NDArray[np.bool_]) -> _Shape | None:
    from photutils.segmentation import SegmentationImage, SourceCatalog

    (where,) = ndimage.find_objects(mine.astype(np.int8))
    source = SourceCatalog(stack[where], SegmentationImage(mine[where].astype(np.int32)))
    numbers = (
        source.x_centroid[0] + where[1].start,
        source.y_centroid[0] + where[0].start,
        source.semimajor_axis[0].value,
        source.semiminor_axis[0].value,
        wrap_angle(source.orientation[0].to_value("rad")),
    )
    shape = _Shape(*(float(number) for number in numbers))
    return shape if np.isfinite(shape).all() else None


def _touches_edge(mine: NDArray[np.bool_]) -> bool:
    return bool(mine[[0, -1]].any() or mine[:, [0, -1]].any())


def _angle_error(ratio: float, signal_to_noise: float, floor: float) -> float:
    r"""The 1-sigma error of the angle [rad].

    .. math::
        \sigma_\phi = \frac{\sigma_e}{2 e}, \quad \sigma_e = \frac{4}{\nu}, \quad
        e = \frac{1 - q^2}{1 + q^2}

    with the axis ratio q and the signal-to-noise ratio nu, plus a floor in quadrature. Optimally
    weighted moments have half that error of e; ours, unweighted, were seen to have the whole.

    Reference:
        Bernstein & Jarvis (2002), section 3, https://arxiv.org/abs/astro-ph/0107431
    """
    e = (1 - ratio**2) / (1 + ratio**2)
    error = np.hypot(floor, 2 / max(e * signal_to_noise, 1e-9))
    return float(min(error, ERROR_MOST))


def _photometry(
    flux: NDArray[np.float64],
    bands: Sequence[str],
    labels: NDArray[np.int64],
    mine: NDArray[np.bool_],
    shape: _Shape,
) -> tuple[float, dict[str, tuple[float, float]]]:
    """The half-light radius [px] and the fluxes [nanomaggy] in the Kron ellipse."""
    sky = ~ndimage.binary_dilation(labels > 0, iterations=4)
    levels, noises = zip(*(_sky(band, sky) for band in flux), strict=True)
    clean = flux - np.array(levels)[:, None, None]
    _replace_neighbours(clean, (labels > 0) & ~mine, shape)
    ellipse = _elliptical_radius(shape, mine.shape)
    inside = ellipse <= _kron_factor(clean.sum(0), ellipse)
    sums = clean[:, inside].sum(1)
    errors = np.array(noises) * np.sqrt(inside.sum())
    fluxes = {b: (float(f), float(e)) for b, f, e in zip(bands, sums, errors, strict=True)}
    return _half_light_radius(clean.sum(0), shape, float(sums.sum())), fluxes


def _sky(band: NDArray[np.float64], sky: NDArray[np.bool_]) -> tuple[float, float]:
    """Level of the sky, and noise of a pixel in a wide sum, so that correlated noise counts."""
    values = band[sky] if sky.mean() > 0.02 else np.sort(band, axis=None)[: band.size // 5]
    level = float(np.median(values))
    size = len(band) // NOISE_BLOCK * NOISE_BLOCK
    blocks = (size // NOISE_BLOCK, NOISE_BLOCK) * 2
    empty = sky[:size, :size].reshape(blocks).all((1, 3))
    noise = _spread(values[::8])  # 2 % of it is all that a subset costs
    if empty.sum() >= 20:
        means = band[:size, :size].reshape(blocks).mean((1, 3))[empty]
        noise = max(noise, NOISE_BLOCK * _spread(means))
    return level, noise


def _spread(values: NDArray[np.float64]) -> float:
    """A standard deviation that outliers do not touch."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _replace_neighbours(
    clean: NDArray[np.float64], others: NDArray[np.bool_], shape: _Shape
) -> None:
    """Fill other sources' pixels with those opposite the galaxy's centre, or with zero."""
    size = len(others)
    rows, columns = np.nonzero(others)
    across = np.rint(2 * shape.y - rows).astype(int), np.rint(2 * shape.x - columns).astype(int)
    good = np.logical_and.reduce([(i >= 0) & (i < size) for i in across])
    across = across[0].clip(0, size - 1), across[1].clip(0, size - 1)
    good &= ~others[across]
    clean[:, rows, columns] = clean[:, across[0], across[1]] * good


def _elliptical_radius(shape: _Shape, size: tuple[int, ...]) -> NDArray[np.float64]:
    """Distance from the centroid in semi-axes: 1 on the ellipse (a, b)."""
    y, x = np.ogrid[: size[0], : size[1]]
    dx, dy = x - shape.x, y - shape.y
    along = dx * np.cos(shape.theta) + dy * np.sin(shape.theta)
    across = dy * np.cos(shape.theta) - dx * np.sin(shape.theta)
    return np.asarray(np.hypot(along / shape.a, across / max(shape.b, 0.1)))


def _kron_factor(stack: NDArray[np.float64], ellipse: NDArray[np.float64]) -> float:
    r"""The size of the aperture in semi-axes, 2.5 :math:`\sum r f / \sum f` within 6 of them."""
    near = ellipse <= 6
    total = stack[near].sum()
    first = (ellipse[near] * stack[near]).sum() / total if total > 0 else 0.0
    return float(np.clip(KRON * first, KRON_LEAST, KRON_MOST))


def _half_light_radius(stack: NDArray[np.float64], shape: _Shape, total: float) -> float:
    """Where the curve of growth in circles passes half of ``total``; NaN if it never does."""
    y, x = np.ogrid[: len(stack), : len(stack)]
    rings = (2 * np.hypot(x - shape.x, y - shape.y)).astype(int).ravel()
    growth = np.cumsum(np.bincount(rings, stack.ravel()))
    radius = np.sqrt(np.cumsum(np.bincount(rings)) / np.pi)
    above = int(np.argmax(growth >= total / 2))
    if total <= 0 or growth[above] < total / 2:
        return np.nan
    before = (0.0, 0.0) if above == 0 else (growth[above - 1], radius[above - 1])
    share = (total / 2 - before[0]) / (growth[above] - before[0])
    # Area, not radius, grows evenly within a ring.
    return float(np.sqrt(before[1] ** 2 + share * (radius[above] ** 2 - before[1] ** 2)))


def _no_fluxes(bands: Sequence[str]) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(bands, (np.nan, np.nan))
