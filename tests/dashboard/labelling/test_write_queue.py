"""Labels while another process holds the lock of the journal."""

import asyncio
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from bokeh.document import Document
from bokeh.server.session import ServerSession
from panel.io.state import set_curdoc
from sqlalchemy import event
from tornado.ioloop import IOLoop

from dashboard.app import Explorer
from dashboard.backend import datastore
from dashboard.backend.datastore import DataStore
from dashboard.components.notices import dismiss, report
from dashboard.labelling import write_queue
from pcvae.errors import JournalBusyError, JournalError
from pcvae.journal import Journal
from pcvae.store import read_store

AT_ONCE = 0.15  # s: shorter than the wait for the lock
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path):
    """Hold the lock of a SQLite file in another process; yields what ends that."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", LOCK, str(path)], **pipes) as process:
        assert process.stdout.readline() == "locked\n"
        yield process.communicate


@contextmanager
def visited():
    """A browser session without a browser."""
    document = Document()
    request = SimpleNamespace(cookies={}, headers={}, arguments={})
    context = SimpleNamespace(destroyed=False, server_context=object(), request=request)
    document._session_context = lambda: context
    served = ServerSession("one", document, io_loop=IOLoop.current())
    with set_curdoc(document):
        yield
    served.destroy()


async def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def press(session, row, key):
    session.state.row = row
    session.keys._handle_msg({"key": key})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def session(store, path, monkeypatch):
    monkeypatch.setattr(write_queue, "RETRY", 50)
    begun = Explorer(DataStore(read_store(store), Journal(path, user="ana", wait=0.3)))
    begun.start()
    return begun


def test_a_locked_journal_holds_nobody_up_and_the_labels_arrive_after_in_order(session, path):
    state = session.state

    async def visit():
        with visited(), locked(path) as release:
            began = time.monotonic()
            press(session, 7, "3")
            press(session, 8, "c")
            press(session, 7, "3")
            session.refresh()
            state.row = 9
            assert time.monotonic() - began < AT_ONCE
            await until(lambda: "3 labels wait" in state.progress.notices.get("saving", ""))
            assert "Not saved yet" in session.card.trouble.object
            assert session.datastore.label_table.events == 0
            began = time.monotonic()
            state.row = 10
            assert time.monotonic() - began < AT_ONCE
            release()
            await until(lambda: state.progress.journal_events == 3)
        assert state.progress.notices == {}

    asyncio.run(visit())
    events = session.datastore.journal.events()
    assert [(said.galaxy, said.label, said.undoes) for said in events] == [
        ("g0007", "3", None),
        ("g0008", "candidate", None),
        ("g0007", "3", 1),
    ]


def test_a_locked_journal_is_told_apart_from_one_that_cannot_be_written(session, path):
    with locked(path) as release:
        with pytest.raises(JournalBusyError, match="locked"):
            session.datastore.journal.tag("g0001", "merger")
        release()
    session.datastore.journal.tag("g0001", "merger")


def test_a_journal_that_is_locked_at_the_first_visit_takes_labels_later(store, path, monkeypatch):
    monkeypatch.setattr(write_queue, "RETRY", 50)
    monkeypatch.setattr(datastore, "WAIT", 0.1)
    monkeypatch.setenv("PCVAE_JOURNAL", f"sqlite:///{path}")

    async def visit():
        with visited(), locked(path) as release:
            began = time.monotonic()
            opened = DataStore.open(read_store(store))
            assert time.monotonic() - began < AT_ONCE
            session = Explorer(opened)
            assert "locked" in session.card.trouble.object
            press(session, 7, "3")
            assert session.card.judge.bar.visible
            await until(lambda: "1 label waits" in session.card.trouble.object)
            release()
            await until(lambda: session.state.progress.journal_events == 1)
            assert session.card.trouble.object == ""
        return opened

    opened = asyncio.run(visit())
    assert [said.galaxy for said in opened.journal.events()] == ["g0007"]


def test_a_database_that_may_not_be_written_is_not_tried_again(session, path):
    def forbid(connection, _record):
        connection.execute("PRAGMA query_only = 1")

    event.listen(session.datastore.journal._database._engine, "connect", forbid)
    session.datastore.journal.close()

    async def visit():
        with visited():
            press(session, 7, "3")
            await until(lambda: "Not saved: " in session.card.trouble.object)
            press(session, 7, "3")
            dismiss(session.state)
            assert session.card.trouble.object == ""
            await until(lambda: "Not saved: " in session.card.trouble.object)

    asyncio.run(visit())
    with pytest.raises(JournalError) as failure:
        session.datastore.journal.tag("g0001", "merger")
    assert not isinstance(failure.value, JournalBusyError)


def test_a_notice_that_is_repeated_stays_dismissed(session):
    state = session.state
    report(state, "journal", "it is gone", repeated=True)
    assert session.card.dismiss.visible
    session.card.dismiss.clicks += 1
    report(state, "journal", "it is gone", repeated=True)
    assert session.card.trouble.object == ""
    assert not session.card.dismiss.visible
    report(state, "journal")
    report(state, "journal", "it is gone", repeated=True)
    assert "it is gone" in session.card.trouble.object
