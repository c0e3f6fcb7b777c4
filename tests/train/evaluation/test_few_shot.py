"""The search by few examples."""

import numpy as np
import pytest

from pcvae.neighbours import Neighbours
from pcvae.store import read_store
from tests.train.synthetic import write
from train.evaluation.few_shot import few_shot, found_others
from train.evaluation.galaxy_pool import gather


@pytest.mark.parametrize(("apart", "least", "most"), [(9.0, 40, 40), (0.0, 0, 20)])
def test_others_of_a_population_apart_are_all_found(apart, least, most):
    values = np.random.default_rng(0).normal(size=(450, 2))
    rare = np.arange(450) < 50
    values[rare] += apart
    found = found_others(Neighbours(values), rare, 10)[50]
    assert len(found) == 20
    assert least <= found.min() <= found.max() <= most


def test_every_space_and_population_of_enough_galaxies_is_searched(tmp_path):
    found = few_shot(gather(read_store(write(tmp_path / "store"))))
    assert list(found) == ["physics", "vanilla"]
    assert list(found["physics"]["green_pea"]) == ["5 in 50", "5 in 100", "10 in 50", "10 in 100"]
    physics, vanilla = (found[name]["red_spiral"]["20 in 50"]["found"] for name in found)
    assert physics == pytest.approx(20, abs=2)
    assert vanilla < 8


def test_photometry_is_what_others_are_compared_with(tmp_path):
    store = read_store(write(tmp_path / "store"))
    rng = np.random.default_rng(2)
    store.galaxies["r50"], store.galaxies["axis_ratio"] = rng.uniform(1, 2, (2, len(store)))
    found = few_shot(gather(store))
    assert list(found) == ["physics", "vanilla", "photometry", "physics + photometry"]
    table = {space: names["red_spiral"]["20 in 50"] for space, names in found.items()}
    assert table["physics"]["gain"] == pytest.approx(
        table["physics"]["found"] - table["photometry"]["found"]
    )
    assert table["physics"]["low"] > 0
    assert set(table["photometry"]) == {"found"}
