"""Conditions that are typed: what they select, and what they refuse."""

import numpy as np
import pytest

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.selection.query import LONGEST, QueryError, is_query, matches
from dashboard.state import Space
from pcvae.journal import Journal
from pcvae.photometry import asinh_magnitudes, softening


@pytest.fixture
def session(photometric, tmp_path):
    store = photometric.datastore.store
    explorer = Explorer(DataStore(store, Journal(tmp_path / "journal.sqlite", user="ada")))
    explorer.start()
    return explorer


def found(session, text):
    return matches(session.datastore, Space("physics"), (), text)


def test_numbers_are_those_of_the_model_the_catalogue_and_the_bands(session):
    store = session.datastore.store
    latents, galaxies = store.latents("physics"), store.galaxies
    redshift, known = latents["redshift"].to_numpy(), galaxies["redshift"].to_numpy()
    flux = galaxies[["flux_g", "flux_r", "flux_z"]].to_numpy(float)
    g, r, _ = asinh_magnitudes(flux, softening(galaxies, store.info.bands)).T
    middle = float(np.median(redshift))
    for text, expected in {
        f"redshift > {middle}": redshift > middle,
        f"not redshift > {middle} and g - r < 0.5": (redshift <= middle) & (g - r < 0.5),
        "catalogue.redshift <= 0.2 or r < 17": (known <= 0.2) | (r < 17),
        "0.1 < redshift < 0.3": (redshift > 0.1) & (redshift < 0.3),
        "2 * redshift_sigma >= redshift": 2 * latents["redshift_sigma"].to_numpy() >= redshift,
        "residual.redshift > 0": redshift.astype(np.float32) - known.astype(np.float32) > 0,
        "1 < 2": np.ones(len(store), bool),
    }.items():
        assert (found(session, text) == expected).all(), text


def test_texts_are_populations_and_labels(session):
    session.datastore.journal.tag(str(session.datastore.ids[7]), "candidate")
    session.datastore.journal.tag(str(session.datastore.ids[9]), "merger")
    session.refresh()
    assert np.flatnonzero(found(session, 'label == "candidate"')).tolist() == [7]
    assert np.flatnonzero(found(session, "label != ''")).tolist() == [7, 9]
    rare = found(session, "population == 'red_spiral'")
    assert rare.sum() == (session.datastore.store.galaxies["population"] == "red_spiral").sum() > 0


def test_what_is_unknown_fulfils_nothing(session):
    galaxies = session.datastore.store.galaxies
    unknown = galaxies["log_sfr"].isna().to_numpy()
    assert not (found(session, "catalogue.log_sfr != 99") & unknown).any()
    assert not found(session, "0 / 0 != 1").any()


@pytest.mark.parametrize(
    "text",
    [
        "redshift >", "redshift", "nothing_like_it > 1", "label > 3", "redshift == 'a'", "g < 'b'",
        "__import__('os').system('true') > 0", "redshift.__class__ == 1", "(lambda: 1)() > 0",
        "[1 for x in y] > 0", "10 ** 10 ** 10 > 1", "'a' * 10 > 'b'", "label + 'a' == 'b'",
        "redshift in (1, 2)", "a := 3 > 2", "@pd > 1", "redshift > " + "1+" * 200 + "1",
        "(" * 390 + "1", "-" * 110 + "1 <" + "-" * 50 + "1", "x" * (LONGEST + 1) + " > 1",
        "redshift > \x00", "f'{redshift}' == 'a'", "redshift[0] > 1", "1j > 0", "True and 1 > 0",
        "p_green_pea > 0.5",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_in_words(session, text):
    with pytest.raises(QueryError) as refused:
        found(session, text)
    assert len(str(refused.value)) < 700


def test_a_number_beyond_all_bounds_is_a_number(session):
    assert found(session, "redshift < 1" + "0" * 350).any()


def test_the_scores_of_the_classifier_once_they_are_there(session):
    session.state.tab = "queue"
    result = session.datastore.classifier_jobs.learnt(session.state.space)
    text = "p_green_pea > 0.5"
    mask = matches(session.datastore, session.state.space, (), text)
    assert (mask == (result.of_class("green_pea") > 0.5)).all()


def test_a_person_types_a_condition_and_sees_what_fulfils_it(session):
    state, box = session.state, session.search_box
    assert is_query("redshift > 0.2")
    assert not is_query("g0007")
    assert not is_query("10:12:01.5 +02:13:04")
    redshift = session.datastore.store.latents("physics")["redshift"].to_numpy(np.float64)
    middle, high = np.quantile(redshift, (0.5, 0.8))
    box.ask(f"redshift  > {middle}")
    expected = redshift > middle
    assert (state.selection.selected == expected).all()
    assert state.selection.query.text == f"redshift > {middle}"
    assert state.tab == "selection"
    state.selection.mode = "subtract"
    box.ask(f"redshift > {high}")
    assert state.selection.query is None
    assert state.selection.selected.sum() < expected.sum()
    before = state.selection.selected
    box.ask("redshift > 1000")
    assert state.selection.selected is before
    assert "No galaxy of this store has redshift &gt; 1000" in session.add_galaxy.words.object
    box.ask("redshit > 0.2")
    assert "it has redshift" in session.add_galaxy.words.object


def test_a_selection_by_hand_is_no_query(session):
    session.search_box.ask("redshift > -9")
    assert session.state.selection.query is not None
    session.state.selection.selected = np.arange(len(session.datastore)) < 5
    assert session.state.selection.query is None
