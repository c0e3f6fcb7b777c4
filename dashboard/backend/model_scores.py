"""Scores of the models of a store."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.metrics import score
from pcvae.store import MAPPED, PHOTOMETRY, ModelInfo, Store

if TYPE_CHECKING:
    from pcvae.trials import Trials
    from train.evaluation.galaxy_pool import Pool

__all__ = ["FewShot", "Scores", "few_shot_of", "history_of", "judges_of", "scores_of", "trials_of"]


MAX_TRAINING = 50_000  # training galaxies that neighbours are looked for among


MAX_JUDGES = 300_000  # normal galaxies that judge the models of a store of mapped tables


MAX_SEARCHED = 20_000  # galaxies that few examples are searched among


MAX_MANY_DRAWS = 20_000  # tested galaxies above which fewer draws are enough


DRAWS = 1000, 200


FewShot = Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]
"""By space, population and ``SEEDS in DEPTH``, as ``train.evaluation.few_shot`` makes it."""


Scores = Mapping[str, Mapping[str, Mapping[str, float]]]


def judges_of(pool: "Pool", done: Callable[[], None] = lambda: None) -> "Pool":
    """The galaxies that models are judged by: all; or of a store of mapped tables those drawn.

    These are all rare ones that never trained, at most 300,000 normal ones, and at most 50,000
    each of those that were trained on and that settings were chosen on.

    Args:
        pool: All galaxies.
        done: Is called after each column: it may give back the memory of mapped ones.
    """
    if len(pool) < MAPPED:
        return pool
    kept = _thinned(pool.test, MAX_JUDGES) | (pool.unseen & ~pool.test)
    kept |= _thinned(pool.train, MAX_TRAINING) | _thinned(pool.validation, MAX_TRAINING)
    rows = np.flatnonzero(kept)
    names = ("train", "validation", "test", "unseen")
    return replace(
        pool,
        galaxies=_taken(pool.galaxies, rows, done),
        latents={name: _taken(table, rows, done) for name, table in pool.latents.items()},
        **{name: getattr(pool, name)[rows] for name in names},
    )


def _taken(table: pd.DataFrame, rows: NDArray[np.intp], done: Callable[[], None]) -> pd.DataFrame:
    """Some rows of a table, column by column: each brings all of it into memory."""
    found = {}
    for name in table:
        found[name] = table[name].iloc[rows].array
        done()
    return pd.DataFrame(found)


def scores_of(
    pool: "Pool", model: ModelInfo, tested: int = 0
) -> tuple[str, dict[str, dict[str, float]]]:
    """The figures of ``pcvae.metrics.score`` by model and label, on the test split.

    A model without labels is scored by its nearest training galaxies, at most 50,000 of them,
    where there are enough. Intervals are of 1,000 draws, of 200 where very many are tested.

    Args:
        pool: As of ``judges_of``.
        model: The model.
        tested: How many normal galaxies of the store could be tested, if more.
    """
    from train.evaluation.baselines import neighbour_estimates
    from train.evaluation.galaxy_pool import estimates

    found, who = estimates(pool.latents[model.name], pool.galaxies), model.name
    if not found:
        learnt, chosen = (_thinned(mask, MAX_TRAINING) for mask in (pool.train, pool.validation))
        some = f" among {MAX_TRAINING:,}" if learnt.sum() < pool.train.sum() else ""
        who = f"{model.name}, by neighbours{some}"
        thin = replace(pool, train=learnt, validation=chosen)
        found = neighbour_estimates(thin, pool.values(model))
    test = pool.test
    if test.sum() < tested:
        who += f", on {int(test.sum()):,} of {tested:,} tested"
    draws = DRAWS[int(test.sum()) > MAX_MANY_DRAWS]
    return who, {
        name: score(
            pool.truth(name)[test], estimate.value[test], name, estimate.sigma[test], draws=draws
        )
        for name, estimate in found.items()
        if np.isfinite(pool.truth(name)[test]).any()
    }


def trials_of(pool: "Pool") -> dict[str, "Trials"]:
    """The paper's five trials of each model, and of photometry, on what never trained."""
    from pcvae.anomaly import classes_of
    from pcvae.trials import paper_trials

    classes = classes_of(pool.galaxies["population"][pool.unseen], pool.info.rare)
    spaces = {model.name: pool.values(model) for model in pool.info.models}
    if pool.photometry is not None and spaces:
        spaces[PHOTOMETRY] = pool.photometry.to_numpy(np.float64)
    return {name: paper_trials(values[pool.unseen], classes) for name, values in spaces.items()}


def few_shot_of(pool: "Pool") -> "FewShot":
    """What a few examples find in every space, among at most 20,000 galaxies that never trained.

    All rare ones are among them.
    """
    from train.evaluation.few_shot import few_shot

    normal = pool.unseen & ~pool.galaxies["population"].isin(pool.info.rare).to_numpy()
    kept = _thinned(normal, MAX_SEARCHED) | (pool.unseen & ~normal)
    return few_shot(replace(pool, unseen=kept))


def history_of(store: Store, model: str) -> pd.DataFrame | None:
    """The losses of a model's run, an epoch a row; None where there are none to read."""
    path = store.model_folder(model) / "metrics.csv"
    try:
        return pd.read_csv(path)
    except (OSError, ValueError):
        return None


def _thinned(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """At most so many of the galaxies of a mask (N,), drawn by a fixed seed."""
    rows = np.flatnonzero(mask)
    if len(rows) <= most:
        return mask
    thin = np.zeros_like(mask)
    thin[np.random.default_rng(0).choice(rows, most, replace=False)] = True
    return thin
