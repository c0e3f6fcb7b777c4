"""Histograms of all properties, of the sample and in focus, with range filters."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray

from dashboard.backend.columns import BINS
from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.quantities import Quantity, colours_of, pretty_unit
from dashboard.backend.view import Tab
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.selection.filter_chips import FocusChips
from dashboard.selection.masks import focus_of
from dashboard.selection.range_histograms import Ranges
from pcvae.dataset import ELLIPTICITY
from pcvae.scan import slices, spans
from pcvae.store import MAPPED

__all__ = ["Counted", "Histograms", "count_all", "focus_counts", "plot_of"]

WAIT = 0.1  # seconds that the page may stand still for a count
KEY = style(__file__, "histograms.css")
SCALES = "Each is scaled to its own peak; a histogram counts what passes the other ranges."
HINT = "Drag on a histogram to keep a range"


class Counted(NamedTuple):
    """The histogram of a quantity, and each galaxy's bin.

    Args:
        quantity: The quantity.
        limits: The range of the histogram.
        some: Counts those of a mask (N,) in each bin, (BINS,).
        counts: How many galaxies are in each bin, (BINS,).
        known: How many have a value.
    """

    quantity: Quantity
    limits: tuple[float, float]
    some: Callable[[NDArray[np.bool_]], NDArray[np.intp]]
    counts: NDArray[np.intp]
    known: int


def listed_quantities(datastore: DataStore, model: str) -> list[Quantity]:
    """The quantities that have histograms: inferred, catalogue, then sigmas.

    The two components of an ellipticity are left out: the orientation replaces them.
    """
    listed = [
        quantity
        for quantity in colours_of(datastore.store, model)
        if datastore.columns.known(model, quantity)
        and quantity.column.removesuffix("_sigma") not in ELLIPTICITY
    ]
    return sorted(listed, key=lambda quantity: quantity.key.endswith("_sigma"))


def legend_html(hint: str) -> str:
    """The legend: grey and accent colour, after a hint."""
    return (
        f'<div class="key" title="{SCALES}">{hint}<i class="all"></i>all galaxies'
        '<i class="some"></i>in focus</div>'
    )


def count_all(datastore: DataStore, model: str) -> list[Counted]:
    """Bin all galaxies in all quantities: 1 s for a million, so only once."""
    found = []
    for quantity in listed_quantities(datastore, model):
        found.append(_counted(datastore, model, quantity))
        datastore.store.release()
    return found


def focus_counts(
    counted: list[Counted],
    focus: NDArray[np.bool_] | None,
    without: dict[str, NDArray[np.bool_] | None],
) -> dict[str, list[int]]:
    """The counts (BINS,) of the galaxies in focus, by key; none where all are in focus.

    Args:
        counted: The histograms.
        focus: Which galaxies are in focus, (N,); None for all.
        without: For each quantity that a range is kept of, by its key, which galaxies would be
            in focus without that range.
    """
    if focus is None:
        return {}
    found = {}
    for histogram in counted:
        mask = without.get(histogram.quantity.key, focus)
        counts = histogram.counts if mask is None else histogram.some(mask)
        found[histogram.quantity.key] = counts.tolist()
    return found


def plot_of(counted: Counted, total: int) -> dict[str, Any]:
    """A histogram as ``Ranges`` shows it."""
    beyond = counted.known - int(counted.counts.sum())
    note = f"{counted.known:,} of {total:,} galaxies have a value"
    return {
        "key": counted.quantity.key,
        "title": counted.quantity.title,
        "unit": pretty_unit(counted.quantity.unit),
        "low": counted.limits[0],
        "high": counted.limits[1],
        "counts": counted.counts.tolist(),
        "note": note + (f"; {beyond:,} lie beyond the ends" if beyond else ""),
    }


class Histograms(Tab):
    """Histograms of all properties.

    Reads ``model``, ``tab`` and ``selection`` of the state; writes ``selection.filters`` and, by
    the chips, ``selection.selected``.
    """

    key, title = "histograms", "Histograms"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._shown = ""
        self._wanted: tuple[object, ...] = (None,) * 3
        self.chips = FocusChips(datastore=self.datastore, state=self.state)
        self.ranges = Ranges(self._keep, sizing_mode="stretch_both", margin=(2, 8))
        self.legend = pn.pane.HTML(legend_html(HINT), stylesheets=[BASE, KEY], margin=(0, 6))
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(self.chips, self.legend, height=32, margin=(2, 8, 0, 8))
        return pn.Column(above, self.ranges, sizing_mode="stretch_both", margin=0)

    @param.depends(
        "state.model",
        "state.tab",
        "state.selection.focus",
        "state.selection.filters",
        watch=True,
    )
    def _show(self) -> None:
        state = self.state
        if state.tab != self.key:
            return
        job = self.datastore.once(count_all, state.model)
        wait([job], timeout=WAIT)
        if not job.done():
            self.ranges.param.update(plots=[], empty="Counting …")
            self._shown = ""
            when_done(job, self._show)
        elif job.exception():
            self.ranges.param.update(plots=[], empty=f"No histograms: {job.exception()}")
        else:
            self._show_counted(job.result())

    def _show_counted(self, counted: list[Counted]) -> None:
        state = self.state
        if self._shown != state.model:
            plots = [plot_of(histogram, len(self.datastore)) for histogram in counted]
            self.ranges.param.update(plots=plots, empty="Nothing is known of these galaxies.")
            self._shown = state.model
        wanted = (state.model, state.selection.focus, state.selection.filters)
        if all(new is old for new, old in zip(wanted, self._wanted, strict=True)):
            return
        self._wanted = wanted
        ends = {
            key: [_end(low), _end(high)] for key, (low, high) in state.selection.filters.items()
        }
        self.ranges.kept = ends
        self.legend.object = legend_html("" if ends else HINT)
        without = {key: focus_of(self.datastore, state, but=key) for key in ends}
        job = self.datastore.soon(focus_counts, counted, state.selection.focus, without)
        wait([job], timeout=WAIT)
        when_done(job, lambda: self._show_focus(job, wanted))

    def _show_focus(self, job: "Future[dict[str, list[int]]]", wanted: tuple[object, ...]) -> None:
        if wanted is self._wanted:
            self.ranges.focus = job.result()

    def _keep(self, key: str, kept: tuple[float, float] | None) -> None:
        filters = {
            name: ends for name, ends in self.state.selection.filters.items() if name != key
        }
        self.state.selection.filters = filters if kept is None else {**filters, key: kept}


def _counted(datastore: DataStore, model: str, quantity: Quantity) -> Counted:
    values = datastore.columns.values(model, quantity)
    counts, limits = datastore.columns.histogram(model, quantity)
    known = int(sum(np.count_nonzero(np.isfinite(values[p])) for p in slices(0, len(values))))
    if len(values) >= MAPPED:  # no bins are kept of so many
        some = partial(_count_values, datastore, model, quantity, limits)
        return Counted(quantity, limits, some, counts, known)
    bins = _bins(values, limits)
    return Counted(quantity, limits, lambda mask: _count(bins[mask]), _count(bins), known)


def _count_values(
    datastore: DataStore,
    model: str,
    quantity: Quantity,
    limits: tuple[float, float],
    mask: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """The counts (BINS,) of the galaxies of a mask (N,), binned anew."""
    values = datastore.columns.values(model, quantity)

    def look(start: int, stop: int) -> NDArray[np.intp]:
        parts = (_bins(values[p][mask[p]], limits) for p in slices(start, stop))
        return np.sum([_count(part) for part in parts], axis=0)

    counts: NDArray[np.intp] = np.sum(spans(len(values), look), axis=0)
    datastore.store.release()
    return counts


def _bins(values: NDArray[np.floating], limits: tuple[float, float]) -> NDArray[np.uint8]:
    place = (values - limits[0]) * (BINS / (limits[1] - limits[0]))
    inside = (place >= 0) & (place <= BINS)
    return np.where(inside, np.minimum(place, BINS - 1), BINS).astype(np.uint8)


def _count(bins: NDArray[np.uint8]) -> NDArray[np.intp]:
    return np.bincount(bins, minlength=BINS + 1)[:BINS]


def _end(value: float) -> float | None:
    return value if np.isfinite(value) else None
