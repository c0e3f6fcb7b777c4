"""Real galaxies as donors of spectra: kcorrect's 10,000 SDSS galaxies, fitted and ranked.

Shapes are written with D donors and T templates.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial import cKDTree
from scipy.special import ndtr, ndtri
from threadpoolctl import threadpool_limits

from data.simulation.scaling_relations import draw_log_ssfr
from data.simulation.spectra import SedGrid, kcorrect_folder, luminosity_distance, read_templates

__all__ = ["Donors", "read_donors"]

Array = NDArray[np.float64]

SDSS = ("sdss_u0", "sdss_g0", "sdss_r0", "sdss_i0", "sdss_z0")
CALIBRATION = np.array([0.05, 0.02, 0.02, 0.02, 0.03])  # relative error of ugriz at best
# Correlation of colour and specific star formation rate at fixed mass, as normal scores: dust,
# metallicity and the recent past keep a colour from telling it exactly.
COLOUR_TELLS = 0.97
SEED = 20231216  # one ranking for all samples
NEAREST = 4  # donors to choose from


@dataclass(frozen=True)
class Donors:
    """Fitted galaxies, to be looked up by mass and specific star formation rate.

    Args:
        ra: (D,) [deg].
        dec: (D,) [deg].
        redshift: (D,).
        log_mass: (D,) [log10 Msun].
        log_ssfr: Specific star formation rate (D,) [log10 1/yr], given by rank of colour.
        mixture: Share of the mass in each template (D, T).
        tree: Neighbours in mass and specific star formation rate.
    """

    ra: Array
    dec: Array
    redshift: Array
    log_mass: Array
    log_ssfr: Array
    mixture: Array
    tree: cKDTree

    def choose(self, log_mass: Array, log_ssfr: Array, rng: np.random.Generator) -> Array:
        """The mixtures (N, T) of donors like these, each drawn from the nearest few."""
        _, near = self.tree.query(_coordinates(log_mass, log_ssfr), k=NEAREST)
        pick = rng.integers(NEAREST, size=len(near))
        return self.mixture[near[np.arange(len(near)), pick]]


@cache
def read_donors() -> Donors:
    """Read and fit the table of SDSS galaxies that kcorrect bundles.

    By one thread, whoever asks first: several round differently, and the same seed would not
    give the same galaxies.
    """
    with threadpool_limits(1):
        return _read_donors()


def _read_donors() -> Donors:
    with fits.open(kcorrect_folder() / "test" / "gst_tests_small.fits", memmap=False) as file:
        table = file["GSTTEST"].data
    z = table["Z"].astype(np.float64)
    flux, error = _dereddened(table)
    coeffs = _fit(flux, error, z)
    solar = coeffs * (luminosity_distance(z)[:, None] / 10) ** 2
    mass = solar.sum(1)
    keep = (z > 0.01) & (z < 0.4) & (mass > 10**7.5) & (mass < 10**12)
    mixture, log_mass = solar[keep] / mass[keep, None], np.log10(mass[keep])
    log_ssfr = _rank(mixture, log_mass)
    return Donors(
        ra=table["RA"][keep].astype(np.float64),
        dec=table["DEC"][keep].astype(np.float64),
        redshift=z[keep],
        log_mass=log_mass,
        log_ssfr=log_ssfr,
        mixture=mixture,
        tree=cKDTree(_coordinates(log_mass, log_ssfr)),
    )


def _dereddened(table: fits.FITS_rec) -> tuple[Array, Array]:
    clear = 10 ** (0.4 * table["EXTINCTION"].astype(np.float64))
    flux = table["MODELFLUX"].astype(np.float64) * clear
    variance = clear**2 / table["MODELFLUX_IVAR"] + (CALIBRATION * flux) ** 2
    return flux, np.sqrt(variance)


def _fit(flux: Array, error: Array, redshift: Array) -> Array:
    """Non-negative least squares of the templates to each galaxy's ugriz, (D, T)."""
    grid = SedGrid(SDSS, lined=True)
    units = np.eye(len(read_templates().flux))
    zeros = np.zeros(len(redshift))
    model = [grid.continuum(np.tile(unit, (len(zeros), 1)), redshift, zeros) for unit in units]
    design = np.stack(model, axis=2) / error[:, :, None]
    scale = np.sqrt((design**2).sum(1))
    fits_ = [
        nnls(matrix / norm[None, :], target)[0] / norm
        for matrix, norm, target in zip(design, scale, flux / error, strict=True)
    ]
    return np.array(fits_)


def _rank(mixture: Array, log_mass: Array) -> Array:
    """Give the bluest galaxy of each mass the highest specific star formation rate, and so on.

    Galaxies count inversely to the volume in which the survey sees them, so that the ranks are
    those of all galaxies of a mass.
    """
    rng = np.random.default_rng(SEED)
    colour, log_light = _colour(mixture)
    weight = 10 ** (-1.5 * (log_light + log_mass))  # volume goes as luminosity^(3/2)
    order = np.argsort(log_mass)
    log_ssfr = np.empty(len(order))
    for rows in np.array_split(order, max(len(order) // 250, 1)):
        rank = _weighted_rank(colour[rows], weight[rows])
        score = COLOUR_TELLS * ndtri(rank)
        score += np.sqrt(1 - COLOUR_TELLS**2) * rng.standard_normal(len(rows))
        model = draw_log_ssfr(np.full(4000, log_mass[rows].mean()), np.full(4000, 0.1), rng)
        log_ssfr[rows] = np.quantile(model, 1 - ndtr(score))
    return log_ssfr


def _weighted_rank(value: Array, weight: Array) -> Array:
    order = np.argsort(value)
    rank = np.empty(len(value))
    rank[order] = np.cumsum(weight[order]) - weight[order] / 2
    return rank / weight.sum()


def _colour(mixture: Array) -> tuple[Array, Array]:
    """Rest-frame colour between 3500 and 6200 Angstrom [mag], and log10 red light a mass."""
    templates = read_templates()
    near_u, near_r = (
        mixture @ templates.flux[:, np.abs(templates.wave - centre) < 300].mean(1)
        for centre in (3500, 6200)
    )
    return 2.5 * np.log10(near_r / near_u), np.log10(near_r)


def _coordinates(log_mass: Array, log_ssfr: Array) -> Array:
    return np.stack([np.asarray(log_mass) / 0.3, np.asarray(log_ssfr) / 0.15], axis=1)
