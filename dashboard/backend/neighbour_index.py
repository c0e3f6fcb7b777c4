"""The nearest galaxies in a latent space: indices that all sessions share."""

from collections import OrderedDict
from concurrent.futures import Future
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.workers import Workers
from dashboard.state import Metric
from pcvae.dataset import ELLIPTICITY
from pcvae.lookalikes import shared_neighbours
from pcvae.neighbours import Neighbours
from pcvae.store import LATENTS, PHOTOMETRY, Store

__all__ = ["DEFAULT_METRIC", "NeighbourIndex"]

DEFAULT_METRIC = Metric()
NEIGHBOURS = 10  # as in Fig. 3 of Gagliano & Villar (2023)
MAX_RANKINGS = 16  # of look-alikes, kept ready


class NeighbourIndex:
    """Neighbours and look-alikes by each model's latents, or by other features of a metric.

    Args:
        store: Whose galaxies.
        workers: What builds the indices and ranks.
    """

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._indices = cache(self._begin)
        self._ranked: OrderedDict[tuple[object, ...], Future[pd.DataFrame]] = OrderedDict()

    def index(self, model: str, metric: Metric = DEFAULT_METRIC) -> "Future[Neighbours]":
        """An index of a model's latents, once it is there: a million take a second."""
        return self._indices(model, metric)

    def nearest(
        self, model: str, row: int, k: int = NEIGHBOURS, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """The ``row`` and ``distance`` of a galaxy's k nearest ones, nearest first.

        It waits until ``index`` has indexed the latents.
        """
        rows, distances = self.index(model, metric).result().query(row, k)
        return pd.DataFrame({"row": rows, "distance": distances})

    def nearest_to(
        self, model: str, latents: NDArray[np.float64], k: int, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """As ``nearest``, of a point: all the latents (D,) of a model, the metric's features."""
        index = self.index(model, metric).result()
        rows, distances = index.query(latents[self._counted(model, metric)], k)
        return pd.DataFrame({"row": rows, "distance": distances})

    def lookalikes(
        self, model: str, seeds: NDArray[np.intp], among: NDArray[np.bool_], k: int, metric: Metric
    ) -> "Future[pd.DataFrame]":
        """The galaxies near several seeds, as ``shared_neighbours`` ranks them, once it has.

        Args:
            model: Whose latents.
            seeds: The rows of the seeds.
            among: Which galaxies may be found, (N,).
            k: How many nearest ones of each seed count.
            metric: How distances are measured.
        """
        key = (model, k, metric, seeds.tobytes(), np.packbits(among).tobytes())
        if key not in self._ranked:
            index = self.index(model, metric)
            self._ranked[key] = self._workers.slow.submit(
                lambda: shared_neighbours(index.result(), seeds, among, k)
            )
            while len(self._ranked) > MAX_RANKINGS:
                self._ranked.popitem(last=False)
        return self._ranked[key]

    def _counted(self, model: str, metric: Metric) -> list[int] | slice:
        """Which features distances are measured in."""
        if metric.features == PHOTOMETRY:
            return slice(None)
        angles = (*ELLIPTICITY, "orientation")
        names = list(self._store.model(model).names)
        if metric.features != LATENTS and self._store.photometry is not None:
            names += [str(name) for name in self._store.photometry]
        kept = [i for i, name in enumerate(names) if metric.oriented or name not in angles]
        return kept or slice(None)

    def _begin(self, model: str, metric: Metric) -> "Future[Neighbours]":
        def index() -> Neighbours:
            values = self._store.features(model, metric.features)
            values = values[:, self._counted(model, metric)]
            return _indexed(values, whiten=metric.whiten)

        return self._workers.index.submit(index)


def _indexed(values: NDArray[np.float64], *, whiten: bool) -> Neighbours:
    index = Neighbours(values, whiten=whiten)
    if len(index):
        index.query(0, 1)
    return index
