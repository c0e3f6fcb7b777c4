"""The sky, without a browser."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from bokeh.events import PanStart

from dashboard.app import Explorer
from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import ANOMALY
from dashboard.components.theme import ACCENT
from dashboard.galaxy.external_galaxy import ExternalGalaxy
from dashboard.plotting.colour_by import colouring
from dashboard.sky.sky_map import places_note, sky_plane
from pcvae.store import read_store
from tests.dashboard.explorers import EXAMPLES, change

hv.extension("bokeh")


def begin(folder):
    session = Explorer(DataStore(read_store(folder), None))
    session.start()
    session.state.tab = "sky"
    if session.tabs["sky"].map.sky.placed:
        hv.render(session.tabs["sky"].map.figure)
    return session


@pytest.fixture
def session(store):
    """A session that shows the sky."""
    return begin(store)


def inked(sky):
    """Which pixels of the picture are drawn, and how colourful each is."""
    picture = np.stack([sky._galaxies().dimension_values(i, flat=False) for i in range(2, 6)])
    return picture[3] > 0, np.ptp(picture[:3], axis=0)


def test_the_figure_is_on_the_page_only_while_its_tab_is_shown(session):
    sky = session.tabs["sky"]
    shown = list(sky.body)
    session.state.tab = "neighbours"
    assert not list(sky.body)
    session.state.tab = "sky"
    assert list(sky.body) == shown != []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_sky_of_every_store(store, tmp_path, name):
    session = begin(change(store, tmp_path / "store", **EXAMPLES[name]))
    sky = session.tabs["sky"]
    if name in ("none", "no place"):
        assert "No galaxy" in sky.body[0].object
    else:
        assert inked(sky.map)[0].any()


def test_a_tap_picks_the_nearest_galaxy(session):
    sky = session.tabs["sky"].map
    for row in (3, 77, 119):
        place = sky.sky.points.iloc[row]
        sky.tap.event(x=float(place["x"]), y=float(place["y"]))
        assert session.state.row == row
    sky.tap.event(x=None, y=None)
    assert session.state.row == 119


def test_a_box_on_the_sky_selects_and_can_add_and_take_away(session):
    sky, state = session.tabs["sky"].map, session.state
    points = sky.sky.points
    middle = float(points["x"].median())
    sky.gestures.box.event(bounds=(-200, -100, middle, 100))
    west = points["x"].to_numpy() <= middle
    np.testing.assert_array_equal(state.selection.selected, west)
    sky.gestures._hold(PanStart(None, sx=0, sy=0, modifiers={"shift": True}))
    sky.gestures.box.event(bounds=(middle, 0, 200, 100))
    np.testing.assert_array_equal(state.selection.selected, west | (points["y"].to_numpy() >= 0))
    sky.gestures._hold(PanStart(None, sx=0, sy=0, modifiers={"ctrl": True}))
    sky.gestures.box.event(bounds=(-200, -100, 200, 0))
    assert (points["y"].to_numpy()[state.selection.selected] > 0).all()
    assert "of 120 galaxies" in session.tabs["sky"].chips.chips.count


def test_a_lasso_on_the_sky_selects_and_is_drawn_there(session):
    sky, state = session.tabs["sky"].map, session.state
    hv.render(session.map.figure)
    place = sky.sky.points.iloc[5]
    corners = [(place["x"] + dx, place["y"] + dy) for dx, dy in ((-1, -1), (1, -1), (0, 2))]
    sky.gestures.lasso.event(geometry=np.array(corners))
    assert state.selection.selected[5]
    assert len(sky.gestures.outline.source.data["x"]) == 3
    assert not len(session.map.gestures.outline.source.data["x"])


def test_what_is_not_in_focus_stays_in_grey(session):
    sky, state = session.tabs["sky"].map, session.state
    state.selection.selected = np.arange(120) == 7
    drawn, colourful = inked(sky)
    assert (colourful[drawn] > 0.2).any()
    assert (colourful[drawn] < 0.02).mean() > 0.5


def test_the_picked_galaxy_is_ringed_and_a_guest_gets_a_star(session):
    sky, state = session.tabs["sky"].map, session.state
    state.row = 42
    data = pd.DataFrame(sky.rings.source.data)
    ring = data[data["colour"] == ACCENT[True]]
    np.testing.assert_allclose(ring[["x", "y"]], sky.sky.points.iloc[[42]], rtol=1e-5)
    ra, dec = (float(session.datastore.store.galaxies[name][9]) for name in ("ra", "dec"))
    state.external = ExternalGalaxy("visitor", np.zeros((3, 32, 32), np.float32), ra=ra, dec=dec)
    data = pd.DataFrame(sky.rings.source.data)
    star = data[(data["shape"] == "star") & (data["colour"] == ACCENT[True])]
    np.testing.assert_allclose(star[["x", "y"]], sky.sky.points.iloc[[9]], atol=1e-3)


def test_it_is_not_made_before_it_is_seen(store):
    session = Explorer(DataStore(read_store(store), None))
    session.state.selection.selected = np.arange(120) < 10
    assert session.tabs["sky"].map is None


def test_galaxies_without_a_place_are_counted_and_said(store, tmp_path):
    ra = np.linspace(0, 300, 120)
    ra[:13] = np.nan
    session = begin(change(store, tmp_path / "store", ra=ra))
    sky = session.tabs["sky"]
    assert "13 of 120 have no place" in sky.note.object
    sky.map.gestures.box.event(bounds=(-200, -100, 200, 100))
    assert not session.state.selection.selected[:13].any()
    assert session.state.selection.selected[13:].all()


def test_invented_places_are_said_to_be_simulated(session):
    assert "simulated places" in places_note(session.datastore, sky_plane(session.datastore)[0])


def test_a_zoom_is_kept_and_a_new_size_keeps_the_shape_of_the_sky(session):
    sky = session.tabs["sky"].map
    sky.range.event(x_range=(-20.0, 20.0), y_range=(-2.0, 2.0))
    assert sky.view == ((-20.0, 20.0), (-2.0, 2.0))
    sky.size.event(width=1200, height=400)
    (left, right), (bottom, top) = sky.limits
    assert 1200 / (right - left) == pytest.approx(400 / (top - bottom))
    assert sky.bokeh.x_range.end == pytest.approx(right)
    assert all("°" in text for text in sky.graticule.labels.data["text"])
    home = sky.home
    sky.range.event(x_range=home[0], y_range=home[1])
    assert sky.view is None


def test_the_sky_is_drawn_anew_for_what_changes_and_not_for_what_does_not(session, monkeypatch):
    sky, state = session.tabs["sky"].map, session.state
    drawn = []
    made = sky._galaxies
    monkeypatch.setattr(sky, "_galaxies", lambda: drawn.append(1) or made())
    state.colour = "population"
    state.row = 3
    state.tab = "neighbours"
    state.selection.selected = np.arange(120) < 10
    assert len(drawn) == 1
    state.tab = "sky"
    assert len(drawn) == 2
    state.tab = "neighbours"
    state.tab = "sky"
    assert len(drawn) == 2


def test_the_sky_follows_the_anomaly_score_and_what_the_svm_is_taught(session, monkeypatch):
    later, drawn, state = [], [], session.state
    monkeypatch.setattr(
        "dashboard.active_learning.training_labels.when_done", lambda *given: later.append(given)
    )

    def seen(*given, **options):
        drawn.append(colouring(*given, **options))
        return drawn[-1]

    def arrive():
        while later:
            job, call = later.pop(0)
            job.exception()
            call()

    monkeypatch.setattr("dashboard.plotting.colour_by.colouring", seen)
    state.colour = ANOMALY
    assert "being computed" in drawn[-1].title
    arrive()
    assert drawn[-1].title == "Anomaly score"
    before, rows = drawn[-1].values, np.flatnonzero(session.datastore.populations.normal)[:8]
    state.queue.training_labels = tuple((int(row), "red_spiral") for row in rows)
    arrive()
    learnt = session.datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
    np.testing.assert_array_equal(drawn[-1].values, learnt.score)
    assert not np.array_equal(before, learnt.score)
    state.tab = "neighbours"
    state.queue.training_labels = ()
    state.tab = "sky"
    np.testing.assert_array_equal(drawn[-1].values, before)
