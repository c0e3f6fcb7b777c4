"""Decision boundaries of the linear SVM in a plane."""

import time

import numpy as np
import pytest
from sklearn.svm import SVC

from pcvae.anomaly import (
    MAX_NORMAL,
    NORMAL,
)
from pcvae.boundaries import boundary_grid
from pcvae.classifier import balance
from tests.pcvae.classes import galaxies


def test_boundaries_agree_with_the_exact_linear_svm():
    values, classes = galaxies(apart=3.0, axes=2)
    found = boundary_grid(values, classes, size=60)
    more, names = balance(values, classes)
    mean, spread = more.mean(axis=0), more.std(axis=0)
    cells = np.column_stack([axis.ravel() for axis in np.meshgrid(found.x, found.y)])
    exact = SVC(kernel="linear").fit((more - mean) / spread, names)
    same = exact.predict((cells - mean) / spread) == np.array(found.classes)[found.region.ravel()]
    assert same.mean() > 0.97


def test_boundaries_say_what_they_used_and_take_less_than_a_second():
    values, classes = galaxies(normal=MAX_NORMAL + 500, red=294, green=13, apart=2.0, axes=2)
    boundary_grid(values[:50], classes[:50])  # imports
    start = time.perf_counter()
    found = boundary_grid(values, classes, limits=((-3, 6), (-2, 5)), size=150)
    assert time.perf_counter() - start < 1
    assert found.used == {NORMAL: MAX_NORMAL, "green": 13, "red": 294}
    assert (found.x[0], found.x[-1], found.y[0], found.y[-1]) == (-3, 6, -2, 5)
    assert found.region.shape == (150, 150)
    assert set(np.unique(found.region)) == {0, 1, 2}


@pytest.mark.parametrize(("red", "green"), [(0, 0), (1, 0), (2, 1), (2, 2)])
def test_boundaries_of_tiny_classes_never_raise(red, green):
    found = boundary_grid(*galaxies(red=red, green=green, axes=2), size=20)
    sizes = {"red": red, "green": green}
    assert found.classes == (NORMAL, *(name for name in ("green", "red") if sizes[name] > 1))
    assert set(found.left_out) == {name for name, count in sizes.items() if count == 1}


def test_boundaries_of_nothing_are_empty():
    found = boundary_grid(np.zeros((0, 2)), [], size=10)
    assert found.classes == ()
    assert (found.region == 0).all()
