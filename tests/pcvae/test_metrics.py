import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import r2_score

from pcvae import metrics
from pcvae.labels import LABELS, wrap_angle

NAMES = [label.name for label in LABELS]


@pytest.fixture
def pairs():
    """A label, an estimate with known noise, and the noise's sigma."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.1, 1.0, 2000)
    sigma = rng.uniform(0.02, 0.1, 2000)
    return truth, truth + sigma * rng.normal(size=2000), sigma


def test_r2_is_that_of_the_one_to_one_line(pairs):
    truth, estimate, _ = pairs
    assert metrics.r2(truth, estimate) == pytest.approx(r2_score(truth, estimate))


def test_r2_sees_a_bias_to_which_r2_linear_is_blind(pairs):
    truth, estimate, _ = pairs
    assert metrics.r2_linear(truth, 3 * estimate + 1) == pytest.approx(
        metrics.r2_linear(truth, estimate)
    )
    assert metrics.r2(truth, 3 * estimate + 1) < 0


@pytest.mark.parametrize("turn", [0.0, 0.7, 1.5])
def test_orientation_scores_do_not_change_when_all_is_turned(turn):
    rng = np.random.default_rng(1)
    truth = rng.normal(0.2, 0.3, 500)
    estimate = truth + rng.normal(0, 0.1, 500)
    for measure in (metrics.r2, metrics.r2_linear):
        plain = measure(truth, estimate, "orientation")
        turned = measure(wrap_angle(truth + turn), wrap_angle(estimate + turn), "orientation")
        assert turned == pytest.approx(plain)
        assert 0.7 < plain < 1


def test_the_circular_correlation_is_the_sum_over_pairs_that_defines_it():
    rng = np.random.default_rng(6)
    truth = rng.uniform(-np.pi / 2, np.pi / 2, 40)
    estimate = wrap_angle(truth + rng.normal(0, 0.3, 40))
    a, b = (np.sin(2 * (x[:, None] - x[None])) for x in (truth, estimate))
    expected = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    assert metrics.r2_linear(truth, estimate, "orientation") == pytest.approx(expected)


@pytest.mark.parametrize("scatter", [0.1, 0.3, 0.6])
def test_the_circular_correlation_is_to_the_mean_cosine_as_r2_is_to_the_correlation(scatter):
    rng = np.random.default_rng(7)
    truth = rng.uniform(-np.pi / 2, np.pi / 2, 20_000)
    estimate = wrap_angle(truth + rng.normal(0, scatter, 20_000))
    cosine = np.exp(-2 * scatter**2)  # the mean of cos(2 e)
    found = metrics.r2_linear(truth, estimate, "orientation")
    assert found == pytest.approx(cosine**2, abs=0.02)


def test_angles_on_both_sides_of_the_wrap_are_close():
    found = metrics.score([1.55, -1.55, 0.0], [-1.55, 1.55, 0.0], "orientation")
    assert found["mad"] < 0.05
    assert found["r2"] > 0.9


def test_a_gaussian_has_the_nmad_of_its_sigma():
    sample = np.random.default_rng(2).normal(5.0, 0.3, 100_000)
    assert metrics.nmad(sample) == pytest.approx(0.3, rel=0.02)


def test_redshift_errors_shrink_with_one_plus_z():
    assert metrics.scaled_errors([1.0], [1.2], "redshift") == pytest.approx(0.1)
    assert metrics.scaled_errors([1.0], [1.2], "log_mass") == pytest.approx(0.2)


def test_outliers_are_beyond_the_published_limit():
    assert metrics.score([0.0, 1.0], [0.16, 1.29], "redshift")["outlier_rate"] == 0.5


def test_least_squares_on_noise_is_attenuated():
    truth = np.random.default_rng(3).normal(size=500)
    assert metrics.attenuation(truth, 0.4 * truth + 2) == pytest.approx(0.4)


def test_crps_is_the_integral_that_defines_it():
    grid = np.linspace(-30, 30, 400_001)
    for error, sigma in ((0.0, 1.0), (1.3, 0.7), (-4.0, 2.0)):
        below = norm.cdf(grid, error, sigma)
        integral = np.sum((below - (grid >= 0)) ** 2) * (grid[1] - grid[0])
        assert metrics.crps([error] * 2, [sigma] * 2) == pytest.approx(integral, abs=1e-3)


def test_crps_is_least_for_the_true_sigma(pairs):
    truth, estimate, sigma = pairs
    best = metrics.crps(estimate - truth, sigma)
    assert best < metrics.crps(estimate - truth, sigma * 1.5)
    assert best < metrics.crps(estimate - truth, sigma / 1.5)


def test_right_sigmas_cover_what_they_claim(pairs):
    truth, estimate, sigma = pairs
    found = metrics.score(truth, estimate, "redshift", sigma)
    assert found["coverage68"] == pytest.approx(0.68, abs=0.03)
    assert found["coverage90"] == pytest.approx(0.90, abs=0.02)


def test_right_sigmas_have_a_uniform_pit(pairs):
    truth, estimate, sigma = pairs
    counts, _ = np.histogram(metrics.pit(estimate - truth, sigma), bins=10, range=(0, 1))
    np.testing.assert_allclose(counts / 2000, 0.1, atol=0.03)


def test_the_bootstrap_interval_holds_r2_and_narrows_with_more_galaxies(pairs):
    truth, estimate, _ = pairs
    low, high = metrics.r2_interval(truth, estimate)
    assert low < metrics.r2(truth, estimate) < high
    few = metrics.r2_interval(truth[:100], estimate[:100])
    assert few[1] - few[0] > 2 * (high - low)


def test_the_bootstrap_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(60, 200))
    estimate = truth + 0.5 * rng.normal(size=truth.shape)
    ends = [metrics.r2_interval(t, e, draws=200) for t, e in zip(truth, estimate, strict=True)]
    assert np.mean([low <= 0.75 <= high for low, high in ends]) > 0.85


def test_a_paired_gain_is_the_difference_of_the_two_r2(pairs):
    truth, estimate, sigma = pairs
    worse = estimate + 2 * np.random.default_rng(7).normal(size=2000) * sigma
    gain, low, high = metrics.r2_gain(truth, estimate, worse)
    assert gain == pytest.approx(metrics.r2(truth, estimate) - metrics.r2(truth, worse))
    assert 0 < low < gain < high


def test_nothing_is_gained_on_itself(pairs):
    truth, estimate, _ = pairs
    assert metrics.r2_gain(truth, estimate, estimate) == (0, 0, 0)
    assert np.isnan(metrics.r2_gain(truth, estimate, np.full(2000, np.nan))).all()


@pytest.mark.parametrize("name", NAMES)
def test_galaxies_without_label_or_estimate_do_not_count(name, pairs):
    truth, estimate, sigma = (one[:50].copy() for one in pairs)
    expected = metrics.score(truth[:40], estimate[:40], name, sigma[:40])
    truth[40:45], estimate[45:] = np.nan, np.nan
    assert metrics.score(truth, estimate, name, sigma) == expected
    assert expected["n"] == 40


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0, 1])
def test_fewer_than_two_galaxies_have_no_figures(name, size):
    found = metrics.score(np.zeros(size), np.ones(size), name, np.ones(size))
    assert found.pop("n") == size
    assert np.isnan(list(found.values())).all()
    assert tuple(found) == metrics.METRICS


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_label_has_no_r2_but_errors(name):
    found = metrics.score(np.full(5, 0.3), np.full(5, 0.4), name)
    assert np.isnan(found["r2"])
    assert np.isnan(found["low"])
    assert found["mad"] == pytest.approx(0.1)
