"""Codecs and scores of the models of a store, computed once a process."""

from concurrent.futures import Future
from functools import cache
from typing import TYPE_CHECKING

from dashboard.backend.latent_range import Spread, spread_of
from dashboard.backend.model_scores import FewShot, few_shot_of, judges_of, scores_of, trials_of
from dashboard.backend.workers import Workers
from pcvae.store import Store
from pcvae.trials import Trials
from train.evaluation.galaxy_pool import Pool, gather

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["ModelJobs"]


class ModelJobs:
    """Each model's codec, range of latents and scores, as futures; a process computes them once.

    Args:
        store: The store.
        workers: What computes them.
    """

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self.codec, self.spread = cache(self._codec), cache(self._spread)
        self.pool, self.judges = cache(self._pool), cache(self._judges)
        self.scores = cache(self._scores)
        self.trials, self.few_shot = cache(self._trials), cache(self._few_shot)

    def _codec(self, model: str) -> "Future[Codec]":
        return self._workers.slow.submit(_read_codec, self._store, model)

    def _spread(self, model: str) -> "Future[Spread]":
        return self._workers.decoder.submit(spread_of, self._store, model)

    def _pool(self) -> "Future[Pool]":
        return self._workers.evaluation.submit(gather, self._store)

    def _judges(self) -> "Future[Pool]":
        pool = self.pool()

        def judges() -> Pool:
            return judges_of(pool.result(), self._store.release)

        return self._workers.evaluation.submit(judges)

    def _scores(self, model: str) -> "Future[tuple[str, dict[str, dict[str, float]]]]":
        pool, judges, info = self.pool(), self.judges(), self._store.model(model)

        def scores() -> tuple[str, dict[str, dict[str, float]]]:
            return scores_of(judges.result(), info, int(pool.result().test.sum()))

        return self._workers.evaluation.submit(scores)

    def _trials(self) -> "Future[dict[str, Trials]]":
        pool = self.judges()
        return self._workers.evaluation.submit(lambda: trials_of(pool.result()))

    def _few_shot(self) -> "Future[FewShot]":
        pool = self.judges()
        return self._workers.evaluation.submit(lambda: few_shot_of(pool.result()))


def _read_codec(store: Store, model: str) -> "Codec":
    from pcvae.encode import Codec

    return Codec.read(store.model_folder(model))
