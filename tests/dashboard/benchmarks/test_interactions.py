"""The made-up stores and what is timed on them."""

import json

import numpy as np
import pytest

from dashboard.benchmarks import interactions, load_test
from dashboard.benchmarks.synthetic_store import make_store
from pcvae.errors import SettingsError

INSIDE = [name for name in interactions.STEPS if name not in interactions.IN_BROWSER]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a store of 3,000 made-up galaxies."""
    folder = tmp_path_factory.mktemp("made") / "store"
    make_store(folder, 3000)
    return folder


def test_a_made_up_store_is_whole(made):
    store = make_store(made, 3000)
    assert len(store) == 3000
    assert store.galaxies["id"].is_unique
    assert store.galaxies["population"].value_counts()["red_spiral"] == 294
    for model in ("physics", "vanilla"):
        assert np.isfinite(store.values(model)).all()
    assert store.stamps.shape[0] == 3000
    np.testing.assert_array_equal(store.stamps[2999], store.stamps[2999 % 64])


def test_every_step_is_timed(made, tmp_path):
    path = tmp_path / "interactions.json"
    chosen = [part for name in INSIDE for part in ("--only", name)]
    figures = interactions.main(
        ["--galaxies", "3000", "--folder", str(made), "--json", str(path), *chosen]
    )
    assert list(figures) == INSIDE
    assert all(value > 0 for value in figures.values())
    assert json.loads(path.read_text()) == {"galaxies": 3000, **figures}


def test_the_lasso_goes_round_the_galaxies_that_it_is_meant_to(made):
    session = interactions._session(made)
    seen = []
    session.state.selection.param.watch(lambda event: seen.append(event.new), "focus")
    interactions.lasso(session)
    assert [abs(mask.sum() - 300) < 60 for mask in seen if mask is not None] == [True] * 8


def test_too_few_galaxies_are_refused_in_words():
    with pytest.raises(SettingsError, match="found -3"):
        interactions.main(["--galaxies", "-3"])


@pytest.mark.parametrize(
    ("script", "option", "least"),
    [
        (interactions, "--galaxies", 1000),
        (load_test, "--galaxies", 1000),
        (load_test, "--visitors", 1),
    ],
)
def test_too_few_to_measure_are_refused(script, option, least):
    with pytest.raises(SettingsError, match=f"expected {option} of at least {least}, found 0"):
        script.main([option, "0"])
