"""What of a store can be an axis or a colour: each column with its title, unit and values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.style import SIGMA
from pcvae.labels import LABELS
from pcvae.store import Store

__all__ = [
    "ANOMALY",
    "Quantity",
    "axes_of",
    "colours_of",
    "pretty_unit",
    "robust_limits",
    "values_of",
]

CATALOGUE = (
    ("redshift", "log_mass", "log_sfr", "orientation"),
    (("axis_ratio", "Axis ratio", ""), ("r50", "Half-light radius", "pix")),
)
ANOMALY = "derived.anomaly"  # the key of the score that the SVM of all latents gives
FLAT = 1e-6  # of its size, below which a range is none
TAIL = 0.005  # share of the galaxies that a map may leave out on each side at first
MARGIN = 0.06  # share of the range that is added on each side


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that every galaxy has, or NaN.

    Args:
        key: ``TABLE.COLUMN``, with TABLE ``inferred`` or ``catalogue``.
        title: How a person reads it.
        unit: Its unit as astropy writes it; empty for none.
    """

    key: str
    title: str
    unit: str = ""

    @property
    def column(self) -> str:
        """The column's name in its table."""
        return self.key.partition(".")[2]

    @property
    def axis(self) -> str:
        """The title with its unit."""
        unit = pretty_unit(self.unit)
        return f"{self.title} [{unit}]" if unit else self.title

    @property
    def cyclic(self) -> bool:
        """Whether its ends are the same: an orientation."""
        return self.column == "orientation"


def pretty_unit(unit: str) -> str:
    """A unit as people write it.

    Example:
        >>> pretty_unit("dex(Msun / yr)"), pretty_unit("rad"), pretty_unit("")
        ('M☉/yr', 'rad', '')
    """
    bare = unit.removeprefix("dex(").removesuffix(")") if unit.startswith("dex(") else unit
    return bare.replace("Msun", "M☉").replace(" / ", "/")


def axes_of(store: Store, model: str) -> list[Quantity]:
    """The latents of a model, and the orientation that is derived from them."""
    info = store.model(model)
    axes = [Quantity(f"inferred.{one.name}", one.title, one.unit) for one in info.latents]
    if info.orientation and info.orientation not in info.names:
        axes.append(Quantity(f"inferred.{info.orientation}", "Orientation", "rad"))
    return axes


def colours_of(store: Store, model: str) -> list[Quantity]:
    """All that can colour a map of a model: latents, their errors, the catalogue's columns."""
    latents = axes_of(store, model)
    columns = store.latents(model).columns
    sigmas = [
        Quantity(f"{one.key}_sigma", f"{SIGMA} of {_lower(one.title)}", one.unit)
        for one in latents
        if f"{one.column}_sigma" in columns
    ]
    shown = [Quantity(one.key, f"Inferred {_lower(one.title)}", one.unit) for one in latents]
    return [
        *shown,
        *sigmas,
        Quantity("inferred.recon_error", "Reconstruction error"),
        *_known(store),
    ]


def values_of(store: Store, model: str, quantity: Quantity) -> NDArray[np.float64]:
    """The values of a quantity, (N,)."""
    inferred = quantity.key.startswith("inferred.")
    table = store.latents(model) if inferred else store.galaxies
    return table[quantity.column].to_numpy(np.float64)


def robust_limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """A range that holds nearly all values, whatever the outliers; (0, 1) if there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.quantile(finite, [TAIL, 1 - TAIL])
    least = FLAT * max(abs(low), abs(high))
    if high - low <= least:
        low, high = low - max(least, 0.5), high + max(least, 0.5)
    margin = MARGIN * (high - low)
    return float(low - margin), float(high + margin)


def _known(store: Store) -> list[Quantity]:
    """The catalogue's quantities that have a value for at least one galaxy."""
    names, others = CATALOGUE
    listed = [(one.name, one.title, one.unit) for one in LABELS if one.name in names]
    return [
        Quantity(f"catalogue.{name}", f"Catalogue {_lower(title)}", unit)
        for name, title, unit in (*listed, *others)
        if name in store.galaxies and store.galaxies[name].notna().any()
    ]


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
