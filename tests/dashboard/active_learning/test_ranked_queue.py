"""The queue and the fits behind it: score, margin, what people teach, and what comes of it."""

import holoviews as hv
import numpy as np
import pytest

from dashboard.active_learning.ranking import ERROR, caption_of, worth_of
from dashboard.active_learning.training_labels import refit
from dashboard.backend.datastore import DataStore
from dashboard.gallery.stamp_strip import stamp_items
from dashboard.labelling.labels import toggle, undo
from dashboard.state import Space
from pcvae.anomaly import NORMAL, anomaly_score, fit_score
from tests.dashboard.active_learning.queue_session import (
    MERGERS,
    boundaries_of,
    label,
    learnt,
    shown,
)
from tests.dashboard.explorers import begin, change

hv.extension("bokeh")


def test_the_score_is_that_of_the_classifier_on_all_features(queue):
    datastore = queue.datastore
    values = datastore.store.features("physics").values
    expected = anomaly_score(values, datastore.populations.names[:], datastore.store.info.rare)
    found = datastore.classifier_jobs.learnt(Space("physics"))
    np.testing.assert_allclose(found.score, expected, atol=1e-5)
    margins = fit_score(values, datastore.classifier_jobs.classes(())).margins(values)
    np.testing.assert_allclose(found.margin, margins.max(axis=1), atol=2e-3)
    assert queue.fit.rates.object.count("galaxies as normal ones") == 1


def test_scoring_in_parts_is_scoring_at_once(session, monkeypatch):
    values = session.datastore.classifier_jobs.score(Space("physics")).future.result().score
    monkeypatch.setattr("dashboard.backend.classifier_jobs.CHUNK", 7)
    again = (
        DataStore(session.datastore.store, None)
        .classifier_jobs.score(Space("physics"))
        .future.result()
        .score
    )
    np.testing.assert_allclose(values, again, atol=1e-6)


@pytest.mark.parametrize("model", ["physics", "vanilla"])
@pytest.mark.parametrize("by", ["score", "margin", "error"])
def test_the_queue_is_ranked_by_what_the_person_chooses(session, model, by):
    session.state.queue.rank = by
    session.state.param.update(model=model, tab="queue")
    queue = session.tabs["queue"]
    found = session.datastore.classifier_jobs.learnt(Space(model))
    values = (
        session.datastore.columns.values(model, ERROR) if by == "error" else getattr(found, by)
    )
    plain = values[session.datastore.populations.normal]
    rows = shown(queue)
    worth = np.abs(values[rows]) if by == "margin" else -values[rows]
    assert (np.diff(worth) >= 0).all()
    assert len(rows) == 60
    best = np.abs(plain).min() if by == "margin" else plain.max()
    assert abs(values[rows[0]]) == pytest.approx(abs(best))
    assert queue.strip.items[0]["caption"] == caption_of(by, float(values[rows[0]]))
    assert ("of these expected true at 1 in 1,000" in queue.note.object) == (by == "score")


def test_the_queue_of_a_selection_holds_nothing_else_and_says_how_many(session, queue):
    mask = np.zeros(120, bool)
    mask[10:30] = True
    session.state.selection.selected, session.state.queue.focus_only = mask, True
    wanted = np.flatnonzero(mask & session.datastore.populations.normal)
    assert set(shown(queue)) == set(wanted)
    assert f"of {len(wanted)}," in queue.note.object
    session.state.queue.unlabelled = False
    assert set(shown(queue)) == set(range(10, 30))
    session.state.queue.focus_only = False
    assert "of 120," in queue.note.object


def test_the_rare_galaxies_of_the_catalogue_are_known_and_left_out_unless_wanted(session, queue):
    assert session.datastore.populations.normal[shown(queue)].all()
    session.state.queue.unlabelled = False
    assert not session.datastore.populations.normal[shown(queue)].all()


def test_what_anybody_has_labelled_is_left_out_unless_wanted(session, queue, folder, tmp_path):
    first = shown(queue)[0]
    ben = begin(folder, tmp_path / "journal.sqlite", "ben")
    label(ben, "merger", [first])
    session.refresh()
    assert shown(queue)[0] == first
    session.state.queue.rank = "error"
    session.state.queue.rank = "score"
    assert first not in shown(queue)
    session.state.queue.unlabelled = False
    assert shown(queue)[0] == first
    assert queue.strip.items[0]["caption"].endswith("Merger")


def test_keys_label_and_go_on_and_the_list_stays_in_place(session, queue):
    order = shown(queue)
    press = session.keys._handle_msg
    press({"key": "ArrowRight"})
    assert session.state.row == order[0]
    press({"key": "4"})
    assert session.state.row == order[1]
    press({"key": "2"})
    press({"key": "ArrowRight"})
    assert session.state.row == order[3]
    press({"key": "ArrowLeft"})
    press({"key": "ArrowLeft"})
    assert session.state.row == order[1]
    assert shown(queue) == order
    assert queue.strip.items[0]["caption"].endswith("Score 4")
    said = {event.galaxy: event.label for event in session.datastore.label_table.active}
    assert said == {queue.datastore.ids[order[0]]: "4", queue.datastore.ids[order[1]]: "2"}


