"""Labels and notes: who said what, undone and redone, by several people at once."""

import multiprocessing

import holoviews as hv
import pytest

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.labelling.label_bar import said_of
from dashboard.labelling.labels import (
    is_candidate,
    label_names,
    label_title,
    own_label,
    redo,
    remove,
    set_label,
    toggle,
    undo,
    who,
    write_note,
)
from pcvae.errors import JournalError
from pcvae.journal import Journal
from pcvae.store import read_store
from tests.dashboard.explorers import begin


@pytest.fixture
def ana(store, tmp_path):
    return begin(store, tmp_path / "journal.sqlite")


@pytest.fixture
def ben(store, tmp_path, ana):
    """Another process on the same journal."""
    return begin(store, tmp_path / "journal.sqlite", "ben")


def labels(session):
    return {event.galaxy: event.label for event in session.datastore.label_table.active}


def press(session, *keys):
    for key in keys:
        session.keys._handle_msg({"key": key})


def listed(session):
    session.state.tab = "labels"
    return session.tabs["labels"].strip.items


def test_a_key_scores_the_picked_galaxy_and_the_same_key_takes_it_back(ana):
    ana.state.row = 7
    press(ana, "4")
    assert labels(ana) == {"g0007": "4"}
    assert ana.card.judge.bar.label == "4"
    press(ana, "2")
    assert labels(ana) == {"g0007": "2"}
    press(ana, "2")
    assert labels(ana) == {}


def test_a_label_is_on_disk_before_the_page_says_so(ana, tmp_path):
    seen = []

    def look(*_):
        other = Journal(tmp_path / "journal.sqlite")
        seen.append([(event.galaxy, event.label) for event in other.labels().values()])
        other.close()

    ana.state.row = 7
    ana.state.progress.param.watch(look, "message")
    press(ana, "3")
    assert seen == [[("g0007", "3")]]


def test_what_cannot_be_saved_is_said_and_not_shown(ana, monkeypatch):
    def refuse(*_, **__):
        raise JournalError("the disk is full")

    ana.state.row = 7
    monkeypatch.setattr(ana.datastore.journal, "tag", refuse)
    press(ana, "3")
    assert "Not saved: the disk is full" in ana.card.trouble.object
    assert ana.card.judge.bar.label == ""
    monkeypatch.undo()
    press(ana, "3")
    assert ana.card.judge.bar.label == "3"
    assert ana.card.trouble.object == ""


def test_an_outage_of_the_journal_is_told_as_long_as_it_lasts(ana, monkeypatch):
    def refuse(*_, **__):
        raise JournalError("the server is gone")

    ana.state.row = 7
    monkeypatch.setattr(ana.datastore.journal, "tag", refuse)
    press(ana, "3")
    monkeypatch.setattr(ana.datastore.journal, "count", refuse)
    ana.refresh()
    ana.refresh()
    ana.state.row = 8
    assert "the server is gone" in ana.card.trouble.object
    assert "Not saved" not in ana.card.trouble.object
    monkeypatch.undo()
    ana.refresh()
    assert "Not saved" in ana.card.trouble.object
    press(ana, "3")
    assert ana.card.trouble.object == ""


@pytest.mark.parametrize(("back", "forth"), [("u", "U"), ("z", "Z")])
def test_undo_and_redo_walk_through_what_was_done(ana, back, forth):
    ana.state.row = 7
    press(ana, "4", "1")
    ana.state.row = 8
    press(ana, "c")
    press(ana, back)
    assert labels(ana) == {"g0007": "1"}
    press(ana, back)
    assert labels(ana) == {"g0007": "4"}
    assert ana.state.row == 7
    press(ana, back, back)
    assert labels(ana) == {}
    assert ana.state.progress.message == "Nothing to undo"
    press(ana, forth, forth, forth, forth)
    assert labels(ana) == {"g0007": "1", "g0008": "candidate"}
    assert ana.state.row == 8
    assert len(ana.datastore.journal.events()) == 3 + 6


def test_a_new_act_forgets_what_could_be_redone(ana):
    ana.state.row = 7
    press(ana, "4", "u")
    assert ana.card.judge.bar.forth
    press(ana, "5", "U")
    assert labels(ana) == {"g0007": "5"}
    assert not ana.card.judge.bar.forth


def test_a_removal_is_undone_whole(ana):
    set_label(ana.datastore, ana.state, "merger", 3)
    set_label(ana.datastore, ana.state, "lens", 3)
    remove(ana.datastore, ana.state, own_label(ana.datastore, 3))
    assert labels(ana) == {}
    undo(ana.datastore, ana.state)
    assert labels(ana) == {"g0003": "lens"}
    redo(ana.datastore, ana.state)
    assert labels(ana) == {}


