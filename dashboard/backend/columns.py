"""The columns of a store as quantities: values, ranges, histograms and planes, cached."""

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.plane import Plane, plane_of
from dashboard.backend.quantities import Quantity, axes_of, robust_limits, table_of, values_of
from pcvae.dataset import ELLIPTICITY
from pcvae.scan import slices
from pcvae.store import Store

__all__ = ["BINS", "Columns"]

BINS = 48
MAX_PLANES = 16  # kept ready; those of latents hold no copy of them
MAX_VALUES = 2  # quantities kept ready; those that are computed hold 4 MB for a million galaxies


class Columns:
    """The values of every galaxy of a store, by quantity and model.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values = lru_cache(MAX_VALUES)(values_of)
        self.limits = cache(self._limits)
        self.histogram = lru_cache(256)(self._histogram)
        self.plane = lru_cache(MAX_PLANES)(self._plane)

    def axis(self, model: str, name: str, place: int = 0) -> Quantity:
        """The axis of that name, or the model's default (0 horizontal, 1 vertical)."""
        axes = axes_of(self._store, model)
        for axis in axes:
            if axis.column == name:
                return axis
        angles = (*ELLIPTICITY, "orientation")
        upright = [axis for axis in axes if axis.column not in angles] or axes
        return upright[min(place, len(upright) - 1)]

    def values(self, model: str, quantity: Quantity) -> NDArray[np.floating]:
        """The values of a quantity, (N,)."""
        return self._values(self._store, model, quantity)

    def latents(self, model: str, row: int) -> NDArray[np.float64]:
        """The latents (D,) of a galaxy."""
        table = self._store.latents(model)
        names = self._store.model(model).names
        return np.array([table[name].to_numpy()[row] for name in names], dtype=np.float64)

    def known(self, model: str, quantity: Quantity) -> bool:
        """Whether any galaxy has a finite value."""
        return self.has(model, quantity) and bool(self.histogram(model, quantity)[0].any())

    def has(self, model: str, quantity: Quantity) -> bool:
        """Whether the store has that column."""
        if quantity.signed:
            tables = self._store.latents(model), self._store.galaxies
            return all(quantity.column in table for table in tables)
        return quantity.column in table_of(self._store, model, quantity)

    def _limits(self, model: str, quantity: Quantity) -> tuple[float, float]:
        """The range of a quantity that holds nearly all galaxies."""
        if quantity.cyclic:
            return -np.pi / 2, np.pi / 2
        ends = robust_limits(self.values(model, quantity))
        self._store.release()
        largest = max(abs(end) for end in ends)
        return (-largest, largest) if quantity.signed else ends

    def _histogram(
        self, model: str, quantity: Quantity
    ) -> tuple[NDArray[np.intp], tuple[float, float]]:
        """The distribution over the whole sample: counts, and the range they cover."""
        values, limits = self.values(model, quantity), self.limits(model, quantity)
        counts = np.zeros(BINS, np.intp)
        for part in slices(0, len(values)):
            known = values[part][np.isfinite(values[part])]
            counts += np.histogram(known, bins=BINS, range=limits)[0]
        self._store.release()
        return counts, limits

    def _plane(self, model: str, x: str, y: str) -> Plane:
        """The plane of two latents of a model, by their names, or the model's own."""
        across, up = self.axis(model, x, 0), self.axis(model, y, 1)
        return plane_of(across, up, self.values(model, across), self.values(model, up))
