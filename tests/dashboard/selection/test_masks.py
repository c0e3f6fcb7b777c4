"""What is in focus: the selection and the filters together."""

import numpy as np
import pandas as pd
import pytest

from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import inside_box
from dashboard.selection.masks import (
    FocusFollower,
    clear,
    combine,
    focus_of,
    inside_polygon,
    mask_of,
    rows_in_focus,
    select,
    undo_selection,
)
from dashboard.state import Gesture, Selection, State
from pcvae.store import read_store

ONE, TWO = np.array([True, True, False]), np.array([False, True, True])


@pytest.mark.parametrize(
    ("before", "how", "expected"),
    [
        (None, "replace", [1, 2]),
        (None, "add", [1, 2]),
        (None, "subtract", []),
        (ONE, "replace", [1, 2]),
        (ONE, "add", [0, 1, 2]),
        (ONE, "subtract", [0]),
    ],
)
def test_a_gesture_replaces_adds_or_takes_away(before, how, expected):
    after = combine(before, TWO, how)
    assert list(np.flatnonzero(after) if after is not None else []) == expected


def test_nothing_left_is_no_selection():
    assert combine(ONE, ONE, "subtract") is None


def test_the_focus_is_the_selection_within_every_filter(store):
    datastore, state = DataStore(read_store(store), None), State()
    state.param.model.objects = datastore.models
    state.model = "physics"
    FocusFollower(datastore=datastore, state=state)
    redshift = datastore.store.latents("physics")["redshift"].to_numpy()
    middle = float(np.median(redshift))
    state.selection.filters = {"inferred.redshift": (middle, np.inf)}
    assert list(rows_in_focus(state)) == list(np.flatnonzero(redshift >= middle))
    state.selection.selected = np.arange(len(redshift)) < 60
    assert list(rows_in_focus(state)) == list(np.flatnonzero(redshift[:60] >= middle))
    state.selection.param.update(filters={}, selected=None)
    assert state.selection.focus is None
    assert not len(rows_in_focus(state))


def test_a_filter_of_what_the_model_does_not_know_is_no_limit(store):
    datastore, state = DataStore(read_store(store), None), State()
    state.param.model.objects = datastore.models
    state.model, state.selection.filters = "vanilla", {"inferred.redshift": (0.0, 0.1)}
    assert focus_of(datastore, state) is None


PLACES = pd.DataFrame(
    [(0.5, 0.5), (2.5, 0.5), (0.0, 0.0), (np.nan, 0.5), (1.5, 0.9)], columns=["x", "y"]
).astype(np.float32)


@pytest.mark.parametrize("bounds", [(0, 0, 1, 1), (1, 1, 0, 0)])
def test_a_box_holds_what_is_in_it_wherever_it_was_begun(bounds):
    assert list(inside_box(PLACES, bounds)) == [True, False, True, False, False]


def test_a_lasso_holds_what_it_goes_round():
    """The last galaxy is in the box around the triangle but not in the triangle."""
    inside = inside_polygon(PLACES, [(0.1, 0.1), (3.0, 0.1), (0.1, 1.0)])
    assert list(inside) == [True, False, False, False, False]


def test_a_lasso_that_crosses_itself_holds_both_its_loops():
    loops = [(0, 0), (3, 1), (3, 0), (0, 1)]
    assert list(inside_polygon(PLACES, loops)) == [True, True, False, False, False]


def test_a_lasso_of_less_than_three_corners_holds_nothing():
    assert not inside_polygon(PLACES, [(0, 0), (1, 1)]).any()


def test_many_galaxies_are_told_apart_as_the_formula_of_a_circle_does():
    rng = np.random.default_rng(0)
    points = pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["x", "y"])
    angle = np.linspace(0, 2 * np.pi, 2000)
    inside = inside_polygon(points, np.column_stack([np.cos(angle), np.sin(angle)]))
    radius = np.hypot(points["x"], points["y"]).to_numpy()
    sure = np.abs(radius - 1) > 1e-4
    assert (inside == (radius < 1))[sure].all()


def test_very_many_galaxies_are_told_apart_as_few_are(monkeypatch):
    """A star that crosses itself has cells of all kinds; each galaxy keeps its side."""
    rng = np.random.default_rng(0)
    points = pd.DataFrame(rng.uniform(-1.2, 1.2, (30_000, 2)), columns=["x", "y"], dtype="f4")
    angle = np.arange(5) * 4 * np.pi / 5
    star = np.column_stack([np.cos(angle), np.sin(angle)])
    each = inside_polygon(points, star)
    monkeypatch.setattr("dashboard.selection.masks.MANY", 10)
    np.testing.assert_array_equal(inside_polygon(points, star), each)
    assert 0.05 < each.mean() < 0.5


def test_a_gesture_does_what_was_chosen():
    state = State(selection=Selection(selected=ONE, mode="add"))
    select(state, TWO)
    assert list(state.selection.selected) == [True, True, True]
    state.selection.mode = "subtract"
    select(state, ONE)
    assert list(state.selection.selected) == [False, False, True]
    state.selection.mode = "replace"
    select(state, ONE)
    assert list(state.selection.selected) == list(ONE)


@pytest.fixture
def followed(store):
    """A state whose focus follows, of the store of 120 galaxies."""
    datastore, state = DataStore(read_store(store), None), State()
    state.param.model.objects = datastore.models
    state.model = "physics"
    FocusFollower(datastore=datastore, state=state)
    return state


def test_undo_selects_what_was_selected_before_and_undone_twice_nothing_has_changed(followed):
    first, second = np.arange(120) < 30, np.arange(120) >= 100
    select(followed, first)
    select(followed, second, how="add")
    undo_selection(followed)
    assert list(followed.selection.focus) == list(first)
    undo_selection(followed)
    assert followed.selection.focus.sum() == 50


def test_a_line_is_shown_until_something_else_is_selected(followed):
    drawn = Gesture(("physics", "redshift", "log_mass"), ((0, 0), (1, 0), (0, 1)))
    select(followed, np.arange(120) < 30, drawn)
    assert followed.selection.gesture == drawn
    followed.selection.selected = np.arange(120) < 50
    assert followed.selection.gesture is None
    select(followed, np.arange(120) < 30, drawn)
    clear(followed)
    assert followed.selection.gesture is None
    assert followed.selection.focus is None


def test_rows_become_a_mask_and_those_that_stand_for_none_are_left_out():
    np.testing.assert_array_equal(mask_of([3, -1, 1, 3], 5), [False, True, False, True, False])
    assert not mask_of([], 2).any()
