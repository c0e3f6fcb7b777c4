import numpy as np
import pytest

from pcvae.lookalikes import shared_neighbours
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
