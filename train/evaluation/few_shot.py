"""The search by few examples: how many of a population the look-alikes of some members hold.

Shapes are written with N galaxies.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pcvae.lookalikes import seed_density
from pcvae.neighbours import Neighbours
from pcvae.store import PHOTOMETRY
from train.evaluation.galaxy_pool import Pool

__all__ = [
    "DEPTHS",
    "SEEDS",
    "Drawn",
    "beside_photometry",
    "draw_others",
    "few_shot",
    "found_others",
    "gain_of",
]

SEEDS = (5, 10, 20)  # labelled galaxies
DEPTHS = (50, 100)  # of the list of look-alikes
DRAWS = 20
NORMAL_95 = 1.96

Drawn = Mapping[str, Mapping[str, Mapping[str, NDArray[np.intp]]]]
"""By space, population and ``SEEDS in DEPTH``: how many others each of 20 draws found."""


def few_shot(pool: Pool, seed: int = 0) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """How many others of a rare population stand first among the look-alikes of a few.

    Args:
        pool: The galaxies.
        seed: Fixes which are drawn.

    Returns:
        By space, population and ``SEEDS in DEPTH``: ``found``, a mean of 20 draws; and, beside
        photometry, its ``gain`` with the ends of a 95 % interval over the draws.
    """
    return beside_photometry(draw_others(pool, seed))


def draw_others(pool: Pool, seed: int = 0) -> Drawn:
    """What each of 20 draws of a few members of a rare population finds, in every space.

    The look-alikes are those of ``pcvae.lookalikes.seed_density`` among all unseen galaxies whose
    features are known in every space; the same galaxies are drawn as seeds in each.

    Args:
        pool: The galaxies.
        seed: Fixes which are drawn.
    """
    spaces = {name: pool.features(model, kind) for name, model, kind in pool.spaces()}
    whole = [np.isfinite(space.values).all(axis=1) for space in spaces.values()]
    known = pool.unseen & np.all(whole, axis=0)
    population = pool.galaxies["population"].to_numpy()[known]
    return {
        name: _of_space(
            Neighbours(space.values[known], blocks=space.sizes), population, pool, seed
        )
        for name, space in spaces.items()
    }


def gain_of(drawn: Drawn, first: str, second: str) -> dict[str, dict[str, dict[str, float]]]:
    """How many others more a space finds than another with the same seeds, with intervals.

    Returns:
        By population and ``SEEDS in DEPTH``.
    """
    return {
        name: {key: _gain(found - drawn[second][name][key]) for key, found in table.items()}
        for name, table in drawn[first].items()
    }


def found_others(
    near: Neighbours, rare: NDArray[np.bool_], count: int, seed: int = 0
) -> dict[int, NDArray[np.intp]]:
    """How many others of a population are among the first look-alikes, a draw of seeds each.

    Args:
        near: All galaxies, N.
        rare: Which are of the population, (N,).
        count: How many of it are drawn as seeds.
        seed: Fixes the draws.

    Returns:
        Of each of ``DEPTHS``, the number in each of 20 draws.
    """
    rng, members = np.random.default_rng(seed), np.flatnonzero(rare)
    found: dict[int, list[int]] = {depth: [] for depth in DEPTHS}
    for _ in range(DRAWS):
        seeds = rng.choice(members, count, replace=False)
        others = np.ones(len(near), dtype=bool)
        others[seeds] = False
        listed = rare[seed_density(near, seeds, others, max(DEPTHS))["row"]]
        for depth in DEPTHS:
            found[depth].append(int(listed[:depth].sum()))
    return {depth: np.array(numbers) for depth, numbers in found.items()}


def _of_space(
    near: Neighbours, population: NDArray[np.object_], pool: Pool, seed: int
) -> dict[str, dict[str, NDArray[np.intp]]]:
    tables: dict[str, dict[str, NDArray[np.intp]]] = {}
    for name in pool.info.rare:
        rare = population == name
        for count in (count for count in SEEDS if rare.sum() > count):
            for depth, numbers in found_others(near, rare, count, seed).items():
                tables.setdefault(name, {})[f"{count} in {depth}"] = numbers
    return tables


def beside_photometry(drawn: Drawn) -> dict[str, Any]:
    """The means of the draws, with their gains over photometry where that is a space."""
    plain = drawn.get(PHOTOMETRY, {})
    return {
        space: {
            name: {
                key: {"found": float(found.mean())}
                | ({} if space == PHOTOMETRY or not plain else _gain(found - plain[name][key]))
                for key, found in table.items()
            }
            for name, table in populations.items()
        }
        for space, populations in drawn.items()
    }


def _gain(apart: NDArray[np.intp]) -> dict[str, float]:
    gain, half = float(apart.mean()), NORMAL_95 * float(apart.std(ddof=1)) / np.sqrt(len(apart))
    return {"gain": gain, "low": gain - half, "high": gain + half}
