"""Why a galaxy is in the queue."""

import holoviews as hv
import numpy as np

from dashboard.backend.quantities import PROBABILITY
from tests.dashboard.active_learning.queue_session import learnt, shown

hv.extension("bokeh")


def test_it_says_what_the_classifier_says_and_rings_the_nearest_of_the_class(session, queue):
    state, reasons = session.state, queue.reasons
    hv.render(session.map.figure)
    state.row = shown(queue)[1]
    assert not reasons.text.visible
    assert queue.fit.rates.visible
    reasons.toggle()
    assert reasons.text.visible
    assert not queue.fit.rates.visible
    result = learnt(session)
    best = result.classes[int(np.argmax(result.probability[state.row]))]
    text = reasons.text.object
    assert f"Why {session.datastore.ids[state.row]} is here" in text
    assert f"Anomaly score {result.score[state.row]:.3f}" in text
    assert f"{result.of_class(best)[state.row]:.3f}" in text
    ringed = list(state.selection.reason_rows)
    members = session.datastore.populations.members(best)
    points = session.datastore.neighbours.index(state.model, state.metric).result().points
    apart = np.linalg.norm(points[members] - points[state.row], axis=1)
    assert ringed == members[np.argsort(apart)[: len(ringed)]].tolist() != []
    drawn = session.map.overlays.rings.source.data
    assert np.isin(session.map.plane.points["x"].iloc[ringed], drawn["x"]).all()


def test_ranked_by_a_class_its_galaxies_are_shown(session, queue):
    queue.reasons.toggle()
    for name in learnt(session).classes:
        session.state.queue.rank = PROBABILITY + name
        session.state.row = shown(queue)[0]
        names = session.datastore.populations.names[list(session.state.selection.reason_rows)]
        assert set(names) == {name}


def test_the_rings_go_with_the_reason(session, queue):
    chosen = session.state.selection
    session.state.row = shown(queue)[0]
    queue.reasons.toggle()
    told = chosen.reason_rows
    assert told
    session.state.param.update(tab="lookalikes", seeds=session.datastore.populations.marked[0])
    session.state.row = int(chosen.listed.rows[0])
    assert chosen.reason_rows == session.tabs["lookalikes"].reasons._ringed != ()
    session.state.tab = "neighbours"
    assert chosen.reason_rows == ()
    session.state.tab = "queue"
    queue.reasons.toggle()
    assert chosen.reason_rows == ()
    assert queue.fit.rates.visible
