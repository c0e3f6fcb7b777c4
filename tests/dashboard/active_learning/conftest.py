"""A session that shows the queue."""

import pytest

from tests.dashboard.explorers import begin, change


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    """A store of 120 galaxies whose stamps encode their rows."""
    return change(store, tmp_path_factory.mktemp("triage") / "store")


@pytest.fixture
def session(folder, tmp_path):
    return begin(folder, tmp_path / "journal.sqlite")


@pytest.fixture
def queue(session):
    """The queue, shown; nothing has been labelled."""
    session.state.tab = "queue"
    return session.tabs["queue"]
