"""A store that is moved away and back, or replaced, while it is shown."""

import json
import shutil

import pytest

from dashboard.app import Explorer, shared_datastore


@pytest.fixture
def moved(store, tmp_path):
    return shutil.copytree(store, tmp_path / "moved")


def test_a_store_that_is_moved_away_is_named_until_it_is_back(moved):
    session = Explorer(shared_datastore(moved))
    aside = moved.rename(moved.with_name("aside"))
    session.refresh()
    assert "was moved away" in session.card.trouble.object
    session.card.dismiss.clicks += 1
    session.refresh()
    assert session.card.trouble.object == ""
    aside.rename(moved)
    session.refresh()
    assert session.state.progress.notices == {}
    assert not session.connection.stale
    assert shared_datastore(moved) is session.datastore


def test_a_store_that_is_replaced_is_opened_anew(moved):
    session = Explorer(shared_datastore(moved))
    file = moved / "store.json"
    facts = json.loads(file.read_text()) | {"sample": "another"}
    file.write_text(json.dumps(facts))
    session.refresh()
    assert session.connection.stale
    assert "was replaced" in session.card.trouble.object
    opened = shared_datastore(moved)
    assert opened.store.info.sample == "another"
    assert Explorer(opened).labels.keeper.store != session.labels.keeper.store
