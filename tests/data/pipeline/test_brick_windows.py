import numpy as np
import pytest

from data.pipeline.brick_windows import windows
from data.readers.legacy_bricks import Brick

SIZE, SIDE, COUNT = 40, 233, 60
POSITIONS = np.zeros((COUNT, 2))


def brick_with(plane):
    """Galaxies all over a brick of one band."""
    x, y = np.random.default_rng(0).uniform(20, SIDE - 21, (2, COUNT))
    places = {row: (x[row], y[row], 1.5) for row in range(COUNT)}
    return Brick("1500p020", plane[None], 0.262, places, None)


@pytest.mark.parametrize(("value", "reason"), [(0, "band without data"), (np.nan, "pixels not")])
def test_windows_are_left_out_by_the_pixels_that_they_have(value, reason):
    plane = np.ones((SIDE, SIDE), np.float32)
    plane[70:140, 100:130] = value
    plane[200, :2] = value
    found = windows(brick_with(plane), range(COUNT), POSITIONS, (SIZE, 0.262), ["g"])
    least = 0.1 * SIZE**2 if value == 0 else 1
    for window in found:
        cutout = plane[window.low : window.low + SIZE, window.left : window.left + SIZE]
        expected = (cutout != 1).sum() >= least
        assert (window.trouble is not None) == expected
        assert not window.trouble or window.trouble.reason.startswith(reason)
    assert 0 < sum(window.trouble is not None for window in found) < COUNT


def test_few_zeros_all_over_leave_all():
    plane = np.ones((SIDE, SIDE), np.float32)
    plane[::5, ::5] = 0
    found = windows(brick_with(plane), range(COUNT), POSITIONS, (SIZE, 0.262), ["g"])
    assert all(window.trouble is None for window in found)
