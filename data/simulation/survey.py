"""Surveys: bands, pixels, seeing, noise and selection."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from pcvae.errors import SettingsError

__all__ = ["SURVEYS", "Band", "Survey"]


@dataclass(frozen=True, slots=True)
class Band:
    """One filter of a survey.

    Args:
        response: The name of its response curve in kcorrect.
        fwhm: Median seeing [arcsec].
        noise: Rms of the sky [nanomaggy] in a pixel of the survey's own scale.
        poisson: Variance that a source adds [nanomaggy^2 a nanomaggy].
    """

    response: str
    fwhm: float
    noise: float
    poisson: float = 3e-4


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as the simulator sees it.

    Args:
        name: Goes into the catalogue's column ``survey``.
        known: Its bands by name, in order of wavelength.
        bands: Those that a sample has when nothing else is asked for.
        pixel_scale: Arcsec a pixel of its images.
        native_scale: Arcsec a pixel of its camera; the noise is given for the larger of the two.
        deeper: Its images are between these deeper than the noise of its bands says [mag].
        smooth: Width of the resampling that correlates the noise, Gaussian sigma [arcsec].
        limits: Pairs of a limiting r magnitude and the share of the sample that has it.
        redshift: The range of redshifts.
        dec: The range of declinations [deg].
        camera: Whose extinction by the Milky Way's dust, in ``pcvae.dust.COEFFICIENTS``.
    """

    name: str
    known: dict[str, Band]
    bands: tuple[str, ...]
    pixel_scale: float
    native_scale: float
    deeper: tuple[float, float]
    smooth: float
    limits: tuple[tuple[float, float], ...]
    redshift: tuple[float, float]
    dec: tuple[float, float]
    camera: str

    def choose(self, bands: Sequence[str]) -> list[Band]:
        """Look the bands up by name.

        Raises:
            SettingsError: There is none, one occurs twice, or the survey lacks one.
        """
        if not bands or len(set(bands)) < len(bands) or not set(bands) <= set(self.known):
            msg = (
                f"expected different bands out of {' '.join(self.known)} for {self.name}, "
                f"found {' '.join(bands) or 'none'}"
            )
            raise SettingsError(msg)
        return [self.known[band] for band in bands]

    def pixel_noise(self, band: Band, pixel_scale: float) -> float:
        """Rms [nanomaggy] of a pixel of this size: the noise of the sky goes as its side."""
        return band.noise * pixel_scale / self.native_scale


def _point_source_noise(magnitude: float, fwhm: float, pixel_scale: float) -> float:
    """The rms of a pixel for which a star of this magnitude has a signal to noise of five.

    A matched Gaussian filter of width s sums an area of 4 pi s^2.
    """
    area = 4 * 3.14159 * (fwhm / 2.355) ** 2 / pixel_scale**2
    return float(10 ** (0.4 * (22.5 - magnitude)) / 5 / sqrt(area))


# Seeing and noise of g, r and z: the survey's required depth of 24.0, 23.4 and 22.5 mag for a
# galaxy of 0.45 arcsec at five sigma. The i band joined in a later release.
_DECALS = Survey(
    name="decals-sim",
    known={
        "g": Band("decam_g", 1.3, 0.0056),
        "r": Band("decam_r", 1.2, 0.010),
        "i": Band("decam_i", 1.15, 0.016),
        "z": Band("decam_z", 1.1, 0.024),
    },
    bands=("g", "r", "z"),
    pixel_scale=0.262,
    native_scale=0.262,
    deeper=(0.3, 1.2),  # more passes than the survey asked for; as seen in its cutouts
    smooth=0.12,
    limits=(
        (19.8, 0.5),
        (21.2, 0.25),
        (22.4, 0.25),
    ),  # GAMA, and deep fields as of Zou et al. (2022)
    redshift=(0.02, 1.0),
    dec=(-18.0, 32.0),
    camera="decam",
)


# SkyServer's finer pixels are interpolated, which averages their noise.
RESAMPLED = 0.4


def _sdss_band(letter: str, fwhm: float, depth: float, poisson: float) -> Band:
    noise = RESAMPLED * _point_source_noise(depth, fwhm, 0.396)
    return Band(f"sdss_{letter}0", fwhm, noise, poisson)


# Five-sigma depths for point sources: https://www.sdss4.org/dr17/imaging/other_info/
_SDSS = Survey(
    name="sdss-sim",
    known={
        "u": _sdss_band("u", 1.53, 22.15, 7e-3),
        "g": _sdss_band("g", 1.44, 23.13, 2e-3),
        "r": _sdss_band("r", 1.32, 22.70, 2e-3),
        "i": _sdss_band("i", 1.26, 22.20, 3e-3),
        "z": _sdss_band("z", 1.29, 20.71, 2e-2),
    },
    bands=("g", "r", "i"),
    pixel_scale=0.25,
    native_scale=0.396,
    deeper=(0.0, 0.2),
    smooth=0.35,
    limits=((17.77, 0.9), (19.0, 0.1)),  # the main sample, Strauss et al. (2002)
    redshift=(0.01, 0.5),
    dec=(-11.0, 69.0),
    camera="sdss",
)

SURVEYS = {"decals": _DECALS, "sdss": _SDSS}
