from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pcvae.catalog import complete
from pcvae.dataset import LabelConfig, assign_split, latent_space, measure_labels, orientation_of
from pcvae.errors import SettingsError
from pcvae.labels import angle_difference
from pcvae.recipes import RECIPES

PAPER, DEFAULT = RECIPES["paper"].labels, RECIPES["default"].labels


@pytest.fixture
def catalog():
    rng = np.random.default_rng(0)
    n = 50
    table = {
        "id": [f"g{i}" for i in range(n)],
        "redshift": rng.uniform(0, 1, n), "redshift_err": rng.uniform(1e-5, 1e-1, n),
        "log_mass": rng.normal(10, 1, n), "log_mass_err": rng.uniform(1e-5, 1, n),
        "log_sfr": rng.normal(0, 1, n), "log_sfr_err": rng.uniform(1e-5, 1, n),
        "orientation": rng.uniform(-1.5, 1.5, n), "orientation_err": rng.uniform(0.01, 1, n),
        "axis_ratio": rng.uniform(0.2, 1, n),
    }  # fmt: skip
    return complete(pd.DataFrame(table), ["g", "r", "z"])


def test_the_split_has_its_shares():
    ids = [str(i) for i in range(20_000)]
    names, counts = np.unique(assign_split(ids, ["field"] * 20_000, (), 0), return_counts=True)
    shares = dict(zip(names, counts / 20_000, strict=True))
    assert shares == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.01)


def test_a_galaxy_keeps_its_split_when_others_come_or_go():
    ids = [str(i) for i in range(100)]
    whole = assign_split(ids, ["field"] * 100, (), 3)
    assert (assign_split(ids[::-2], ["field"] * 50, (), 3) == whole[::-2]).all()
    assert (assign_split(ids, ["field"] * 100, (), 4) != whole).any()


def test_held_out_populations_never_train():
    split = assign_split(["a", "b", "c"], ["field", "green_pea", "point_source"],
                         ("green_pea", "point_source"), 0)  # fmt: skip
    assert split[1:].tolist() == ["held_out"] * 2
    assert split[0] != "held_out"


def test_the_paper_ties_four_latents_and_leaves_one(catalog):
    space = latent_space(catalog, PAPER, 5)
    assert space.names == ["orientation", "redshift", "log_mass", "log_sfr", "free_0"]
    assert (space.tied, space.mean, space.scale) == (4, (0.0,) * 5, (1.0,) * 5)


def test_the_baseline_ties_none(catalog):
    space = latent_space(catalog, None, 5)
    assert space.names == [f"latent_{i}" for i in range(5)]
    assert (space.tied, space.orientation) == (0, "")


def test_standardised_labels_have_mean_0_and_deviation_1(catalog):
    space = latent_space(catalog, DEFAULT, 5)
    truth = measure_labels(catalog, space.names[: space.tied], DEFAULT).truth
    network = (truth - space.mean[: space.tied]) / space.scale[: space.tied]
    assert network[:, 2:].mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert network[:, 2:].std(axis=0) == pytest.approx(1)


def test_published_errors(catalog):
    """SCIENCE: floor 1e-3, the redshift's fixed at 1e-3, the orientation's 0.1 rad."""
    names = ["orientation", "redshift", "log_mass", "log_sfr"]
    sigma = measure_labels(catalog, names, PAPER).sigma
    assert (sigma[:, 0] == 0.1).all()
    assert (sigma[:, 1] == 1e-3).all()
    assert sigma[:, 2] == pytest.approx(np.maximum(catalog["log_mass_err"], 1e-3))


@pytest.mark.parametrize("config", [PAPER, DEFAULT])
def test_a_missing_error_never_means_a_huge_weight(catalog, config):
    names = latent_space(catalog, config, 5).names
    names = [name for name in names if not name.startswith("free")]
    floor = measure_labels(catalog, names, config).sigma.min()
    for error in (np.nan, 0.0, -99.0):
        sigma = measure_labels(catalog.assign(log_sfr_err=error), names, config).sigma[:, -1]
        assert (sigma == 0.3).all()
        assert floor < 0.3


def test_given_errors_are_the_catalogues(catalog):
    """Without a floor: what is judged by them should not pass for the labels' fault."""
    given = replace(DEFAULT, errors="given")
    catalog.loc[2, ["log_mass_err", "orientation_err"]] = np.nan
    sigma = measure_labels(catalog, ["e_cos", "e_sin", "log_mass"], given).sigma
    e = (1 - catalog["axis_ratio"]) / (1 + catalog["axis_ratio"])
    expected = (2 * e * catalog["orientation_err"]).fillna(0)
    assert sigma[:, 0] == pytest.approx(expected)
    assert sigma[:, 1] == pytest.approx(expected)
    assert sigma[:, 2] == pytest.approx(catalog["log_mass_err"].fillna(0))


def test_an_unknown_label_is_unknown_in_truth_and_error(catalog):
    catalog.loc[3, ["orientation", "redshift"]] = np.nan
    catalog.loc[4, "axis_ratio"] = np.nan
    names = ["e_cos", "e_sin", "redshift"]
    truth, sigma = measure_labels(catalog, names, DEFAULT)
    assert np.isnan(truth[3]).all()
    assert np.isnan(sigma[3]).all()
    assert np.isnan(truth[4]).tolist() == [True, True, False]


def test_the_angle_comes_back_from_the_ellipticity(catalog):
    truth = measure_labels(catalog, ["e_cos", "e_sin"], DEFAULT).truth
    angle, sigma = orientation_of(truth, np.full_like(truth, 0.01))
    assert angle_difference(angle, catalog["orientation"]) == pytest.approx(0, abs=1e-9)
    e = np.hypot(*truth.T)
    assert sigma == pytest.approx(np.minimum(0.01 / (2 * e), np.pi / np.sqrt(12)))


def test_a_round_galaxy_has_no_angle():
    _, sigma = orientation_of(np.zeros((1, 2)), np.full((1, 2), 0.05))
    assert sigma == pytest.approx(np.pi / np.sqrt(12))


def test_a_factor_widens_the_angles_error_but_not_beyond_knowing_nothing():
    shape, spread = np.array([[0.5, 0.0], [0.01, 0.0]]), np.full((2, 2), 0.05)
    _, sigma = orientation_of(shape, spread, factor=2)
    assert sigma == pytest.approx([0.1, np.pi / np.sqrt(12)])


def test_too_few_latents_are_refused(catalog):
    with pytest.raises(SettingsError, match="at least 4 latents"):
        latent_space(catalog, PAPER, 3)


def test_an_unknown_form_of_labels_is_refused():
    with pytest.raises(SettingsError, match="phi or ellipticity"):
        LabelConfig(angle="degrees")
