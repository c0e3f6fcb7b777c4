"""Images on other pixels or off centre."""

import numpy as np
import pytest

from data.readers.raw_image import LeftOutError, RawImage, cut_image
from tests.data.ingest_input import BANDS, arrays, catalogue, galaxy, run


def test_pixels_of_another_scale_are_resampled_with_their_flux(tmp_path):
    images = np.stack([galaxy(0, 64), galaxy(1, 64, scale=0.7)])
    folder = catalogue(tmp_path / "in", id=["a", "b"], pixel_scale=[0.2, 0.14])
    arrays(folder, images, bands=np.array(BANDS))
    sample, _ = run(folder, tmp_path / "out", "--pixel-scale", 0.2, "--size", 40)
    assert sample.catalog["resampled_from"].isna().tolist() == [True, False]
    assert sample.catalog["resampled_from"][1] == pytest.approx(0.14)
    np.testing.assert_allclose(*np.asarray(sample.flux[:]).sum((2, 3)), rtol=0.02)
    assert np.abs(sample.flux[0] - sample.flux[1]).max() < 0.1


@pytest.mark.parametrize("ratio", [0.5, 0.9, 1.3, 2.0])
def test_resampling_adds_fluxes_up_and_averages_display_values(ratio):
    picture = RawImage(galaxy(0, 64, scale=0.5), (31.5, 31.5), 0.2)
    size = int(60 / ratio)
    flux, origin = cut_image(picture, size, 0.2 * ratio, BANDS)
    # All of the galaxy lies inside, so nothing may be lost.
    np.testing.assert_allclose(flux.sum((1, 2)), picture.flux.sum((1, 2)), rtol=0.02)
    assert origin == 0.2
    even = RawImage(np.full((3, 64, 64), 0.5, np.float32), (31.5, 31.5), 0.2, display=True)
    np.testing.assert_allclose(cut_image(even, size, 0.2 * ratio, BANDS)[0], 0.5, rtol=1e-6)


def test_resampling_keeps_the_galaxy_in_the_middle():
    picture = RawImage(galaxy(0, 80, scale=0.5, shift=(3.3, -2.1)), (39.5 + 6.6, 39.5 - 4.2), 0.1)
    flux, _ = cut_image(picture, 24, 0.2, BANDS)
    rows, columns = np.indices((24, 24))
    light = flux.sum(0) * (flux.sum(0) > 0.3)
    assert (light * columns).sum() / light.sum() == pytest.approx(11.5, abs=0.1)
    assert (light * rows).sum() / light.sum() == pytest.approx(11.5, abs=0.1)


@pytest.mark.parametrize(
    ("size", "centre", "reason"),
    [(48, (15.5, 15.5), "picture too small"), (24, (25.0, 15.5), "galaxy too near the edge")],
)
def test_a_picture_that_does_not_reach_is_left_out(size, centre, reason):
    with pytest.raises(LeftOutError, match=reason):
        cut_image(RawImage(galaxy(), centre, 0.2), size, 0.2, BANDS)
