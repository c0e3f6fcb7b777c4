"""One simulated galaxy: from a seed and a row to pixels and a row of the catalogue.

Shapes are written with B bands and S x S pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import galsim
import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray

from data.simulation.fourier_canvas import FourierCanvas, correlated_noise
from data.simulation.morphology import draw_morphology, paint
from data.simulation.neighbours_and_stars import Surroundings
from data.simulation.population_models import Universe
from data.simulation.survey import SURVEYS, Band, Survey
from pcvae.catalog import FIELD
from pcvae.dust import dereddening, extinction_of

__all__ = ["Stamp", "StampMaker", "StampSettings"]

Array = NDArray[np.float64]
Rng = np.random.Generator

MOFFAT_BETA = 3.5  # a half-integer has a transform without Bessel functions: 30 times faster
SEEING_SCATTER = 0.08  # of ln FWHM, common to the bands
MISCENTRED = 0.3  # scatter of a catalogue's position [px]
KPC_TO_ARCSEC = 206.265  # one kpc at one Mpc
EBV_MEDIAN, EBV_SPREAD, EBV_MAX = 0.04, 0.6, 0.5  # mag, of the logarithm, mag
MAP_ERROR, MAP_FLOOR = 0.16, 0.003  # of E(B-V), mag
DUST = 1  # the key of the dust's own random numbers


@dataclass(frozen=True, slots=True)
class StampSettings:
    """The settings of a simulated sample.

    Args:
        survey: A key of ``SURVEYS``.
        bands: In the order of the planes.
        pixel_scale: Arcsec a pixel.
        size: Pixels on a side.
        seed: Of the sample.
        quiet: Leave out noise, neighbours, stars and miscentring.
        dust: Redden the galaxies by the Milky Way's dust, and undo it as a map says.
    """

    survey: str = "decals"
    bands: tuple[str, ...] = ("g", "r", "z")
    pixel_scale: float = 0.262
    size: int = 128
    seed: int = 0
    quiet: bool = False
    dust: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """One simulated cutout.

    Args:
        flux: Pixels (B, S, S) [nanomaggy].
        row: Its row of the catalogue, without what is measured.
    """

    flux: NDArray[np.float32]
    row: dict[str, Any]


class Dust(NamedTuple):
    """The colour excess E(B-V) [mag] before a galaxy, and what a map says of it."""

    true: float
    mapped: float


def draw_dust(rng: Rng) -> Dust:
    """The dust before a galaxy of an extragalactic survey, and the map's value.

    E(B-V) is log-normal about 0.04 mag, at most 0.5: an approximation of the footprints of SDSS
    and the Legacy Surveys, away from the plane of the Milky Way. The map errs by 16 % and by
    0.003 mag.

    Reference: Schlegel, Finkbeiner & Davis (1998), ApJ 500, 525, for the 16 %.
    """
    true = min(EBV_MEDIAN * float(rng.lognormal(0, EBV_SPREAD)), EBV_MAX)
    mapped = true * (1 + MAP_ERROR * rng.standard_normal()) + MAP_FLOOR * rng.standard_normal()
    return Dust(true, max(float(mapped), 0.0))


def noisy(
    image: Array, survey: Survey, bands: Sequence[Band], scale: float, rng: Rng
) -> NDArray[np.floating[Any]]:
    """An image (B, S, S) [nanomaggy] with the noise of sky and source and an error of the sky.

    Args:
        image: Without noise.
        survey: Its depth and the scale on which its noise is correlated.
        bands: In the order of the planes.
        scale: Arcsec a pixel.
        rng: Random numbers.
    """
    sky = np.array([survey.pixel_noise(band, scale) for band in bands])
    depth = 10 ** (-0.4 * rng.uniform(*survey.deeper))
    poisson = np.array([band.poisson for band in bands]) * depth**2
    variance = (depth * sky[:, None, None]) ** 2
    variance = variance + poisson[:, None, None] * np.maximum(image, 0)
    offset = 0.03 * depth * sky * rng.standard_normal(len(sky))
    noise = correlated_noise(image.shape, survey.smooth / scale, rng)
    return image + np.sqrt(variance) * noise + offset[:, None, None]


class StampMaker:
    """Makes any galaxy of a sample from its row number alone."""

    def __init__(self, settings: StampSettings) -> None:
        self.settings = settings
        self.survey = SURVEYS[settings.survey]
        self._bands = self.survey.choose(settings.bands)
        self._universe = Universe(self.survey, settings.bands)
        self._surroundings = Surroundings(self._universe)
        low, high = self.survey.dec
        dec = self._universe.donors.dec
        self._places = np.flatnonzero((dec > low + 1) & (dec < high - 1))

    def make(self, row: int, population: str) -> Stamp:
        """Draw, render and label one object.

        Args:
            row: Its place in the sample; with the seed, all that decides it.
            population: ``field``, a rare one or a hard negative.
        """
        rng = np.random.default_rng(np.random.SeedSequence(self.settings.seed, spawn_key=(row,)))
        canvas = FourierCanvas(self.settings.size, self.settings.pixel_scale, len(self._bands))
        spread = 0.0 if self.settings.quiet else MISCENTRED * self.settings.pixel_scale
        centre = tuple(rng.normal(0, 1, 2) * spread)
        if population == "point_source":
            facts = self._point_source(canvas, centre, rng)
        else:
            facts = self._galaxy(canvas, population, centre, rng)
        dust = self._dust(row)
        pixels = self._expose(canvas, rng, dust)
        place = self._place(rng)
        common = {
            "id": self._id(row, population),
            **place,
            "survey": self.survey.name,
            "population": population,
            "north_angle": np.pi / 2,
        }
        known = {"ebv": dust.mapped, "ebv_true": dust.true} if self.settings.dust else {}
        return Stamp(pixels.astype(np.float32), common | facts | known)

    def _id(self, row: int, population: str) -> str:
        """A row is of another population in another sample: then it has another id."""
        kind = "" if population == FIELD else f"{population}-"
        return f"sim-{self.settings.seed}-{kind}{row:06d}"

    def _galaxy(
        self, canvas: FourierCanvas, population: str, centre: tuple[float, ...], rng: Rng
    ) -> dict[str, Any]:
        galaxy, fluxes = self._universe.draw(population, rng)
        z = float(galaxy.redshift[0])
        distance = float(Planck18.angular_diameter_distance(z).value)
        shape = draw_morphology(population, galaxy, KPC_TO_ARCSEC / distance, rng)
        paint(canvas, shape, fluxes, (centre[0], centre[1]), rng)
        truth = {
            "redshift_true": z,
            "log_mass_true": float(galaxy.log_mass[0]),
            "log_sfr_true": float(galaxy.log_sfr[0]),
            "orientation_true": shape.angle,
            "axis_ratio_true": shape.axis_ratio,
            "r50_true": shape.r50 / self.settings.pixel_scale,
            "bulge_true": shape.bulge,
        }
        return _labels(truth, rng) | truth | self._true_fluxes(fluxes.total[0])

    def _point_source(
        self, canvas: FourierCanvas, centre: tuple[float, ...], rng: Rng
    ) -> dict[str, Any]:
        """A star, whose redshift is unknown, or a quasar."""
        star = rng.random() < 0.5
        r_flux = 10 ** (0.4 * (22.5 - rng.uniform(16.5, 20.8)))
        z = np.nan if star else float(rng.uniform(0.15, 0.99))
        flux = (
            self._surroundings.star(np.array([r_flux]), rng)[0]
            if star
            else self._surroundings.quasar(z, r_flux, rng)
        )
        canvas.points(np.reshape(centre, (2, 1)), flux[None])
        unknown = ("log_mass_true", "log_sfr_true", "orientation_true", "axis_ratio_true")
        truth = {"redshift_true": z} | dict.fromkeys((*unknown, "bulge_true"), np.nan)
        truth["r50_true"] = 0.0
        return _labels(truth, rng) | truth | self._true_fluxes(flux)

    def _dust(self, row: int) -> Dust:
        """The dust before a galaxy; drawn apart, so that all else of it stays the same."""
        if not self.settings.dust:
            return Dust(0.0, 0.0)
        seed = np.random.SeedSequence(self.settings.seed, spawn_key=(row, DUST))
        return draw_dust(np.random.default_rng(seed))

    def _expose(self, canvas: FourierCanvas, rng: Rng, dust: Dust) -> NDArray[np.floating[Any]]:
        """Put stars and neighbours in, blur by the seeing, add noise of sky and source.

        The dust dims the light before the noise is added; then it is undone as the map says.
        """
        if not self.settings.quiet:
            self._surroundings.paint(canvas, rng)
        seeing = np.exp(SEEING_SCATTER * rng.standard_normal())
        g1, g2 = 0.02 * rng.standard_normal(2)
        widths = [band.fwhm * seeing * rng.lognormal(0, 0.03) for band in self._bands]
        psfs = [galsim.Moffat(MOFFAT_BETA, fwhm=width).shear(g1=g1, g2=g2) for width in widths]
        names = self.settings.bands
        coefficients = list(extinction_of(names, self.survey.camera).values())
        through, undone = dereddening([-dust.true, dust.mapped], coefficients)[:, :, None, None]
        image = through * canvas.develop(psfs)
        if self.settings.quiet:
            return undone * image
        return undone * noisy(image, self.survey, self._bands, self.settings.pixel_scale, rng)

    def _place(self, rng: Rng) -> dict[str, float]:
        """A position on the survey's footprint, within a degree of a real galaxy."""
        near = self._places[rng.integers(len(self._places))]
        donors = self._universe.donors
        dec = donors.dec[near] + rng.uniform(-1, 1)
        ra = donors.ra[near] + rng.uniform(-1, 1) / np.cos(np.deg2rad(dec))
        return {"ra": float(ra % 360), "dec": float(dec)}

    def _true_fluxes(self, flux: Array) -> dict[str, float]:
        names = [f"flux_{band}_true" for band in self.settings.bands]
        return dict(zip(names, map(float, flux), strict=True))


def _labels(truth: dict[str, float], rng: Rng) -> dict[str, float]:
    """Catalogue values: the truth with measurement errors."""
    log_ssfr = truth["log_sfr_true"] - truth["log_mass_true"]
    errors = {
        "redshift": 10 ** rng.uniform(-4, -3) * (1 + truth["redshift_true"]),
        "log_mass": rng.uniform(0.05, 0.2) + 0 * truth["log_mass_true"],
        "log_sfr": (0.1 + 0.2 * rng.random() + 0.2 * (log_ssfr < -11)) + 0 * log_ssfr,
    }
    labels: dict[str, float] = {}
    for name, error in errors.items():
        labels[name] = float(truth[f"{name}_true"] + error * rng.standard_normal())
        labels[f"{name}_err"] = float(error)
    return labels
