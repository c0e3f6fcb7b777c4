"""Selections and filters as text, and back."""

import math

import numpy as np
import pandas as pd
import pytest

from dashboard.selection.masks import inside_polygon
from dashboard.selection.selection_text import (
    MAX_CORNERS,
    filters_of,
    gesture_of,
    text_of_filters,
    text_of_gesture,
)
from dashboard.state import Gesture

PLANE = ("physics", "redshift", "log_mass")


def test_filters_come_back():
    filters = {"inferred.redshift": (0.125, math.inf), "photometry.g-r": (-math.inf, 1e-5)}
    assert filters_of(text_of_filters(filters)) == filters
    assert filters_of("") == {}


@pytest.mark.parametrize(
    "text", ["a", "a:1", "a:x:2", "a:3:2", "a:nan:2", ":1:2", "<b>:1:2", "a:1:2:3", ";" * 999]
)
def test_what_is_no_range_is_left_out(text):
    assert filters_of(text) == {}


def test_a_long_lasso_keeps_what_it_selects():
    angle = np.linspace(0, 2 * np.pi, 900)
    radius = 1 + 0.3 * np.sin(5 * angle)
    line = np.column_stack([0.3 + 0.1 * radius * np.cos(angle), 10 + radius * np.sin(angle)])
    text = text_of_gesture(Gesture(PLANE, tuple(map(tuple, line))))
    back = gesture_of(text)
    assert back.plane == PLANE
    assert len(back.corners) <= MAX_CORNERS
    assert len(text) < 1000
    rng = np.random.default_rng(0)
    points = pd.DataFrame({"x": rng.uniform(0, 0.6, 4000), "y": rng.uniform(8, 12, 4000)})
    before, after = (inside_polygon(points, corners) for corners in (line, back.corners))
    assert (before != after).mean() < 0.01


def test_a_box_comes_back_exactly():
    box = Gesture(PLANE, ((0.1, 9.5), (0.2, 9.5), (0.2, 11.0), (0.1, 11.0)))
    assert gesture_of(text_of_gesture(box)) == box


@pytest.mark.parametrize(
    "text",
    ["", "m", "m,x,y", "m,x,y,1,2,3,4", "m,x,y,1,2,3,4,5", "m,x,y,1,2,3,4,5,nan",
     "m,x,y,a,2,3,4,5,6", "m,x,y" + ",1" * 1000],
)  # fmt: skip
def test_what_is_no_gesture_is_none(text):
    assert gesture_of(text) is None
