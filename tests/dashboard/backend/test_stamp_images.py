"""Stamps as pictures: orientation, scale bar, residuals."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from dashboard.backend.stamp_images import data_uri, residual, scale_bar


def test_a_picture_has_row_0_at_the_bottom():
    stamp = np.zeros((4, 4, 3), np.uint8)
    stamp[0] = 255
    png = base64.b64decode(data_uri(stamp).partition(",")[2])
    assert np.asarray(Image.open(io.BytesIO(png)))[-1].min() == 255


def test_a_residual_is_warm_where_the_image_is_brighter_and_says_its_limit():
    image, model = np.zeros((2, 8, 8, 3), np.float32)
    image[:2], model[6:] = 0.5, 0.5
    shown = residual(image, model)
    assert shown.limit == pytest.approx(0.5)
    assert (shown.picture[0, :, 0] > shown.picture[0, :, 2]).all()
    assert (shown.picture[7, :, 2] > shown.picture[7, :, 0]).all()
    assert len(np.unique(shown.picture[4])) == 1


def test_nothing_left_over_is_not_blown_up():
    image = np.full((8, 8, 3), 0.3, np.float32)
    assert residual(image, image + 1e-4).limit == pytest.approx(0.02)


def test_a_scale_bar_is_a_round_angle_of_a_fitting_length():
    text, share = scale_bar(0.262, 128)
    assert text == "10″"
    assert share == pytest.approx(10 / (0.262 * 128))
    assert scale_bar(None, 128) is None
