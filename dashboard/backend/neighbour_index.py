"""The nearest galaxies in a latent space: indices that all sessions share."""

from collections import OrderedDict
from concurrent.futures import Future
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.workers import Workers
from dashboard.state import Metric
from pcvae.lookalikes import recalled_seeds, seed_density, shared_neighbours
from pcvae.neighbours import Neighbours, changed_share
from pcvae.scan import ScannedNeighbours
from pcvae.store import MAPPED, Store
from pcvae.store_info import FeatureColumns

__all__ = ["DEFAULT_METRIC", "MAX_MOVED", "MOVED_AMONG", "NeighbourIndex"]

DEFAULT_METRIC = Metric()
NEIGHBOURS = 10  # as in Fig. 3 of Gagliano & Villar (2023)
MOVED_AMONG = 20  # nearest galaxies by which two models are compared
MAX_MOVED = 20_000  # galaxies of which that is computed: evenly spaced ones of a larger store
MAX_MOVED_MAPPED = 1_000  # of a mapped store, each of whose searches looks at all galaxies
MAX_RANKINGS = 16  # of look-alikes, kept ready
MAX_QUERIES = 64  # of a galaxy, kept ready


class NeighbourIndex:
    """Neighbours and look-alikes by each model's latents, or by other features of a metric.

    Args:
        store: Whose galaxies.
        workers: What builds the indices and ranks.
    """

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._indices = cache(self._begin)
        self._moved = cache(self._compare)
        self._queried = lru_cache(MAX_QUERIES)(self._query)  # maps and strip ask for the same
        self._searched = lru_cache(MAX_QUERIES)(self._search)
        self._ranked: OrderedDict[tuple[object, ...], Future[pd.DataFrame]] = OrderedDict()

    def index(self, model: str, metric: Metric = DEFAULT_METRIC) -> "Future[Neighbours]":
        """An index of a model's latents, once it is there; of mapped ones it keeps nothing."""
        return self._indices(model, metric)

    def ready(
        self, model: str, row: int | None, k: int, metric: Metric = DEFAULT_METRIC
    ) -> "Future[Neighbours]":
        """Done once ``nearest`` of a galaxy answers at once; of None, once there is an index.

        A search of mapped tables looks at all galaxies: it is done in a worker.
        """
        if row is None or len(self._store) < MAPPED:
            return self.index(model, metric)
        return self._searched(model, row, k, metric)

    def nearest(
        self, model: str, row: int, k: int = NEIGHBOURS, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """The ``row`` and ``distance`` of a galaxy's k nearest ones, nearest first.

        It waits until ``index`` has indexed the latents.
        """
        rows, distances = self._queried(model, row, k, metric)
        return pd.DataFrame({"row": rows, "distance": distances})

    def nearest_to(
        self, model: str, latents: NDArray[np.float64], k: int, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """As ``nearest``, of a point: all the latents (D,) of a model; photometry cannot count."""
        index = self.index(model, metric).result()
        info = self._store.model(model)
        blocks = info.blocks(oriented=metric.oriented)
        counted = [info.names.index(name) for block in blocks for name in block]
        rows, distances = index.query(latents[counted], k)
        return pd.DataFrame({"row": rows, "distance": distances})

    def lookalikes(
        self,
        model: str,
        seeds: NDArray[np.intp],
        among: NDArray[np.bool_],
        k: int | None,
        metric: Metric,
    ) -> "Future[pd.DataFrame]":
        """The look-alikes of seeds, once they are ranked, with the ``recall`` down to each.

        Args:
            model: Whose latents.
            seeds: The rows of the seeds.
            among: Which galaxies may be found, (N,).
            k: How many nearest ones of each seed count, in ``shared_neighbours``; None for
                ``seed_density``.
            metric: How distances are measured.
        """
        key = (model, k, metric, seeds.tobytes(), np.packbits(among).tobytes())
        if key not in self._ranked:
            index = self.index(model, metric)

            def rank() -> pd.DataFrame:
                near = index.result()
                ranked = (
                    seed_density(near, seeds, among)
                    if k is None
                    else shared_neighbours(near, seeds, among, k)
                )
                return ranked.assign(recall=recalled_seeds(near, seeds, among, ranked, k))

            self._ranked[key] = self._workers.slow.submit(rank)
            while len(self._ranked) > MAX_RANKINGS:
                self._ranked.popitem(last=False)
        return self._ranked[key]

    def moved(self, model: str, other: str) -> "Future[NDArray[np.float32]]":
        """How far each galaxy moved between two models, by ``changed_share``, (N,)."""
        return self._moved(*sorted((model, other)))

    def _compare(self, model: str, other: str) -> "Future[NDArray[np.float32]]":
        indices = self.index(model), self.index(other)
        return self._workers.slow.submit(lambda: _moved(*(job.result() for job in indices)))

    def _search(self, model: str, row: int, k: int, metric: Metric) -> "Future[Neighbours]":
        index = self.index(model, metric)  # is built in that worker first

        def search() -> Neighbours:
            self._queried(model, row, k, metric)
            return index.result()

        return self._workers.index.submit(search)

    def _query(
        self, model: str, row: int, k: int, metric: Metric
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        return self.index(model, metric).result().query(row, k)

    def _begin(self, model: str, metric: Metric) -> "Future[Neighbours]":
        def index() -> Neighbours:
            kind, oriented = metric.features, metric.oriented
            features = self._store.feature_columns(model, kind, oriented=oriented)
            return _indexed(self._store, features, whiten=metric.whiten)

        return self._workers.index.submit(index)


def _moved(first: Neighbours, second: Neighbours) -> NDArray[np.float32]:
    """The share of the ``MOVED_AMONG`` nearest that differ between two indices, (N,).

    By whitened latents without the orientation; NaN for galaxies that are left out.
    """
    shares = np.full(len(first), np.nan, dtype=np.float32)
    most = MAX_MOVED if len(first) < MAPPED else MAX_MOVED_MAPPED
    rows = np.arange(0, len(first), -(-len(first) // most) or 1)
    shares[rows] = changed_share(first, second, rows, MOVED_AMONG)
    return shares


def _indexed(store: Store, features: FeatureColumns, *, whiten: bool) -> Neighbours:
    wide = features.columns[0].ndim > 1
    if len(features) >= MAPPED and not wide:
        blocks, done = features.sizes, store.release
        return ScannedNeighbours(features.columns, whiten=whiten, blocks=blocks, done=done)
    index = Neighbours(features.all().values, whiten=whiten, blocks=features.sizes)
    if len(index):
        index.query(0, 1)
    return index