def test_a_later_session_can_undo_what_the_person_said_before(ana, store, tmp_path):
    set_label(ana.datastore, ana.state, "merger", 3)
    later = begin(store, tmp_path / "journal.sqlite")
    assert later.card.judge.bar.back
    press(later, "u")
    assert labels(later) == {}
    assert later.state.row == 3


def test_a_note_is_kept_with_the_label_whatever_that_becomes(ana):
    write_note(ana.datastore, ana.state, " two nuclei ", 5)
    assert own_label(ana.datastore, 5).note == "two nuclei"
    set_label(ana.datastore, ana.state, "merger", 5)
    assert (own_label(ana.datastore, 5).label, own_label(ana.datastore, 5).note) == (
        "merger",
        "two nuclei",
    )
    write_note(ana.datastore, ana.state, "", 5)
    assert own_label(ana.datastore, 5).note == ""
    assert own_label(ana.datastore, 5).label == "merger"
    before = len(ana.datastore.journal.events())
    assert not write_note(ana.datastore, ana.state, "", 5)
    assert len(ana.datastore.journal.events()) == before


def test_a_note_without_a_label_goes_when_it_is_emptied(ana):
    write_note(ana.datastore, ana.state, "odd", 5)
    ana.state.row = 5
    assert (ana.card.judge.bar.label, ana.card.judge.bar.note) == ("", "odd")
    write_note(ana.datastore, ana.state, "", 5)
    assert own_label(ana.datastore, 5) is None


def test_two_people_say_different_things_of_a_galaxy_and_both_are_kept(ana, ben):
    set_label(ana.datastore, ana.state, "merger", 5)
    set_label(ben.datastore, ben.state, "artefact", 5)
    ana.refresh()
    assert {(item["caption"], item["lines"][1].split(",")[0]) for item in listed(ana)} == {
        ("Merger", "ana"),
        ("Artefact", "ben"),
    }
    assert said_of(ana.datastore, 5) == "ana: Merger · ben: Artefact"
    ana.state.row = 5
    assert ana.card.judge.bar.label == "merger"
    toggle(ana.datastore, ana.state, 5, "merger")
    assert labels(ben) == {"g0005": "artefact"}


def test_nobody_undoes_what_another_did(ana, ben):
    set_label(ana.datastore, ana.state, "merger", 5)
    press(ben, "u")
    assert ben.state.progress.message == "Nothing to undo"
    assert labels(ana) == {"g0005": "merger"}


def test_undoing_what_somebody_else_has_removed_says_so(ana, ben):
    set_label(ana.datastore, ana.state, "merger", 5)
    ben.refresh()
    remove(ben.datastore, ben.state, ben.datastore.label_table.active[0])
    undo(ana.datastore, ana.state)
    assert ana.state.progress.message == "Somebody else has undone that already"
    assert labels(ana) == {}


def test_two_sessions_of_a_process_have_their_own_undo(ana):
    other = Explorer(ana.datastore)
    set_label(ana.datastore, ana.state, "merger", 5)
    other.refresh()
    assert other.state.progress.undo_stack == []
    assert ana.state.progress.undo_stack != []
    assert [item["row"] for item in listed(other)] == [5]


def _judge_many(store, path, user, start):
    session = begin(store, path, user)
    for row in range(start, start + 30):
        set_label(session.datastore, session.state, "merger", row)
        set_label(session.datastore, session.state, user, 0)
    session.datastore.journal.close()


