"""The bar of every list: how many are meant, selecting, labelling and exporting them."""

import io

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from dashboard.active_learning.ranking import rank_column
from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.export.choices import LIST, Choice
from dashboard.export.files import maker_of
from dashboard.gallery.list_bar import MAX_LABELLED
from dashboard.labelling.labels import toggle, undo
from dashboard.state import GalaxyList
from pcvae.journal import Journal
from pcvae.store import read_store

P_PEA = "derived.class.green_pea"


@pytest.fixture
def session(store, tmp_path):
    explorer = Explorer(DataStore(read_store(store), Journal(tmp_path / "journal.sqlite")))
    explorer.start()
    return explorer


def exported(session, kind="csv"):
    """The file that the panel makes of the list, and its text."""
    session.list_bar.export.clicks += 1
    panel = session.export_panel
    assert panel.panel.visible
    assert panel.what.value == LIST
    return maker_of(session.datastore, session.state, Choice(LIST, kind))(print)


def table_of(file):
    return pd.read_csv(io.BytesIO(file.content), comment="#")


@pytest.mark.parametrize("tab", ["neighbours", "lookalikes", "selection", "queue"])
def test_each_list_is_selected_labelled_and_exported_in_its_order(session, tab):
    session.state.selection.selected = np.arange(len(session.datastore)) % 9 == 1
    session.state.param.update(tab=tab, row=7, seeds="red_spiral")
    rows = session.state.selection.listed.rows
    assert session.list_bar.row.visible
    assert len(rows) > 5
    session.list_bar.label_as("merger")
    ids = [str(session.datastore.ids[row]) for row in rows]
    found = session.datastore.label_table.labels
    assert {galaxy: event.label for galaxy, event in found.items()} == dict.fromkeys(ids, "merger")
    session.state.tab = "histograms"
    assert not session.list_bar.row.visible
    session.state.tab = tab
    if tab != "queue":  # which leaves out what was labelled just now
        table = table_of(exported(session))
        assert table["id"].tolist() == ids
        assert table["rank"].tolist() == list(range(1, len(ids) + 1))
        assert set(table["label"]) == {"merger"}
    session.list_bar.select_all()
    chosen = np.flatnonzero(session.state.selection.focus)
    assert set(chosen) == set(session.state.selection.listed.rows)


def test_labelling_a_list_is_undone_as_one_and_keeps_notes(session):
    session.state.param.update(tab="neighbours", row=7)
    session.datastore.journal.tag(str(session.datastore.ids[7]), "noted", note="twins")
    session.refresh()
    session.list_bar.label_as("artefact")
    assert (
        len(session.datastore.label_table.labels) == len(session.state.selection.listed.rows) + 1
    )
    undo(session.datastore, session.state)
    assert list(session.datastore.label_table.labels) == [str(session.datastore.ids[7])]


def test_the_first_so_many_of_the_queue_by_the_probability_of_a_class(session):
    session.state.queue.rank = P_PEA
    session.state.tab = "queue"
    session.state.selection.first = 20
    assert len(session.state.selection.listed.rows) > 20 == len(session.state.shown_list.rows)
    table = table_of(exported(session))
    assert len(table) == 20
    result = session.datastore.classifier_jobs.learnt(session.state.space)
    rows = [session.datastore.row_of(str(galaxy)) for galaxy in table["id"]]
    np.testing.assert_allclose(table["p_green_pea"], result.of_class("green_pea")[rows], rtol=1e-5)
    assert table["p_green_pea"].is_monotonic_decreasing
    np.testing.assert_allclose(
        table[["p_green_pea", "p_red_spiral"]].sum(axis=1), table["anomaly_score"], atol=1e-5
    )
    assert rank_column(P_PEA) == "p_green_pea"
    assert "of these expected true at 1 in 1,000" in session.tabs["queue"].note.object


def test_names_by_place_lead_back_to_the_place(session):
    session.state.param.update(tab="neighbours", row=7)
    table = table_of(exported(session))
    places = SkyCoord(table["ra"], table["dec"], unit="deg")
    told = SkyCoord(table["ra_hms"], table["dec_dms"], unit=("hourangle", "deg"))
    assert places.separation(told).arcsec.max() < 0.15
    for name, ra, dec in zip(table["designation"], table["ra"], table["dec"], strict=True):
        text = f"{name[1:3]}:{name[3:5]}:{name[5:10]} {name[10:13]}:{name[13:15]}:{name[15:]}"
        named = SkyCoord(text, unit=("hourangle", "deg"))
        assert 0 <= ra - named.ra.deg < 15 * 0.01 / 3600 + 1e-9
        assert 0 <= abs(dec) - abs(named.dec.deg) < 0.1 / 3600 + 1e-9


def test_the_file_says_what_the_list_is_and_its_units(session):
    session.state.param.update(tab="neighbours", row=7)
    file = exported(session, "ecsv")
    table = Table.read(file.content.decode(), format="ascii.ecsv")
    assert table.meta["what"].startswith(f"nearest of {session.datastore.ids[7]}")
    assert table["ra"].unit == "deg"
    assert table["distance"].description.startswith("Distance to the picked galaxy")
    assert file.name.endswith(f"neighbours-{len(table)}.ecsv")


def test_the_labels_of_one_person_are_a_list_too(session):
    for row in (3, 9):
        toggle(session.datastore, session.state, row)
    session.state.tab = "labels"
    assert session.state.selection.listed.rows.tolist() == [9, 3]
    assert table_of(exported(session))["label"].tolist() == ["candidate", "candidate"]


def test_more_than_a_thousand_are_not_labelled_by_one_click(session):
    many = GalaxyList("neighbours", "many", np.arange(MAX_LABELLED + 1), {})
    session.state.tab = "neighbours"
    session.state.selection.listed = many
    session.list_bar.label_as("merger")
    assert "1,001 galaxies at once" in session.state.progress.notices["list"]
    assert not session.datastore.label_table.labels
