"""Views saved by name in a journal."""

import sqlite3
from contextlib import closing

import pytest

from pcvae.errors import JournalError
from pcvae.journal import Journal
from pcvae.journal_backup import copy_journal
from pcvae.saved_views import MAX_NAME


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def journal(path):
    opened = Journal(path, user="ana")
    yield opened
    opened.close()


def told(journal):
    """Name, address and person of each view."""
    return [(view.name, view.address, view.user) for view in journal.views.all()]


def test_a_view_is_saved_listed_replaced_and_removed_and_all_of_it_stays_known(journal, path):
    saved = journal.views.save("  green   peas ", "?x=redshift")
    journal.views.save("sky", "?tab=sky", user="ben")
    assert saved.time.endswith("+00:00")
    assert told(journal) == [
        ("sky", "?tab=sky", "ben"),
        ("green peas", "?x=redshift", "ana"),
    ]
    journal.views.save("green peas", "?x=log_mass")
    assert told(journal)[0] == ("green peas", "?x=log_mass", "ana")
    assert journal.views.remove("sky").user == "ben"
    assert [name for name, *_ in told(journal)] == ["green peas"]
    assert journal.count() == 0, "no label is counted"
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT name, address, user FROM pcvae_views").fetchall()
        assert rows[-1] == ("sky", "", "ana")
        assert len(rows) == 4
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            file.execute("DELETE FROM pcvae_views")


@pytest.mark.parametrize(
    ("name", "address", "words"),
    [
        (" ", "?x=1", "1 to 80 letters"),
        ("a" * (MAX_NAME + 1), "?x=1", "found 81"),
        ("a", "https://elsewhere", "begins with"),
        ("a", "?" + "a" * 20_000, "found 20,001"),
        ("sky", "?x=1", "ben has saved"),
    ],
)
def test_what_cannot_be_saved_is_refused_in_words(journal, name, address, words):
    journal.views.save("sky", "?tab=sky", user="ben")
    with pytest.raises(JournalError, match=words):
        journal.views.save(name, address)
    assert told(journal) == [("sky", "?tab=sky", "ben")]


def test_a_view_that_is_gone_cannot_be_removed(journal):
    with pytest.raises(JournalError, match="no saved view named 'sky'"):
        journal.views.remove("sky")


def test_a_copy_of_a_journal_has_its_views(journal, path, tmp_path):
    journal.views.save("sky", "?tab=sky")
    copy_journal(path, tmp_path / "copy.sqlite")
    copy = Journal(tmp_path / "copy.sqlite")
    assert told(copy) == [("sky", "?tab=sky", "ana")]
    copy.close()
