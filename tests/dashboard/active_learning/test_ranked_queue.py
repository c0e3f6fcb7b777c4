"""The queue and the fits behind it: score, margin, what people teach, and what comes of it."""

import threading
import time

import holoviews as hv
import numpy as np
import pytest

from dashboard.active_learning.ranking import ERROR, caption_of, worth_of
from dashboard.active_learning.svm_panel import rates_html
from dashboard.active_learning.training_labels import (
    cancel,
    refit,
    training_labels_of,
    wanted,
    warnings_of,
)
from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import ANOMALY
from dashboard.backend.stamp_images import data_uri
from dashboard.backend.svm_jobs import ENOUGH, Job, class_rates
from dashboard.gallery.stamp_strip import stamp_items
from dashboard.labelling.labels import judge, toggle, undo, write_note
from dashboard.plotting.decision_boundaries import shown_boundaries
from pcvae.anomaly import NORMAL, UNUSED, anomaly_score, fit_score
from pcvae.trials import repeated_folds, wilson_interval
from tests.dashboard.explorers import begin, change, code_of

hv.extension("bokeh")
MERGERS = [2, 5, 7, 10, 14, 20]


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


def shown(queue):
    """The rows on the page; each must come with its own id and picture."""
    for item in queue.strip.items:
        assert item["id"] == queue.datastore.ids[item["row"]]
        assert item["picture"] == data_uri(code_of(item["row"]), "WEBP")
    return [item["row"] for item in queue.strip.items]


def boundaries_of(session):
    """The SVM's regions on the first map."""
    return shown_boundaries(session.datastore, session.state, session.map.axes)


def label(session, name, rows):
    for row in rows:
        judge(session.datastore, session.state, name, row)


def learnt(session):
    return session.datastore.svm_jobs.learnt(
        session.state.model, session.state.queue.training_labels
    )


def test_the_score_is_that_of_the_pipeline_on_all_latents(queue):
    datastore = queue.datastore
    values = datastore.store.values("physics")
    expected = anomaly_score(values, datastore.populations.names, datastore.store.info.rare)
    found = datastore.svm_jobs.learnt("physics")
    np.testing.assert_allclose(found.score, expected, atol=1e-5)
    svm = fit_score(values, datastore.svm_jobs.classes(()))
    decision = -svm.svm.decision_function(values)[:, :2]
    np.testing.assert_allclose(found.margin, decision.max(axis=1), atol=2e-3)
    assert queue.fit.rates.object.count("galaxies as normal ones") == 1


def test_scoring_in_parts_is_scoring_at_once(session, monkeypatch):
    values = session.datastore.svm_jobs.score("physics").future.result().score
    monkeypatch.setattr("dashboard.backend.svm_jobs.CHUNK", 7)
    again = (
        DataStore(session.datastore.store, None).svm_jobs.score("physics").future.result().score
    )
    np.testing.assert_allclose(values, again, atol=1e-6)


@pytest.mark.parametrize("model", ["physics", "vanilla"])
@pytest.mark.parametrize("by", ["score", "margin", "error"])
def test_the_queue_is_ranked_by_what_the_person_chooses(session, model, by):
    session.state.queue.rank = by
    session.state.param.update(model=model, tab="queue")
    queue = session.tabs["queue"]
    found = session.datastore.svm_jobs.learnt(model)
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


def test_the_queue_of_a_selection_holds_nothing_else_and_says_how_many(session, queue):
    mask = np.zeros(120, bool)
    mask[10:30] = True
    session.state.selection.selected, session.state.queue.focus_only = mask, True
    wanted = np.flatnonzero(mask & session.datastore.populations.normal)
    assert set(shown(queue)) == set(wanted)
    assert f"of {len(wanted)}," in queue.said.object
    session.state.queue.unlabelled = False
    assert set(shown(queue)) == set(range(10, 30))
    session.state.queue.focus_only = False
    assert "of 120," in queue.said.object


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
    press({"key": "0"})
    press({"key": "ArrowRight"})
    assert session.state.row == order[3]
    press({"key": "ArrowLeft"})
    press({"key": "ArrowLeft"})
    assert session.state.row == order[1]
    assert shown(queue) == order
    assert queue.strip.items[0]["caption"].endswith("Score 4")
    said = {event.galaxy: event.label for event in session.datastore.label_table.active}
    assert said == {queue.datastore.ids[order[0]]: "4", queue.datastore.ids[order[1]]: "0"}


def test_going_on_passes_what_is_labelled_meanwhile(session, queue):
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
    assert "61\N{EN DASH}120 of 120" in queue.said.object
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


