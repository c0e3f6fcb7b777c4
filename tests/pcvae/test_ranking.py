"""Scores of a ranking."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from pcvae import ranking


def test_recall_at_a_rate_is_a_point_of_the_roc_curve():
    rng = np.random.default_rng(5)
    rare = np.arange(2000) < 200
    scores = rng.normal(size=2000) + 1.5 * rare
    rate, recall, _ = roc_curve(rare, scores, drop_intermediate=False)
    expected = recall[rate <= 0.01].max()
    assert ranking.recall_at(scores, rare, 0.01) == pytest.approx(expected)


def test_a_perfect_ranking_has_perfect_scores():
    rare = np.arange(100) < 10
    scores = -np.arange(100.0)
    assert ranking.average_precision(scores, rare) == pytest.approx(1)
    assert ranking.precision_at(scores, rare, 10) == 1
    assert ranking.precision_at(scores, rare, 20) == 0.5
    assert ranking.recall_at(scores, rare, 0.01) == 1


@pytest.mark.parametrize("rare", [np.zeros(5, bool), np.ones(5, bool), np.zeros(0, bool)])
def test_without_both_kinds_nothing_can_be_ranked(rare):
    assert np.isnan(ranking.average_precision(np.arange(len(rare)), rare))
    assert np.isnan(ranking.recall_at(np.arange(len(rare)), rare, 0.01))


def test_purity_is_what_counting_gives():
    """Of 1,000,000 galaxies 1,000 are rare: 940 found, and 49,950 others too."""
    assert ranking.purity(0.94, 0.05, 0.001) == pytest.approx(940 / (940 + 49_950))
    assert np.isnan(ranking.purity(0.0, 0.0, 0.001))


def test_another_base_rate_is_bayes_theorem():
    """Two normal distributions with known densities."""
    x = np.linspace(-3, 5, 9)
    rare, plain = np.exp(-((x - 2) ** 2) / 2), np.exp(-(x**2) / 2)
    trained, survey = 0.2, 0.001
    given = trained * rare / (trained * rare + (1 - trained) * plain)
    expected = survey * rare / (survey * rare + (1 - survey) * plain)
    np.testing.assert_allclose(ranking.at_base_rate(given, trained, survey), expected, rtol=1e-9)
