"""Walking: through what the strip lists, and through what has been seen."""

import pytest

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.shell.history import History
from dashboard.state import State
from pcvae.store import read_store


@pytest.fixture
def session(store):
    explorer = Explorer(DataStore(read_store(store), None))
    explorer.start()
    explorer.state.row = 7
    return explorer


def press(session, *keys):
    for key in keys:
        session.keys._handle_msg({"key": key})
    return session.state.row


def test_arrows_walk_through_the_neighbours_of_the_galaxy_one_started_from(session):
    listed = [item["row"] for item in session.tabs["neighbours"].strip.items]
    assert press(session, "ArrowRight") == listed[0]
    assert press(session, "ArrowRight", "ArrowRight") == listed[2]
    assert press(session, "ArrowLeft") == listed[1]
    assert [item["row"] for item in session.tabs["neighbours"].strip.items] == listed
    assert session.tabs["neighbours"].strip.picked == listed[1]


def test_the_walk_ends_at_the_last_one(session):
    listed = [item["row"] for item in session.tabs["neighbours"].strip.items]
    assert press(session, *["ArrowRight"] * 30) == listed[-1]
    assert press(session, *["ArrowLeft"] * 30) == listed[0]


def test_a_click_on_a_neighbour_goes_on_from_there(session):
    row = press(session, "ArrowRight")
    session.tabs["neighbours"].strip._handle_msg({"pick": row})
    near = session.datastore.neighbours.nearest(session.state.model, row)["row"].tolist()
    assert [item["row"] for item in session.tabs["neighbours"].strip.items] == near


def test_back_and_forward_go_through_what_was_seen(session):
    for row in (3, 9, 11):
        session.state.row = row
    assert press(session, "[", "[") == 3
    assert press(session, "]") == 9
    assert session.history.can == (True, True)
    session.state.row = 20
    assert session.history.can == (True, False)
    assert press(session, "]") == 20
    assert press(session, "[") == 9


def test_the_history_forgets_only_the_oldest(monkeypatch):
    monkeypatch.setattr("dashboard.shell.history.MAX_GALAXIES", 3)
    state = State()
    history = History(state)
    for row in range(6):
        state.row = row
    while history.back():
        pass
    assert state.row == 3
