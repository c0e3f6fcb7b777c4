"""A journal is copied whole while others write, and never over another one."""

import sqlite3
import threading

import pytest

from dashboard.labelling.journal_backup import main
from pcvae.errors import JournalError
from pcvae.journal import Journal, journal_path
from pcvae.journal_backup import copy_journal


@pytest.fixture
def store(tmp_path):
    """A store's folder, with a journal of three labels beside it."""
    folder = tmp_path / "store"
    folder.mkdir()
    journal = Journal(journal_path(folder), user="ana")
    for galaxy in ("a", "b", "c"):
        journal.tag(galaxy, "candidate", note="=1+1")
    yield folder
    journal.close()


def labels(path):
    journal = Journal(path)
    found = [(event.galaxy, event.label, event.note, event.user) for event in journal.events()]
    journal.close()
    return found


def test_a_backup_is_brought_back_with_every_label(store, tmp_path, capsys):
    before = labels(journal_path(store))
    assert main([str(store), str(tmp_path / "backup.sqlite")]) == 3
    for path in tmp_path.glob("store.journal.sqlite*"):
        path.rename(tmp_path / f"old-{path.name}")
    assert main(["--restore", str(tmp_path / "backup.sqlite"), str(store)]) == 3
    assert labels(journal_path(store)) == before
    assert "3 events" in capsys.readouterr().out


def test_labels_that_are_written_meanwhile_do_no_harm(store, tmp_path):
    journal = Journal(journal_path(store), user="ben")
    ended = threading.Event()

    def write():
        number = 0
        while not ended.is_set():
            journal.tag(f"g{number}", "merger")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [copy_journal(journal_path(store), tmp_path / f"{k}.sqlite") for k in range(5)]
    finally:
        ended.set()
        writer.join()
    assert counts == sorted(counts)
    every = labels(journal_path(store))
    for number, count in enumerate(counts):
        assert labels(tmp_path / f"{number}.sqlite") == every[:count]
    journal.close()


def test_nothing_is_written_over(store, tmp_path):
    (tmp_path / "backup.sqlite").write_text("mine")
    with pytest.raises(JournalError, match=r"backup.sqlite exists: .* move it aside"):
        copy_journal(journal_path(store), tmp_path / "backup.sqlite")
    assert (tmp_path / "backup.sqlite").read_text() == "mine"
    copy_journal(journal_path(store), tmp_path / "copy.sqlite")
    with pytest.raises(JournalError, match="exists"):
        main(["--restore", str(tmp_path / "copy.sqlite"), str(store)])
    (tmp_path / "left.sqlite-wal").write_bytes(b"of another")
    with pytest.raises(JournalError, match=r"left\.sqlite-wal exists"):
        copy_journal(journal_path(store), tmp_path / "left.sqlite")


def test_what_is_no_journal_or_is_damaged_is_not_copied(store, tmp_path):
    with pytest.raises(JournalError, match="found none"):
        copy_journal(tmp_path / "absent.sqlite", tmp_path / "out.sqlite")
    (tmp_path / "text.sqlite").write_text("no database at all, but text that is long enough")
    with pytest.raises(JournalError, match="found something else"):
        copy_journal(tmp_path / "text.sqlite", tmp_path / "out.sqlite")
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("CREATE TABLE stars (id)")
    other.close()
    with pytest.raises(JournalError, match="found something else"):
        copy_journal(tmp_path / "other.sqlite", tmp_path / "out.sqlite")
    copy_journal(journal_path(store), tmp_path / "copy.sqlite")
    whole = (tmp_path / "copy.sqlite").read_bytes()
    (tmp_path / "copy.sqlite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JournalError, match="copy"):
        copy_journal(tmp_path / "copy.sqlite", tmp_path / "out.sqlite")
    assert not list(tmp_path.glob("out.sqlite*"))
