"""The columns of a store as axes and colours, with title, unit and values."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.typography import MINUS, SIGMA
from pcvae.labels import LABELS, angle_difference
from pcvae.scan import slices
from pcvae.store import BOTH, LATENTS, PHOTOMETRY, Store

__all__ = [
    "ANOMALY",
    "MOVED",
    "PROBABILITY",
    "Quantity",
    "axes_of",
    "colours_of",
    "default_features",
    "feature_choices",
    "latents_of",
    "pretty_unit",
    "projections_of",
    "robust_limits",
    "table_of",
    "values_of",
]

CATALOGUE = (
    ("redshift", "log_mass", "log_sfr", "orientation"),
    (("axis_ratio", "Axis ratio", ""), ("r50", "Half-light radius", "pix")),
)
ANOMALY = "derived.anomaly"  # the key of the score that the classifier gives
PROBABILITY = "derived.class."  # begins the keys of the probabilities of its classes
MOVED = "derived.moved."  # begins the keys of how far galaxies moved from another model
DIFFERENCES = ("residual.", "pull.")
FLAT = 1e-6  # of its size, below which a range is none
MAX_VALUES = 2_000_000
TAIL = 0.005  # share of the galaxies that a map may leave out on each side at first
MIN_PHOTOMETRY = 0.95  # share of the galaxies that must have it to be searched by it
MARGIN = 0.06  # share of the range that is added on each side


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that every galaxy has, or NaN.

    Args:
        key: ``TABLE.COLUMN``, with TABLE ``inferred``, ``catalogue``, ``photometry`` or
            ``projection``; or ``residual``, inferred minus catalogue, or ``pull``, that in units
            of both sigmas together.
        title: Its name for display.
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
        return self.column == "orientation" and not self.signed

    @property
    def signed(self) -> bool:
        """Whether it is a difference, which may go either way."""
        return self.key.startswith(DIFFERENCES)


OUTLYING = (
    Quantity("inferred.ood", "Share of training galaxies farther in"),
    Quantity("inferred.ood_distance", "Distance from training galaxies"),
)


def pretty_unit(unit: str) -> str:
    """A unit for display.

    Example:
        >>> pretty_unit("dex(Msun / yr)"), pretty_unit("rad"), pretty_unit("")
        ('M☉/yr', 'rad', '')
    """
    bare = unit.removeprefix("dex(").removesuffix(")") if unit.startswith("dex(") else unit
    return bare.replace("Msun", "M☉").replace(" / ", "/")


def axes_of(store: Store, model: str) -> list[Quantity]:
    """The latents of a model, what is derived from them, their projections, and magnitudes.

    None of a model without any of its own.
    """
    own = [*latents_of(store, model), *projections_of(store, model)]
    return [*own, *_magnitudes(store)] if own else []


def projections_of(store: Store, model: str) -> list[Quantity]:
    """The axes to look at that ``train.project`` made, named as what they are: no latents."""
    named = [str(name).split("_") for name in store.projections(model)]
    return [
        Quantity(f"projection.{kind}_{axis}", f"{kind.upper()} {int(axis) + 1} (projection)")
        for kind, axis in named
    ]


def latents_of(store: Store, model: str) -> list[Quantity]:
    """The latents of a model, and the orientation that is derived from them.

    None of a model with too many to look at: its projections are shown instead.
    """
    info = store.model(model)
    if info.wide:
        return []
    axes = [
        Quantity(f"inferred.{latent.name}", latent.title, latent.unit) for latent in info.latents
    ]
    if info.orientation and info.orientation not in info.names:
        axes.append(Quantity(f"inferred.{info.orientation}", "Orientation", "rad"))
    return axes


def feature_choices(store: Store) -> dict[str, str]:
    """The titles and keys of the features that galaxies can be searched by."""
    more = {"Photometry": PHOTOMETRY, "Latents and photometry": BOTH}
    return {"Latents": LATENTS} | (more if store.photometry is not None else {})


@lru_cache(8)
def default_features(store: Store) -> str:
    """Latents and photometry, where nearly every galaxy has photometry; else latents."""
    if store.photometry is None:
        return LATENTS
    table = store.photometry
    known = sum(table[part].notna().all(axis=1).sum() for part in slices(0, len(table)))
    return BOTH if known >= MIN_PHOTOMETRY * len(table) else LATENTS


def colours_of(store: Store, model: str) -> list[Quantity]:
    """All that can colour a map of a model: latents, their errors, the catalogue's columns."""
    latents = latents_of(store, model)
    columns = store.latents(model).columns
    sigmas = [
        Quantity(f"{latent.key}_sigma", f"{SIGMA} of {_lower(latent.title)}", latent.unit)
        for latent in latents
        if f"{latent.column}_sigma" in columns
    ]
    shown = [
        Quantity(latent.key, f"Inferred {_lower(latent.title)}", latent.unit) for latent in latents
    ]
    return [
        *shown,
        *sigmas,
        Quantity("inferred.recon_error", "Reconstruction error"),
        *(quantity for quantity in OUTLYING if quantity.column in columns),
        *projections_of(store, model),
        *_known(store),
        *_magnitudes(store),
        *_differences(store, model),
    ]


