"""Tables that programs of a visitor fetch: by a name that nobody can guess, for a while."""

import os

import pytest
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from dashboard.backend import shared_tables
from dashboard.backend.shared_tables import FolderError, TableFile, share, shared_folder

TABLE = b"<VOTABLE/>" * 20


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


class Served(AsyncHTTPTestCase):
    def get_app(self):
        return Application([("/tables/(.*)", TableFile, {"path": str(shared_folder())})])

    def runTest(self):  # noqa: N802 - unittest's name
        pass


@pytest.fixture
def fetch(temporary):
    case = Served()
    case.setUp()
    yield case.fetch
    case.tearDown()


def test_a_table_is_fetched_by_its_name_alone(fetch):
    path = share(TABLE)
    answer = fetch(f"/tables/{path.name}")
    assert (answer.code, answer.body) == (200, TABLE)
    assert answer.headers["Content-Type"] == "application/x-votable+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    assert fetch("/tables/").code in (403, 404)
    assert fetch(f"/tables/{'a' * 43}.vot").code == 404
    assert path.parent.stat().st_mode & 0o077 == 0


def test_old_tables_go_and_the_oldest_where_there_are_too_many(monkeypatch):
    old, recent = share(TABLE), share(TABLE)
    os.utime(old, (0, 0))
    newest = share(TABLE)
    assert [path.exists() for path in (old, recent, newest)] == [False, True, True]
    monkeypatch.setattr(shared_tables, "MAX_BYTES", 1)
    last = share(TABLE)
    assert list(shared_folder().iterdir()) == [last]


def test_a_folder_that_others_can_read_is_not_used(temporary):
    shared_folder().chmod(0o755)
    with pytest.raises(FolderError, match="that only you can read; remove it"):
        share(TABLE)
