from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from dashboard.backend.stamp_images import area_mean
from pcvae.errors import RunError, SettingsError, ShapeError
from pcvae.preprocess import (
    Stretch,
    asinh,
    display,
    display_stretch,
    mean_maxima,
    pixel_noise,
    squash,
    symmetries,
    unsquash,
)

BANDS = ("g", "r", "z")
FLUX = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 3


@given(st.floats(-1e4, 1e4))
def test_the_squash_is_tanh_of_asinh(y):
    """Eq. 1, written without transcendental functions."""
    expected = np.tanh(np.arcsinh(y))
    assert float(squash(torch.tensor(y, dtype=torch.float64))) == pytest.approx(
        expected, abs=1e-12
    )


@given(st.floats(-50, 50))
def test_unsquash_undoes_squash(y):
    there = squash(torch.tensor(y, dtype=torch.float64))
    assert float(unsquash(there)) == pytest.approx(y, rel=1e-9, abs=1e-12)


def test_the_paper_stretches_then_resizes_without_antialiasing_from_red_to_blue():
    scale = np.array([1.0, 2.0, 4.0])
    raw = 10 * FLUX.numpy() / scale[:, None, None]
    stretched = torch.tensor(np.tanh(np.arcsinh(raw)), dtype=torch.float32)
    expected = interpolate(stretched, size=69, mode="bicubic", antialias=False)[:, [2, 1, 0]]
    torch.testing.assert_close(Stretch(BANDS, tuple(scale))(FLUX), expected)


def test_an_area_mean_before_the_stretch_keeps_the_flux():
    stretch = Stretch(BANDS, (1e6,) * 3, 16, resize="area", resize_first=True)
    small = stretch(FLUX) * 1e6 / stretch.beta
    torch.testing.assert_close(small[:, [2, 1, 0]].sum((2, 3)) * 4, FLUX.sum((2, 3)), rtol=1e-4,
                               atol=1e-3)  # fmt: skip


def test_restore_undoes_the_stretch():
    stretch = Stretch(BANDS, (20.0, 30.0, 40.0), 32)
    torch.testing.assert_close(stretch.restore(stretch(FLUX)), FLUX, rtol=1e-3, atol=1e-3)


def test_display_pixels_pass_unstretched():
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(Stretch(BANDS, (), 32, order=(0, 1, 2))(image), image)


def test_a_picture_shows_the_reddest_band_red():
    raw = torch.zeros(1, 3, 8, 8)
    raw[0, 2] = 1
    for order in ((0, 1, 2), (2, 1, 0)):
        picture = display(raw, Stretch(BANDS, (1.0, 1.0, 1.0), 8, order=order))
        assert picture.shape == (1, 8, 8, 3)
        assert picture[0, 0, 0].tolist() == pytest.approx([10 / np.sqrt(101), 0, 0])


def test_the_scale_is_the_mean_of_each_bands_maxima():
    blocks = np.random.default_rng(0).random((7, 3, 5, 5)).astype(np.float32)
    expected = blocks.max(axis=(2, 3)).mean(axis=0)
    assert mean_maxima([blocks[:4], blocks[4:4], blocks[4:]]) == pytest.approx(expected, rel=1e-6)


def test_a_stretch_survives_the_disk(tmp_path):
    stretch = Stretch(BANDS, (1.0, 2.0, 3.0), 64, resize="area", order=(0, 1, 2))
    stretch.write(tmp_path)
    assert Stretch.read(tmp_path) == stretch


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 4, 32, 32), (2, 3, 32, 16)])
def test_pixels_of_another_shape_are_refused(shape):
    with pytest.raises(ShapeError, match=r"expected pixels \(B, 3, N, N\)"):
        Stretch(BANDS, ())(torch.zeros(shape))


def test_a_scale_that_is_not_positive_is_refused():
    with pytest.raises(SettingsError, match="positive"):
        Stretch(BANDS, (1.0, 0.0, 1.0))
    with pytest.raises(SettingsError, match="positive fluxes"):
        mean_maxima([np.zeros((2, 3, 4, 4), np.float32)])
    with pytest.raises(SettingsError, match="of 0 images"):
        mean_maxima([])


def test_an_unknown_resize_is_refused():
    with pytest.raises(SettingsError, match="'bicubic' or 'area'"):
        Stretch(BANDS, (), resize="nearest")


def test_a_missing_stretch_says_how_to_train_again(tmp_path):
    with pytest.raises(RunError, match=r"python -m train\.train"):
        Stretch.read(tmp_path)


