"""The search for rare galaxies by latents, photometry and both."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.anomaly import NORMAL, classes_of
from pcvae.ranking import average_precision, precision_at, purity, recall_at
from pcvae.trials import Kind, Trials, paper_trials, repeated_folds, wilson_interval
from train.evaluation.galaxy_pool import Pool

__all__ = [
    "BASE_RATE",
    "FOLDS",
    "PHOTOMETRY",
    "Search",
    "compared",
    "recall_gain",
    "repeat_margins",
    "search",
    "search_figures",
]

PHOTOMETRY = "photometry"  # the space of what the catalogue has
BASE_RATE = 0.001  # the share of rare galaxies in a survey for which purity is stated
FOLDS = 5
TOP = 10  # galaxies a person looks at first
FALSE_POSITIVES = 0.01
DRAWS = 1000  # of a bootstrap


class Search:
    """The trials in one space: as the paper ran them, and in repeated folds.

    Args:
        pool: The galaxies.
        values: Of the space, (N, F).
        seed: Fixes all that is random.
        repeats: How often the folds are drawn anew.
        kind: What searches in the folds, as ``pcvae.trials.repeated_folds`` takes it.
    """

    def __init__(
        self,
        pool: Pool,
        values: NDArray[np.floating],
        seed: int,
        repeats: int = 3,
        *,
        kind: Kind = "default",
    ) -> None:
        self.rows = np.flatnonzero(pool.unseen)
        self.population = pool.galaxies["population"].to_numpy()[self.rows]
        classes = classes_of(self.population, pool.info.rare)
        values = values[self.rows]
        self.repeats = repeats
        self.paper = paper_trials(values, classes, seed)
        self.folds = repeated_folds(values, classes, seed, FOLDS, repeats, kind=kind)


def search(pool: Pool, seed: int) -> dict[str, Search]:
    """The trials in every space of a pool with rare populations; else none.

    The spaces are the latents of each model but the orientation's, what the catalogue has
    (``pcvae.photometry``), and that beside the latents of each model with labels. Photometry is
    searched by the SVM alone and by gradient-boosted trees alone too, which are the plainest
    ways. The galaxies are the same in all of them: those whose photometry is known.
    """
    population = pool.galaxies["population"][pool.unseen]
    if not population.isin(pool.info.rare).any():
        return {}
    photometry = pool.photometry
    if photometry is not None:
        known = photometry.notna().all(axis=1).to_numpy()
        pool = replace(pool, unseen=pool.unseen & known)
    found = {
        name: Search(pool, pool.features(model, kind).values, seed)
        for name, model, kind in pool.spaces()
    }
    if photometry is None:
        return found
    columns = photometry.to_numpy(np.float64)
    alone: tuple[Kind, ...] = ("svm", "trees")
    return found | {
        f"{PHOTOMETRY}, {kind}": Search(pool, columns, seed, kind=kind) for kind in alone
    }


def compared(names: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of spaces whose difference is stated: of two models, and of any and photometry.

    Example:
        >>> compared(["physics", "photometry", "physics + photometry", "photometry, trees"])
        [('physics', 'photometry'), ('physics + photometry', 'photometry')]
    """
    names = [name for name in names if not name.startswith(f"{PHOTOMETRY}, ")]
    models = [name for name in names if PHOTOMETRY not in name]
    if PHOTOMETRY not in names:
        return list(combinations(models, 2))
    others = [(name, PHOTOMETRY) for name in names if name != PHOTOMETRY]
    return [*combinations(models, 2), *others]


