"""The order of the galaxies in focus, and where in it a galaxy stands."""

from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import colours_of
from dashboard.backend.typography import DASH, MINUS
from dashboard.state import DISTANCE, STORE_ORDER, GalaxyList, State

__all__ = [
    "Listing",
    "distances",
    "list_of",
    "listing_of",
    "offer_orders",
    "orders",
    "sorted_rows",
]


class Listing(NamedTuple):
    """Galaxies in an order.

    Args:
        rows: The galaxies, (M,).
        values: The quantity that they are sorted by, (M,); None for the order of the store.
    """

    rows: NDArray[np.intp]
    values: NDArray[np.floating] | None = None

    def position(self, row: int | None) -> int | None:
        """The position of a galaxy; None if it is not listed."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else None

    def step(self, row: int | None, by: int) -> int | None:
        """The galaxy ``by`` after this one; from outside the list, its first or last one."""
        position = self.position(row)
        if position is None:
            position = -1 if by > 0 else len(self.rows)
        return int(self.rows[position + by]) if 0 <= position + by < len(self.rows) else None

    def page(self, number: int, size: int) -> list[tuple[int, str]]:
        """The (row, caption) of each galaxy of a page."""
        shown = slice(number * size, (number + 1) * size)
        rows = [int(row) for row in self.rows[shown]]
        values = [None] * len(rows) if self.values is None else self.values[shown]
        return list(zip(rows, map(_caption, values), strict=True))


def list_of(tab: str, listing: Listing, order: str) -> GalaxyList | None:
    """The galaxies of a listing with what they are sorted by; None for none."""
    rows, values = listing
    named = {} if values is None else {order.rpartition(".")[2]: values}
    return GalaxyList(tab, "selection", rows, named) if len(rows) else None


def orders(datastore: DataStore, model: str) -> dict[str, str]:
    """The titles and keys of all that the galaxies can be sorted by."""
    quantities = colours_of(datastore.store, model)
    first = {"Order of the store": STORE_ORDER, "Distance to the picked galaxy": DISTANCE}
    return first | {quantity.title: quantity.key for quantity in quantities}


def offer_orders(datastore: DataStore, state: State) -> None:
    """Let the galaxies be sorted by the columns of the chosen model."""
    offered, chosen = orders(datastore, state.model), state.selection
    kept = chosen.order if chosen.order in offered.values() else STORE_ORDER
    chosen.param.order.objects = offered
    chosen.order = kept


def distances(
    points: NDArray[np.float64], rows: NDArray[np.intp], origin: int
) -> NDArray[np.float64]:
    """Euclidean distances (M,) of some galaxies, (M,), to another one among points (N, D)."""
    return np.sqrt(((points[rows] - points[origin]) ** 2).sum(axis=1))


def sorted_rows(
    rows: NDArray[np.intp], values: NDArray[np.floating] | None, *, descending: bool = False
) -> NDArray[np.intp]:
    """The galaxies in the order of their values; ties by row, those without a value last.

    Example:
        >>> sorted_rows(np.array([4, 5, 6]), np.array([2.0, np.nan, 9.0]), descending=True)
        array([6, 4, 5])
    """
    if values is None:
        return rows[::-1] if descending else rows
    return rows[np.argsort(-values if descending else values, kind="stable")]


def listing_of(
    datastore: DataStore, state: State, rows: NDArray[np.intp], origin: int | None
) -> tuple[Listing, Future[Any] | None]:
    """Some galaxies in the order that is chosen.

    Args:
        datastore: The galaxies.
        state: ``model``, ``metric``, ``selection.order`` and ``selection.descending`` are read.
        rows: The galaxies, (M,), in the order of the store.
        origin: The galaxy to which distances are measured.

    Returns:
        The listing, and a job to wait for before it is in the order that is asked for.
    """
    chosen = state.selection
    values, job = _values(datastore, state, rows, origin)
    order = sorted_rows(np.arange(len(rows)), values, descending=chosen.descending)
    return Listing(rows[order], None if values is None else values[order]), job


def _values(
    datastore: DataStore, state: State, rows: NDArray[np.intp], origin: int | None
) -> tuple[NDArray[np.floating] | None, Future[Any] | None]:
    key = state.selection.order
    quantities = {quantity.key: quantity for quantity in colours_of(datastore.store, state.model)}
    if key in quantities:
        return datastore.columns.values(state.model, quantities[key])[rows], None
    if key != DISTANCE:
        return None, None
    job = datastore.neighbours.index(state.model, state.metric)
    if origin is None or (job.done() and job.exception()):
        return None, None
    return (distances(job.result().points, rows, origin), None) if job.done() else (None, job)


def _caption(value: float | None) -> str:
    if value is None:
        return ""
    return DASH if np.isnan(value) else f"{value:.3g}".replace("-", MINUS)
