"""Cutouts of one large image have the network images that each has alone."""

import numpy as np
import pytest
import torch

from pcvae.errors import SettingsError, ShapeError
from pcvae.preprocess import Stretch
from pcvae.sky_stretch import SkyStretch

BANDS = ("g", "r", "z")
SCALE, NOISE = (0.5, 1.0, 2.0), (0.01, 0.02, 0.04)
STRETCHES = {
    "paper": Stretch(BANDS, SCALE, 13),
    "default": Stretch(BANDS, SCALE, 12, 10.0, "area", True, (0, 1, 2), 9, NOISE),
    "turned": Stretch(BANDS, SCALE, 12, 10.0, "area", True, (2, 0, 1), 10, NOISE),
    "bicubic with a core": Stretch(BANDS, SCALE, 17, order=(0, 2, 1), core=8, noise=NOISE),
}
PLACES = np.array([[0, 5], [7, 0], [30, 36], [21, 12], [8, 9]])  # rows and columns
N = 24  # px


@pytest.fixture(scope="module")
def flux():
    return np.random.default_rng(0).gamma(0.3, 0.3, (3, 54, 61)).astype(np.float32) - 0.02


def alone(flux, stretch, factors):
    cutouts = np.stack([flux[:, y : y + N, x : x + N] for y, x in PLACES])
    cutouts = (cutouts * factors[..., None, None]).astype(np.float32)
    return stretch(torch.tensor(cutouts)), stretch.cut_core(torch.tensor(cutouts))


@pytest.mark.parametrize("name", STRETCHES)
@pytest.mark.parametrize("corrected", [False, True])
def test_slices_are_the_images_of_the_cutouts(flux, name, corrected):
    stretch = STRETCHES[name]
    factors = np.random.default_rng(1).uniform(1, 1.5, (5, 3)) if corrected else np.ones((5, 3))
    sky = SkyStretch(flux, stretch, N, corrected=corrected)
    found = sky.images(PLACES, factors if corrected else None)
    for ours, expected in zip(found, alone(flux, stretch, factors), strict=True):
        np.testing.assert_allclose(ours.numpy(), expected.numpy(), atol=2e-6, rtol=2e-6)


def test_a_cutout_across_the_edge_is_refused(flux):
    sky = SkyStretch(flux, STRETCHES["paper"], N)
    with pytest.raises(ShapeError, match="row 31, column 0"):
        sky.images([[3, 0], [31, 0]])


def test_a_sky_that_was_prepared_as_it_is_corrects_nothing(flux):
    with pytest.raises(SettingsError, match="corrected=True"):
        SkyStretch(flux, STRETCHES["paper"], N).images([[0, 0]], np.ones((1, 3)))


@pytest.mark.parametrize("corrected", [False, True])
def test_pooled_slices_are_the_same_to_the_last_digit(flux, corrected):
    """Saturated pixels, whose last digits count where Eq. 1 is undone."""
    stretch, bright = STRETCHES["default"], 300 * flux
    factors = np.full((5, 3), 1.234 if corrected else 1.0)
    sky = SkyStretch(bright, stretch, N, corrected=corrected)
    ours = sky.images(PLACES, factors if corrected else None)[0].numpy()
    assert ours.max() > 0.99999
    np.testing.assert_array_equal(ours, alone(bright, stretch, factors)[0].numpy())


def test_a_stretch_without_kernels_is_refused(flux):
    shown = Stretch(BANDS, (), 12)
    assert not SkyStretch.fits(shown, N)
    with pytest.raises(SettingsError, match="kernel"):
        SkyStretch(flux, shown, N)
