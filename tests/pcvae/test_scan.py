"""A search that looks at all galaxies finds what the trees find."""

import numpy as np
import pytest

from pcvae import scan
from pcvae.errors import ShapeError
from pcvae.lookalikes import seed_density, shared_neighbours
from pcvae.neighbours import Neighbours
from pcvae.scan import ScannedNeighbours, spans


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(scan, "THREADS", 2)
    for name, value in {"BLOCK": 64, "GROUP": 3, "RELEASED": 2, "PAIRS": 50}.items():
        monkeypatch.setattr(scan, name, value)


@pytest.fixture
def values():
    """900 galaxies with four correlated features far from zero, one unknown."""
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(900, 4)) @ rng.normal(size=(4, 4)) + 10).astype(np.float32)
    values[7, 2] = np.nan
    return values


@pytest.mark.parametrize("whiten", [True, False])
def test_the_nearest_are_those_of_the_tree(values, whiten):
    tree = Neighbours(values, whiten=whiten, blocks=(1, 3))
    looked = ScannedNeighbours(values.T, whiten=whiten, blocks=(1, 3))
    among = np.arange(900) % 3 > 0
    for some in (None, among, np.zeros(900, bool)):
        rows, distances = tree.query([*range(5, 18), 899], 6, some)
        found, apart = looked.query([*range(5, 18), 899], 6, some)
        np.testing.assert_array_equal(found, rows)
        np.testing.assert_allclose(apart, distances, rtol=1e-9)
    point = values[3] + 0.1
    np.testing.assert_array_equal(looked.query(point, 9)[0], tree.query(point, 9)[0])
    with pytest.raises(ShapeError, match="expected points with 4 latents, found 2"):
        looked.query([0.0, 1.0], 3)


def test_lookalikes_are_those_of_the_tree(values):
    tree, looked = Neighbours(values), ScannedNeighbours(values.T)
    seeds, others = np.arange(40), np.arange(40, 900)
    few, same = (seed_density(near, seeds, others, most=30) for near in (looked, tree))
    assert list(few["row"]) == list(same["row"])
    np.testing.assert_allclose(few, same, rtol=1e-9)
    few, same = (shared_neighbours(near, seeds, others) for near in (looked, tree))
    assert list(few["row"]) == list(same["row"])


def test_far_seeds_whose_density_has_no_digits_rank_as_well(values):
    values = np.nan_to_num(values)
    values[:5] += 3000 + np.arange(20).reshape(5, 4) / 50
    near = ScannedNeighbours(values.T, whiten=False)
    same = seed_density(Neighbours(values, whiten=False), np.arange(5), np.arange(5, 900), most=9)
    found = seed_density(near, np.arange(5), np.arange(5, 900), most=9)
    np.testing.assert_allclose(found["distance"].sort_values(), same["distance"].sort_values())


def test_memory_is_given_back_on_the_way(values):
    given = []
    ScannedNeighbours(values.T, done=lambda: given.append(1)).query(3, 2)
    assert len(given) >= 10


def test_all_parts_are_looked_at_once():
    parts = spans(1000, range, least=10)
    assert len(parts) == 2
    assert [row for part in parts for row in part] == list(range(1000))
