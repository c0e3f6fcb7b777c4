"""Why a galaxy is a look-alike."""

import numpy as np
import pytest

from dashboard.gallery.reasons import NEAREST, reason_of
from dashboard.gallery.seed_picker import LABEL, SELECTION, seeds_of
from dashboard.labelling.labels import set_label


@pytest.fixture
def session(photometric):
    photometric.state.param.update(tab="lookalikes", seeds="red_spiral", features="both")
    return photometric


def test_it_names_the_nearest_seeds_and_in_what_it_differs(session):
    state, datastore = session.state, session.datastore
    row = int(state.selection.listed.rows[2])
    state.row = row
    seeds = seeds_of(datastore, state)
    reason = reason_of(datastore, state, seeds, row)
    points = datastore.neighbours.index(state.model, state.metric).result().points
    apart = np.linalg.norm(points[seeds.rows] - points[row], axis=1)
    order = np.argsort(apart)
    assert reason.seeds == seeds.rows[order[:NEAREST]].tolist()
    np.testing.assert_allclose(reason.distances, apart[order[:NEAREST]])
    names, _, values = datastore.store.features(state.model, "both")
    gap = np.abs(values[row] - values[reason.seeds[0]]) / values.std(axis=0)
    assert abs(reason.differences[0][1]) == pytest.approx(gap.max())
    assert "r" in names
    told = session.tabs["lookalikes"].reasons.text
    assert told.visible
    assert f"Why {datastore.ids[row]} is here" in told.object
    assert f"{apart.min():.2f}" in told.object
    other = datastore.populations.names[reason.other]
    assert other not in ("field", "red_spiral")


def test_what_people_called_otherwise_is_a_known_other(session):
    state, datastore = session.state, session.datastore
    first, second = (int(row) for row in state.selection.listed.rows[:2])
    set_label(datastore, state, "artefact", second)
    state.row = first
    mask = datastore.populations.normal.copy()
    mask[second] = False
    points = datastore.neighbours.index(state.model, state.metric).result().points
    known = np.flatnonzero(~mask)
    known = known[datastore.populations.names[known] != "red_spiral"]
    apart = np.linalg.norm(points[known] - points[first], axis=1)
    reason = reason_of(datastore, state, seeds_of(datastore, state), first)
    assert reason.apart == pytest.approx(apart.min())
    state.seeds = LABEL + "artefact"
    again = reason_of(datastore, state, seeds_of(datastore, state), first)
    assert again.seeds == [second]
    assert again.other != second
    set_label(datastore, state, "lens", first)
    itself = reason_of(datastore, state, seeds_of(datastore, state), first)
    assert itself.other != first


def test_nothing_is_said_of_a_galaxy_that_is_not_listed(session):
    state, reasons = session.state, session.tabs["lookalikes"].reasons
    state.row = int(seeds_of(session.datastore, state).rows[0])
    assert not reasons.text.visible
    state.row = int(state.selection.listed.rows[0])
    assert reasons.text.visible
    state.seeds = SELECTION
    assert not reasons.text.visible
