"""Every conversion from a catalogue's units to ours, in one place.

Ours: redshift; log10 of Msun; log10 of Msun / yr; each error the 1-sigma error of that number.

=====================  =========================================  =============================
catalogue              gives                                      here
=====================  =========================================  =============================
GAMA DR4, ProSpect     16th, 50th, 84th percentile, Msun, Msun/yr ``from_percentiles``
Zou et al. (2022)      value and error, Msun, Msun/yr             ``from_linear``
Cardamone et al.       log10 Msun; value and error, Msun/yr       ``from_linear`` for the latter
the authors' arrays    log10 Msun, log10 Msun/Gyr or Msun/yr      ``per_gyr_to_per_yr``
their Zou errors       error over value, by their own script      ``relative_to_dex``
FITS files             ``BUNIT``, such as Rubin's nJy              ``to_nanomaggies``
=====================  =========================================  =============================
"""

import re
import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LOG_SFR_FLOOR",
    "Logarithm",
    "from_linear",
    "from_percentiles",
    "half_width",
    "per_gyr_to_per_yr",
    "relative_to_dex",
    "to_nanomaggies",
]

LOG_SFR_FLOOR = -4.0  # dex(Msun / yr); quenched galaxies' posteriors reach 1e-42, which means none
FLOORED_ERR = 1.0  # dex, of what was floored: an upper limit, not a measurement
LOG_GYR = 9.0  # log10 of the years in a Gyr
NANOMAGGY_NJY = 3631.0  # nJy in a nanomaggy: AB magnitude 22.5
NANOMAGGY = re.compile(r"nano-?magg(y|ies)|nmgy", re.IGNORECASE)
A_PIXEL = re.compile(r"\s*/\s*pix(el)?$")


class Logarithm(NamedTuple):
    """A number's log10 and its 1-sigma error [dex], each (n,); NaN where there is none."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]


def from_linear(
    value: ArrayLike, error: ArrayLike | None = None, floor: float = -np.inf
) -> Logarithm:
    r"""The logarithm of a number and its error, :math:`\sigma / (x \ln 10)`.

    Args:
        value: The numbers (n,); without a floor, zero has no logarithm.
        error: Their 1-sigma errors.
        floor: The least logarithm that means anything; what lies below is put there, as
            ``from_percentiles`` does.

    Example:
        >>> log = from_linear([100.0, 0.0, np.nan], [23.02585, 1.0, 1.0])
        >>> log.value.tolist(), log.error.round(3).tolist()
        ([2.0, nan, nan], [0.1, nan, nan])
        >>> from_linear([0.0], floor=-4)
        Logarithm(value=array([-4.]), error=array([1.]))
    """
    number = np.asarray(value, np.float64)
    error = np.full_like(number, np.nan) if error is None else _positive(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        dex = relative_to_dex(error / _positive(number))
        return _at_floor(np.log10(np.where(number >= 0, number, np.nan)), dex, floor)


def from_percentiles(
    low: ArrayLike, middle: ArrayLike, high: ArrayLike, floor: float = -np.inf
) -> Logarithm:
    """The logarithm of a median, and half the way between the 16th and 84th percentiles'.

    Percentiles too small for a file's numbers are zero in it; with a floor they are put there too.

    Args:
        low: The 16th percentile (n,), linear.
        middle: The median.
        high: The 84th percentile.
        floor: The least logarithm that means anything; what lies below is put there.

    Example:
        >>> log = from_percentiles([10.0, 1e-42], [100.0, 1e-40], [1000.0, 1e-2], floor=-4)
        >>> log.value.tolist(), log.error.tolist()
        ([2.0, -4.0], [1.0, 1.0])
    """
    linear = (np.asarray(values, np.float64) for values in (low, middle, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b, c = (np.log10(np.where(values >= 0, values, np.nan)) for values in linear)
        error = (np.maximum(c, floor) - np.maximum(a, floor)) / 2
    return _at_floor(b, error, floor)


def relative_to_dex(relative: ArrayLike) -> NDArray[np.float64]:
    """The error [dex] of a logarithm from the relative error of the number.

    Example:
        >>> float(relative_to_dex(0.23).round(2))
        0.1
    """
    return np.asarray(relative, np.float64) / np.log(10)


def per_gyr_to_per_yr(log_sfr: ArrayLike) -> NDArray[np.float64]:
    """From log10 Msun / Gyr to log10 Msun / yr.

    Example:
        >>> float(per_gyr_to_per_yr(9.5))
        0.5
    """
    return np.asarray(log_sfr, np.float64) - LOG_GYR


def half_width(low: ArrayLike, high: ArrayLike) -> NDArray[np.float64]:
    """The 1-sigma error from the limits of a 68 % interval; NaN where there is none.

    Example:
        >>> half_width([0.1, -1.0], [0.3, -1.0]).round(3).tolist()
        [0.1, nan]
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return np.where((low >= 0) & (high > low), (high - low) / 2, np.nan)


def to_nanomaggies(unit: str) -> float | None:
    """What turns values in a FITS file's unit into nanomaggies; None if it is no flux density.

    A file that states none is taken to be in nanomaggies.

    Example:
        >>> to_nanomaggies("nanomaggies"), to_nanomaggies("nJy") * 3631, to_nanomaggies("mag")
        (1.0, 1.0, None)
    """
    from astropy import units

    unit = A_PIXEL.sub("", unit)
    if not unit or NANOMAGGY.fullmatch(unit):
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)
        found = units.Unit(unit, parse_strict="silent")
    # A magnitude would be converted too, but by no factor.
    if not isinstance(found, units.UnitBase) or not found.is_equivalent(units.nJy):
        return None
    return float(found.to(units.nJy)) / NANOMAGGY_NJY


def _at_floor(log: NDArray[np.float64], error: NDArray[np.float64], floor: float) -> Logarithm:
    """Logarithms with what lies below the floor put there, with an error of at least 1 dex."""
    error = np.where(log < floor, np.fmax(error, FLOORED_ERR), error)
    value = np.maximum(log, floor)
    some = np.isfinite(error) & (error > 0)
    return Logarithm(np.where(np.isfinite(value), value, np.nan), np.where(some, error, np.nan))


def _positive(value: ArrayLike) -> NDArray[np.float64]:
    value = np.asarray(value, np.float64)
    return np.where(value > 0, value, np.nan)
