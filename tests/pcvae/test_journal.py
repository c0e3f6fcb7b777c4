import io
import multiprocessing
import os
import sqlite3
import time
from contextlib import closing

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcvae.errors import JournalError
from pcvae.journal import Event, Journal, active_events, fold, journal_path


@pytest.fixture
def journal(tmp_path):
    """An empty journal."""
    opened = Journal(tmp_path / "labels.sqlite", user="ana")
    yield opened
    opened.close()


def labels(journal):
    return {galaxy: event.label for galaxy, event in journal.labels().items()}


def test_a_journal_lies_beside_its_store(tmp_path):
    assert journal_path(tmp_path / "demo").name == "demo.journal.sqlite"
    assert journal_path(tmp_path / "demo").parent == tmp_path.resolve()


def test_a_tag_is_on_disk_when_the_call_returns(journal, tmp_path):
    journal.tag("a", "candidate", note="ring?")
    other = sqlite3.connect(tmp_path / "labels.sqlite")
    rows = other.execute("SELECT galaxy, label, note FROM pcvae_events").fetchall()
    other.close()
    assert rows == [("a", "candidate", "ring?")]


def test_a_later_tag_replaces_the_label_of_a_galaxy(journal):
    journal.tag("a", "candidate")
    journal.tag("a", "merger", user="ben")
    assert labels(journal) == {"a": "merger"}
    assert journal.labels()["a"].user == "ben"
    assert len(journal.events()) == 2


def test_undoing_a_tag_brings_back_the_one_before(journal):
    journal.tag("a", "candidate")
    later = journal.tag("a", "merger")
    journal.undo(later.number)
    assert labels(journal) == {"a": "candidate"}


def test_undoing_an_undoing_is_redoing(journal):
    said = journal.tag("a", "candidate")
    undone = journal.undo(said.number)
    assert labels(journal) == {}
    journal.undo(undone.number)
    assert labels(journal) == {"a": "candidate"}


def test_untagging_takes_every_label_of_that_galaxy_and_of_no_other(journal):
    for galaxy, user in [("a", "ana"), ("b", "ana"), ("a", "ben")]:
        journal.tag(galaxy, "candidate", user=user)
    journal.untag("a")
    assert labels(journal) == {"b": "candidate"}
    assert journal.untag("a") == []


def test_what_two_people_say_of_a_galaxy_is_kept_for_both(journal):
    journal.tag("a", "merger", user="ana", note="two nuclei")
    journal.tag("a", "candidate", user="ben")
    journal.tag("a", "artefact", user="ben")
    table = journal.table()
    assert list(zip(table["label"], table["user"], strict=True)) == [
        ("merger", "ana"),
        ("artefact", "ben"),
    ]
    assert [event.label for event in active_events(journal.events())] == ["merger", "artefact"]
    assert labels(journal) == {"a": "artefact"}


def test_the_label_of_one_person_can_be_taken_without_the_others(journal):
    for user, label in [("ana", "merger"), ("ben", "ring"), ("ana", "lens")]:
        journal.tag("a", label, user=user)
    undone = journal.untag("a", of="ana", user="cy")
    assert [(event.label, event.user) for event in undone] == [("lens", "cy"), ("merger", "cy")]
    assert labels(journal) == {"a": "ring"}
    for event in reversed(undone):
        journal.undo(event.number)
    assert labels(journal) == {"a": "lens"}


def test_the_count_grows_with_every_change(journal):
    said = journal.tag("a", "candidate")
    assert journal.count() == 1
    journal.undo(said.number)
    assert journal.count() == 2


def test_who_reads_does_not_wait_for_who_writes(journal, tmp_path):
    journal.tag("a", "candidate")
    writer = sqlite3.connect(tmp_path / "labels.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    assert labels(journal) == {"a": "candidate"}
    assert journal.count() == 1
    assert time.monotonic() - begun < 5
    writer.execute("ROLLBACK")
    writer.close()


@pytest.mark.parametrize("address", ["postgresql+nothing://ana:hush@host/x", "://hush"])
def test_no_message_shows_a_password(address):
    with pytest.raises(JournalError, match="cannot open the journal") as found:
        Journal(address)
    assert "hush" not in str(found.value)


def test_an_event_cannot_be_undone_twice_nor_if_there_is_none(journal):
    said = journal.tag("a", "candidate")
    journal.undo(said.number)
    with pytest.raises(JournalError, match="undone already"):
        journal.undo(said.number)
    with pytest.raises(JournalError, match="found no number 99"):
        journal.undo(99)


def test_a_tag_needs_a_galaxy_and_a_label(journal):
    with pytest.raises(JournalError, match="expected a galaxy and a label"):
        journal.tag("", "candidate")


@pytest.mark.parametrize("change", ["DELETE FROM pcvae_events", "UPDATE pcvae_events SET note=1"])
def test_the_database_itself_refuses_to_change_the_past(journal, tmp_path, change):
    journal.tag("a", "candidate")
    other = sqlite3.connect(tmp_path / "labels.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        other.execute(change)
    other.close()


def test_a_journal_opened_again_says_the_same(journal, tmp_path):
    journal.tag("a", "candidate")
    journal.tag("b", "candidate")
    journal.untag("a")
    again = Journal(tmp_path / "labels.sqlite")
    assert again.events() == journal.events()
    assert again.count() == journal.count() == 3
    again.close()


def test_an_empty_journal_has_no_events_and_an_empty_table(journal):
    assert journal.count() == 0
    assert journal.table().empty
    assert list(journal.table().columns) == ["id", "label", "score", "note", "user", "time"]


def test_the_table_of_labels_survives_csv(journal):
    journal.tag("J0007+0113", "candidate", note='blue, "compact"')
    journal.tag("b", "merger", user="bén")
    text = journal.table().to_csv(index=False)
    back = pd.read_csv(io.StringIO(text), keep_default_na=False)
    pd.testing.assert_frame_equal(back, journal.table(), check_dtype=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.sampled_from("xy")), max_size=30))