def search_figures(
    found: Search, pool: Pool, base_rate: float = BASE_RATE, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """The figures of DESIGN.md by population; those the paper published under ``paper``.

    Recall and false-positive rate are of the repeated folds, in which each galaxy is tested once
    a repeat; the Wilson intervals count it once. ``average_precision`` and ``precision_at_10``
    are at the galaxies' own mixture, ``share``; ``purity_at_base_rate`` is for a survey of field
    galaxies, so it leaves out the hard negatives, which a sample may be full of.
    """
    figures, hard = {}, pool.info.hard_negative
    for name in pool.info.rare:
        if name in found.folds.classes:
            figures[name] = _population(found, name, hard, base_rate, seed)
            figures[name]["hard_negatives"] = _hard_negatives(found, name, hard)
        else:
            count = int((found.population == name).sum())
            figures[name] = {"n": count, "left_out": found.folds.left_out.get(name, "none there")}
    return figures


def _population(
    found: Search, name: str, hard: Sequence[str], base_rate: float, seed: int
) -> dict[str, Any]:
    rates, paper = found.folds.rates(name), found.paper.rates(name)
    members, normal = rates.members // found.repeats, rates.normal // found.repeats
    recall, false_rate = rates.hits / rates.members, rates.false_alarms / rates.normal
    low, high = wilson_interval(recall * members, members)
    false_low, false_high = wilson_interval(false_rate * normal, normal)
    in_field = _share_taken(found, name, ~np.isin(found.population, hard))
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
        "false_positive_rate_field": in_field,
        **_at_false_positives(found, name, seed),
        **_ranking(found, name),
        "purity_at_base_rate": purity(recall, in_field, base_rate),
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
    """Of each repeat: which tested galaxies are rare (others normal), and their margins.

    In the order of the galaxies, so that those of repeats and models go together.
    """
    index = found.folds.classes.index(name)
    tables = []
    for start in range(0, len(found.folds.tests), FOLDS):
        tests = found.folds.tests[start : start + FOLDS]
        truth = np.concatenate([test.truth for test in tests])
        margin = np.concatenate([test.margin[:, index - 1] for test in tests])
        order = np.argsort(np.concatenate([test.rows for test in tests]))
        asked = order[np.isin(truth[order], [0, index])]
        tables.append((truth[asked] == index, margin[asked]))
    return tables


def recall_gain(
    first: Search, second: Search, name: str, seed: int, draws: int = DRAWS
) -> dict[str, float]:
    """By how much more of a rare population the first model finds at a 1 % false-positive rate.

    The 95 % interval is of galaxies drawn with replacement, rare and normal ones, the same for
    both models; each draw has thresholds of its own. NaN where 1 % of the normal ones is none, or
    where the models did not see the same galaxies.
    """
    mine, theirs = _margins(first, name), _margins(second, name)
    if [part.shape for part in mine] != [part.shape for part in theirs]:
        return dict.fromkeys(("gain", "low", "high"), np.nan)
    gain = _recall(mine) - _recall(theirs)
    low, high = _interval(
        lambda pick: _recall(pick(mine)) - _recall(pick(theirs)), mine, seed, draws
    )
    return {"gain": gain, "low": low, "high": high}


class _Margins(NamedTuple):
    """The margins of n rare and m normal galaxies in each of R repeats, (R, n) and (R, m)."""

    rare: NDArray[np.float64]
    normal: NDArray[np.float64]


def _margins(found: Search, name: str) -> _Margins:
    tables = repeat_margins(found, name)
    rare, margins = tables[0][0], np.stack([margin for _, margin in tables])
    return _Margins(margins[:, rare], margins[:, ~rare])


def _recall(found: _Margins) -> float:
    """The mean over the repeats of ``recall_at`` a false-positive rate of 1 %."""
    sizes = [part.shape[1] for part in found]
    if FALSE_POSITIVES * sizes[1] < 1:
        return np.nan
    rare = np.repeat([True, False], sizes)
    return _mean([recall_at(margin, rare, FALSE_POSITIVES) for margin in np.hstack(found)])


def _interval(
    measure: Callable[[Callable[[_Margins], _Margins]], float],
    like: _Margins,
    seed: int,
    draws: int = DRAWS,
) -> tuple[float, float]:
    """The 95 % interval of what is measured with the galaxies that each draw picks."""
    rng, values = np.random.default_rng(seed), []
    sizes = [part.shape[1] for part in like]
    for _ in range(draws):
        rows = [rng.integers(size, size=size) for size in sizes]
        values.append(measure(partial(_picked, rows)))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _picked(rows: Sequence[NDArray[np.intp]], found: _Margins) -> _Margins:
    return _Margins(found.rare[:, rows[0]], found.normal[:, rows[1]])


def _at_false_positives(found: Search, name: str, seed: int) -> dict[str, float]:
    """Recall at a 1 % false-positive rate, with the wider of two 95 % intervals.

    Wilson's takes the threshold as known, but holds where all or none are found; the bootstrap
    draws the normal galaxies anew, whose few highest are the threshold.
    """
    margins, key = _margins(found, name), f"recall_at_fpr_{FALSE_POSITIVES}"
    recall, count = _recall(margins), margins.rare.shape[1]
    wilson = wilson_interval(recall * count, count)
    drawn = _interval(lambda pick: _recall(pick(margins)), margins, seed)
    low, high = min(wilson[0], drawn[0]), max(wilson[1], drawn[1])
    return {key: recall, f"{key}_low": low, f"{key}_high": high}


def _ranking(found: Search, name: str) -> dict[str, float]:
    tables = repeat_margins(found, name)
    return {
        "average_precision": _mean([average_precision(m, r) for r, m in tables]),
        "precision_at_10": _mean([precision_at(m, r, TOP) for r, m in tables]),
    }


def _share_taken(found: Search, name: str, among: NDArray[np.bool_]) -> float:
    """Which share of the tested normal galaxies that are ``among`` those was taken for it."""
    taken = _taken(found.folds, name)
    return _mean(taken[among[taken[:, 0]], 1].tolist())


def _hard_negatives(found: Search, name: str, hard: Sequence[str]) -> dict[str, Any]:
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
