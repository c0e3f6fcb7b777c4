import numpy as np
import pytest

from pcvae.errors import RunError
from pcvae.ood import OodScore, unlike


@pytest.fixture
def features():
    """2,000 galaxies on correlated features of very different scales; two blocks of 2 and 3."""
    rng = np.random.default_rng(0)
    mix = np.eye(5)
    mix[0, 1], mix[3, 4] = 0.9, -0.5
    return rng.normal(size=(2000, 5)) @ mix * [1, 1, 100, 1, 0.01] + [0, 5, 0, 0, 0]


@pytest.fixture
def score(features):
    return OodScore.fit(features[:1000], [0, 2, 5], features[1000:])


def test_distances_are_mahalanobis_distances_of_each_block(features, score):
    expected = np.zeros(1000)
    for block in (slice(0, 2), slice(2, 5)):
        train = features[:1000, block]
        centred = features[1000:, block] - train.mean(axis=0)
        inverse = np.linalg.inv(np.cov(train.T, bias=True))
        size = train.shape[1]
        expected += np.einsum("ni,ij,nj->n", centred, inverse, centred) / size
    np.testing.assert_allclose(score.distance(features[1000:]), np.sqrt(expected), rtol=0.01)


def test_the_shares_of_ordinary_galaxies_are_even(features, score):
    share = score.share(score.distance(features[1000:]))
    np.testing.assert_allclose(np.sort(share), np.linspace(0, 1, 1000), atol=2e-3)
    assert unlike(share) is None


def test_what_lies_outside_is_farther_than_all_and_said(features, score):
    """The second differs in no feature alone, only in how two go together."""
    far = features[1000:1100] + np.array([10, 0, 0, 0, 0])
    odd = np.tile([2.0, 5.0 - 2.0, 0, 0, 0], (50, 1))
    for strange in (far, odd):
        share = score.share(score.distance(strange))
        assert share.min() > 0.98
        assert unlike(share) > 0.9


def test_a_feature_without_scatter_counts_nothing(features):
    constant = features * [1, 1, 1, 1, 0]
    score = OodScore.fit(constant, [0, 5], constant)
    assert np.isfinite(score.distance(constant)).all()


def test_a_galaxy_that_is_not_known_has_no_share(features, score):
    features[0, 0] = np.nan
    assert np.isnan(score.share(score.distance(features[:1]))).all()


def test_a_score_is_read_as_it_was_written(features, score, tmp_path):
    score.write(tmp_path)
    again = OodScore.read(tmp_path)
    np.testing.assert_allclose(
        again.distance(features), score.distance(features), rtol=1e-3, atol=1e-4
    )
    assert again.starts == score.starts
    (tmp_path / "ood.safetensors").write_bytes(b"broken")
    with pytest.raises(RunError, match="is broken"):
        OodScore.read(tmp_path)
    (tmp_path / "ood.safetensors").unlink()
    assert OodScore.read(tmp_path) is None


@pytest.mark.parametrize("count", [0, 5, 19])
def test_few_galaxies_are_not_judged(count):
    assert unlike(np.ones(count)) is None


def test_sigmas_grow_beyond_four_fifths_of_the_reference_up_to_a_limit(features, score):
    start = np.interp(0.8, np.linspace(0, 1, len(score.quantiles)), score.quantiles)
    grown = score.growth(start * np.array([0.5, 1.0, 1.2, 9.0, np.nan]))
    np.testing.assert_allclose(grown, [1, 1, 1.44, 2.5, 1])
