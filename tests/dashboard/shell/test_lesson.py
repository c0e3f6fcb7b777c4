"""The lesson: what each step checks, and the way through them."""

import numpy as np
import pytest
from panel.io.location import Location

from dashboard.app import open_datastore
from dashboard.labelling.labels import set_label
from dashboard.selection.masks import mask_of, select
from dashboard.shell.lesson import NO_RARE, Lesson, rare_class
from dashboard.shell.lesson_steps import (
    STEPS,
    Course,
    Moment,
    Rare,
    answered,
    decoded,
    exported,
    labelled,
    opened_lookalikes,
    opened_model,
    picked,
    picked_neighbour,
    selected,
)
from dashboard.shell.url_sync import UrlSync
from dashboard.state import State
from tests.dashboard.explorers import begin

RARE = Rare("green_pea", "Green Pea", np.array([0, 1, 2, 3]), 100)
FIRST = Moment(row=5, galaxy="g5", tab="neighbours", listed=(7, 8))
NUMBERS = np.zeros(3)


def outcome(check, now, before=FIRST, begun=FIRST):
    """What a check says of a moment."""
    return check(Course(RARE, begun, before, now))


def mask(*rows):
    """A selection of these of the hundred galaxies."""
    return mask_of(rows, 100)


@pytest.mark.parametrize(
    ("check", "now", "words"),
    [
        (picked, Moment(row=6, galaxy="g6"), "You picked g6"),
        (picked_neighbour, Moment(row=8, galaxy="g8"), "g8 was number 2 among the nearest"),
        (decoded, Moment(decoded=NUMBERS), "in no catalogue"),
        (selected, Moment(selected=mask(0, 1, *range(10, 18))), "10 galaxies hold 2 of the 4"),
        (
            opened_lookalikes,
            Moment(tab="lookalikes", seeds="green_pea", listed=(9, 8)),
            "These 2 galaxies",
        ),
        (
            labelled,
            Moment(tab="lookalikes", listed=(9, 8), labels={9: "3", 8: "candidate"}),
            "You labelled 2",
        ),
        (opened_model, Moment(page="model"), "compares"),
        (answered, Moment(scores={"Mass": 0.91, "Rate": 0.4}, answer="Mass"), "0.910: the model"),
        (exported, Moment(exported=("labels", "list")), "on your computer"),
    ],
)
def test_a_step_is_done_and_says_what_was_right(check, now, words):
    assert not outcome(check, FIRST).done
    found = outcome(check, now)
    assert found.done
    assert words in found.words


@pytest.mark.parametrize(
    ("check", "now", "words"),
    [
        (picked_neighbour, Moment(row=6, galaxy="g6"), "g6 was not in the row"),
        (selected, Moment(selected=mask(0, 50)), "1 of the 4 Green Peas: enclose at least half"),
        (selected, Moment(selected=mask(*range(60))), "also 60 % of all"),
        (opened_lookalikes, Moment(tab="lookalikes", seeds="red_spiral"), "Choose Green Pea"),
        (opened_lookalikes, Moment(tab="lookalikes", seeds="green_pea"), "working"),
        (labelled, Moment(tab="lookalikes", listed=(9,), labels={9: "3"}), "one more"),
        (labelled, Moment(tab="lookalikes", listed=(9,), labels={4: "3"}), "not in the list"),
        (labelled, Moment(tab="queue", listed=(9,), labels={9: "3"}), "tab Look-alikes"),
        (answered, Moment(scores={"Mass": 0.91, "Rate": 0.4}, answer="Rate"), "Rate is 0.400"),
        (exported, Moment(exported=("cutout",)), "another file"),
    ],
)
def test_a_step_that_is_not_done_says_what_is_missing(check, now, words):
    found = outcome(check, now)
    assert not found.done
    assert words in found.words


def test_what_was_there_before_a_step_does_not_count():
    before = Moment(row=5, labels={9: "3", 8: "3"}, exported=("list",), decoded=NUMBERS)
    for check in (picked, labelled, exported, decoded):
        assert not outcome(check, before._replace(tab="lookalikes"), before, before).done


