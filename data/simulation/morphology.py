"""The morphology of a galaxy: bulge, disc, bar, spiral arms and star-forming knots.

Shapes are written with B bands, S x S pixels and K knots. Lengths are arcsec, angles radians
counter-clockwise from +x.
"""

from dataclasses import dataclass

import galsim
import numpy as np
from numpy.typing import NDArray

from data.simulation.fourier_canvas import FourierCanvas
from data.simulation.population_models import Candidates, Fluxes

__all__ = ["Morphology", "draw_morphology", "paint"]

Array = NDArray[np.float64]
Rng = np.random.Generator

DISC_R50 = 1.678  # half-light radius of an exponential disc in scale lengths
BULGE_INDICES = np.array([1.0, 2.0, 3.0, 4.0])  # a few, as GalSim tabulates each index once
ELLIPTICAL_INDICES = np.array([2.5, 3.0, 4.0, 5.0])
SMALLEST_ARMS = 2.5  # scale length [px] below which the seeing hides arms
KNOT_SIZE = 0.06  # of the half-light radius
COMPACT = ("green_pea", "blue_compact")


@dataclass(frozen=True, slots=True)
class Morphology:
    """The shape of one galaxy.

    Args:
        r50: Half-light semi-major axis of the disc, or of the whole of an elliptical.
        axis_ratio: Of the disc as projected.
        angle: Of its major axis, in (-pi/2, pi/2].
        bulge: Share of the light that is in the bulge; 1 for an elliptical.
        index: Sersic index of the bulge.
        bulge_r50: Its half-light radius.
        bar: Share of the disc's light that is in a bar.
        young: Share of the light of young stars, in arms and knots.
        arms: Number of spiral arms; 0 for none.
        pitch: Of the arms, negative for the other sense.
        contrast: How narrow the arms are.
        phase: Where the arms begin.
        knots: Share of the young light that is in knots.
        knot_count: Their number.
    """

    r50: float
    axis_ratio: float
    angle: float
    bulge: float
    index: float
    bulge_r50: float
    bar: float
    young: float
    arms: int
    pitch: float
    contrast: float
    phase: float
    knots: float
    knot_count: int


def draw_morphology(
    population: str, galaxy: Candidates, arcsec_per_kpc: float, rng: Rng
) -> Morphology:
    """Draw the shape of one galaxy from its mass, star formation and kind."""
    r50 = 10 ** galaxy.log_r50[0] * arcsec_per_kpc
    elliptical = bool(galaxy.quenched[0]) and rng.random() < 0.55
    bulge = 1.0 if elliptical else _bulge_share(population, galaxy, rng)
    young = _young_share(population, galaxy, rng)
    armed = not galaxy.quenched[0] and population not in COMPACT and galaxy.log_mass[0] > 9.2
    return Morphology(
        r50=float(r50),
        axis_ratio=float(galaxy.axis_ratio[0]),
        angle=float(np.pi * (0.5 - rng.random())),
        bulge=bulge,
        index=float(rng.choice(ELLIPTICAL_INDICES if elliptical else BULGE_INDICES)),
        bulge_r50=float(r50 * (1.0 if elliptical else rng.uniform(0.12, 0.35))),
        bar=float(rng.uniform(0.05, 0.2)) if armed and rng.random() < 0.35 else 0.0,
        young=young,
        arms=int(rng.choice([2, 3, 4], p=[0.7, 0.15, 0.15])) if armed else 0,
        pitch=float(np.deg2rad(rng.uniform(10, 28)) * rng.choice([-1, 1])),
        contrast=float(rng.uniform(0.8, 3.5)),
        phase=float(rng.uniform(0, 2 * np.pi)),
        knots=float(rng.uniform(0.1, 0.4) if armed else rng.uniform(0.3, 0.9)),
        knot_count=1 + int(rng.poisson(4 if population in COMPACT else 25)),
    )


def paint(
    canvas: FourierCanvas, shape: Morphology, fluxes: Fluxes, centre: tuple[float, float], rng: Rng
) -> None:
    """Add a galaxy to the canvas; the fluxes of its parts sum to its total in each band.

    Args:
        canvas: Where to.
        shape: Its morphology.
        fluxes: Of this one galaxy, (1, B) each.
        centre: Its position [arcsec].
        rng: Places the knots.
    """
    disc, bulge, young = _split(shape, fluxes)
    x, y = centre
    if shape.bulge > 0:
        # A bulge is rounder than its disc; an elliptical is all bulge and has the axis ratio.
        ratio = shape.axis_ratio if shape.bulge == 1 else (1 + shape.axis_ratio) / 2
        sersic = galsim.Sersic(shape.index, half_light_radius=max(shape.bulge_r50, 0.02))
        canvas.profile(_tilt(sersic, ratio, shape.angle), bulge, x, y)
    if shape.bulge == 1:
        return
    scale = shape.r50 / DISC_R50
    if shape.bar > 0:
        bar = galsim.Sersic(1.0, half_light_radius=0.8 * scale)
        bar = _tilt(_tilt(bar, 0.3, shape.phase), shape.axis_ratio, 0.0)
        canvas.profile(bar.rotate(shape.angle * galsim.radians), shape.bar * disc, x, y)
    exponential = _tilt(galsim.Exponential(scale_radius=scale), shape.axis_ratio, shape.angle)
    armed = shape.arms > 0 and scale > SMALLEST_ARMS * canvas.pixel_scale
    knots = shape.knots * young
    smooth = (1 - shape.bar) * disc + (0 if armed else 1) * (young - knots)
    canvas.profile(exponential, smooth, x, y)
    if armed:
        canvas.image(_arms(canvas, shape, x, y), young - knots)
    _paint_knots(canvas, shape, knots, centre, rng)


