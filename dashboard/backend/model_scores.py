"""Scores of the models of a store."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.metrics import score
from pcvae.store import ModelInfo, Store

if TYPE_CHECKING:
    from pcvae.trials import Trials
    from train.evaluation.galaxy_pool import Pool

__all__ = ["Scores", "history_of", "scores_of", "trials_of"]


MAX_TRAINING = 50_000  # training galaxies that neighbours are looked for among


MAX_MANY_DRAWS = 20_000  # tested galaxies above which fewer draws are enough


DRAWS = 1000, 200


Scores = Mapping[str, Mapping[str, Mapping[str, float]]]


def scores_of(pool: "Pool", model: ModelInfo) -> tuple[str, dict[str, dict[str, float]]]:
    """The figures of ``pcvae.metrics.score`` by model and label, on the test split.

    A model without labels is scored by its nearest training galaxies, at most 50,000 of them,
    where there are enough. Intervals are of 1,000 draws, of 200 where very many are tested.
    """
    from train.evaluation.baselines import neighbour_estimates
    from train.evaluation.galaxy_pool import estimates

    found, who = estimates(pool.latents[model.name], pool.galaxies), model.name
    if not found:
        learnt, chosen = (_thinned(mask) for mask in (pool.train, pool.validation))
        some = f" among {MAX_TRAINING:,}" if learnt.sum() < pool.train.sum() else ""
        who = f"{model.name}, by neighbours{some}"
        thin = replace(pool, train=learnt, validation=chosen)
        found = neighbour_estimates(thin, pool.values(model))
    test = pool.test
    draws = DRAWS[int(test.sum()) > MAX_MANY_DRAWS]
    return who, {
        name: score(
            pool.truth(name)[test], estimate.value[test], name, estimate.sigma[test], draws=draws
        )
        for name, estimate in found.items()
        if np.isfinite(pool.truth(name)[test]).any()
    }


def trials_of(pool: "Pool") -> dict[str, "Trials"]:
    """The paper's five trials of each model on the galaxies that never trained."""
    from pcvae.anomaly import classes_of
    from pcvae.trials import paper_trials

    classes = classes_of(pool.galaxies["population"][pool.unseen], pool.info.rare)
    return {
        model.name: paper_trials(pool.values(model)[pool.unseen], classes)
        for model in pool.info.models
    }


def history_of(store: Store, model: str) -> pd.DataFrame | None:
    """The losses of a model's run, an epoch a row; None where there are none to read."""
    path = store.model_folder(model) / "metrics.csv"
    try:
        return pd.read_csv(path)
    except (OSError, ValueError):
        return None


def _thinned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """At most 50,000 of the galaxies of a mask (N,), drawn by a fixed seed."""
    rows = np.flatnonzero(mask)
    if len(rows) <= MAX_TRAINING:
        return mask
    thin = np.zeros_like(mask)
    thin[np.random.default_rng(0).choice(rows, MAX_TRAINING, replace=False)] = True
    return thin
