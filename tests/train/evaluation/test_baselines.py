import numpy as np
import pandas as pd
import pytest

from pcvae.cutouts import read_sample
from train.evaluation.aperture_photometry import EDGES, annular_colours, ring_means


@pytest.mark.parametrize("size", [32, 33])
def test_rings_of_a_flat_picture_are_flat(size):
    flux = np.full((2, 3, size, size), 0.25, np.float32)
    inside = ring_means(flux)
    assert inside.shape == (2, 3, len(EDGES) - 1)
    assert set(np.round(np.unique(inside), 6)) <= {0.0, 0.25}


def test_a_turned_galaxy_has_the_same_rings():
    flux = np.random.default_rng(0).random((4, 3, 64, 64)).astype(np.float32)
    turned = np.ascontiguousarray(np.rot90(flux, axes=(2, 3)))
    np.testing.assert_allclose(ring_means(flux), ring_means(turned), rtol=1e-5)


def test_features_go_to_their_own_galaxy(sample):
    opened = read_sample(sample.folder)
    ids = opened.catalog["id"]
    forward = annular_colours([opened], ids)
    backward = annular_colours([opened], ids[::-1].reset_index(drop=True))
    np.testing.assert_array_equal(forward[::-1], backward)
    assert np.isnan(annular_colours([opened], pd.Series(["nobody"]))).all()


def test_rings_tell_a_redder_galaxy(sample):
    bright = ring_means(sample.pixels(slice(0, len(sample))))[:, :, 2]
    redshift = sample.catalog["redshift"]
    assert np.corrcoef(np.log(bright[:, 2] / bright[:, 0]), redshift)[0, 1] > 0.8
