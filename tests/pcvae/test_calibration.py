"""Factors and tilts of sigmas."""

import numpy as np
import pytest
from scipy.stats import norm

from pcvae import calibration, metrics


@pytest.mark.parametrize("wrong", [0.2, 1.0, 5.0])
def test_the_factor_mends_sigmas_and_leaves_the_labels_own_errors_alone(wrong):
    rng = np.random.default_rng(0)
    sigma, noise = rng.uniform(0.1, 1, (2, 20_000))
    plain = rng.normal(0, np.hypot(sigma, noise))
    factor = calibration.sigma_factor(plain, sigma * wrong, noise)
    assert factor == pytest.approx(1 / wrong, rel=0.05)
    mended = np.hypot(factor * wrong * sigma, noise)
    assert metrics.coverage(plain, mended, 0.9) == pytest.approx(0.9, abs=0.002)


@pytest.mark.parametrize(("count", "covered"), [(20, 19), (48, 45), (99, 90), (585, 528)])
def test_the_factor_covers_just_as_many_as_split_conformal_prediction_asks_for(count, covered):
    plain = np.random.default_rng(0).permutation(np.arange(1, count + 1)) / count
    factor = calibration.sigma_factor(plain, np.ones(count), np.zeros(count))
    inside = plain <= norm.ppf(0.95) * factor * (1 + 1e-3)
    assert inside.sum() == covered == np.ceil(0.9 * (count + 1))


def test_the_factor_is_1_for_few_and_bounded_for_hopeless_sigmas():
    assert calibration.sigma_factor(np.ones(19), np.ones(19), np.zeros(19)) == 1
    assert calibration.sigma_factor(np.ones(50), np.full(50, 1e-9), np.zeros(50)) == pytest.approx(
        20
    )
    small = calibration.sigma_factor(np.full(50, 1e-9), np.ones(50), np.ones(50))
    assert small == pytest.approx(1 / 20)


def test_a_tilt_widens_the_intervals_where_the_errors_grow():
    rng = np.random.default_rng(0)
    estimate = rng.normal(size=4000)
    spread = 0.2 * np.exp(0.3 * estimate)
    plain = rng.normal(0, spread)
    tilt, factor = calibration.sigma_tilt(plain, 0.1, 0.0, estimate)
    assert tilt == pytest.approx(0.3, abs=0.1)
    assert factor == pytest.approx(2, rel=0.06)


def test_a_tilt_mends_what_the_pull_towards_the_mean_spoils():
    """Estimates of large values are too low: at no estimate, but at the upper end of the label."""
    rng = np.random.default_rng(1)
    truth = rng.gamma(2.0, 0.5, size=20_000)
    estimate = truth.mean() + 0.5 * (truth - truth.mean()) + rng.normal(0, 0.15, truth.shape)
    plain, top = estimate - truth, truth > np.quantile(truth, 0.75)
    x = (estimate - truth.mean()) / truth.std()
    tilt, factor = calibration.sigma_tilt(plain / truth.std(), 0.2, 0.0, x)
    sigma = factor * 0.2 * np.exp(tilt * x) * truth.std()
    flat, exact = np.full(truth.shape, 0.2), np.zeros(truth.shape)
    flat = calibration.sigma_factor(plain, flat, exact) * flat
    assert metrics.coverage(plain, sigma, 0.9) == pytest.approx(0.9, abs=0.01)
    apart = [abs(metrics.coverage(plain[top], one[top], 0.9) - 0.9) for one in (flat, sigma)]
    assert apart[1] < apart[0] / 2


def test_too_few_galaxies_tilt_nothing():
    rng = np.random.default_rng(2)
    tilt, factor = calibration.sigma_tilt(rng.normal(size=79), 0.5, 0.0, rng.normal(size=79))
    assert tilt == 0
    assert factor == pytest.approx(2, rel=0.3)
