"""How well rare galaxies are found in a model's latent space."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pcvae.anomaly import (
    NORMAL,
    Trials,
    classes_of,
    paper_trials,
    repeated_folds,
    wilson_interval,
)
from pcvae.metrics import average_precision, precision_at, purity, recall_at
from pcvae.store import ModelInfo
from train.pool import Pool

__all__ = ["BASE_RATE", "FOLDS", "Search", "difference", "repeat_margins", "search", "summary"]

BASE_RATE = 0.001  # the share of rare galaxies in a survey for which purity is stated
FOLDS = 5
TOP = 10  # galaxies a person looks at first
FALSE_POSITIVES = 0.01


class Search:
    """The trials of one model: as the paper ran them, and in repeated folds.

    Args:
        pool: The galaxies.
        model: Whose latents.
        seed: Fixes all that is random.
        repeats: How often the folds are drawn anew.
    """

    def __init__(self, pool: Pool, model: ModelInfo, seed: int, repeats: int = 3) -> None:
        self.rows = np.flatnonzero(pool.unseen)
        self.population = pool.galaxies["population"].to_numpy()[self.rows]
        classes = classes_of(self.population, pool.info.rare)
        values = pool.values(model)[self.rows]
        self.repeats = repeats
        self.paper = paper_trials(values, classes, seed)
        self.folds = repeated_folds(values, classes, seed, FOLDS, repeats)


def search(pool: Pool, seed: int) -> dict[str, Search]:
    """The trials of every model of a pool with rare populations; else none."""
    population = pool.galaxies["population"][pool.unseen]
    if not population.isin(pool.info.rare).any():
        return {}
    return {model.name: Search(pool, model, seed) for model in pool.info.models}


def summary(found: Search, pool: Pool, base_rate: float = BASE_RATE) -> dict[str, dict[str, Any]]:
    """The figures of DESIGN.md by population; those the paper published under ``paper``.

    Recall and false-positive rate are of the repeated folds, in which each galaxy is tested once
    a repeat; the Wilson intervals count it once. ``average_precision`` and ``precision_at_10``
    are at the galaxies' own mixture, ``share``.
    """
    figures = {}
    for name in pool.info.rare:
        if name in found.folds.classes:
            figures[name] = _population(found, name, base_rate)
            figures[name]["hard_negatives"] = _hard_negatives(found, name, pool.info.hard_negative)
        else:
            count = int((found.population == name).sum())
            figures[name] = {"n": count, "left_out": found.folds.left_out.get(name, "none there")}
    return figures


def _population(found: Search, name: str, base_rate: float) -> dict[str, Any]:
    rates, paper = found.folds.rates(name), found.paper.rates(name)
    members, normal = rates.members // found.repeats, rates.normal // found.repeats
    recall, false_rate = rates.hits / rates.members, rates.false_alarms / rates.normal
    low, high = wilson_interval(recall * members, members)
    false_low, false_high = wilson_interval(false_rate * normal, normal)
    ranked = _ranking(found, name)
    at_low, at_high = wilson_interval(ranked["recall_at_fpr_0.01"] * members, members)
    return {
        "n": members,
        "normal": normal,
        "share": members / (members + normal),
        "recall": recall,
        "recall_low": low,
        "recall_high": high,
        "false_positive_rate": false_rate,
        "false_positive_rate_low": false_low,
        "false_positive_rate_high": false_high,
        **ranked,
        "recall_at_fpr_0.01_low": at_low,
        "recall_at_fpr_0.01_high": at_high,
        "purity_at_base_rate": purity(recall, false_rate, base_rate),
        "base_rate": base_rate,
        "paper": {
            "recall": paper.recall,
            "recall_std": paper.recall_std,
            "false_positive_rate": paper.false_positive_rate,
            "false_positive_rate_std": paper.false_positive_rate_std,
            "tested": paper.members // len(found.paper.tests),
        },
    }


def repeat_margins(
    found: Search, name: str
) -> list[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Of each repeat: which tested galaxies are rare (others normal), and their margins."""
    index = found.folds.classes.index(name)
    tables = []
    for start in range(0, len(found.folds.tests), FOLDS):
        tests = found.folds.tests[start : start + FOLDS]
        truth = np.concatenate([test.truth for test in tests])
        margin = np.concatenate([test.margin[:, index - 1] for test in tests])
        asked = (truth == 0) | (truth == index)
        tables.append((truth[asked] == index, margin[asked]))
    return tables


def difference(
    first: Search, second: Search, name: str, seed: int, draws: int = 2000
) -> dict[str, float]:
    """By how much more of a rare population the first model finds at a 1 % false-positive rate.

    The folds of both are the same, so each rare galaxy is found or missed by both; the 95 %
    interval is of the mean difference over rare galaxies drawn with replacement.
    """
    gains = _found(first, name) - _found(second, name)
    rng = np.random.default_rng(seed)
    means = gains[rng.integers(len(gains), size=(draws, len(gains)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"gain": float(gains.mean()), "low": float(low), "high": float(high)}


def _found(found: Search, name: str) -> NDArray[np.float64]:
    """In which share of the repeats each galaxy of a rare population passes the threshold."""
    index, passed = found.folds.classes.index(name), []
    for start, (rare, margin) in zip(
        range(0, len(found.folds.tests), FOLDS), repeat_margins(found, name), strict=True
    ):
        tests = found.folds.tests[start : start + FOLDS]
        rows = np.concatenate([test.rows[test.truth == index] for test in tests])
        others = np.sort(margin[~rare])[::-1]
        above = margin[rare] > others[int(FALSE_POSITIVES * len(others))]
        passed.append(above[np.argsort(rows)])
    result: NDArray[np.float64] = np.mean(passed, axis=0)
    return result


def _ranking(found: Search, name: str) -> dict[str, float]:
    tables = repeat_margins(found, name)
    return {
        "recall_at_fpr_0.01": _mean([recall_at(m, r, FALSE_POSITIVES) for r, m in tables]),
        "average_precision": _mean([average_precision(m, r) for r, m in tables]),
        "precision_at_10": _mean([precision_at(m, r, TOP) for r, m in tables]),
    }


def _hard_negatives(found: Search, name: str, hard: tuple[str, ...]) -> dict[str, Any]:
    """Of the populations that resemble rare ones: which share was taken for it."""
    taken = _taken(found.folds, name)
    figures = {}
    for population in hard:
        of_it = taken[found.population[taken[:, 0]] == population, 1]
        if len(of_it):
            count = len(of_it) // found.repeats
            low, high = wilson_interval(float(of_it.mean()) * count, count)
            figures[population] = {
                "n": count, "false_positive_rate": float(of_it.mean()), "low": low, "high": high,
            }  # fmt: skip
    return figures


def _taken(trials: Trials, name: str) -> NDArray[np.intp]:
    """Each tested normal galaxy's row and whether it was taken for ``name``, (n, 2)."""
    index, normal = trials.classes.index(name), trials.classes.index(NORMAL)
    return np.concatenate(
        [
            np.column_stack([test.rows, test.predicted == index])[test.truth == normal]
            for test in trials.tests
        ]
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
