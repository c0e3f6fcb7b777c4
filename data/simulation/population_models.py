"""Population models: redshift, mass, star formation, spectrum and selection.

Shapes are written with N candidates, B bands and T templates. Fluxes are nanomaggies.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from astropy.cosmology import Planck18
from numpy.typing import NDArray

from data.simulation.scaling_relations import (
    MASSES,
    draw_log_sfr,
    gas_reddening,
    line_ratios,
    log_radius,
    main_sequence,
    mass_function,
)
from data.simulation.sdss_templates import Donors, read_donors
from data.simulation.spectra import SedGrid, line_luminosities, luminosity_distance, read_templates
from data.simulation.survey import Survey

__all__ = ["GALAXIES", "Candidates", "Fluxes", "Universe"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rng = np.random.Generator

GALAXIES = ("field", "red_spiral", "green_pea", "blue_compact", "dusty_spiral")

BRIGHT_LIMIT = 14.0  # spectroscopic surveys leave out what saturates
STELLAR_TO_GAS = 0.44  # colour excess of stars over that of gas (Calzetti et al. 2000)
EVOLUTION = 1.0  # stars of one mass are this much brighter a unit of redshift [mag]
MASS_TO_LIGHT = 0.07  # scatter of the mass-to-light ratio at given spectrum [dex]
OLD = np.array([0.0, 0.0, 0.0, 1.0, 0.0])
YOUNG = np.array([0.0, 0.004, 0.0, 0.0, 0.996])
BATCH = 24  # candidates a try


@dataclass(frozen=True)
class Candidates:
    """Physical properties of N galaxies of one population, before selection.

    Args:
        redshift: (N,).
        log_mass: (N,) [log10 Msun].
        log_sfr: (N,) [log10 Msun/yr].
        quenched: Whether each is an early type (N,).
        mixture: Share of the mass in each template (N, T).
        ebv: Colour excess of the stars beyond that of the donor (N,) [mag].
        ebv_gas: Colour excess of the gas (N,) [mag].
        oiii: log10 [O III] 5007 / H-beta (N,).
        nii: log10 [N II] 6584 / H-alpha (N,).
        log_r50: Half-light semi-major axis (N,) [log10 kpc].
        axis_ratio: Projected, minor over major (N,).
    """

    redshift: Array
    log_mass: Array
    log_sfr: Array
    quenched: Bools
    mixture: Array
    ebv: Array
    ebv_gas: Array
    oiii: Array
    nii: Array
    log_r50: Array
    axis_ratio: Array

    def at(self, index: int) -> "Candidates":
        """One of them, as arrays of length one."""
        names = self.__dataclass_fields__
        return Candidates(**{name: getattr(self, name)[index : index + 1] for name in names})


@dataclass(frozen=True, slots=True)
class Fluxes:
    """Fluxes (N, B) of the whole galaxy, and the spectra of its old and young stars alone.

    Args:
        total: Stars and lines.
        lines: Emission lines.
        old: An old population as bright as the galaxy in the selection band.
        young: A young population, likewise, without lines.
    """

    total: Array
    lines: Array
    old: Array
    young: Array


class Universe:
    """Draws galaxies as a survey would select them.

    Args:
        survey: Whose selection and response curves.
        bands: The bands whose fluxes are wanted.
    """

    def __init__(self, survey: Survey, bands: tuple[str, ...]) -> None:
        self.survey = survey
        chosen = [band.response for band in survey.choose(bands)]
        self.grid = SedGrid([*chosen, survey.known["r"].response])
        self.donors: Donors = read_donors()
        self._limits = np.array([limit for limit, _ in survey.limits])
        self._shares = np.cumsum([share for _, share in survey.limits])
        self._proposals = [_Proposal(self, limit) for limit in self._limits]

    def draw(self, population: str, rng: Rng) -> tuple[Candidates, Fluxes]:
        """Draw one galaxy of a population that the survey would have taken.

        Returns:
            Its properties and its fluxes, as arrays of length one.
        """
        which = int(np.searchsorted(self._shares, rng.random() * self._shares[-1]))
        which = min(which, len(self._limits) - 1)
        faint = self._limits[which] if population == "field" else _FAINT[population]
        while True:
            some = self._candidates(population, which, rng)
            fluxes, r_flux = self.fluxes(some, rng)
            r = 22.5 - 2.5 * np.log10(r_flux)
            taken = (r > BRIGHT_LIMIT) & (r < faint)
            if taken.any():
                row = int(np.argmax(taken))
                cut = {n: getattr(fluxes, n)[row : row + 1] for n in Fluxes.__slots__}
                return some.at(row), _aged(population, Fluxes(**cut))

    def fluxes(self, some: Candidates, rng: Rng | None = None) -> tuple[Fluxes, Array]:
        """Fluxes of candidates, and their flux (N,) in the survey's r band.

        Args:
            some: The candidates.
            rng: Scatters their mass-to-light ratios; none, no scatter.
        """
        z = some.redshift
        scatter = 0.0 if rng is None else MASS_TO_LIGHT * rng.standard_normal(len(z))
        solar = 10 ** (some.log_mass + scatter + 0.4 * EVOLUTION * z)
        dimming = (solar * (10 / luminosity_distance(z)) ** 2)[:, None]
        stars = dimming * self.grid.continuum(some.mixture, z, some.ebv)
        power = line_luminosities(some.log_sfr, some.oiii, some.nii, some.ebv_gas)
        lines = self.grid.lines(power, z)
        total = stars + lines
        alone = [self._alone(mixture, some, stars[:, -1:])[:, :-1] for mixture in (OLD, YOUNG)]
        return Fluxes(total[:, :-1], lines[:, :-1], *alone), total[:, -1]

    def _alone(self, mixture: Array, some: Candidates, r_flux: Array) -> Array:
        tiled = np.tile(mixture, (len(some.redshift), 1))
        flux = self.grid.continuum(tiled, some.redshift, some.ebv)
        return flux * r_flux / flux[:, -1:]

    def _candidates(self, population: str, which: int, rng: Rng) -> Candidates:
        if population in _RARE:
            return _RARE[population](self.donors, rng)
        z, mass, quenched = self._proposals[which].draw(BATCH, rng)
        log_sfr = draw_log_sfr(mass, z, quenched, rng)
        return _galaxies(self.donors, z, mass, log_sfr, quenched, rng)


def _galaxies(
    donors: Donors,
    redshift: Array,
    log_mass: Array,
    log_sfr: Array,
    quenched: Bools,
    rng: Rng,
) -> Candidates:
    """Ordinary galaxies: donor's spectrum, relations' size, dust that grows with tilt."""
    count = len(redshift)
    log_ssfr = log_sfr - log_mass
    ratio = _axis_ratios(quenched, rng)
    tilt = np.log10(1 / ratio) * np.clip(0.2 + 0.15 * (log_mass - 9.5), 0.05, 0.4)
    # A fifth of the rise of the main sequence since the donors' time hides behind dust.
    rise = main_sequence(log_mass, redshift) - main_sequence(log_mass, np.full(count, 0.1))
    hidden = np.where(quenched, 0, 0.2 * rise)
    oiii, nii = line_ratios(log_mass, log_ssfr, rng)
    ebv_gas = gas_reddening(log_mass, rng) + np.where(quenched, 0, 0.5 * tilt)
    spread = np.where(quenched, 0.13, 0.17) * rng.standard_normal(count)
    return Candidates(
        redshift=redshift,
        log_mass=log_mass,
        log_sfr=log_sfr,
        quenched=quenched,
        mixture=donors.choose(log_mass, log_ssfr - hidden, rng),
        ebv=np.where(quenched, 0.0, STELLAR_TO_GAS * tilt),
        ebv_gas=ebv_gas,
        oiii=oiii,
        nii=nii,
        log_r50=log_radius(log_mass, redshift, quenched) + spread,
        axis_ratio=ratio,
    )


def _red_spirals(donors: Donors, rng: Rng) -> Candidates:
    """Face-on passive discs (Masters et al. 2010): z 0.03-0.085, red, massive."""
    z = _in_volume(0.03, 0.085, rng)
    mass = np.clip(rng.normal(10.7, 0.25, BATCH), 10.1, 11.4)
    log_sfr = mass + np.minimum(rng.normal(-11.4, 0.3, BATCH), -10.9)
    some = _galaxies(donors, z, mass, log_sfr, np.zeros(BATCH, bool), rng)
    face_on = rng.uniform(0.63, 1.0, BATCH)  # log(a/b) < 0.2 in their selection
    # They were selected by colour, so the redder ones of their star formation rate.
    red = donors.choose(mass, log_sfr - mass - 0.5, rng)
    return replace(some, axis_ratio=face_on, ebv=np.zeros(BATCH), mixture=red)


def _dusty_spirals(donors: Donors, rng: Rng) -> Candidates:
    """Inclined star-forming discs, as red as passive ones."""
    z = _in_volume(0.02, 0.25, rng)
    mass = np.clip(rng.normal(10.5, 0.35, BATCH), 9.7, 11.4)
    log_sfr = main_sequence(mass, z) + 0.2 * rng.standard_normal(BATCH)
    some = _galaxies(donors, z, mass, log_sfr, np.zeros(BATCH, bool), rng)
    dust = rng.uniform(0.15, 0.5, BATCH)
    tilted = rng.uniform(0.17, 0.6, BATCH)
    return replace(some, axis_ratio=tilted, ebv=dust, ebv_gas=dust / STELLAR_TO_GAS)


def _green_peas(_: Donors, rng: Rng) -> Candidates:
    """Compact bursts (Cardamone et al. 2009): [O III] makes r bright at z 0.11-0.36."""
    z = _in_volume(0.11, 0.36, rng)
    mass = np.clip(rng.normal(9.5, 0.3, BATCH), 8.5, 10.5)
    log_sfr = 1.0 + 0.35 * (mass - 9.5) + rng.normal(0, 0.22, BATCH)
    oiii, dust = rng.uniform(0.65, 0.9, BATCH), rng.uniform(0.05, 0.2, BATCH)
    return _burst(z, mass, log_sfr, (oiii, dust, rng.uniform(0.3, 0.7, BATCH)), rng)


def _blue_compacts(_: Donors, rng: Rng) -> Candidates:
    """Compact blue galaxies: as small and as blue as peas, with lines of every strength."""
    z = _in_volume(0.02, 0.36, rng)
    mass = np.clip(rng.normal(9.5, 0.4, BATCH), 8.3, 10.5)
    log_sfr = main_sequence(mass, z) + rng.normal(0.45, 0.3, BATCH)
    oiii, dust = rng.uniform(0.1, 0.75, BATCH), rng.uniform(0.05, 0.3, BATCH)
    return _burst(z, mass, log_sfr, (oiii, dust, rng.uniform(0.5, 1.2, BATCH)), rng)


_RARE = {
    "red_spiral": _red_spirals,
    "dusty_spiral": _dusty_spirals,
    "green_pea": _green_peas,
    "blue_compact": _blue_compacts,
}
_FAINT = {"red_spiral": 17.77, "green_pea": 20.8, "blue_compact": 20.8, "dusty_spiral": 19.8}


def _burst(
    z: Array, mass: Array, log_sfr: Array, gas: tuple[Array, Array, Array], rng: Rng
) -> Candidates:
    """A compact galaxy of young stars on an older body.

    Args:
        z: (N,).
        mass: (N,) [log10 Msun].
        log_sfr: (N,) [log10 Msun/yr].
        gas: log10 [O III] / H-beta, colour excess [mag], and ultraviolet light over what goes
            with the lines of a steady star formation rate (N,): a burst of a few Myr has less.
        rng: The rest.
    """
    count = len(z)
    oiii, ebv_gas, ultraviolet = gas
    return Candidates(
        redshift=z,
        log_mass=mass,
        log_sfr=log_sfr,
        quenched=np.zeros(count, bool),
        mixture=_burst_mixture(log_sfr - mass + np.log10(ultraviolet), rng),
        ebv=STELLAR_TO_GAS * ebv_gas,
        ebv_gas=ebv_gas,
        oiii=oiii,
        nii=np.full(count, -1.3) + 0.1 * rng.standard_normal(count),
        log_r50=np.clip(rng.normal(0.1, 0.15, count), -0.3, 0.45),
        axis_ratio=rng.uniform(0.6, 1.0, count),
    )


def _aged(population: str, fluxes: Fluxes) -> Fluxes:
    """The arms of a passive spiral are hardly bluer than its disc."""
    if population != "red_spiral":
        return fluxes
    return replace(fluxes, young=0.75 * (fluxes.total - fluxes.lines) + 0.25 * fluxes.young)


class _Proposal:
    """Volume times mass function where galaxies can pass a limiting magnitude."""

    def __init__(self, universe: Universe, limit: float) -> None:
        low, high = universe.survey.redshift
        self._z = np.arange(low + 0.0025, high, 0.005)
        z, mass = np.meshgrid(self._z, MASSES, indexing="ij")
        volume = Planck18.differential_comoving_volume(self._z).value[:, None]
        density = np.stack([mass_function(MASSES, value) for value in self._z])  # (z, kind, mass)
        weight = []
        for kind in (0, 1):
            r = _typical_magnitude(universe, z.ravel(), mass.ravel(), quenched=bool(kind))
            reachable = r.reshape(z.shape) < limit + 1.0
            weight.append(volume * density[:, kind] * reachable)
        self._cumulative = np.cumsum(np.stack(weight))
        self._shape = (2, *z.shape)

    def draw(self, count: int, rng: Rng) -> tuple[Array, Array, Bools]:
        """Redshifts, masses and whether quenched, each (count,)."""
        where = np.searchsorted(self._cumulative, rng.random(count) * self._cumulative[-1])
        kind, row, column = np.unravel_index(where, self._shape)
        z = self._z[row] + 0.005 * (rng.random(count) - 0.5)
        mass = MASSES[column] + 0.02 * (rng.random(count) - 0.5)
        return z, mass, kind == 1


def _typical_magnitude(universe: Universe, z: Array, mass: Array, *, quenched: bool) -> Array:
    donors = universe.donors
    alike = (donors.log_ssfr < -11.3) == quenched
    mixture = donors.mixture[alike].mean(0)
    zeros = np.zeros(len(z))
    some = Candidates(
        redshift=z,
        log_mass=mass,
        log_sfr=np.full(len(z), -9.0),
        quenched=np.full(len(z), quenched),
        mixture=np.tile(mixture, (len(z), 1)),
        ebv=zeros,
        ebv_gas=zeros,
        oiii=zeros,
        nii=zeros,
        log_r50=zeros,
        axis_ratio=zeros + 1,
    )
    return np.asarray(22.5 - 2.5 * np.log10(universe.fluxes(some)[1]))


def _in_volume(low: float, high: float, rng: Rng) -> Array:
    """Redshifts (24,) of objects evenly spread in comoving volume."""
    grid = np.linspace(low, high, 64)
    volume = _comoving_volume(low, high)
    return np.interp(volume[0] + rng.random(BATCH) * (volume[-1] - volume[0]), volume, grid)


@cache
def _comoving_volume(low: float, high: float) -> Array:
    """The volume [Mpc3] within each of 64 redshifts from low to high."""
    return np.asarray(Planck18.comoving_volume(np.linspace(low, high, 64)).value)


def _axis_ratios(quenched: Bools, rng: Rng) -> Array:
    """Discs of thickness 0.2 seen from all sides; early types rounder."""
    cosine = rng.random(len(quenched))
    disc = np.sqrt(cosine**2 * (1 - 0.2**2) + 0.2**2)
    early = np.clip(rng.normal(0.75, 0.15, len(quenched)), 0.35, 1.0)
    return np.where(quenched, early, disc)


def _burst_mixture(log_ssfr: Array, rng: Rng) -> Array:
    """Templates of a burst: enough newborn stars for its ultraviolet light, the rest older.

    The light near 2300 Angstrom follows the star formation rate, log (nu L_nu) = log SFR + 43.17
    (Kennicutt & Evans 2012, Table 1).
    """
    templates = read_templates()
    area = 4 * np.pi * (10 * 3.0857e18) ** 2
    ultraviolet = np.interp(2300, templates.wave, templates.flux[1]) * 2300 * area
    newborn = np.clip(10 ** (log_ssfr + 43.17) / ultraviolet, 0, 0.3)
    recent = (1 - newborn) * rng.uniform(0.02, 0.25, len(log_ssfr))
    mixture = np.zeros((len(log_ssfr), len(templates.flux)))
    mixture[:, 1], mixture[:, 2], mixture[:, 3] = newborn, recent, 1 - newborn - recent
    return mixture
