"""Labels as the browser sends them: pressed just now, or kept while the server was gone."""

import pytest

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from pcvae.journal import Journal
from pcvae.store import read_store


@pytest.fixture
def session(store, tmp_path):
    journal = Journal(tmp_path / "journal.sqlite", user="ana")
    return Explorer(DataStore(read_store(store), journal))


def said(session):
    events = session.datastore.journal.events()
    return [(event.galaxy, event.label, event.undoes) for event in events]


def test_each_label_is_taken_once_and_acknowledged(session):
    keeper = session.labels.keeper
    session.state.row = 7
    keeper._handle_msg({"id": "a", "key": "3"})
    assert (keeper.galaxy, keeper.label) == ("g0007", "3")
    keeper._handle_msg({"id": "a", "galaxy": "g0007", "act": "label", "value": "3"})
    keeper._handle_msg({"id": "b", "galaxy": "g0008", "act": "label", "value": "lens"})
    keeper._handle_msg({"id": "c", "galaxy": "g0008", "act": "note", "value": "a ring"})
    keeper._handle_msg({"id": "d", "galaxy": "g0007", "act": "remove", "value": "3"})
    keeper._handle_msg({"id": "d", "galaxy": "g0007", "act": "remove", "value": "3"})
    expected = ("g0007", "3", None), ("g0008", "lens", None), ("g0008", "lens", None)
    assert said(session) == [*expected, ("g0007", "3", 1)]
    assert keeper.acknowledged == ["a", "a", "b", "c", "d", "d"]


def test_what_cannot_be_a_label_is_acknowledged_and_said(session):
    keeper = session.labels.keeper
    keeper._handle_msg({"id": "a", "galaxy": "gone", "act": "label", "value": "3"})
    assert "not in this store" in session.card.trouble.object
    keeper._handle_msg({"id": "b", "key": "r"})
    keeper._handle_msg({"id": "c", "act": 3, "value": None, "row": "7"})
    keeper._handle_msg({"id": 7, "key": "3"})
    keeper._handle_msg({"key": "3"})
    assert said(session) == []
    assert keeper.acknowledged == ["a", "b", "c"]