def test_processes_that_label_at_once_lose_nothing(ana, store, tmp_path):
    start = multiprocessing.get_context("spawn").Process
    path = tmp_path / "journal.sqlite"
    people = [
        start(target=_judge_many, args=(store, path, *who)) for who in (("ben", 1), ("cy", 11))
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert [one.exitcode for one in people] == [0, 0]
    said = {(event.galaxy, event.user): event.label for event in ana.datastore.label_table.active}
    assert len(ana.datastore.journal.events()) == 120
    for user, first in (("ben", 1), ("cy", 11)):
        assert said[("g0000", user)] == user
        assert all(said[(f"g{row:04d}", user)] == "merger" for row in range(first, first + 30))


def test_the_list_is_kept_to_a_label_or_a_person(ana, ben):
    set_label(ana.datastore, ana.state, "merger", 5)
    set_label(ana.datastore, ana.state, "4", 6)
    set_label(ben.datastore, ben.state, "merger", 7)
    ana.refresh()
    assert [item["row"] for item in listed(ana)] == [7, 6, 5]
    assert ana.state.param.label.get_range() == {
        "All labels": "",
        "Score 4": "4",
        "Merger": "merger",
    }
    ana.state.label = "merger"
    assert [item["row"] for item in listed(ana)] == [7, 5]
    assert "2 of 3 labels" in ana.tabs["labels"].note.object
    ana.state.user = "ana"
    assert [item["row"] for item in listed(ana)] == [5]


def test_a_listed_label_is_removed_alone(ana, ben):
    set_label(ana.datastore, ana.state, "merger", 5)
    set_label(ben.datastore, ben.state, "lens", 5)
    ana.refresh()
    mark = {item["caption"]: item["mark"] for item in listed(ana)}
    ana.tabs["labels"].strip._handle_msg({"remove": mark["Lens"]})
    assert [item["caption"] for item in listed(ana)] == ["Merger"]
    ana.tabs["labels"].strip._handle_msg({"remove": 5})
    assert [item["caption"] for item in listed(ana)] == ["Merger"]


def test_labels_of_galaxies_that_the_store_has_not_are_left_out_of_the_list(ana):
    ana.datastore.journal.tag("another store's", "merger")
    set_label(ana.datastore, ana.state, "merger", 5)
    assert [item["row"] for item in listed(ana)] == [5]


def test_the_names_are_the_usual_the_rare_and_ones_own(ana):
    set_label(ana.datastore, ana.state, "  gravitational   lens ", 5)
    set_label(ana.datastore, ana.state, "4", 6)
    write_note(ana.datastore, ana.state, "odd", 7)
    names = label_names(ana.datastore)
    assert {"candidate", "merger", "artefact", "red_spiral", "green_pea"} < set(names)
    assert names[-1] == "gravitational lens"
    assert not {"4", "noted"} & set(names)
    assert label_title("red_spiral") == "Red Spiral"


def test_a_button_judges_the_galaxy_that_it_was_shown_for(ana):
    """The message says for which, so that a click that comes late is not another's."""
    ana.state.row = 9
    ana.card.judge.bar._handle_msg({"act": "label", "value": "5", "row": 8})
    ana.card.judge.bar._handle_msg({"act": "note", "value": "ring", "row": 8})
    ana.card.judge.bar._handle_msg({"act": "own", "value": "lens", "row": 9})
    ana.card.judge.bar._handle_msg({"act": "label", "value": "6", "row": 9})
    ana.card.judge.bar._handle_msg({"act": "label", "value": "5", "row": 10**6})
    ana.card.judge.bar._handle_msg({"act": "label", "value": None, "row": "9"})
    assert labels(ana) == {"g0008": "5", "g0009": "lens"}
    assert own_label(ana.datastore, 8).note == "ring"
    ana.card.judge.bar._handle_msg({"act": "undo", "row": 9})
    assert labels(ana) == {"g0008": "5"}


def test_a_team_names_its_journal_in_the_environment(store, tmp_path, monkeypatch):
    monkeypatch.setenv("PCVAE_JOURNAL", f"sqlite:///{tmp_path / 'team.sqlite'}")
    datastore = DataStore.open(read_store(store))
    datastore.journal.tag("g0001", "merger")
    assert (tmp_path / "team.sqlite").exists()
    assert who(datastore) == datastore.journal.user
    monkeypatch.setenv("PCVAE_JOURNAL", "postgresql+nothing://ana:hush@host/x")
    datastore = DataStore.open(read_store(store))
    assert datastore.journal is None
    assert "cannot open the journal" in datastore.journal_jobs.no_journal
    assert "hush" not in datastore.journal_jobs.no_journal


hv.extension("bokeh")


def test_a_tag_is_in_the_journal_and_on_the_list_and_can_be_taken_away(many):
    many.state.param.update(row=8, tab="labels")
    many.keys._handle_msg({"key": "c"})
    assert is_candidate(many.datastore, 8)
    (item,) = many.tabs["labels"].strip.items
    assert item["row"] == 8
    assert many.card.judge.bar.label == "candidate"
    many.tabs["labels"].strip._handle_msg({"remove": item["mark"]})
    assert not is_candidate(many.datastore, 8)
    assert many.card.judge.bar.label == ""
    assert len(many.datastore.journal.events()) == 2


def test_what_others_tag_is_seen_by_every_session(many):
    other = Explorer(many.datastore)
    other.state.tab = "labels"
    toggle(many.datastore, many.state, 4)
    other.refresh()
    assert [item["row"] for item in other.tabs["labels"].strip.items] == [4]
