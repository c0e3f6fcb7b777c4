"""Glyphs over a map."""

import numpy as np

from dashboard.plotting.layers import borders, filled
from pcvae.anomaly import NORMAL
from pcvae.boundaries import Boundaries, boundary_grid


def test_borders_run_where_the_svm_changes_its_mind():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(-2, 0.5, (200, 2)), rng.normal(2, 0.5, (50, 2))])
    found = boundary_grid(values, [NORMAL] * 200 + ["rare"] * 50, limits=((-4, 4), (-4, 4)))
    lines = borders(found, {"rare": "#ff0000"}.get)
    (x,), (y,) = lines["x"], lines["y"]
    assert lines["colour"] == ["#ff0000"]
    inner = (np.abs(x) < 3) & (np.abs(y) < 3)
    assert np.abs((x + y)[inner]).max(initial=0) < 1.5
    fill = filled(found, {"rare": "#ff0000"}.get)
    (image,) = fill["image"]
    assert 0.3 < (image > 0).mean() < 0.7
    assert image[-1, -1] & 0xFF == 255 * (image[-1, -1] > 0)
    assert (fill["x"], fill["dw"]) == ([-4], [8])


def test_without_boundaries_nothing_is_drawn():
    nothing = Boundaries(np.zeros(2), np.zeros(2), np.zeros((2, 2), int), (), {}, {})
    for found in (None, nothing):
        assert not borders(found, {}.get)["x"]
        assert not filled(found, {}.get)["image"]
