"""Cross-validated recall and false-positive rates."""

import numpy as np
import pytest

from pcvae.anomaly import (
    NORMAL,
)
from pcvae.trials import paper_trials, repeated_folds, wilson_interval
from tests.pcvae.classes import galaxies


def test_the_wilson_interval_is_that_of_the_textbook():
    """Values of Newcombe (1998), Statistics in Medicine 17, 857, table I."""
    np.testing.assert_allclose(wilson_interval(81, 263), (0.2553, 0.3662), atol=1e-4)
    np.testing.assert_allclose(wilson_interval(0, 20), (0.0, 0.1611), atol=1e-4)
    np.testing.assert_allclose(wilson_interval(1, 29), (0.0061, 0.1718), atol=1e-4)


def test_a_share_of_nothing_has_no_interval():
    assert np.isnan(wilson_interval(0, 0)).all()


def test_the_paper_tests_a_fifth_of_each_class_five_times():
    trials = paper_trials(*galaxies())
    assert trials.classes == (NORMAL, "green", "red")
    np.testing.assert_array_equal(trials.confusion().sum(axis=2), [[80, 2, 12]] * 5)


def test_folds_test_every_galaxy_once_a_repeat():
    values, classes = galaxies()
    trials = repeated_folds(values, classes, folds=5, repeats=2)
    rows = np.concatenate([test.rows for test in trials.tests])
    np.testing.assert_array_equal(np.bincount(rows, minlength=len(values)), 2)
    for test in trials.tests:
        np.testing.assert_array_equal(np.array(trials.classes)[test.truth], classes[test.rows])


@pytest.mark.parametrize("judge", [paper_trials, repeated_folds])
def test_classes_far_apart_are_found_without_false_alarms(judge):
    rates = judge(*galaxies(apart=9.0)).rates("red")
    assert rates.recall > 0.95
    assert rates.false_positive_rate < 0.01
    assert rates.hits <= rates.members


@pytest.mark.parametrize("judge", [paper_trials, repeated_folds])
def test_indistinguishable_classes_are_found_by_chance_only(judge):
    """Were SMOTE to see the test galaxies, their synthetic twins would be recognised."""
    rates = judge(*galaxies(apart=0.0, normal=600, red=100)).rates("red")
    assert abs(rates.recall - rates.false_positive_rate) < 0.15


def test_rates_are_means_over_trials_of_the_row_normalised_confusion():
    trials = paper_trials(*galaxies(apart=2.0))
    counts = trials.confusion()
    shares = counts / counts.sum(axis=2, keepdims=True)
    rates = trials.rates("red")
    assert rates.recall == pytest.approx(shares[:, 2, 2].mean())
    assert rates.false_positive_rate == pytest.approx(shares[:, 0, 2].mean())
    assert rates.false_positive_rate_std == pytest.approx(shares[:, 0, 2].std())
    assert rates.members == 60


def test_a_class_smaller_than_the_folds_still_has_rates():
    rates = repeated_folds(*galaxies(green=2), folds=5, repeats=2).rates("green")
    assert rates.members == 4
    assert 0 <= rates.recall <= 1


def test_trials_depend_on_their_seed_only():
    values, classes = galaxies(apart=2.0)
    counts = [paper_trials(values, classes, seed).confusion() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(counts[0], counts[1])
    assert (counts[0] != counts[2]).any()


def test_a_class_of_one_is_left_out_and_says_why():
    trials = paper_trials(*galaxies(green=1))
    assert trials.classes == (NORMAL, "red")
    assert "2 are needed" in trials.left_out["green"]


def test_without_rare_galaxies_there_are_no_trials():
    trials = repeated_folds(*galaxies(red=0, green=0))
    assert trials.tests == ()
    assert trials.confusion().shape == (0, 1, 1)
