"""How far labels can be trusted: the figures, and what is said to be off."""

import numpy as np
import pytest

from pcvae.metrics import score
from pcvae.trust import is_biased, is_overconfident, label_trust


def drawn(n, shift=0.0, claimed=0.1, seed=0, name="log_mass"):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.1, 0.5, n)
    return label_trust(truth, truth + rng.normal(shift, 0.1, n), np.full(n, claimed), name)


@pytest.mark.parametrize("name", ["redshift", "log_mass", "orientation"])
def test_the_figures_are_those_of_the_metrics(name):
    rng = np.random.default_rng(1)
    truth, estimate = rng.uniform(0, 1, (2, 50))
    truth[3], sigma = np.nan, rng.uniform(0.1, 0.3, 50)
    found = label_trust(truth, estimate, sigma, name)
    expected = score(truth, estimate, name, sigma, draws=0)
    for key in ("n", "bias", "nmad", "outlier_rate", "coverage68", "coverage90"):
        assert getattr(found, key) == pytest.approx(expected[key])


def test_what_is_right_is_not_said_to_be_off():
    found = [drawn(n, seed=seed) for n in (10, 100, 1000) for seed in range(100)]
    assert sum(map(is_biased, found)) <= 1
    assert sum(map(is_overconfident, found)) <= 1


@pytest.mark.parametrize(
    ("n", "shift", "biased"),
    [(100, 0.08, True), (100, -0.08, True), (9, 0.3, False), (10_000, 0.02, False)],
)
def test_a_bias_is_said_if_it_is_certain_and_not_small(n, shift, biased):
    assert is_biased(drawn(n, shift)) == biased


def test_sigmas_that_are_too_small_are_said():
    assert is_overconfident(drawn(100, claimed=0.05))
    assert not is_overconfident(drawn(9, claimed=0.05))
    assert not is_overconfident(drawn(100, claimed=0.3))


def test_nothing_is_said_of_what_is_not_known():
    found = label_trust([np.nan] * 20, [0.1] * 20, [0.1] * 20, "redshift")
    assert found.n == 0
    assert np.isnan(found[1:]).all()
    assert not is_biased(found)
    assert not is_overconfident(found)