def test_labels_become_classes_by_the_rule_that_the_page_states(session):
    datastore = session.datastore
    red = int(datastore.populations.members("red_spiral")[0])
    plain = [row for row in range(120) if datastore.populations.normal[row]][:9]
    for row, said in zip(
        plain, ["5", "4", "3", "2", "1", "0", "artefact", "merger", "candidate"], strict=True
    ):
        judge(datastore, session.state, said, row)
    judge(datastore, session.state, "0", red)
    write_note(datastore, session.state, "odd", 119)
    expected = [*2 * ["candidate"], *2 * [UNUSED], *3 * [NORMAL], "merger", "candidate"]
    assert training_labels_of(datastore) == tuple(zip(plain, expected, strict=True))
    judge(datastore, session.state, "merger", red)
    assert (red, "merger") in training_labels_of(datastore)
    judge(datastore, session.state, "normal", red)
    assert (red, NORMAL) in training_labels_of(datastore)


def test_a_refit_makes_a_class_of_a_new_name_with_its_own_boundary_and_colour(session, queue):
    before = learnt(session).score
    label(session, "merger", MERGERS)
    assert NORMAL in session.legend.pane.object or "linear SVM" in session.legend.pane.object
    refit(session.datastore, session.state)
    assert learnt(session).svm.classes == (NORMAL, "green_pea", "merger", "red_spiral")
    assert learnt(session).svm.used["merger"] == len(MERGERS)
    assert not np.allclose(before, learnt(session).score)
    found = boundaries_of(session)
    assert "merger" in found.classes
    assert session.datastore.populations.colour(
        "merger", dark=True
    ) != session.datastore.populations.colour("candidate", dark=True)
    hv.render(session.map.figure)
    drawn = set(session.map.overlays.regions.lines.data["colour"])
    assert (session.datastore.populations.colour("merger", dark=True) in drawn) == (
        found.region == found.classes.index("merger")
    ).any()
    assert "Merger" in queue.fit.rates.object
    assert "Recall" in queue.fit.rates.object
    assert "Merger 6 labelled" in session.legend.pane.object


def test_a_boundary_around_a_class_of_ones_own_is_drawn(session, queue):
    """All at one end of an axis, so that it must have a region."""
    latent = session.datastore.store.latents("physics")[session.state.x].to_numpy()
    rows = [row for row in np.argsort(-latent) if session.datastore.populations.normal[row]][:12]
    hv.render(session.map.figure)
    label(session, "merger", rows)
    refit(session.datastore, session.state)
    lines = session.map.overlays.regions.lines.data
    place = lines["colour"].index(session.datastore.populations.colour("merger", dark=True))
    assert np.isfinite(lines["x"][place]).all()
    hv.render(session.map.figure)


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


def test_the_boundaries_of_the_maps_follow_what_is_taught(session, queue):
    before = boundaries_of(session)
    red = session.datastore.populations.members("red_spiral")
    label(session, "normal", red[:6])
    refit(session.datastore, session.state)
    after = boundaries_of(session)
    assert after.used["red_spiral"] == before.used["red_spiral"] - 6
    assert (after.region != before.region).any()


def test_until_a_refit_labels_change_no_fit(session, queue):
    before = learnt(session).svm.used
    label(session, "merger", MERGERS)
    assert session.state.queue.training_labels == ()
    assert learnt(session).svm.used == before


def test_a_class_that_is_too_small_is_named_and_takes_no_part(session, queue):
    label(session, "merger", MERGERS[:3])
    refit(session.datastore, session.state)
    assert "merger" not in learnt(session).svm.classes
    assert learnt(session).svm.used[NORMAL] == int(session.datastore.populations.normal.sum()) - 3
    assert f"Merger: 3 labelled, {ENOUGH} needed; it takes no part yet." in queue.fit.rates.object
    assert "Green Pea: only" in queue.fit.rates.object


def test_a_catalogued_class_of_one_is_named(store, tmp_path):
    populations = np.array(["field"] * 120, object)
    populations[5], populations[10:40] = "green_pea", "red_spiral"
    folder = change(store, tmp_path / "store", population=populations)
    session = begin(folder, tmp_path / "journal.sqlite")
    found = warnings_of(session.datastore, (), {NORMAL: 89, "red_spiral": 30})
    assert found == ["Green Pea: 1 in the catalogue, 2 needed; it takes no part"]


def test_judged_normal_galaxies_always_teach_the_svm(session, monkeypatch):
    """They are few among many, and were chosen because they matter."""
    monkeypatch.setattr("pcvae.anomaly.MOST_NORMAL", 20)
    judged = np.flatnonzero(session.datastore.populations.normal)[-8:]
    label(session, "0", judged)
    values = session.datastore.store.values("physics")
    rows = session.datastore.svm_jobs.rows(values, training_labels_of(session.datastore))
    assert set(judged) <= set(rows)
    assert session.datastore.populations.normal[rows].sum() == 20


