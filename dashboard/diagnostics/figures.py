"""The figures of the model page: galaxies on two axes, with reference lines.

Shapes are written with N galaxies.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.plane import Limits, Plane, plane_of
from dashboard.backend.quantities import Quantity, latents_of
from pcvae.labels import Label
from train.evaluation.binned_metrics import GREEN_VALLEY
from train.evaluation.disentanglement import free_latents

if TYPE_CHECKING:
    from dashboard.backend.datastore import DataStore
    from train.evaluation.galaxy_pool import Pool

__all__ = ["SPLITS", "FigureSpec", "Line", "against", "main_plane", "shown_galaxies", "size_plane"]

SPLITS = {"Test": "test", "Held out": "held_out", "All": "all"}
MAX_ERROR_BARS = 1500  # galaxies above which error bars hide more than they show
TAILS = (0.2, 99.8)  # percentiles that a figure reaches to
MARGIN = 0.08
SCATTER = 0.2  # dex, of the main sequence: Speagle et al. (2014), ApJS 214, 15
VALLEY = (GREEN_VALLEY, -10.8)  # log sSFR [1/yr]: Salim (2014), Serb. Astron. J. 189, 1
QUARTER = np.pi / 2

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Line(NamedTuple):
    """A straight reference line, y = x * slope + offset.

    Args:
        slope: Its slope.
        offset: Its value at x = 0.
        dash: Its dash pattern, by Bokeh's name.
    """

    slope: float
    offset: float
    dash: str = "solid"


@dataclass(frozen=True)
class FigureSpec:
    """A figure: galaxies on two axes, with reference lines.

    Args:
        title: Its title.
        plane: The axes and the positions of all galaxies; its limits are the figure's.
        shown: Which galaxies are drawn, (N,).
        errors: The 1-sigma errors across and up, (N,) each; None where they are not drawn.
        lines: The reference lines.
        bands: Pairs of lines with a fill between them.
        note: How to read the lines, in words.
    """

    title: str
    plane: Plane
    shown: Mask
    errors: tuple[Floats, Floats] | None = None
    lines: tuple[Line, ...] = ()
    bands: tuple[tuple[Line, Line], ...] = ()
    note: str = ""

    @cached_property
    def drawn(self) -> Mask:
        """Which galaxies are drawn and have finite values, (N,)."""
        points = self.plane.points
        known: Mask = np.isfinite(points["x"].to_numpy()) & np.isfinite(points["y"].to_numpy())
        return known & self.shown

    @property
    def count_text(self) -> str:
        """How many galaxies it shows, and of how many."""
        drawn, shown = int(self.drawn.sum()), int(self.shown.sum())
        some = f"{drawn:,} of {shown:,}" if drawn < shown else f"{drawn:,}"
        return f"{some} galax{'y' if shown == 1 else 'ies'}"


def shown_galaxies(pool: "Pool", split: str) -> Mask:
    """Which galaxies (N,) the figures show.

    Args:
        pool: The store's galaxies with their splits.
        split: ``test`` for normal galaxies of the test split, those that no run saw, and the rare
            ones, which never train; ``held_out``; or ``all``.
    """
    if split == "all":
        return np.ones(len(pool), dtype=bool)
    if split == "held_out":
        return (pool.galaxies["split"] == "held_out").to_numpy()
    rare = pool.galaxies["population"].isin(pool.info.rare).to_numpy()
    return pool.test | (pool.unseen & rare)


def against(datastore: "DataStore", model: str, label: Label, shown: Mask) -> FigureSpec | None:
    r"""One panel of the paper's Fig. 1: the catalogue's value of a label against the inferred.

    Errors are the catalogue's across and the model's sigma up, drawn for up to 1,500 galaxies.
    Orientations are the same modulo :math:`\pi`: their 1:1 line repeats at :math:`\pm\pi`.

    Reference: Gagliano & Villar (2023), Fig. 1, https://arxiv.org/abs/2312.16687

    Args:
        datastore: The store.
        model: The model's name.
        label: The label.
        shown: Which galaxies are shown, (N,).

    Returns:
        None where the model does not infer it, or no galaxy shown has a catalogue value.
    """
    inferred = Quantity(f"inferred.{label.name}", "inferred", label.unit)
    measured = Quantity(f"catalogue.{label.name}", "catalogue", label.unit)
    if not (datastore.columns.has(model, inferred) and datastore.columns.has(model, measured)):
        return None
    x, y = datastore.columns.values(model, measured), datastore.columns.values(model, inferred)
    both = shown & np.isfinite(x) & np.isfinite(y)
    if not both.any():
        return None
    ends = (
        (-QUARTER, QUARTER)
        if inferred.cyclic
        else np.percentile(np.concatenate([x[both], y[both]]), TAILS)
    )
    limits = _widened(*ends)
    turns = (0.0, np.pi, -np.pi) if inferred.cyclic else (0.0,)
    lines = tuple(Line(1.0, turn, "dashed" if turn else "solid") for turn in turns)
    errors = None
    if both.sum() <= MAX_ERROR_BARS and not inferred.cyclic:
        errors = (
            _sigmas(datastore, model, measured, "_err"),
            _sigmas(datastore, model, inferred, "_sigma"),
        )
    plane = plane_of(measured, inferred, x, y)
    plane = Plane(plane.x, plane.y, plane.points, (limits, limits))
    note = "line: 1:1" + ("; dashed: the same, half a turn on" if inferred.cyclic else "")
    if errors is not None:
        note += "; bars: 1-sigma errors"
    return FigureSpec(label.title, plane, shown, errors, lines, (), note)


def main_plane(datastore: "DataStore", model: str, shown: Mask, by: str) -> FigureSpec | None:
    r"""Star formation against mass, with the main sequence and the green valley.

    The main sequence is that of Speagle et al. (2014, ApJS 214, 15), Eq. 28, at the median
    redshift of the normal galaxies shown, with its scatter of 0.2 dex,

    .. math::
        \log \mathrm{SFR} = (0.84 - 0.026\,t) \log M - (6.51 - 0.11\,t),

    t the age of the universe [Gyr]. The green valley is
    :math:`-11.8 < \log \mathrm{sSFR}/\mathrm{yr}^{-1} < -10.8` (Salim 2014, Serb. Astron. J.
    189, 1).

    Args:
        datastore: The store.
        model: The model's name.
        shown: Which galaxies are shown, (N,).
        by: ``inferred`` or ``catalogue``.

    Returns:
        None where nothing is known of either axis.
    """
    axes = [Quantity(f"{by}.{name}", f"{by} {title}", unit) for name, title, unit in _PHYSICS]
    if not all(datastore.columns.has(model, axis) for axis in axes):
        return None
    mass, sfr = (datastore.columns.values(model, axis) for axis in axes)
    known = shown & np.isfinite(mass) & np.isfinite(sfr)
    if not known.any():
        return None
    limits: Limits = (
        _widened(*np.percentile(mass[known], TAILS)),
        _widened(*np.percentile(sfr[known], TAILS)),
    )
    plane = plane_of(axes[0], axes[1], mass, sfr)
    normal = known & datastore.populations.normal
    redshift = _median_redshift(datastore, model, normal if normal.any() else known)
    valley = (Line(1.0, VALLEY[0], "dashed"), Line(1.0, VALLEY[1], "dashed"))
    lines: tuple[Line, ...] = valley
    note = "dashed: green valley (Salim 2014)"
    if np.isfinite(redshift):
        lines += _main_sequence(redshift)
        note = f"main sequence at z = {redshift:.2f}, dotted ± 0.2 dex (Speagle+ 2014); {note}"
    return FigureSpec(
        "Star formation and mass",
        Plane(plane.x, plane.y, plane.points, limits),
        shown,
        None,
        lines,
        (valley,),
        note,
    )


def size_plane(
    datastore: "DataStore", model: str, shown: Mask, latent: str = ""
) -> FigureSpec | None:
    """Half-light radius against a free latent, the first unless another is named.

    Returns:
        None where the model has no free latent to look at or no galaxy shown has a radius.
    """
    axes = {quantity.column: quantity for quantity in latents_of(datastore.store, model)}
    free = [name for name in free_latents(datastore.store.model(model)) if name in axes]
    radius = Quantity("catalogue.r50", "half-light radius", "pix")
    if not free or not datastore.columns.has(model, radius):
        return None
    axis = axes[latent if latent in free else free[0]]
    x, y = datastore.columns.values(model, axis), datastore.columns.values(model, radius)
    scale = datastore.store.info.pixel_scale
    if scale:
        radius, y = Quantity(radius.key, radius.title, "arcsec"), y * scale
    known = shown & np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return None
    limits: Limits = (
        _widened(*np.percentile(x[known], TAILS)),
        _widened(*np.percentile(y[known], TAILS)),
    )
    plane = plane_of(axis, radius, x, y)
    return FigureSpec(
        f"Size and {_lower(axis.title)}",
        Plane(plane.x, plane.y, plane.points, limits),
        shown,
        note="no label is tied to this latent",
    )


_PHYSICS = (
    ("log_mass", "log stellar mass", "dex(Msun)"),
    ("log_sfr", "log SFR", "dex(Msun / yr)"),
)


def _main_sequence(redshift: float) -> tuple[Line, Line, Line]:
    from data.simulation.scaling_relations import main_sequence

    low, high = main_sequence(np.array([0.0, 1.0]), np.full(2, redshift))
    slope = float(high - low)
    return (
        Line(slope, float(low)),
        Line(slope, float(low) + SCATTER, "dotted"),
        Line(slope, float(low) - SCATTER, "dotted"),
    )


def _median_redshift(datastore: "DataStore", model: str, known: Mask) -> float:
    """By the catalogue, else by the model; NaN where neither has one."""
    for table in ("catalogue", "inferred"):
        redshift = Quantity(f"{table}.redshift", "")
        if datastore.columns.has(model, redshift):
            values = datastore.columns.values(model, redshift)[known]
            if np.isfinite(values).any():
                return float(np.nanmedian(values))
    return np.nan


def _sigmas(datastore: "DataStore", model: str, quantity: Quantity, suffix: str) -> Floats:
    """The 1-sigma errors of a quantity (N,), 0 where unknown."""
    sigma = Quantity(quantity.key + suffix, "")
    if not datastore.columns.has(model, sigma):
        return np.zeros(len(datastore))
    return np.nan_to_num(datastore.columns.values(model, sigma))


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = MARGIN * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