def _split(shape: Morphology, fluxes: Fluxes) -> tuple[Array, Array, Array]:
    """Fluxes (B,) of the disc, of the old bulge, and of young arms and knots with the lines."""
    total, lines = fluxes.total[0], fluxes.lines[0]
    if shape.bulge == 1:
        return 0 * total, total, 0 * total
    stars = total - lines
    bulge, young = shape.bulge * fluxes.old[0], shape.young * fluxes.young[0]
    # An old bulge may outshine a blue galaxy in z, young stars a red one in g: then both shrink.
    fit = min(1.0, float(np.min(0.9 * stars / np.maximum(bulge + young, 1e-30))))
    bulge, young = fit * bulge, fit * young
    return stars - bulge - young, bulge, young + lines


def _paint_knots(
    canvas: FourierCanvas, shape: Morphology, flux: Array, centre: tuple[float, float], rng: Rng
) -> None:
    count = shape.knot_count
    radius = np.minimum(rng.gamma(2.0, shape.r50 / DISC_R50, count), 2.2 * shape.r50)
    theta = rng.uniform(0, 2 * np.pi, count)
    if shape.arms:
        crest = np.log(np.maximum(radius / shape.r50, 0.05)) / np.tan(shape.pitch)
        arm = rng.integers(shape.arms, size=count)
        width = 0.9 / (shape.arms * np.sqrt(shape.contrast))
        theta = crest + (shape.phase + 2 * np.pi * arm) / shape.arms
        theta += width * rng.standard_normal(count)
    share = rng.pareto(2.0, count) + 0.3
    place = _project(radius * np.cos(theta), radius * np.sin(theta), shape)
    place = place + np.reshape(centre, (2, 1))
    canvas.points(place, np.outer(share / share.sum(), flux), KNOT_SIZE * shape.r50)


def _arms(canvas: FourierCanvas, shape: Morphology, x: float, y: float) -> Array:
    """Logarithmic spirals on an exponential disc, (S, S) of unit sum.

    The light is exp(-r/h) exp(c (cos(m (theta - ln(r/r50) / tan(pitch)) - phase) - 1)), less in
    the middle.
    """
    axis = (np.arange(canvas.size) - (canvas.size - 1) / 2) * canvas.pixel_scale
    right, up = axis[None, :] - x, axis[:, None] - y
    cosine, sine = np.cos(shape.angle), np.sin(shape.angle)
    along = right * cosine + up * sine
    across = (up * cosine - right * sine) / shape.axis_ratio
    radius = np.hypot(along, across) / shape.r50 + 1e-3
    winding = np.arctan2(across, along) - np.log(radius) / np.tan(shape.pitch)
    wave = np.cos(shape.arms * winding - shape.phase)
    light = np.exp(-DISC_R50 * radius + shape.contrast * (wave - 1)) * (
        1 - np.exp(-((3 * radius) ** 2))
    )
    return np.asarray(light / light.sum())


def _project(along: Array, across: Array, shape: Morphology) -> Array:
    """From the plane of the disc to the sky, (2, K)."""
    across = across * shape.axis_ratio
    cosine, sine = np.cos(shape.angle), np.sin(shape.angle)
    return np.stack([along * cosine - across * sine, along * sine + across * cosine])


def _tilt(profile: galsim.GSObject, ratio: float, angle: float) -> galsim.GSObject:
    """Squeeze a round profile along its minor axis, leaving the major one as it is."""
    turned = angle * galsim.radians
    return profile.dilate(np.sqrt(ratio)).shear(q=ratio, beta=turned)


def _bulge_share(population: str, galaxy: Candidates, rng: Rng) -> float:
    if population in COMPACT:
        return 0.0
    if population == "red_spiral":
        return float(rng.uniform(0.05, 0.3))
    if galaxy.quenched[0]:
        return float(rng.uniform(0.3, 0.75))
    typical = 0.06 + 0.13 * (galaxy.log_mass[0] - 9.3)
    return float(np.clip(rng.normal(typical, 0.09), 0.0, 0.6))


def _young_share(population: str, galaxy: Candidates, rng: Rng) -> float:
    """Share of the red light; passive spirals keep arms, of stars hardly younger than the rest."""
    if galaxy.quenched[0]:
        return 0.0
    log_ssfr = galaxy.log_sfr[0] - galaxy.log_mass[0]
    lowest = 0.12 if population == "red_spiral" else 0.05
    return float(np.clip(0.1 + 0.22 * (log_ssfr + 11) + rng.normal(0, 0.06), lowest, 0.6))
