"""Histograms that filter, without a browser."""

import numpy as np
import pytest

from dashboard.app import Explorer
from dashboard.backend.columns import BINS
from dashboard.backend.datastore import DataStore
from dashboard.selection.histograms import count_all, focus_counts, plot_of
from pcvae.store import read_store
from tests.dashboard.explorers import EXAMPLES, change

ALL = np.inf


@pytest.fixture
def session(store):
    """A session that shows the histograms."""
    begun = Explorer(DataStore(read_store(store), None))
    begun.start()
    begun.state.tab = "histograms"
    return begun


def counted(session, key):
    found = count_all(session.datastore, session.state.model)
    return next(one for one in found if one.quantity.key == key)


def test_the_counts_are_those_of_numpy(session):
    for one in count_all(session.datastore, "physics"):
        values = session.datastore.columns.values("physics", one.quantity)
        expected, _ = np.histogram(values, bins=BINS, range=one.limits)
        np.testing.assert_array_equal(one.counts, expected)
        assert one.known == np.isfinite(values).sum()


def test_unknown_values_and_those_beyond_the_ends_are_said_and_in_no_bin(store, tmp_path):
    redshift = np.linspace(0.1, 0.2, 120)
    redshift[:7], redshift[7] = np.nan, 1e6
    folder = change(store, tmp_path / "store", redshift=redshift)
    datastore = DataStore(read_store(folder), None)
    one = next(
        c for c in count_all(datastore, "physics") if c.quantity.key == "catalogue.redshift"
    )
    assert not one.some(np.arange(120) < 8).any()
    assert one.counts.sum() < 113
    assert (
        f"113 of 120 galaxies have a value; {113 - one.counts.sum()} lie"
        in plot_of(one, 120)["note"]
    )


def test_a_range_keeps_what_lies_in_it(session):
    ranges, state = session.tabs["histograms"].ranges, session.state
    values = session.datastore.store.latents("physics")["log_mass"].to_numpy()
    low, high = (float(end) for end in np.quantile(values, [0.25, 0.5]))
    ranges._handle_msg({"key": "inferred.log_mass", "low": low, "high": high})
    assert state.selection.filters == {"inferred.log_mass": (low, high)}
    np.testing.assert_array_equal(state.selection.focus, (values >= low) & (values <= high))
    assert ranges.kept == {"inferred.log_mass": [low, high]}
    assert f"{state.selection.focus.sum()} of 120" in session.tabs["histograms"].chips.chips.count


def test_a_histogram_counts_what_passes_the_other_ranges_whatever_its_own(session):
    state, ranges = session.state, session.tabs["histograms"].ranges
    table = session.datastore.store.latents("physics")
    mass, sfr = table["log_mass"].to_numpy(), table["log_sfr"].to_numpy()
    middle, typical = float(np.median(mass)), float(np.median(sfr))
    state.selection.filters = {
        "inferred.log_mass": (middle, ALL),
        "inferred.log_sfr": (-ALL, typical),
    }
    heavy, quiet = mass >= middle, sfr <= typical
    for key, passing in (
        ("inferred.log_mass", quiet),
        ("inferred.log_sfr", heavy),
        ("inferred.redshift", heavy & quiet),
    ):
        one = counted(session, key)
        values = session.datastore.columns.values("physics", one.quantity)[passing]
        expected, _ = np.histogram(values, bins=BINS, range=one.limits)
        assert ranges.focus[key] == expected.tolist()


def test_the_selection_counts_too_and_without_any_limit_nothing_is_on_top(session):
    state, ranges = session.state, session.tabs["histograms"].ranges
    assert ranges.focus == {}
    state.selection.selected = np.arange(120) < 30
    assert sum(ranges.focus["inferred.orientation"]) == 30
    state.selection.selected = None
    assert ranges.focus == {}


def test_an_open_end_is_no_limit_and_two_of_them_no_filter(session):
    ranges, state = session.tabs["histograms"].ranges, session.state
    ranges._handle_msg({"key": "inferred.redshift", "low": None, "high": 0.4})
    assert state.selection.filters == {"inferred.redshift": (-ALL, 0.4)}
    assert ranges.kept == {"inferred.redshift": [None, 0.4]}
    ranges._handle_msg({"key": "inferred.redshift", "low": 0.6, "high": 0.2})
    assert state.selection.filters == {"inferred.redshift": (0.2, 0.6)}
    ranges._handle_msg({"key": "inferred.redshift", "low": None, "high": None})
    assert state.selection.filters == {}
    assert state.selection.focus is None


@pytest.mark.parametrize(
    "data",
    [{}, {"key": "no such", "low": 1, "high": 2}, {"key": "inferred.redshift", "low": "1"}],
)
def test_nonsense_is_no_range(session, data):
    session.tabs["histograms"].ranges._handle_msg(data)
    assert session.state.selection.filters == {}


def test_another_model_has_its_own_histograms_and_keeps_the_ranges_that_it_knows(session):
    state, ranges = session.state, session.tabs["histograms"].ranges
    redshift = session.datastore.store.galaxies["redshift"].to_numpy()
    middle = float(np.median(redshift))
    state.selection.filters = {
        "inferred.redshift": (0.3, 0.31),
        "catalogue.redshift": (middle, ALL),
    }
    state.model = "vanilla"
    keys = [plot["key"] for plot in ranges.plots]
    assert "inferred.latent_0" in keys
    assert "inferred.redshift" not in keys
    np.testing.assert_array_equal(state.selection.focus, redshift >= middle)
    assert sum(ranges.focus["inferred.latent_0"]) == pytest.approx(60, abs=2)


def test_nothing_is_counted_as_long_as_the_tab_is_hidden(store):
    begun = Explorer(DataStore(read_store(store), None))
    begun.state.selection.selected = np.arange(120) < 30
    ranges = begun.tabs["histograms"].ranges
    assert (ranges.plots, ranges.focus) == ([], {})


@pytest.mark.parametrize("name", EXAMPLES)
def test_histograms_of_every_store(store, tmp_path, name):
    begun = Explorer(
        DataStore(read_store(change(store, tmp_path / "store", **EXAMPLES[name])), None)
    )
    ranges = begun.tabs["histograms"].ranges
    begun.state.tab = "histograms"
    begun.state.selection.selected = np.ones(len(begun.datastore), bool)
    assert bool(ranges.plots) == (len(begun.datastore) > 0)
    assert bool(ranges.plots or ranges.empty)
    for plot in ranges.plots:
        assert ranges.focus[plot["key"]] == plot["counts"]
        assert plot["low"] < plot["high"]


def test_all_in_focus_counts_as_all():
    assert focus_counts([], None, {}) == {}


def test_a_failed_count_is_told_in_words(session, monkeypatch):
    def broken(*_):
        raise ValueError("no such column")

    monkeypatch.setattr(session.datastore, "once", lambda *_: session.datastore.soon(broken))
    session.state.selection.selected = np.arange(120) < 30
    assert "no such column" in session.tabs["histograms"].ranges.empty
