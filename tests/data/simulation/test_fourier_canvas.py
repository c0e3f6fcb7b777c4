import galsim
import numpy as np
import pytest

from data.simulation.fourier_canvas import FourierCanvas, correlated_noise

SCALE = 0.262
PSF = galsim.Moffat(3.5, fwhm=1.2)


def develop(canvas):
    return canvas.develop([PSF])[0].astype(np.float64)


@pytest.mark.parametrize("size", [64, 65])
def test_a_canvas_shows_what_galsim_draws(size):
    shape = galsim.Sersic(2.0, half_light_radius=1.0).shear(q=0.5, beta=0.6 * galsim.radians)
    canvas = FourierCanvas(size, SCALE, 1)
    canvas.profile(shape, np.array([7.0]), 0.4, -0.8)
    drawn = galsim.Convolve([7.0 * shape.shift(0.4, -0.8), PSF]).drawImage(
        nx=size, ny=size, scale=SCALE
    )
    np.testing.assert_allclose(develop(canvas), drawn.array, atol=2e-4 * drawn.array.max())


def test_points_are_stars_and_blurred_points_are_gaussians():
    canvas, other = FourierCanvas(64, SCALE, 2), FourierCanvas(64, SCALE, 2)
    place = np.array([[1.0, -2.0], [0.5, 3.0]])
    flux = np.array([[2.0, 3.0], [5.0, 1.0]])
    canvas.points(place, flux, np.array([0.0, 0.4]))
    other.profile(galsim.Gaussian(sigma=1e-4), flux[0], 1.0, 0.5)
    other.profile(galsim.Gaussian(sigma=0.4), flux[1], -2.0, 3.0)
    np.testing.assert_allclose(canvas.develop([PSF, PSF]), other.develop([PSF, PSF]), atol=1e-5)


def test_an_image_keeps_its_place_and_its_sum():
    pixels = np.zeros((64, 64))
    pixels[40, 20] = 1.0
    canvas, other = FourierCanvas(64, SCALE, 1), FourierCanvas(64, SCALE, 1)
    canvas.image(pixels, np.array([3.0]))
    other.points(np.array([[20 - 31.5], [40 - 31.5]]) * SCALE, np.array([[3.0]]))
    np.testing.assert_allclose(develop(canvas), develop(other), atol=1e-6)
    assert develop(canvas).sum() == pytest.approx(3.0, rel=0.01)


def test_what_lies_beyond_an_edge_does_not_come_back_at_the_other():
    canvas = FourierCanvas(64, SCALE, 1)
    canvas.points(np.array([[34 * SCALE], [0.0]]), np.array([[100.0]]))
    image = develop(canvas)
    assert image[:, -1].max() > 0.5
    assert np.abs(image[:, :20]).max() < 1e-3


@pytest.mark.parametrize("smooth", [0.0, 0.46, 1.4])
def test_noise_has_unit_variance_and_the_correlation_of_its_smoothing(smooth):
    noise = correlated_noise((6, 128, 128), smooth, np.random.default_rng(1))
    assert noise.std() == pytest.approx(1.0, abs=0.02)
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean()
    expected = np.exp(-1 / (4 * smooth**2)) if smooth else 0.0
    assert neighbours == pytest.approx(expected, abs=0.05)
