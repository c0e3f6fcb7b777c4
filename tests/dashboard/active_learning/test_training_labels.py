"""Labels as training data of the SVM: classes, refits, rates, cancelled and failed fits."""

import threading
import time

import holoviews as hv
import numpy as np
import pytest

from dashboard.active_learning.classifier_panel import rates_html, simulated_note
from dashboard.active_learning.training_labels import (
    cancel,
    refit,
    training_labels_of,
    wanted_fits,
    warnings_of,
)
from dashboard.app import Explorer
from dashboard.backend.classifier_jobs import MIN_CLASS, ClassRates, Job, class_rates
from dashboard.backend.quantities import ANOMALY
from dashboard.labelling.labels import set_label, write_note
from dashboard.state import Space
from pcvae.anomaly import NORMAL, UNUSED
from pcvae.trials import repeated_folds, wilson_interval
from tests.dashboard.active_learning.queue_session import (
    MERGERS,
    boundaries_of,
    label,
    learnt,
    shown,
)
from tests.dashboard.explorers import begin, change

hv.extension("bokeh")


def test_labels_become_classes_by_the_rule_that_the_page_states(session):
    datastore = session.datastore
    red = int(datastore.populations.members("red_spiral")[0])
    plain = [row for row in range(120) if datastore.populations.normal[row]][:9]
    for row, said in zip(
        plain, ["5", "4", "3", "2", "1", "0", "artefact", "merger", "candidate"], strict=True
    ):
        set_label(datastore, session.state, said, row)
    set_label(datastore, session.state, "0", red)
    write_note(datastore, session.state, "odd", 119)
    expected = [*2 * ["candidate"], *2 * [UNUSED], *3 * [NORMAL], "merger", "candidate"]
    assert training_labels_of(datastore) == tuple(zip(plain, expected, strict=True))
    set_label(datastore, session.state, "merger", red)
    assert (red, "merger") in training_labels_of(datastore)
    set_label(datastore, session.state, "normal", red)
    assert (red, NORMAL) in training_labels_of(datastore)


def test_a_refit_makes_a_class_of_a_new_name_with_its_own_boundary_and_colour(session, queue):
    before = learnt(session).score
    label(session, "merger", MERGERS)
    assert NORMAL in session.legend.pane.object or "linear SVM" in session.legend.pane.object
    refit(session.datastore, session.state)
    assert learnt(session).fitted.classes == (NORMAL, "green_pea", "merger", "red_spiral")
    assert learnt(session).fitted.used["merger"] == len(MERGERS)
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


def test_the_boundaries_of_the_maps_follow_what_is_taught(session, queue):
    before = boundaries_of(session)
    red = session.datastore.populations.members("red_spiral")
    label(session, "normal", red[:6])
    refit(session.datastore, session.state)
    after = boundaries_of(session)
    assert after.used["red_spiral"] == before.used["red_spiral"] - 6
    assert (after.region != before.region).any()


def test_until_a_refit_labels_change_no_fit(session, queue):
    before = learnt(session).fitted.used
    label(session, "merger", MERGERS)
    assert session.state.queue.training_labels == ()
    assert learnt(session).fitted.used == before


def test_a_class_that_is_too_small_is_named_and_takes_no_part(session, queue):
    label(session, "merger", MERGERS[:3])
    refit(session.datastore, session.state)
    assert "merger" not in learnt(session).fitted.classes
    assert (
        learnt(session).fitted.used[NORMAL] == int(session.datastore.populations.normal.sum()) - 3
    )
    assert (
        f"Merger: 3 labelled, {MIN_CLASS} needed; it takes no part yet." in queue.fit.rates.object
    )
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
    monkeypatch.setattr("pcvae.anomaly.MAX_NORMAL", 20)
    judged = np.flatnonzero(session.datastore.populations.normal)[-8:]
    label(session, "0", judged)
    values = session.datastore.store.values("physics")
    known = np.isfinite(values).all(axis=1)
    rows = session.datastore.classifier_jobs.rows(known, training_labels_of(session.datastore))
    assert set(judged) <= set(rows)
    assert session.datastore.populations.normal[rows].sum() == 20


def test_the_rates_are_those_of_repeated_folds_with_wilson_intervals(session, queue):
    refit(session.datastore, session.state)
    trials = session.datastore.classifier_jobs.job("trials", Space("physics"), ()).result
    classes = session.datastore.classifier_jobs.classes(())
    values = session.datastore.store.features("physics").values
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
    assert "merger" not in learnt(other).fitted.classes
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
    learning, begun, seen = session.datastore.classifier_jobs, threading.Event(), []

    def slow(job):
        begun.set()
        while True:
            time.sleep(0.01)
            seen.append(job.words)
            job.tell("slowly", 0.5)

    key = ("score", Space("physics"), ((1, "x"),))
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
    assert learning.score(Space("physics"), ()).future.result() is not None


def test_a_failed_fit_is_told_in_words(session, monkeypatch):
    def fail(*_, **__):
        msg = "singular"
        raise ValueError(msg)

    monkeypatch.setattr("dashboard.backend.classifier_jobs.fit_score", fail)
    session.state.tab = "queue"
    queue = session.tabs["queue"]
    assert queue.strip.empty == "The classifier could not be fitted: singular"
    assert "singular" in session.card.trouble.object
    session.state.queue.rank = "error"
    assert len(queue.strip.items) == 60
    assert session.card.trouble.object == ""


def test_a_fit_is_wanted_only_where_it_shows(session):
    assert wanted_fits(session.state) == set()
    session.state.tab = "queue"
    assert wanted_fits(session.state) == {("score", Space("physics"), ())}
    session.state.queue.rank = "error"
    assert wanted_fits(session.state) == set()
    session.state.colour = ANOMALY
    session.state.model = "vanilla"
    assert wanted_fits(session.state) == {("score", Space("vanilla"), ())}


def test_purity_is_that_of_a_survey_with_one_in_a_thousand():
    rates = ClassRates("green_pea", 20, (0.9, 0.7, 0.97), (0.01, 0.005, 0.02))
    text = rates_html([rates], [], "")
    assert "Purity, 1 in 1,000" in text
    assert "<b>8 %</b> <small>3\N{EN DASH}16</small>" in text


@pytest.mark.parametrize(
    ("source", "told"), [("Simulated galaxies", True), ("Legacy Surveys coadds", False)]
)
def test_rates_of_simulated_galaxies_are_called_that(source, told):
    assert bool(simulated_note(source)) is told