def test_the_rates_are_those_of_repeated_folds_with_wilson_intervals(session, queue):
    refit(session.datastore, session.state)
    trials = session.datastore.svm_jobs.job("trials", "physics", ()).result
    classes = session.datastore.svm_jobs.classes(())
    values = session.datastore.store.values("physics")
    parts = [repeated_folds(values, classes, seed, 5, 1).rates("red_spiral") for seed in range(3)]
    (red,) = [one for one in class_rates(trials) if one.name == "red_spiral"]
    assert (
        red.galaxies
        == parts[0].members
        == len(session.datastore.populations.members("red_spiral"))
    )
    recall = sum(one.hits for one in parts) / sum(one.members for one in parts)
    assert red.recall[0] == pytest.approx(recall)
    assert red.recall[1:] == pytest.approx(wilson_interval(recall * red.galaxies, red.galaxies))
    wrong = sum(one.false_alarms for one in parts) / sum(one.normal for one in parts)
    normal = parts[0].normal
    assert red.false_positive_rate[1:] == pytest.approx(wilson_interval(wrong * normal, normal))
    assert f"<b>{100 * recall:.0f} %</b>" in rates_html([red], [], "")


def test_the_map_is_coloured_by_the_score_that_the_session_asked_for(session):
    session.state.colour = ANOMALY
    assert "Anomaly score" in session.legend.pane.object
    assert "being computed" not in session.legend.pane.object
    before = session.map._galaxies().dimension_values(2, flat=False)
    label(session, "normal", session.datastore.populations.members("red_spiral"))
    refit(session.datastore, session.state)
    assert not np.array_equal(session.map._galaxies().dimension_values(2, flat=False), before)


def test_sessions_ask_for_their_own_fits(session, queue):
    other = Explorer(session.datastore)
    other.start()
    other.state.tab = "queue"
    label(session, "merger", MERGERS)
    refit(session.datastore, session.state)
    assert other.state.queue.training_labels == ()
    assert "merger" not in learnt(other).svm.classes
    assert "Recall" not in other.tabs["queue"].fit.rates.object
    assert shown(other.tabs["queue"]) != shown(queue)
    refit(other.datastore, other.state)
    assert other.state.queue.training_labels == session.state.queue.training_labels
    assert learnt(other) is learnt(session)


def test_a_cancelled_refit_leaves_the_fit_before_it(session, queue):
    label(session, "merger", MERGERS)
    refit(session.datastore, session.state)
    first = session.state.queue.training_labels
    label(session, "normal", session.datastore.populations.members("red_spiral")[:5])
    refit(session.datastore, session.state)
    assert session.state.queue.training_labels != first
    cancel(session.state)
    assert session.state.queue.training_labels == first
    assert "cancelled" in session.state.progress.message


def test_what_nobody_wants_any_more_is_stopped_and_can_be_asked_for_again(session):
    learning, begun, seen = session.datastore.svm_jobs, threading.Event(), []

    def slow(job):
        begun.set()
        while True:
            time.sleep(0.01)
            seen.append(job.words)
            job.tell("slowly", 0.5)

    key = ("score", "physics", ((1, "x"),))
    job = learning._jobs[key] = Job(slow, learning._worker)
    learning.want("ana", {key})
    learning.want("ben", {key})
    assert begun.wait(10)
    learning.want("ana", ())
    assert not job.future.done()
    learning.want("ben", ())
    assert isinstance(job.future.exception(10), BaseException)
    assert (job.result, job.failure) == (None, "")
    assert learning.job(*key) is None
    assert learning.score("physics", ()).future.result() is not None


def test_a_failed_fit_is_told_in_words(session, monkeypatch):
    def fail(*_, **__):
        msg = "singular"
        raise ValueError(msg)

    monkeypatch.setattr("dashboard.backend.svm_jobs.fit_score", fail)
    session.state.tab = "queue"
    queue = session.tabs["queue"]
    assert queue.strip.empty == "The SVM could not be fitted: singular"
    assert "singular" in session.card.trouble.object
    session.state.queue.rank = "error"
    assert len(queue.strip.items) == 60
    assert session.card.trouble.object == ""


def test_a_fit_is_wanted_only_where_it_shows(session):
    assert wanted(session.state) == set()
    session.state.tab = "queue"
    assert wanted(session.state) == {("score", "physics", ())}
    session.state.queue.rank = "error"
    assert wanted(session.state) == set()
    session.state.colour = ANOMALY
    session.state.model = "vanilla"
    assert wanted(session.state) == {("score", "vanilla", ())}


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