def values_of(store: Store, model: str, quantity: Quantity) -> NDArray[np.floating]:
    """The values of a quantity, (N,)."""
    if quantity.signed:
        return _difference(store, model, quantity)
    column = table_of(store, model, quantity)[quantity.column]
    values = column.to_numpy()
    return values if values.dtype.kind == "f" else column.to_numpy(np.float64)


def table_of(store: Store, model: str, quantity: Quantity) -> pd.DataFrame:
    """The table that has a quantity's column, if there is one; N rows, or none."""
    table = quantity.key.partition(".")[0]
    if table == PHOTOMETRY:
        return pd.DataFrame() if store.magnitudes is None else store.magnitudes
    read = {"inferred": store.latents, "projection": store.projections}.get(table)
    return store.galaxies if read is None else read(model)


def robust_limits(values: NDArray[np.floating]) -> tuple[float, float]:
    """A range of nearly all values, without outliers; (0, 1) if there are none.

    Of more than ``MAX_VALUES`` values only evenly spaced ones are used.
    """
    known = sum(int(np.isfinite(values[p]).sum()) for p in slices(0, len(values)))
    if not known:
        return 0.0, 1.0
    finite = _every(values, 1 + known // MAX_VALUES)
    low, high = np.quantile(finite, [TAIL, 1 - TAIL])
    least = FLAT * max(abs(low), abs(high))
    if high - low <= least:
        low, high = low - max(least, 0.5), high + max(least, 0.5)
    margin = MARGIN * (high - low)
    return float(low - margin), float(high + margin)


def _every(values: NDArray[np.floating], step: int) -> NDArray[np.floating]:
    """Every so manieth of the finite values."""
    kept, seen = [], 0
    for part in slices(0, len(values)):
        finite = values[part][np.isfinite(values[part])]
        kept.append(finite[-seen % step :: step])
        seen += len(finite)
    return np.concatenate(kept)


@lru_cache(8)
def _known(store: Store) -> list[Quantity]:
    """The catalogue's quantities that have a value for at least one galaxy."""
    names, others = CATALOGUE
    listed = [(label.name, label.title, label.unit) for label in LABELS if label.name in names]
    return [
        Quantity(f"catalogue.{name}", f"Catalogue {_lower(title)}", unit)
        for name, title, unit in (*listed, *others)
        if name in store.galaxies and _any_known(store.galaxies[name])
    ]


def _any_known(column: pd.Series) -> bool:
    return any(column[part].notna().any() for part in slices(0, len(column)))


@lru_cache(8)
def _magnitudes(store: Store) -> list[Quantity]:
    """The magnitudes and colours of the catalogue, if it has fluxes."""
    names = [] if store.magnitudes is None else map(str, store.magnitudes)
    return [
        Quantity(f"{PHOTOMETRY}.{name}", _magnitude_title(name.removeprefix("mag_")), "mag")
        for name in names
    ]


def _magnitude_title(name: str) -> str:
    """The title of a band's magnitude, or of a colour."""
    return name.replace("-", f" {MINUS} ") if "-" in name else f"{name} magnitude"


def _differences(store: Store, model: str) -> list[Quantity]:
    """Residuals, also in sigmas, of each label that both the model and the catalogue have."""
    columns, known = store.latents(model).columns, {quantity.column for quantity in _known(store)}
    both = [label for label in LABELS if label.name in columns and label.name in known]
    residuals = [
        Quantity(f"residual.{label.name}", f"Residual of {_lower(label.title)}", label.unit)
        for label in both
    ]
    pulls = [
        Quantity(f"pull.{label.name}", f"Residual of {_lower(label.title)}, in {SIGMA}")
        for label in both
        if f"{label.name}_sigma" in columns
    ]
    return [*residuals, *pulls]


def _difference(store: Store, model: str, quantity: Quantity) -> NDArray[np.float32]:
    r"""Inferred minus catalogue, an orientation's modulo :math:`\pi`.

    A pull is in units of :math:`\sqrt{\sigma_\mathrm{inferred}^2 + \sigma_\mathrm{catalogue}^2}`,
    in which an unknown error of the catalogue counts as none.
    """
    name, latents, galaxies = quantity.column, store.latents(model), store.galaxies
    gap = np.empty(len(galaxies), np.float32)
    for part in slices(0, len(gap)):
        inferred, known = latents[name].to_numpy()[part], galaxies[name].to_numpy()[part]
        cyclic = name == "orientation"
        apart = angle_difference(inferred, known) if cyclic else inferred - known
        if quantity.key.startswith("pull."):
            apart = apart / _both_sigmas(latents, galaxies, name, part)
        gap[part] = apart
    return gap


def _both_sigmas(
    latents: pd.DataFrame, galaxies: pd.DataFrame, name: str, part: slice
) -> NDArray[np.float64]:
    sigma = latents[f"{name}_sigma"].to_numpy()[part].astype(np.float64)
    if f"{name}_err" in galaxies:
        sigma = np.hypot(sigma, np.nan_to_num(galaxies[f"{name}_err"].to_numpy()[part]))
    return np.where(sigma > 0, sigma, np.nan)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
