"""A table of a galaxy's properties: catalogue and inferred values beside the sample's."""

import math
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import Quantity, latents_of, pretty_unit
from dashboard.backend.typography import DASH, MINUS, SIGMA
from pcvae.dataset import ELLIPTICITY
from pcvae.labels import LABELS, angle_difference
from pcvae.ood import FAR_OUT

__all__ = [
    "Interval",
    "Property",
    "difference",
    "outlier_html",
    "properties_of",
    "row_html",
    "table_html",
]

WIDTH, HEIGHT = 140, 30  # px; with one interval it is lower
LOW = 18
MAX_FREE = 3  # free latents that are shown unfolded; they come in the order of what they paint
FAR = 3  # sigmas from which a difference is pointed at


class Interval(NamedTuple):
    """A value and its 1-sigma error; NaN where unknown."""

    value: float
    sigma: float

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return DASH
        places = _places(self.sigma if np.isfinite(self.sigma) else abs(self.value) / 100)
        text = f"{self.value:.{places}f}"
        if np.isfinite(self.sigma):
            text += f" ± {self.sigma:.{places}f}"
        return text.replace("-", MINUS)


class Property(NamedTuple):
    """One property of one galaxy, with the sample's distribution.

    Args:
        title: Its name.
        unit: Its unit for display.
        catalogue: The measured value; None where there is no such measurement at all.
        inferred: The model's; None where the model has no such latent.
        counts: The sample's histogram.
        limits: The range of the histogram.
        cyclic: Whether the ends of the range are the same.
        free: Whether it is a latent that no label is tied to.
    """

    title: str
    unit: str
    catalogue: Interval | None
    inferred: Interval | None
    counts: NDArray[np.intp]
    limits: tuple[float, float]
    cyclic: bool
    free: bool = False


def difference(catalogue: Interval, inferred: Interval, *, cyclic: bool = False) -> float:
    r"""Inferred minus catalogue in units of their joint sigma; NaN where either is unknown.

    .. math::
        \Delta = (\mu - y) / \sqrt{\sigma^2 + \sigma_y^2}

    Example:
        >>> difference(Interval(0.1, 0.03), Interval(0.2, 0.04)).__round__(6)
        2.0
    """
    joint = float(np.hypot(catalogue.sigma, inferred.sigma))
    if np.isnan(catalogue.sigma):
        joint = inferred.sigma
    gap = inferred.value - catalogue.value
    if cyclic:
        gap = float(angle_difference(inferred.value, catalogue.value))
    return gap / joint if joint > 0 else float("nan")


def properties_of(datastore: DataStore, model: str, row: int) -> list[Property]:
    """The four labels where catalogue or model has them, then the model's free latents.

    The two components of an ellipticity are left out: the orientation replaces them. The rows
    of an added galaxy are listed in ``external_card.external_properties``.
    """
    latents = {quantity.column: quantity for quantity in latents_of(datastore.store, model)}
    for name in ELLIPTICITY:
        latents.pop(name, None)
    listed = []
    for label in LABELS:
        latent = latents.pop(label.name, None)
        measured = Quantity(f"catalogue.{label.name}", label.title, label.unit)
        known = datastore.columns.known(model, measured)
        if latent or known:
            listed.append(_property(datastore, model, row, (measured if known else None, latent)))
    return listed + [
        _property(datastore, model, row, (None, latent))._replace(free=True)
        for latent in latents.values()
    ]


def outlier_html(latents: pd.DataFrame, row: int) -> str:
    """A flag for a galaxy outside of what the model learnt from; empty for any other.

    Args:
        latents: The model's table, which has ``ood`` if the run has such a score.
        row: The galaxy.

    Example:
        >>> table = pd.DataFrame({"ood": [0.5, 0.998]})
        >>> outlier_html(table, 0), outlier_html(table, 1)[:18]
        ('', '<p class="outlier"')
    """
    share = float(latents["ood"].iloc[row]) if "ood" in latents else np.nan
    if not share > FAR_OUT:
        return ""
    most = "all" if share >= 1 else f"{math.floor(1000 * share) / 10} %"
    return (
        '<p class="outlier" role="note"><b>Unlike the training galaxies</b> farther out than '
        f"{most} of them: take the inferred values with care.</p>"
    )


