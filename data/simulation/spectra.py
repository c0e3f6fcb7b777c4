"""Spectra: kcorrect's templates with lines, dust and redshift of our own, through any filter.

Shapes are written with N galaxies, B bands, T templates and W wavelengths. Fluxes are
nanomaggies (AB, zero point 22.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.cosmology import Planck18
from astropy.io import fits
from numpy.typing import NDArray

__all__ = [
    "LINES",
    "SedGrid",
    "Templates",
    "calzetti",
    "kcorrect_folder",
    "line_luminosities",
    "luminosity_distance",
    "read_response",
    "read_templates",
]

Array = NDArray[np.float64]

C_ANGSTROM = 2.99792458e18  # speed of light [Angstrom/s]
AB_NANOMAGGY = 3.631e-29  # flux density of 1 nanomaggy [erg/s/cm^2/Hz]
PARSEC = 3.0857e18  # [cm]
RV_CALZETTI = 4.05

LINES = {
    "[O II]": 3728.0,
    "H-beta": 4862.7,
    "[O III] 4959": 4960.3,
    "[O III] 5007": 5008.2,
    "H-alpha": 6564.6,
    "[N II]": 6585.3,
    "[S II]": 6725.0,
}
# Where templates carry lines, weak ones too: there the continuum is interpolated [Angstrom].
_LINE_WINDOWS = (
    (3715, 3740), (3858, 3880), (3960, 3978), (4090, 4112), (4328, 4375), (4845, 4880),
    (4940, 5030), (5865, 5890), (6290, 6380), (6525, 6605), (6665, 6695), (6700, 6755),
    (7050, 7080), (7125, 7150), (7310, 7340), (9045, 9095), (9500, 9575), (10020, 10080),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Templates:
    """The spectra of kcorrect's templates without emission lines.

    Args:
        wave: Rest-frame wavelength (W,) [Angstrom].
        flux: (T, W) [erg/s/cm^2/Angstrom at 10 pc] for a solar mass that lives on.
        lined: The same with the lines that kcorrect gave them.
    """

    wave: Array
    flux: Array
    lined: Array


def kcorrect_folder() -> Path:
    """The data folder of the installed kcorrect, found without the 1.7 s of importing it."""
    spec = find_spec("kcorrect")
    if spec is None or spec.origin is None:
        msg = "kcorrect is not installed: run pip install -e '.[simulate]'"
        raise ModuleNotFoundError(msg, name="kcorrect")
    return Path(spec.origin).parent / "data"


@cache
def read_templates() -> Templates:
    """Read kcorrect's five default templates (Blanton & Roweis 2007) and drop their lines."""
    path = kcorrect_folder() / "templates" / "kcorrect-default-v4.fits"
    with fits.open(path, memmap=False) as file:
        row = file["FLUX"].data[0]
        wave = row["wave"].astype(np.float64)
        remains = file["MREMAIN"].data.astype(np.float64)
        lined = row["flux"].astype(np.float64) / remains[:, None]
    keep = (wave > 1200) & (wave < 13000)
    wave, lined = wave[keep], lined[:, keep]
    return Templates(wave, _without_lines(wave, lined), lined)


def read_response(name: str) -> tuple[Array, Array]:
    """Read a response curve of kcorrect: wavelength [Angstrom] and response to a photon."""
    text = (kcorrect_folder() / "responses" / f"{name}.dat").read_text()
    rows = [line.strip(" |").split("|") for line in text.splitlines() if line.startswith("|")]
    names = [cell.strip() for cell in rows[0]]
    columns = [names.index("lambda"), names.index("pass")]
    table = np.array([[float(row[column]) for column in columns] for row in rows[1:]])
    table = table[np.argsort(table[:, 0])]
    return table[:, 0], table[:, 1]


def calzetti(wave: Array) -> Array:
    """The attenuation curve k(lambda) of Calzetti et al. (2000), Eq. 4; A = k E(B-V).

    Args:
        wave: Rest-frame wavelength [Angstrom]; outside 1200 to 22000 the nearest value holds.
    """
    micron = np.clip(np.asarray(wave) / 1e4, 0.12, 2.2)
    blue = -2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3
    red = -1.857 + 1.040 / micron
    return 2.659 * np.where(micron < 0.63, blue, red) + RV_CALZETTI


@cache
def _distance_table() -> tuple[Array, Array]:
    z = np.linspace(0, 3, 601)
    return z, Planck18.luminosity_distance(z).to_value("pc")


def luminosity_distance(redshift: Array | float) -> Array:
    """Luminosity distance [pc] in the Planck 2018 cosmology, for redshifts below three."""
    return np.asarray(np.interp(redshift, *_distance_table()))


