"""The search for rare galaxies among very many of the field."""

from dataclasses import replace

import numpy as np
import pytest

from pcvae.errors import StoreError
from pcvae.store import read_store
from tests.train.synthetic import write
from train.evaluation.field_search import (
    FieldMargins,
    field_figures,
    precision,
    search_field,
)
from train.evaluation.galaxy_pool import gather


def test_a_place_is_the_share_of_the_field_above_by_the_same_folds_classifier():
    field = np.array([[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0]])
    margins = FieldMargins(np.array([2.5, 2.5, 11.0]), np.array([0, 1, 1]), field)
    np.testing.assert_allclose(margins.places(), [0.25, 1.0, 0.75])


@pytest.mark.parametrize(("first", "base"), [(10, 1e-3), (50, 1e-3), (100, 1e-4)])
def test_precision_is_that_of_a_drawn_surveys_list(first, base):
    """Lists of surveys that are drawn galaxy by galaxy hold, on average, as many rare ones."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 2e-3, 200) ** 1.2
    held, survey = [], 100_000
    for _ in range(300):
        rare = rng.choice(places, rng.poisson(survey * base))
        field = rng.uniform(0, 1, survey)
        listed = np.argsort(np.concatenate([rare, field]), kind="stable")[:first]
        held.append((listed < len(rare)).mean())
    assert precision(places, first, base) == pytest.approx(np.mean(held), abs=0.03)


def test_precision_of_a_perfect_and_of_a_useless_list():
    assert precision(np.zeros(20), 100, 1e-3) == 1.0
    assert precision(np.zeros(20), 100, 1e-4) == pytest.approx(0.1)
    assert precision(np.ones(20), 100, 1e-3) == 0.0


def test_figures_hold_recall_purity_and_the_gain_over_photometry():
    rng = np.random.default_rng(1)
    fold, field = np.arange(100) % 5, rng.normal(size=(5, 20_000))
    better, worse = rng.normal(4.5, 1, 100), rng.normal(3.0, 1, 100)
    found = {
        name: {"pea": FieldMargins(margins, fold, field)}
        for name, margins in {"photometry": worse, "both": better}.items()
    }
    figures = field_figures(found)["both"]["pea"]
    recall = figures["recall_at_0.001"]
    limits = np.quantile(field, 0.999, axis=1)
    assert recall["value"] == pytest.approx((better > limits[fold]).mean(), abs=0.02)
    assert recall["low"] <= recall["value"] <= recall["high"]
    share = 1e-3 * recall["value"]
    purity = figures["purity_at_0.001_of_0.001"]["value"]
    assert purity == pytest.approx(share / (share + 0.999e-3))
    assert figures["gain"]["0.001"]["low"] > 0
    assert field_figures(found)["photometry"]["pea"]["gain"] == {}


def test_a_rate_of_less_than_one_galaxy_of_the_field_is_not_stated():
    margins = FieldMargins(np.ones(4), np.arange(4), np.zeros((5, 500)))
    figures = field_figures({"physics": {"pea": margins}})["physics"]["pea"]
    assert "recall_at_0.01" in figures
    assert "recall_at_0.001" not in figures


def test_the_field_is_searched_by_every_space(tmp_path):
    pool = gather(read_store(write(tmp_path / "few")))
    field = read_store(write(tmp_path / "field", normal=900, seed=5))
    found = search_field(pool, [field, field])
    assert list(found) == ["physics", "vanilla"]
    red = found["physics"]["red_spiral"]
    assert red.field.shape == (5, 1800)
    assert (red.places() < 0.01).mean() > 0.9


def test_a_field_of_other_models_is_told(tmp_path):
    pool = gather(read_store(write(tmp_path / "few")))
    field = read_store(write(tmp_path / "field"))
    field.info = replace(field.info, models=field.info.models[:1])
    with pytest.raises(StoreError, match="encode the field by the same runs"):
        search_field(pool, [field])