def test_pictures_show_a_spiral_grey_whatever_the_network_learnt_from():
    for scale in ((1.0, 2.0, 4.0), (2.0, 2.0, 2.0)):
        shown = display_stretch(Stretch(BANDS, scale), 8)
        raw = torch.tensor([0.57, 1.0, 1.58]).view(1, 3, 1, 1).expand(1, 3, 8, 8) * 0.1
        red, green, blue = display(raw, shown)[0, 0, 0]
        assert red == pytest.approx(green, rel=1e-3)
        assert blue == pytest.approx(green, rel=1e-3)


def test_pictures_of_other_bands_keep_the_networks_colours():
    assert display_stretch(Stretch(("Y", "J"), (1.0, 3.0), order=(1, 0)), 8).scale == (1.0, 3.0)
    assert display_stretch(Stretch(BANDS, ()), 8).scale == ()


@pytest.mark.parametrize(("before", "after"), [(128, 69), (32, 69), (10, 10), (7, 1)])
def test_the_area_mean_keeps_the_mean(before, after):
    image = np.random.default_rng(0).random((before, before, 3)).astype(np.float32)
    resized = area_mean(image, after)
    assert resized.shape == (after, after, 3)
    np.testing.assert_allclose(resized.mean((0, 1)), image.mean((0, 1)), rtol=1e-4)


def test_the_area_mean_of_halves_is_the_mean_of_squares_of_four():
    image = np.random.default_rng(0).random((6, 6, 3)).astype(np.float32)
    expected = image.reshape(3, 2, 3, 2, 3).mean((1, 3))
    np.testing.assert_allclose(area_mean(image, 3), expected, rtol=1e-5)


def test_the_core_is_the_middle_in_units_of_the_noise():
    stretch = Stretch(BANDS, (1.0, 1.0, 1.0), core=4, noise=(0.1, 0.2, 0.5))
    core = stretch.cut_core(FLUX)
    edge = (FLUX.shape[-1] - 4) // 2
    middle = FLUX[..., edge : edge + 4, edge : edge + 4]
    scaled = middle / torch.tensor([0.1, 0.2, 0.5]).view(1, 3, 1, 1)
    torch.testing.assert_close(core, torch.asinh(scaled))
    shown = Stretch(BANDS, (), core=4).cut_core(FLUX)
    torch.testing.assert_close(shown, middle)


def test_the_noise_of_pixels_is_measured_beside_bright_galaxies():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(20, 3, 64, 64)) * np.array([0.1, 0.2, 0.5])[:, None, None]
    images[:, :, 24:40, 24:40] += 50
    blocks = [images[:8].astype(np.float32), images[8:8].astype(np.float32), images[8:]]
    assert pixel_noise(blocks) == pytest.approx((0.1, 0.2, 0.5), rel=0.1)
    with pytest.raises(SettingsError, match="noise in every band"):
        pixel_noise([np.zeros((2, 3, 8, 8), np.float32)])


def test_the_symmetries_of_the_square_are_eight():
    image = torch.arange(9.0).view(1, 1, 3, 3)
    seen = {tuple(turned.flatten().tolist()) for turned in symmetries(image)}
    assert len(seen) == 8
    assert tuple(image.rot90(1, (2, 3)).flatten().tolist()) in seen


@given(st.floats(-1e4, 1e4, width=32))
def test_the_inverse_hyperbolic_sine_is_torchs(y):
    torch.testing.assert_close(asinh(torch.tensor([y])), torch.asinh(torch.tensor([y])))


def test_halving_an_image_is_its_mean_of_two_by_two():
    halved = Stretch(BANDS, (), FLUX.shape[-1] // 2, resize="area", order=(0, 1, 2))(FLUX)
    torch.testing.assert_close(halved, torch.nn.functional.avg_pool2d(FLUX, 2))


@pytest.mark.parametrize("scale", [(), (20.0, 30.0, 40.0)])
@pytest.mark.parametrize("size", [32, 16])
@pytest.mark.parametrize("resize_first", [True, False])
def test_bands_in_order_are_neither_changed_nor_a_view_of_the_pixels(scale, size, resize_first):
    """The copy that brings planes into another order is left out where they are in order."""
    raw = FLUX.clone()
    forth = Stretch(BANDS, scale, size, resize="area", resize_first=resize_first, order=(0, 1, 2))
    back = replace(forth, order=(2, 1, 0))
    image = forth(raw)
    torch.testing.assert_close(image, back(raw)[:, [2, 1, 0]], rtol=0, atol=0)
    image.zero_()
    torch.testing.assert_close(raw, FLUX, rtol=0, atol=0)
