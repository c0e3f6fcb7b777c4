"""Scaling relations of galaxies: masses, star formation, sizes, dust and lines, with scatter.

All take and give arrays of N galaxies; masses are log10 Msun, rates log10 Msun/yr.
"""

import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray

__all__ = [
    "MASSES",
    "draw_log_sfr",
    "draw_log_ssfr",
    "gas_reddening",
    "line_ratios",
    "log_radius",
    "main_sequence",
    "mass_function",
    "quenched_fraction",
]

Array = NDArray[np.float64]

MASSES = np.arange(7.5, 12.0, 0.02)
QUENCHED_SSFR = -12.0
QUENCHED_SCATTER = 0.35
DUSTY = 0.1  # share of red galaxies that form stars behind dust
GREEN_VALLEY = 0.12  # share of the star-forming galaxies that are leaving the main sequence

_Z = np.linspace(0, 3, 301)
_AGE = Planck18.age(_Z).to_value("Gyr")


def mass_function(log_mass: Array, redshift: float) -> tuple[Array, Array]:
    """Number densities [1/Mpc^3/dex] of star-forming and of quenched galaxies.

    Schechter functions of Baldry et al. (2012), Fig. 15. Star-forming ones hardly change to
    z = 1; quenched ones were about half as many (Muzzin et al. 2013). A tenth of the red ones
    is taken for dusty and star-forming.
    """
    x = 10 ** (np.asarray(log_mass) - 10.72)
    common = np.log(10) * np.exp(-x)
    blue = common * 0.71e-3 * x**-0.45
    red = common * (3.25e-3 * x**0.55 + 0.08e-3 * x**-0.45)
    return blue + DUSTY * red, (1 - DUSTY) * red / (1 + redshift)


def quenched_fraction(log_mass: Array, redshift: Array | float) -> Array:
    """Share of galaxies of this mass that are quenched."""
    forming, quenched = mass_function(log_mass, 0.0)
    quenched = quenched / (1 + np.asarray(redshift))
    return quenched / (forming + quenched)


def main_sequence(log_mass: Array, redshift: Array) -> Array:
    """Log SFR of the star-forming main sequence (Speagle et al. 2014, Eq. 28)."""
    age = np.interp(redshift, _Z, _AGE)
    return (0.84 - 0.026 * age) * np.asarray(log_mass) - (6.51 - 0.11 * age)


def draw_log_sfr(
    log_mass: Array, redshift: Array, quenched: NDArray[np.bool_], rng: np.random.Generator
) -> Array:
    """Draw log SFR: the main sequence and its tail, or the floor of quenched galaxies."""
    count = len(quenched)
    forming = main_sequence(log_mass, redshift) + 0.2 * rng.standard_normal(count)
    leaving = rng.random(count) < GREEN_VALLEY
    forming = forming - leaving * rng.uniform(0.3, 1.5, count)
    floor = QUENCHED_SSFR + QUENCHED_SCATTER * rng.standard_normal(count)
    return np.where(quenched, np.asarray(log_mass) + floor, forming)


def draw_log_ssfr(log_mass: Array, redshift: Array, rng: np.random.Generator) -> Array:
    """Draw log10 SFR/mass [1/yr] of galaxies of all kinds."""
    quenched = rng.random(len(log_mass)) < quenched_fraction(log_mass, redshift)
    return draw_log_sfr(log_mass, redshift, quenched, rng) - log_mass


def log_radius(log_mass: Array, redshift: Array, quenched: NDArray[np.bool_]) -> Array:
    """log10 of the half-light semi-major axis [kpc], without scatter.

    van der Wel et al. (2014), Table 1 and Sect. 4: 8.9 (1+z)^-0.75 kpc and slope 0.22 for late
    types, 5.6 (1+z)^-1.48 kpc and slope 0.75 for early types at 5e10 Msun. The early types'
    relation flattens below 2e10 Msun.
    """
    x = np.asarray(log_mass) - np.log10(5e10)
    stretch = np.log10(1 + np.asarray(redshift))
    late = np.log10(8.9) + 0.22 * x - 0.75 * stretch
    bend = np.log10(2e10 / 5e10)
    steep = 0.75 * np.maximum(x, bend) + 0.15 * np.minimum(x - bend, 0)
    return np.where(quenched, np.log10(5.6) + steep - 1.48 * stretch, late)


def gas_reddening(log_mass: Array, rng: np.random.Generator) -> Array:
    """Colour excess of the gas [mag] from its attenuation of H-alpha (Garn & Best 2010, Eq. 6)."""
    x = np.clip(np.asarray(log_mass) - 10, -1.5, 1.5)
    attenuation = 0.91 + 0.77 * x + 0.11 * x**2 - 0.09 * x**3
    attenuation = attenuation + 0.28 * rng.standard_normal(len(x))
    return np.clip(attenuation, 0.05, None) / 3.33  # k(H-alpha) of Calzetti et al. (2000)


def line_ratios(log_mass: Array, log_ssfr: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """log10 [O III] 5007 / H-beta and log10 [N II] 6584 / H-alpha of star-forming gas.

    [N II] rises with mass (as metallicity does); the pair lies on the star-forming branch of
    Kauffmann et al. (2003), Eq. 1 lowered by 0.3 dex, and rises with the star formation rate.
    """
    count = len(log_mass)
    nii = np.clip(-0.45 + 0.45 * (np.asarray(log_mass) - 10.5), -1.5, -0.35)
    nii = nii - 0.1 * np.clip(np.asarray(log_ssfr) + 9.8, -1, 2)
    nii = np.minimum(nii + 0.08 * rng.standard_normal(count), -0.3)
    oiii = 0.61 / (nii - 0.05) + 1.3 - 0.3 + 0.12 * rng.standard_normal(count)
    return np.clip(oiii, -1.0, 0.9), nii
