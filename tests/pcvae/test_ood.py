from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from pcvae.errors import RunError
from pcvae.mixture import MixtureShape
from pcvae.ood import LEARNT, OodScore, grown_sigma, unlike

SHAPES = [LEARNT, LEARNT]


@pytest.fixture
def features():
    """2,000 galaxies on correlated features of very different scales; two blocks of 2 and 3."""
    rng = np.random.default_rng(0)
    mix = np.eye(5)
    mix[0, 1], mix[3, 4] = 0.9, -0.5
    return rng.normal(size=(2000, 5)) @ mix * [1, 1, 100, 1, 0.01] + [0, 5, 0, 0, 0]


@pytest.fixture
def score(features):
    return OodScore.fit(features[:1000], [0, 2, 5], features[1000:], SHAPES)


def test_distances_are_sums_of_the_blocks_surprise(features, score):
    expected = np.zeros(1000)
    for place, block in enumerate((slice(0, 2), slice(2, 5))):
        centred = features[1000:, block] - features[:1000, block].mean(axis=0)
        expected += score.mixtures[place].surprise(centred @ score.whiten[place])
    np.testing.assert_allclose(score.distance(features[1000:]) ** 2, expected)


def test_only_the_leading_directions_count(features):
    """The first two features go together: what is kept of them is their sum."""
    shapes = [MixtureShape(1, 1), MixtureShape(2, 1)]
    score = OodScore.fit(features[:1000], [0, 2, 5], features[1000:], shapes)
    assert [matrix.shape[1] for matrix in score.whiten] == [1, 2]
    spread = features.std(axis=0) * [3, 3, 0, 0, 0]
    moved = features.mean(axis=0) + spread * np.array([[0] * 5, [1] * 5, [1, -1, 0, 0, 0]])
    none, along, across = score.distance(moved)
    assert along > 2
    assert across == pytest.approx(none, abs=0.2)


def test_scores_of_earlier_versions_are_mahalanobis_distances(features, score):
    score = replace(score, mixtures=())
    assert not score.measured
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


@pytest.mark.parametrize("varying", [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
def test_features_without_scatter_count_nothing(features, varying):
    constant = features * varying
    score = OodScore.fit(constant, [0, 2, 5], constant, SHAPES)
    distance = score.distance(constant)
    assert np.isfinite(distance).all()
    assert distance.std() > 0.1


def test_a_galaxy_that_is_not_known_has_no_share(features, score):
    features[0, 0] = np.nan
    assert np.isnan(score.share(score.distance(features[:1]))).all()


@pytest.mark.parametrize("earlier", [False, True])
def test_a_score_is_read_as_it_was_written(features, score, tmp_path, earlier):
    score = replace(score, mixtures=()) if earlier else score
    score.write(tmp_path)
    again = OodScore.read(tmp_path)
    np.testing.assert_allclose(
        again.distance(features), score.distance(features), rtol=1e-3, atol=1e-4
    )
    assert again.starts == score.starts
    assert again.measured == (not earlier)
    (tmp_path / "ood.safetensors").write_bytes(b"broken")
    with pytest.raises(RunError, match="is broken"):
        OodScore.read(tmp_path)
    (tmp_path / "ood.safetensors").unlink()
    assert OodScore.read(tmp_path) is None


@pytest.mark.parametrize("lost", ["mixture_1_means", "mixture_0_weights", "whiten_1"])
def test_a_score_that_lacks_a_part_is_broken(score, tmp_path, lost):
    score.write(tmp_path)
    path = tmp_path / "ood.safetensors"
    path.write_bytes(save({k: v for k, v in load_file(path).items() if k != lost}))
    with pytest.raises(RunError, match="is broken"):
        OodScore.read(tmp_path)


@pytest.mark.parametrize("count", [0, 5, 19])
def test_few_galaxies_are_not_judged(count):
    assert unlike(np.ones(count)) is None


def test_sigmas_grow_beyond_four_fifths_of_the_reference_up_to_the_labels_spread(score):
    start = np.interp(0.8, np.linspace(0, 1, len(score.quantiles)), score.quantiles)
    excess = score.excess(start * np.array([0.5, 1.0, 1.1, 9.0, np.nan]))
    np.testing.assert_allclose(excess, [0, 0, 0.1, 8, 0], atol=1e-12)
    grown = grown_sigma(np.full((5, 2), 0.3), np.array([0.0, 4.0]), excess)
    np.testing.assert_array_equal(grown[:, 0], 0.3)
    np.testing.assert_allclose(grown[:, 1], [0.3, 0.3, 0.5, np.hypot(0.3, 1), 0.3])


def test_sigmas_of_earlier_versions_grow_by_a_factor_up_to_a_limit(score):
    start = np.interp(0.8, np.linspace(0, 1, len(score.quantiles)), score.quantiles)
    grown = score.growth(start * np.array([0.5, 1.0, 1.2, 9.0, np.nan]))
    np.testing.assert_allclose(grown, [1, 1, 1.44, 2.5, 1])