def table_html(properties: list[Property]) -> str:
    """All rows, under a legend; free latents after the first three are folded."""
    key = (
        '<div class="key"><span></span><span></span>'
        '<span><i class="dot catalogue"></i>catalogue <i class="dot inferred"></i>inferred</span>'
        '<span title="Inferred minus catalogue, in units of their joint sigma">'
        f"Δ / {SIGMA}</span></div>"
    )
    tied = [shown for shown in properties if not shown.free]
    free = [shown for shown in properties if shown.free]
    first = MAX_FREE if len(free) > MAX_FREE + 1 else len(free)
    rows = "".join(map(row_html, [*tied, *free[:first]]))
    if more := "".join(map(row_html, free[first:])):
        count = len(free) - first
        rows += f"<details><summary>{count} further free latents</summary>{more}</details>"
    return f'<div class="properties">{key}{rows}</div>'


def row_html(shown: Property) -> str:
    """One property: its title, the two intervals on the sample, the numbers, the difference."""
    gap = float("nan")
    if shown.catalogue is not None and shown.inferred is not None:
        gap = difference(shown.catalogue, shown.inferred, cyclic=shown.cyclic)
    numbers = "".join(
        f'<div class="{kind}"><i class="dot {kind}"></i>{interval}</div>'
        for kind, interval in (("catalogue", shown.catalogue), ("inferred", shown.inferred))
        if interval is not None
    )
    unit = f"<small>{escape(shown.unit)}</small>" if shown.unit else ""
    text = f"{gap:+.1f}".replace("-", MINUS) if np.isfinite(gap) else DASH
    two = " two" if shown.catalogue and shown.inferred else ""
    strong = " far" if np.isfinite(gap) and abs(gap) >= FAR else ""
    return (
        f'<div class="property{two}"><div class="title">{escape(shown.title)}{unit}</div>'
        f'{_svg(shown)}<div class="numbers">{numbers}</div>'
        f'<div class="gap{strong}">{text}</div></div>'
    )


def _property(
    datastore: DataStore, model: str, row: int, quantities: tuple[Quantity | None, Quantity | None]
) -> Property:
    measured, latent = quantities
    shown = measured or latent or Quantity("", "")
    counts, limits = datastore.columns.histogram(model, shown)
    return Property(
        (latent or shown).title,
        pretty_unit(shown.unit),
        _interval(datastore, model, row, measured, "_err"),
        _interval(datastore, model, row, latent, "_sigma"),
        counts,
        limits,
        shown.cyclic,
    )


def _interval(
    datastore: DataStore, model: str, row: int, quantity: Quantity | None, suffix: str
) -> Interval | None:
    if quantity is None:
        return None
    sigma = Quantity(quantity.key + suffix, "")
    return Interval(
        float(datastore.columns.values(model, quantity)[row]),
        float(datastore.columns.values(model, sigma)[row])
        if datastore.columns.has(model, sigma)
        else float("nan"),
    )


def _svg(shown: Property) -> str:
    height = HEIGHT if shown.catalogue and shown.inferred else LOW
    top = max(int(shown.counts.max(initial=0)), 1)
    step = WIDTH / len(shown.counts)
    tops = height - np.sqrt(shown.counts / top) * (height - 3)
    steps = "".join(
        f"L{i * step:.1f} {y:.1f}L{(i + 1) * step:.1f} {y:.1f}" for i, y in enumerate(tops)
    )
    marks = "".join(
        _mark(interval, shown.limits, kind, y)
        for kind, interval, y in (
            ("catalogue", shown.catalogue, height - 18 if shown.inferred else height / 2 + 2),
            ("inferred", shown.inferred, height - 8 if shown.catalogue else height / 2 + 2),
        )
        if interval is not None and np.isfinite(interval.value)
    )
    return (
        f'<svg width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(shown.title)} in the sample"><path class="sample" '
        f'd="M0 {height}{steps}L{WIDTH} {height}Z"/>{marks}</svg>'
    )


def _mark(interval: Interval, limits: tuple[float, float], kind: str, y: float) -> str:
    def place(value: float) -> float:
        share = (value - limits[0]) / (limits[1] - limits[0])
        return float(np.clip(share, 0, 1)) * (WIDTH - 8) + 4

    sigma = interval.sigma if np.isfinite(interval.sigma) else 0.0
    start, end = place(interval.value - sigma), place(interval.value + sigma)
    return (
        f'<line class="{kind}" x1="{start:.1f}" x2="{end:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle class="{kind}" cx="{place(interval.value):.1f}" cy="{y:.1f}" r="3.2"/>'
    )


def _places(sigma: float) -> int:
    """Decimals that show two digits of an error."""
    return int(np.clip(1 - np.floor(np.log10(sigma)), 0, 4)) if sigma > 0 else 3