def pick_a_galaxy_and_a_neighbour(session):
    """The first two steps, with a wrong turn."""
    state, panel = session.state, session.lesson.panel
    state.row = 40
    assert panel.step["number"] == 2
    assert session.datastore.ids[40] in panel.said
    state.tab = "histograms"
    state.row = 41
    assert "was not in the row of neighbours" in panel.hint
    state.tab = "neighbours"
    state.row = session.tabs["neighbours"].strip.items[2]["row"]
    assert panel.step["number"] == 3
    assert "number 3 among" in panel.said


def find_the_rare_ones(session):
    """The fourth step, done when it is read again only if one goes on."""
    state, panel, go = session.state, session.lesson.panel, session.lesson._take
    assert "Find the Green Peas" in panel.step["title"]
    peas = session.datastore.populations.members("green_pea")
    select(state, mask_of(peas[:2], len(session.datastore)), how="replace")
    assert "2 of the" in panel.hint
    select(state, mask_of(peas, len(session.datastore)), how="replace")
    assert panel.step["number"] == 5
    go({"go": "back"})
    state.row = 3
    assert panel.step["number"] == 4


def label_two_lookalikes(session):
    """The fifth and sixth step."""
    state, panel = session.state, session.lesson.panel
    state.param.update(tab="lookalikes", seeds="green_pea")
    assert panel.step["number"] == 6
    for row in state.shown_list.rows[:2]:
        set_label(session.datastore, state, "candidate", int(row))
    assert panel.step["number"] == 7


def test_a_student_goes_through_the_steps_leaves_and_comes_back(many):
    panel, go = many.lesson.panel, many.lesson._take
    many.lesson.open()
    assert panel.opened == 1
    go({"resume": 1})
    pick_a_galaxy_and_a_neighbour(many)
    go({"go": "next"})
    find_the_rare_ones(many)
    go({"go": "next"})
    label_two_lookalikes(many)
    go({"go": "leave"})
    assert panel.step == {}
    go({"resume": 7})
    assert panel.step["number"] == 7
    go({"go": "reset"})
    assert (many.state.lesson, panel.said) == (1, "")


def test_the_question_is_about_the_table_of_the_store(many):
    state, panel, go = many.state, many.lesson.panel, many.lesson._take
    go({"resume": 8})
    assert panel.choices == []
    state.page = "model"
    _, figures = many.datastore.model_jobs.scores(state.model).result()
    ranked = sorted(panel.choices, key=lambda title: many.lesson._now.scores[title])
    assert len(ranked) == len(figures) == 4
    go({"answer": ranked[0]})
    assert (state.lesson, panel.answer) == (8, ranked[0])
    assert "look again" in panel.hint
    go({"answer": "nonsense"})
    go({"answer": ranked[-1]})
    assert state.lesson == 9
    assert ranked[-1] in panel.said


def test_the_address_opens_a_step_and_an_exported_list_is_the_last(many):
    state, location = many.state, Location(search="?lesson=9")
    sync = UrlSync(many.datastore, state, location)
    assert many.lesson.panel.step["number"] == 9
    state.row = 3
    state.selection.wanted_export = True
    many.export_panel.take()
    assert state.progress.exported == ["list"]
    assert many.lesson.panel.step["number"] == len(STEPS)
    assert location.query_params["lesson"] == len(STEPS)
    many.lesson._take({"go": "leave"})
    assert "lesson" not in location.query_params
    UrlSync(many.datastore, other := State(), Location(search="?lesson=many"))
    assert other.lesson == 0
    assert sync


def test_a_store_without_a_rare_class_says_that_the_lesson_needs_the_demo(examples):
    session = begin(examples["two rare ones"])
    session.state.lesson = 4
    assert session.lesson.panel.step["text"] == NO_RARE
    session.state.row = 1
    assert session.lesson.panel.step["title"] == "Lesson"


def test_another_rare_class_takes_the_place_of_green_peas(examples):
    datastore = open_datastore(examples["many"])
    assert rare_class(datastore).name == "green_pea"
    datastore.populations.marked = ["red_spiral"]
    assert rare_class(datastore).title == "Red Spiral"


def test_without_a_lesson_nobody_looks_what_the_session_shows(many, monkeypatch):
    looked = []
    monkeypatch.setattr("dashboard.shell.lesson.moment_of", lambda *_: looked.append(1))
    lesson = Lesson(datastore=many.datastore, state=many.state)
    many.state.row = 5
    assert not looked
    assert lesson.panel.step == {}