def test_model_from_run_passes_what_is_labelled_meanwhile(session, queue):
    order = shown(queue)
    queue.step(1)
    label(session, "merger", order[1:4])
    queue.step(1)
    assert session.state.row == order[4]


def test_undo_shows_the_galaxy_again_and_takes_its_label_off(session, queue):
    order = shown(queue)
    queue.step(1)
    queue.score("4")
    undo(session.datastore, session.state)
    assert session.state.row == order[0]
    assert not queue.strip.items[0]["caption"].endswith("Score 4")
    queue.score("5")
    assert session.state.row == order[1]


def test_from_elsewhere_the_queue_goes_on_where_it_was_left(session, queue):
    session.state.queue.unlabelled = False
    order = shown(queue)
    for _ in range(3):
        queue.step(1)
    mask = np.zeros(120, bool)
    mask[order[:10]] = True
    session.state.selection.selected, session.state.queue.focus_only = mask, True
    order = shown(queue)
    session.state.row = order[4]
    queue.step(1)
    assert session.state.row == order[5]
    session.state.row = next(row for row in range(120) if row not in order)
    queue.step(1)
    assert session.state.row == order[5]


def test_the_second_page_follows_the_first(session, queue):
    session.state.queue.unlabelled = False
    order = worth_of("score", learnt(session).score, np.ones(120, bool))
    session.state.row = int(order[59])
    assert shown(queue) == list(order[:60])
    queue.step(1)
    assert session.state.row == order[60]
    assert shown(queue) == list(order[60:])
    assert "61\N{EN DASH}120 of 120" in queue.note.object
    queue.step(-1)
    assert shown(queue) == list(order[:60])


def test_a_long_queue_has_the_best_and_says_that_there_are_more():
    values = np.random.default_rng(0).normal(size=1000)
    kept = values < 2
    rows = worth_of("score", values, kept, 10)
    expected = np.flatnonzero(kept)[np.argsort(-values[kept])][:10]
    np.testing.assert_array_equal(rows, expected)


def test_a_queue_of_nothing_says_why(session, queue):
    label(session, "0", range(120))
    session.state.queue.rank = "margin"
    assert queue.strip.empty.startswith("Every galaxy of this queue is labelled")


def test_without_rare_galaxies_the_queue_says_what_to_do(store, tmp_path):
    plain = change(store, tmp_path / "plain", population="field")
    session = begin(plain, tmp_path / "journal.sqlite")
    session.state.tab = "queue"
    queue = session.tabs["queue"]
    assert "no class to be told from the normal" in queue.strip.empty
    session.state.queue.rank = "error"
    assert len(queue.strip.items) == 60
    label(session, "merger", MERGERS)
    session.state.queue.rank = "score"
    refit(session.datastore, session.state)
    assert "score" in queue.strip.items[0]["caption"]
    assert set(np.unique(boundaries_of(session).classes)) == {NORMAL, "merger"}


def test_own_labels_are_marks_on_the_map(session, folder, tmp_path):
    label(session, "4", [3])
    label(session, "1", [4])
    label(session, "merger", [5])
    ben = begin(folder, tmp_path / "journal.sqlite", "ben")
    label(ben, "merger", [6])
    session.refresh()
    hv.render(session.map.figure)
    marks = session.map.overlays.labels.shown.data
    points = session.map.plane.points.iloc[[3, 5]]
    np.testing.assert_array_equal(marks["x"], points["x"])
    assert marks["shape"] == [
        session.datastore.populations.shape(name) for name in ("candidate", "merger")
    ]


def test_toggling_a_candidate_in_the_queue_stays_where_it_is(session, queue):
    order = shown(queue)
    queue.step(1)
    toggle(session.datastore, session.state)
    assert session.state.row == order[0]
    assert queue.strip.items[0]["caption"].endswith("Candidate")


def test_the_journal_is_asked_no_more_often_for_many_labels_than_for_few(session, monkeypatch):
    asked = []
    count = session.datastore.journal.count
    monkeypatch.setattr(session.datastore.journal, "count", lambda: asked.append(1) or count())

    hv.render(session.map.figure)

    def times():
        asked.clear()
        session.map.overlays._labels()
        return len(asked)

    session.datastore.journal.tag(str(session.datastore.ids[1]), "merger")
    few = times()
    for galaxy in session.datastore.ids[2:30]:
        session.datastore.journal.tag(str(galaxy), "merger")
    assert times() == few
    asked.clear()
    stamp_items(session.datastore, [(row, "") for row in range(60)], dark=True)
    assert not asked
    assert len(session.map.overlays.labels.shown.data["x"]) == 29


def test_the_queue_ranks_by_the_chosen_features(photometric):
    session = photometric
    session.start()
    session.state.tab = "queue"
    session.state.features = "photometry"
    store = session.datastore.store
    session.datastore.classifier_jobs.score(session.state.space).future.result()
    expected = anomaly_score(
        store.features("physics", "photometry").values,
        session.datastore.populations.names[:],
        store.info.rare,
    )
    np.testing.assert_allclose(learnt(session).score, expected, atol=1e-5)
    first = shown(session.tabs["queue"])[0]
    normal = session.datastore.populations.normal
    assert expected[first] == pytest.approx(expected[normal].max(), abs=1e-5)