def line_luminosities(log_sfr: Array, log_oiii: Array, log_nii: Array, ebv: Array) -> Array:
    """The luminosities [erg/s] of ``LINES`` that leave a galaxy, (N, lines).

    H-alpha follows the star formation rate, log L = log SFR + 41.27 (Kennicutt & Evans 2012,
    Table 1), H-beta is 2.86 times weaker (case B), and all are reddened by the dust of the gas.

    Args:
        log_sfr: (N,) [log10 Msun/yr].
        log_oiii: log10 of [O III] 5007 over H-beta (N,).
        log_nii: log10 of [N II] 6584 over H-alpha (N,).
        ebv: Colour excess of the gas (N,) [mag].
    """
    halpha = 10 ** (np.asarray(log_sfr) + 41.27)
    hbeta = halpha / 2.86
    oiii = hbeta * 10 ** np.asarray(log_oiii)
    nii = halpha * 10 ** np.asarray(log_nii)
    emitted = [1.0 * halpha, hbeta, oiii / 2.98, oiii, halpha, 1.33 * nii, 0.35 * halpha]
    dust = 10 ** (-0.4 * np.multiply.outer(ebv, calzetti(np.array(list(LINES.values())))))
    return np.stack(emitted, axis=-1) * dust


class SedGrid:
    """Fluxes of the templates through some bands, tabulated over redshift and dust.

    Args:
        responses: The names of B response curves of kcorrect.
        z_max: The highest redshift asked for.
        lined: Take the templates with kcorrect's own lines, as a fit to real galaxies must.
    """

    _EBV = np.linspace(0, 1.6, 17)

    def __init__(
        self, responses: Sequence[str], z_max: float = 1.1, *, lined: bool = False
    ) -> None:
        self.curves = [read_response(name) for name in responses]
        self._z = np.arange(0, z_max + 0.008, 0.004)
        self._norm = np.array([np.trapezoid(p / w, w) for w, p in self.curves]) * C_ANGSTROM
        templates = read_templates()
        self._grid = self._tabulate(templates.wave, templates.lined if lined else templates.flux)

    def continuum(self, coeffs: Array, redshift: Array, ebv: Array) -> Array:
        """Fluxes (N, B) [nanomaggy at 10 pc a solar mass] of mixtures of templates.

        Args:
            coeffs: Solar masses in each template (N, T).
            redshift: (N,).
            ebv: Colour excess of the stars (N,), at most 1.6 [mag].
        """
        flux = np.ones((len(coeffs), len(self.curves)))
        # Linear in redshift; in dust, the logarithm is all but linear.
        for e_index, e_weight in _brackets(self._EBV, np.clip(ebv, 0, self._EBV[-1])):
            mixed = np.zeros_like(flux)
            for z_index, z_weight in _brackets(self._z, redshift):
                part = np.einsum("nt,nbt->nb", coeffs, self._grid[e_index, z_index])
                mixed += z_weight[:, None] * part
            flux *= mixed ** e_weight[:, None]
        return flux

    def lines(self, luminosity: Array, redshift: Array) -> Array:
        """Observed fluxes (N, B) [nanomaggy] of lines of this luminosity (N, lines) [erg/s]."""
        rest = np.array(list(LINES.values()))
        wave = rest * (1 + np.asarray(redshift)[:, None])
        area = 4 * np.pi * (luminosity_distance(redshift) * PARSEC) ** 2
        received = luminosity / area[:, None]
        flux = [
            (received * wave * np.interp(wave, w, p, left=0, right=0)).sum(1) / norm
            for (w, p), norm in zip(self.curves, self._norm, strict=True)
        ]
        return np.stack(flux, axis=1) / AB_NANOMAGGY

    def spectrum(self, wave: Array, flux: Array) -> Array:
        """Fluxes (B,) [nanomaggy] of an observed spectrum in erg/s/cm^2/Angstrom."""
        seen = [
            np.trapezoid(flux * np.interp(wave, w, p, left=0, right=0) * wave, wave) / norm
            for (w, p), norm in zip(self.curves, self._norm, strict=True)
        ]
        return np.array(seen) / AB_NANOMAGGY

    def _tabulate(self, wave: Array, flux: Array) -> Array:
        """The fluxes (dust, redshift, B, T) at 10 pc, the K correction's factor 1 + z in."""
        width = np.gradient(wave)
        stretch = 1 + self._z[:, None]
        weights = [
            np.interp(wave * stretch, w, p, left=0, right=0) * wave * width * stretch / norm
            for (w, p), norm in zip(self.curves, self._norm, strict=True)
        ]
        dust = 10 ** (-0.4 * np.multiply.outer(self._EBV, calzetti(wave)))
        reddened = dust[:, None, :] * flux
        seen = np.einsum("zbw,etw->ezbt", np.stack(weights, 1), reddened, optimize=True)
        return seen / AB_NANOMAGGY


def _brackets(grid: Array, value: Array) -> list[tuple[NDArray[np.int64], Array]]:
    """Index and weight of the grid points below and above each value."""
    place = np.clip(np.asarray(value) / grid[1], 0, len(grid) - 1.001)
    low = place.astype(np.int64)
    return [(low, 1 - (place - low)), (low + 1, place - low)]


def _without_lines(wave: Array, flux: Array) -> Array:
    keep = np.ones(len(wave), bool)
    for low, high in _LINE_WINDOWS:
        keep &= (wave < low) | (wave > high)
    return np.stack([np.interp(wave, wave[keep], spectrum[keep]) for spectrum in flux])
