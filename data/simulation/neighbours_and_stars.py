"""Other galaxies on a stamp, and stars of the Milky Way.

Shapes are written with n sources and B bands. Fluxes are nanomaggies.
"""

import galsim
import numpy as np
from numpy.typing import NDArray

from data.simulation.fourier_canvas import FourierCanvas
from data.simulation.population_models import Universe
from data.simulation.scaling_relations import draw_log_ssfr

__all__ = ["Surroundings"]

Array = NDArray[np.float64]
Rng = np.random.Generator

FAINTEST = 24.5
# Galaxies brighter than r, a square arcmin: 10^(0.42 (r - 24)) times this, which is 700 a
# square degree at r = 19.
GALAXIES_TO_24 = 25.0
GALAXY_SLOPE = 0.42
STARS_TO_22 = 1.6
STAR_SLOPE = 0.17
BRIGHTEST_STAR = 15.0
UNRESOLVED = 0.4  # half-light radius [arcsec] below which the seeing hides a shape
R50_OF_GAUSSIAN = 1.177  # sigma
CLUSTERING = 0.5  # extra galaxies near a galaxy, as a share
TEMPERATURES = np.geomspace(3000, 7500, 60)


class Surroundings:
    """Draws neighbours and stars in a survey's bands.

    Args:
        universe: Where the spectra come from.
    """

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        wave = np.linspace(3000, 11000, 800)
        spectra = [_star(wave, kelvin) for kelvin in TEMPERATURES]
        flux = np.stack([universe.grid.spectrum(wave, spectrum) for spectrum in spectra])
        self._stars = flux[:, :-1] / flux[:, -1:]

    def star(self, r_flux: Array, rng: Rng) -> Array:
        """Fluxes (n, B) of stars of these r fluxes (n,): the faint are mostly cool."""
        magnitude = 22.5 - 2.5 * np.log10(r_flux)
        cool = rng.random(len(r_flux)) < np.clip(0.2 + 0.09 * (magnitude - 16), 0.1, 0.7)
        place = np.where(cool, rng.beta(1.2, 4, len(r_flux)), rng.beta(4, 3, len(r_flux)))
        return self._stars[(place * (len(TEMPERATURES) - 1)).astype(int)] * r_flux[:, None]

    def quasar(self, redshift: float, r_flux: float, rng: Rng) -> Array:
        """Fluxes (B,) of a quasar: a power law with broad lines (Vanden Berk et al. 2001)."""
        rest = np.geomspace(1000, 12000, 1500)
        slope = rng.normal(-1.55, 0.2)  # f_lambda; -0.45 in f_nu
        flux = (rest / 3000) ** slope
        for line, width, equivalent in _QUASAR_LINES:
            strength = equivalent * rng.lognormal(0, 0.3) * (line / 3000) ** slope
            profile = np.exp(-((rest - line) ** 2) / 2 / width**2)
            flux = flux + strength * profile / (width * np.sqrt(2 * np.pi))
        seen = self._universe.grid.spectrum(rest * (1 + redshift), flux)
        return seen[:-1] / seen[-1] * r_flux

    def paint(self, canvas: FourierCanvas, rng: Rng) -> None:
        """Add the stars and galaxies that happen to lie near."""
        side = (canvas.size + 8) * canvas.pixel_scale
        area = (side / 60) ** 2
        self._paint_stars(canvas, int(rng.poisson(STARS_TO_22 * area)), side, rng)
        crowd = GALAXIES_TO_24 * (1 + CLUSTERING * rng.random())
        expected = crowd * area * 10 ** (GALAXY_SLOPE * (FAINTEST - 24))
        self._paint_galaxies(canvas, int(rng.poisson(expected)), side, rng)

    def _paint_stars(self, canvas: FourierCanvas, count: int, side: float, rng: Rng) -> None:
        if not count:
            return
        magnitude = _magnitudes(STAR_SLOPE, 22.0, count, rng)
        flux = self.star(_flux(np.maximum(magnitude, BRIGHTEST_STAR)), rng)
        place = rng.uniform(-side / 2, side / 2, (2, count))
        canvas.points(place, flux)

    def _paint_galaxies(self, canvas: FourierCanvas, count: int, side: float, rng: Rng) -> None:
        if not count:
            return
        magnitude = np.maximum(_magnitudes(GALAXY_SLOPE, FAINTEST, count, rng), 16.0)
        flux = self._galaxy_colours(magnitude, rng) * _flux(magnitude)[:, None]
        r50 = 10 ** (-0.2 - 0.11 * (magnitude - 21) + 0.17 * rng.standard_normal(count))
        ratio, angle = rng.uniform(0.3, 1, count), rng.uniform(0, np.pi, count)
        place = rng.uniform(-side / 2, side / 2, (2, count))
        small = r50 < UNRESOLVED
        canvas.points(place[:, small], flux[small], r50[small] / R50_OF_GAUSSIAN)
        for row in np.flatnonzero(~small):
            disc = galsim.Exponential(half_light_radius=float(np.sqrt(ratio[row]) * r50[row]))
            disc = disc.shear(q=ratio[row], beta=angle[row] * galsim.radians)
            canvas.profile(disc, flux[row], *place[:, row])

    def _galaxy_colours(self, magnitude: Array, rng: Rng) -> Array:
        """Fluxes over r flux (n, B) of galaxies at the redshifts usual for these magnitudes."""
        count = len(magnitude)
        typical = np.clip(0.1 + 0.1 * (magnitude - 18), 0.08, 0.75)
        z = np.clip(typical * rng.lognormal(0, 0.35, count), 0.02, 1.05)
        mass = np.clip(
            10.3 - 0.25 * (magnitude - 21) + 0.5 * rng.standard_normal(count), 8.5, 11.2
        )
        mixture = self._universe.donors.choose(mass, draw_log_ssfr(mass, z, rng), rng)
        flux = self._universe.grid.continuum(mixture, z, np.zeros(count))
        return flux[:, :-1] / flux[:, -1:]


# Wavelength, width and equivalent width [Angstrom]; the third is iron near Mg II, a broad hump.
_QUASAR_LINES = (
    (1549, 30, 24), (1909, 35, 21), (2650, 180, 60), (2800, 35, 32), (4350, 40, 13),
    (4575, 90, 25), (4863, 40, 46), (5008, 10, 15), (6565, 45, 195),
)  # fmt: skip


def _magnitudes(slope: float, faintest: float, count: int, rng: Rng) -> Array:
    """Magnitudes whose cumulative counts grow as 10^(slope m)."""
    return faintest + np.log10(1 - rng.random(count)) / slope


def _flux(magnitude: Array) -> Array:
    return np.asarray(10 ** (0.4 * (22.5 - magnitude)))


def _planck(wave: Array, kelvin: float) -> Array:
    return np.asarray(wave**-5.0 / np.expm1(1.4388e8 / (wave * kelvin)))


def _star(wave: Array, kelvin: float) -> Array:
    """A blackbody; below 3900 K molecules dim all that is bluer than the z band alike."""
    flux = _planck(wave, max(kelvin, 3500))
    bands = 1.1e-3 * max(3900 - kelvin, 0)
    return np.asarray(flux * 10 ** (-0.4 * bands / (1 + np.exp((wave - 7800) / 150))))
