"""Photometry of the catalogue: magnitudes, colours, size and shape as a space to search in.

Shapes are written with N galaxies, C bands and F features.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.catalog import flux_columns

__all__ = [
    "asinh_magnitudes",
    "joined",
    "magnitude_blocks",
    "magnitudes_and_colours",
    "photometric_features",
    "photometry_blocks",
    "softening",
]

ZERO_POINT = 22.5  # AB magnitude of one nanomaggy
SHAPES = ("r50", "axis_ratio")
MIN_SOFTENING = 1e-6  # nanomaggy
BLOCK = 1 << 18  # galaxies of a part

Floats = NDArray[np.float64]


def asinh_magnitudes(flux: Floats, softening: Floats) -> Floats:
    r"""Magnitudes that stay finite for faint and negative fluxes.

    .. math::
        m = 22.5 - \frac{2.5}{\ln 10} \left[ \mathrm{asinh} \frac{f}{2 b} + \ln b \right]

    Reference: Lupton, Gunn & Szalay (1999), AJ 118, 1406.

    Args:
        flux: Fluxes f [nanomaggy], (N, C).
        softening: The b [nanomaggy] of each band, (C,), of the order of the noise.
    """
    result: Floats = ZERO_POINT - 2.5 / np.log(10) * (
        np.arcsinh(flux / (2 * softening)) + np.log(softening)
    )
    return result


def softening(galaxies: pd.DataFrame, bands: Sequence[str]) -> Floats:
    """The median error of the fluxes [nanomaggy] of each band, (C,); if unknown, their tenth."""
    found = []
    for name in flux_columns(bands):
        known = np.abs(galaxies[name].to_numpy(np.float64)) / 10
        if f"{name}_err" in galaxies:
            noise = galaxies[f"{name}_err"].to_numpy(np.float64)
            known = np.where(np.isfinite(noise), noise, known)
        found.append(np.nanmedian(known))
    return np.maximum(np.array(found), MIN_SOFTENING)


def magnitudes_and_colours(galaxies: pd.DataFrame, bands: Sequence[str]) -> pd.DataFrame | None:
    """Asinh magnitudes ``mag_BAND`` and the colours of bands that follow each other [mag].

    Args:
        galaxies: A catalogue (N rows) with ``flux_BAND`` [nanomaggy].
        bands: The C bands, bluest first.

    Returns:
        N rows and 2 C - 1 columns in single precision; None where the catalogue lacks fluxes.
    """
    return joined(magnitude_blocks(galaxies, bands))


def magnitude_blocks(galaxies: pd.DataFrame, bands: Sequence[str]) -> Iterator[pd.DataFrame]:
    """As ``magnitudes_and_colours``, in parts; none where the catalogue lacks fluxes."""
    names = flux_columns(bands)
    if not set(names) <= set(galaxies) or not any(galaxies[name].notna().any() for name in names):
        return
    noise = softening(galaxies, bands)
    for block in _blocks(galaxies, names):
        magnitudes = asinh_magnitudes(block.to_numpy(np.float64), noise)
        found = {f"mag_{band}": magnitudes[:, k] for k, band in enumerate(bands)}
        yield pd.DataFrame(found | _colours(magnitudes, bands)).astype(np.float32)


def joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame | None:
    """Parts of a table, one below the other; None for no part."""
    kept = list(parts)
    return pd.concat(kept, ignore_index=True) if kept else None


def _blocks(galaxies: pd.DataFrame, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Some columns, in parts; one part, without rows, of an empty catalogue."""
    for start in range(0, max(len(galaxies), 1), BLOCK):
        yield galaxies.iloc[start : start + BLOCK][list(names)]


def _colours(magnitudes: Floats, bands: Sequence[str]) -> dict[str, Floats]:
    """Differences of the magnitudes (N, C) of bands that follow each other, by name."""
    return {
        f"{a}-{b}": magnitudes[:, k] - magnitudes[:, k + 1]
        for k, (a, b) in enumerate(pairwise(bands))
    }


def photometric_features(galaxies: pd.DataFrame, bands: Sequence[str]) -> pd.DataFrame | None:
    """Colours, the middle band's magnitude, log size and axis ratio: what a catalogue has.

    Args:
        galaxies: A catalogue (N rows) with ``flux_BAND``, ``r50`` and ``axis_ratio``.
        bands: The bands, bluest first.

    Returns:
        The features, N rows and F columns; NaN where a galaxy lacks one. None where the catalogue
        has no fluxes, or no size and shape.
    """
    return joined(photometry_blocks(galaxies, bands))


def photometry_blocks(galaxies: pd.DataFrame, bands: Sequence[str]) -> Iterator[pd.DataFrame]:
    """As ``photometric_features``, in parts; none where the catalogue has no photometry."""
    names = [*flux_columns(bands), *SHAPES]
    if not set(names) <= set(galaxies):
        return
    if not any(block.notna().all(axis=1).any() for block in _blocks(galaxies, names)):
        return
    noise = softening(galaxies, bands)
    for block in _blocks(galaxies, names):
        yield _features(block, bands, noise)


def _features(galaxies: pd.DataFrame, bands: Sequence[str], noise: Floats) -> pd.DataFrame:
    """The features of a part of a catalogue by the softening [nanomaggy] of all of it, (C,)."""
    magnitudes = asinh_magnitudes(galaxies[flux_columns(bands)].to_numpy(np.float64), noise)
    middle = len(bands) // 2
    size = galaxies["r50"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_size = np.where(size > 0, np.log10(size), np.nan)
    features = {
        **_colours(magnitudes, bands),
        bands[middle]: magnitudes[:, middle],
        "log r50": log_size,
    }
    return pd.DataFrame(features | {"axis ratio": galaxies["axis_ratio"].to_numpy(np.float64)})