def test_the_fold_is_what_replaying_by_hand_gives(steps):
    """Undo and redo as switches: an event stands unless something that stands undoes it."""
    events, undone = [], set()
    for number, (undo, which, label) in enumerate(steps, start=1):
        target = which % number
        if undo and target and target not in undone:
            undone.add(target)
            events.append(Event(number, "g", label, "", "", "", undoes=target))
        else:
            events.append(Event(number, "g", label, "", "", ""))

    def stands(number):
        return not any(e.undoes == number and stands(e.number) for e in events)

    left = [e for e in events if e.undoes is None and stands(e.number)]
    assert fold(events) == ({"g": left[-1]} if left else {})


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(8)))
def test_the_fold_does_not_depend_on_the_order_of_reading(order):
    events = [Event(i + 1, f"g{i % 3}", f"l{i}", "", "", "") for i in range(7)]
    events.append(Event(8, "g0", "l6", "", "", "", undoes=7))
    assert fold(events[i] for i in order) == fold(events)


def _tag_many(address, user, count):
    journal = Journal(address, user=user)
    for number in range(count):
        journal.tag(f"{user}-{number}", "candidate")
        journal.tag("everybody's", user)
    journal.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Where a team's journal lies; an empty database is named by ``PCVAE_TEST_DATABASE``."""
    if request.param == "sqlite":
        return tmp_path / "labels.sqlite"
    if "PCVAE_TEST_DATABASE" not in os.environ:
        pytest.skip("PCVAE_TEST_DATABASE names no database")
    return os.environ["PCVAE_TEST_DATABASE"]


def test_processes_that_open_and_write_at_once_lose_nothing(address):
    """They even make the journal at the same time, and speak of the same galaxy."""
    count, users = 40, ("ana", "ben", "cy")
    start = multiprocessing.get_context("spawn").Process
    writers = [start(target=_tag_many, args=(address, user, count)) for user in users]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    journal = Journal(address)
    events, table = journal.events(), journal.table()
    journal.close()
    assert journal_users(events) == set(users)
    assert len({event.number for event in events}) == 2 * 3 * count
    assert {e.galaxy for e in events} == {
        "everybody's",
        *(f"{user}-{n}" for user in users for n in range(count)),
    }
    assert set(table.loc[table["id"] == "everybody's", "label"]) == set(users)


def journal_users(events):
    return {event.user for event in events}


def test_a_journal_of_another_version_is_refused(journal, tmp_path):
    other = sqlite3.connect(tmp_path / "labels.sqlite")
    other.execute("UPDATE pcvae_schema SET version = 7")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="version 7 journal, this pcvae reads version 1"):
        Journal(tmp_path / "labels.sqlite")


def test_what_is_no_database_is_refused_in_words(tmp_path):
    (tmp_path / "labels.sqlite").write_text("these are not the labels you are looking for " * 50)
    with pytest.raises(JournalError, match=r"cannot open the journal .* not a database"):
        Journal(tmp_path / "labels.sqlite")
    with pytest.raises(JournalError, match=r"cannot open the journal .* unable to open"):
        Journal(tmp_path / "no" / "such" / "folder.sqlite")


def test_a_call_that_is_repeated_with_its_key_adds_nothing(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite", user="ana")
    said = journal.tag("g1", "merger", key="a")
    assert journal.tag("g1", "merger", key="a") == said
    undone = journal.untag("g1", key="b")
    journal.tag("g1", "lens", key="c")
    assert journal.untag("g1", key="b") == undone
    assert [event.label for event in journal.labels().values()] == ["lens"]
    assert journal.count() == 3
    journal.close()


def test_a_database_of_something_else_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE wines (name TEXT)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="a database of something else, with a table 'wines'"):
        Journal(path)
    assert path.read_bytes() == before
