import numpy as np
import pytest
from scipy.spatial.distance import cdist

from pcvae.errors import ShapeError
from pcvae.neighbours import Neighbours, block_whitening, changed_share, whitening


@pytest.fixture
def latents():
    """300 galaxies on correlated axes of very different scales."""
    rng = np.random.default_rng(0)
    mix = np.array([[1.0, 0.9, 0.0], [0.0, 0.4, 0.0], [0.0, 0.0, 30.0]])
    return rng.normal(size=(300, 3)) @ mix


def test_whitened_latents_have_unit_covariance(latents):
    white = latents @ whitening(latents)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(3), atol=1e-9)


def test_whitened_distances_are_mahalanobis_distances(latents):
    inverse = np.linalg.inv(np.cov(latents.T, bias=True))
    brute = cdist(latents[:5], latents, "mahalanobis", VI=inverse)
    brute[np.arange(5), np.arange(5)] = np.inf
    rows, distances = Neighbours(latents).query(np.arange(5), 10)
    np.testing.assert_array_equal(rows, np.argsort(brute, axis=1)[:, :10])
    np.testing.assert_allclose(distances, np.sort(brute, axis=1)[:, :10])


def test_neighbours_do_not_depend_on_the_latents_units(latents):
    rows, _ = Neighbours(latents).query(np.arange(300), 5)
    scaled, _ = Neighbours(latents * [1e-3, 5.0, 1e4] + 7).query(np.arange(300), 5)
    np.testing.assert_array_equal(rows, scaled)


def test_unscaled_distances_are_euclidean(latents):
    rows, distances = Neighbours(latents, whiten=False).query(3, 4)
    np.testing.assert_allclose(distances, np.linalg.norm(latents[rows] - latents[3], axis=1))


def test_a_galaxy_is_never_its_own_neighbour_even_among_twins():
    values = np.repeat([[0.0, 0.0], [1.0, 2.0]], 20, axis=0)
    rows, distances = Neighbours(values).query(np.arange(40), 5)
    assert rows.shape == (40, 5)
    assert (rows != np.arange(40)[:, None]).all()
    np.testing.assert_allclose(distances, 0)


def test_a_point_where_a_galaxy_is_finds_that_galaxy_first(latents):
    rows, distances = Neighbours(latents).query(latents[8], 3)
    assert rows[0] == 8
    assert distances[0] == pytest.approx(0, abs=1e-6)


def test_asking_for_more_than_there_are_gives_all_the_others(latents):
    rows, _ = Neighbours(latents[:4]).query(1, 10)
    assert sorted(rows) == [0, 2, 3]


def test_only_galaxies_among_the_asked_are_found(latents):
    among = np.arange(300) % 7 == 0
    rows, _ = Neighbours(latents).query(np.arange(20), 6, among)
    assert (rows % 7 == 0).all()
    assert (rows != np.arange(20)[:, None]).all()


def test_a_query_with_fewer_neighbours_is_filled_up_at_infinity(latents):
    among = np.zeros(300, dtype=bool)
    among[:3] = True
    rows, distances = Neighbours(latents).query([0, 9], 5, among)
    assert rows.shape == (2, 3)
    assert rows[0, 2] == -1
    assert np.isinf(distances[0, 2])
    assert (rows[1] >= 0).all()


def test_galaxies_with_nan_neither_have_nor_are_neighbours(latents):
    latents[[2, 5], 1] = np.nan
    near = Neighbours(latents)
    assert near.query(2, 5)[0].size == 0
    rows, _ = near.query(np.arange(300), 10)
    assert not np.isin(rows, [2, 5]).any()


def test_a_constant_latent_changes_nothing(latents):
    rows, _ = Neighbours(latents).query(np.arange(50), 5)
    flat = np.column_stack([latents, np.full(300, 0.1)])
    np.testing.assert_array_equal(Neighbours(flat).query(np.arange(50), 5)[0], rows)


@pytest.mark.parametrize("count", [0, 1])
def test_no_or_one_galaxy_has_no_neighbours(count):
    near = Neighbours(np.zeros((count, 3)))
    assert near.query(np.arange(count), 5)[0].shape == (count, 0)


def test_points_of_another_dimension_are_refused(latents):
    with pytest.raises(ShapeError, match="3 latents, found 2"):
        Neighbours(latents).query([0.0, 1.0], 3)


def test_blocks_are_whitened_by_themselves_and_weigh_alike():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(5000, 6)) @ rng.normal(size=(6, 6))
    points = Neighbours(values, blocks=(2, 4)).points
    parts = [Neighbours(values[:, :2]).points, Neighbours(values[:, 2:]).points]
    expected = np.hstack([parts[0] * np.sqrt(6 / 2 / 2), parts[1] * np.sqrt(6 / 2 / 4)])
    np.testing.assert_allclose(points, expected)
    np.testing.assert_allclose(Neighbours(values, blocks=(6,)).points, Neighbours(values).points)


@pytest.fixture
def wide():
    """200 galaxies with 80 numbers each, of which a few hold nearly all of the variance."""
    rng = np.random.default_rng(1)
    return (rng.normal(size=(200, 80)) * np.geomspace(10, 0.01, 80)).astype(np.float32)


def test_a_wide_embedding_keeps_its_own_distances(wide):
    """Whitening 80 axes of 200 galaxies would leave noise: all would be as far from each other."""
    brute = cdist(wide, wide)
    np.fill_diagonal(brute, np.inf)
    rows, distances = Neighbours(wide).query(np.arange(200), 5)
    np.testing.assert_array_equal(rows, np.argsort(brute, axis=1)[:, :5])
    scale = np.sqrt(80 / wide.var(axis=0).sum())
    np.testing.assert_allclose(distances, scale * np.sort(brute, axis=1)[:, :5], rtol=1e-4)


def test_a_wide_embedding_weighs_as_much_as_what_stands_beside_it(wide):
    beside = np.random.default_rng(2).normal(size=(200, 4)) * 1e3
    matrix = block_whitening(np.hstack([wide, beside]), (80, 4))
    spread = (np.hstack([wide, beside]) @ matrix).var(axis=0)
    assert spread[:80].sum() == pytest.approx(spread[80:].sum(), rel=1e-3)


def test_a_wide_embedding_may_lack_vectors_and_be_asked_for_more_than_there_are(wide):
    wide[7, 3] = np.nan
    near = Neighbours(wide, blocks=(80,))
    assert not (near.query(np.arange(200), 199)[0] == 7).any()
    assert len(near.query(7, 5)[0]) == 0
    among = np.arange(200) < 3
    assert sorted(near.query(5, 10, among)[0]) == [0, 1, 2]
    assert len(near.query(5, 10, np.zeros(200, bool))[0]) == 0
    assert len(near.query(wide[5].astype(float), 4)[0]) == 4


def test_the_share_of_near_ones_that_changed_is_that_of_their_sets():
    rng = np.random.default_rng(4)
    tables = [rng.normal(size=(60, 3)) for _ in range(2)]
    tables[1][7] = np.nan
    first, second = map(Neighbours, tables)
    rows = np.array([3, 7, 59])
    found = changed_share(first, second, rows, k=6)
    near = [[set(space.query(row, 6)[0]) for space in (first, second)] for row in rows]
    expected = [1 - len(one & other) / 6 for one, other in near]
    np.testing.assert_allclose(found[[0, 2]], [expected[0], expected[2]], rtol=1e-6)
    assert np.isnan(found[1])
    assert changed_share(first, first, [3], k=6) == 0
    assert changed_share(first, first, [3], k=100) == 0
