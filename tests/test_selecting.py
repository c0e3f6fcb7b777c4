"""What is in focus: the selection and the filters together."""

import numpy as np
import pytest

from dashboard.selecting import combine, focus_of, follow_focus, rows_in_focus
from dashboard.source import Source
from dashboard.state import State
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
    source, state = Source(read_store(store), None), State()
    state.param.model.objects = source.models
    state.model = "physics"
    follow_focus(source, state)
    redshift = source.store.latents("physics")["redshift"].to_numpy()
    middle = float(np.median(redshift))
    state.filters = {"inferred.redshift": (middle, np.inf)}
    assert list(rows_in_focus(state)) == list(np.flatnonzero(redshift >= middle))
    state.selected = np.arange(len(redshift)) < 60
    assert list(rows_in_focus(state)) == list(np.flatnonzero(redshift[:60] >= middle))
    state.param.update(filters={}, selected=None)
    assert state.focus is None
    assert not len(rows_in_focus(state))


def test_a_filter_of_what_the_model_does_not_know_is_no_limit(store):
    source, state = Source(read_store(store), None), State()
    state.param.model.objects = source.models
    state.model, state.filters = "vanilla", {"inferred.redshift": (0.0, 0.1)}
    assert focus_of(source, state) is None
