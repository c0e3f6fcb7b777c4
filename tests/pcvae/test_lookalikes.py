import numpy as np
import pytest
from scipy.special import logsumexp

from pcvae.lookalikes import recalled_seeds, seed_density, shared_neighbours
from pcvae.neighbours import Neighbours


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(300, 3))


def test_shared_neighbours_are_ranked_by_seeds_and_then_by_distance():
    values = np.array([[0.0], [1.0], [0.4], [0.6], [9.0], [-0.1]])
    seeds, candidates = [0, 1], np.array([False, False, True, True, True, True])
    ranked = shared_neighbours(Neighbours(values, whiten=False), seeds, candidates, k=2)
    assert list(ranked["row"]) == [2, 5, 3]
    assert list(ranked["seeds"]) == [2, 1, 1]
    np.testing.assert_allclose(ranked["distance"], [0.5, 0.1, 0.4])


def test_shared_neighbours_agree_with_counting_by_hand(latents):
    seeds = np.arange(300) < 30
    ranked = shared_neighbours(latents, seeds, ~seeds, k=10)
    counts = np.zeros(300, dtype=int)
    for seed in range(30):
        counts[Neighbours(latents).query(seed, 10, ~seeds)[0]] += 1
    np.testing.assert_array_equal(counts[ranked["row"]], ranked["seeds"])
    assert ranked["seeds"].sum() == 300
    assert ranked["seeds"].is_monotonic_decreasing


def test_no_seeds_have_no_shared_neighbours(latents):
    ranked = shared_neighbours(latents, [], np.ones(300, dtype=bool))
    assert len(ranked) == 0
    assert list(ranked.columns) == ["row", "seeds", "distance"]


def test_the_density_of_seeds_is_that_of_the_formula(latents):
    seeds = np.arange(300) < 30
    ranked = seed_density(Neighbours(latents, whiten=False), seeds, ~seeds)
    squares = ((latents[:, None] - latents[seeds][None]) ** 2).sum(axis=2)
    width = np.median(np.sqrt(np.sort(squares[seeds], axis=1)[:, 3]))
    density = np.exp(-squares / (2 * width**2)).mean(axis=1)
    assert set(ranked["row"]) == set(range(30, 300))
    np.testing.assert_allclose(ranked["density"], density[ranked["row"]])
    np.testing.assert_allclose(ranked["distance"], np.sqrt(squares[ranked["row"]].min(axis=1)))
    assert ranked["density"].is_monotonic_decreasing


def test_the_densest_are_found_without_measuring_all(monkeypatch):
    values = np.random.default_rng(1).normal(size=(4000, 3))
    near, seeds = Neighbours(values), [0, 5, 9]
    every = seed_density(near, seeds, np.arange(10, 4000), most=4000)
    monkeypatch.setattr("pcvae.lookalikes.BLOCK", 300)
    measured = []
    monkeypatch.setattr(
        "pcvae.lookalikes.logsumexp", lambda a, axis: measured.append(len(a)) or logsumexp(a, axis)
    )
    first = seed_density(near, seeds, np.arange(10, 4000), most=20)
    np.testing.assert_array_equal(first["row"], every["row"][:20])
    assert sum(measured) < 2000


def test_seeds_of_two_kinds_each_attract_their_own():
    seeds = [[x + dx] for x in (0.0, 10.0) for dx in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    values = np.array([*seeds, [0.05], [10.2], [5.0], [np.nan]])
    ranked = seed_density(Neighbours(values, whiten=False), np.arange(10), [10, 11, 12, 13])
    assert list(ranked["row"]) == [10, 11, 12]
    assert ranked["density"][1] > 1000 * ranked["density"][2]


@pytest.mark.parametrize("seeds", [[], [0], [0, 1]])
def test_few_or_equal_seeds_have_a_density(seeds):
    ranked = seed_density(Neighbours(np.zeros((4, 2)), whiten=False), seeds, [2, 3])
    assert list(ranked["row"]) == ([2, 3] if seeds else [])
    assert (ranked["density"] == 1).all()


def test_of_very_many_seeds_some_are_drawn(monkeypatch, latents):
    monkeypatch.setattr("pcvae.lookalikes.MAX_SEEDS", 10)
    seeds, others = np.arange(100), np.arange(100, 300)
    near = Neighbours(latents)
    drawn = np.sort(np.random.default_rng(0).choice(seeds, 10, replace=False))
    few = seed_density(near, drawn, others)
    np.testing.assert_array_equal(seed_density(near, seeds, others)["row"], few["row"])


@pytest.mark.parametrize("k", [None, 5])
def test_the_recall_of_a_list_is_that_of_seeds_ranked_without_themselves(latents, k):
    """Each seed in turn is a candidate of the others, and where it comes is looked up."""
    near, seeds, others = Neighbours(latents, whiten=False), np.arange(40), np.arange(40, 300)

    def ranked_by(given, candidates):
        if k is None:
            return seed_density(near, given, candidates)
        return shared_neighbours(near, given, candidates, k)

    ranked = ranked_by(seeds, others)
    found = recalled_seeds(near, seeds, others, ranked, k)
    places = []
    for seed in seeds:
        listed = ranked_by(np.delete(seeds, seed), [seed, *others])["row"].tolist()
        places.append(listed.index(seed) if seed in listed else len(listed))
    expected = [np.mean(np.array(places) <= place) for place in range(len(ranked))]
    assert 0.1 < found[30] < 0.5
    assert (np.diff(found) >= 0).all()
    assert np.abs(found - expected).mean() < 0.025  # one seed of 40


@pytest.mark.parametrize("k", [None, 5])
def test_one_seed_tells_no_recall(latents, k):
    near, others = Neighbours(latents), np.arange(10, 300)
    ranked = seed_density(near, [0], others) if k is None else shared_neighbours(near, [0], others)
    assert np.isnan(recalled_seeds(near, [0], others, ranked, k)).all()
