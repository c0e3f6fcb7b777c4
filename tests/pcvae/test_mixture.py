import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pcvae.mixture import Mixture, MixtureShape


def one(count, given=0):
    """A mixture of one Gaussian in 3 directions, the first two of which go together."""
    covariance = np.array([[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1.5]])
    return Mixture(np.ones(1), np.zeros((1, 3)), covariance[None], given, peak=0.0)


def test_of_one_gaussian_it_is_the_mahalanobis_distance_but_for_a_constant():
    mixture, x = one(1), np.array([[0, 0, 0], [1.0, -2.0, 0.5], [3.0, 3.0, 3.0]])
    squared = np.einsum("ni,ij,nj->n", x, np.linalg.inv(mixture.covariances[0]), x)
    found = mixture.surprise(x)
    np.testing.assert_allclose(3 * (found - found[0]), squared)


def test_a_given_direction_is_not_strange_by_itself():
    mixture = one(1, given=1)
    x = np.array([[4.0, 2.4, 0.0], [0.0, 2.4, 0.0]])
    alone = multivariate_normal(np.zeros(1), np.eye(1)).logpdf(x[:, :1])
    whole = multivariate_normal(np.zeros(3), mixture.covariances[0]).logpdf(x)
    np.testing.assert_allclose(mixture.surprise(x), -2 * (whole - alone) / 2)
    assert mixture.surprise(x)[0] < mixture.surprise(x)[1]


@pytest.fixture(scope="module")
def clumps():
    """1,000 galaxies in two clumps of one direction, with variance 1 over both."""
    rng = np.random.default_rng(0)
    centre = np.repeat([-1.0, 1.0], 500)
    white = np.stack([centre + 0.1 * rng.normal(size=1000), rng.normal(size=1000)], axis=1)
    return white, Mixture.fit(white, MixtureShape(2, 5))


def test_between_two_clumps_is_stranger_than_within_them(clumps):
    _, mixture = clumps
    assert len(mixture.weights) == 2  # of at least 500 galaxies each
    between, within, outside = mixture.surprise(np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]]))
    assert within < 0.2 < between < outside


def test_nothing_is_nearer_than_the_densest_training_galaxy(clumps):
    white, mixture = clumps
    assert mixture.surprise(white).min() == 0
    assert np.isnan(mixture.surprise(np.array([[np.nan, 0.0]]))).all()


def test_it_is_read_from_its_arrays(clumps):
    white, mixture = clumps
    again = Mixture.of(mixture.arrays())
    np.testing.assert_array_equal(again.surprise(white), mixture.surprise(white))
