"""The address of a view."""

from types import SimpleNamespace

import numpy as np
import pytest
from panel.io.location import Location

from dashboard.selection.masks import FocusFollower
from dashboard.shell.url_sync import UrlSync, query_of
from dashboard.state import State


@pytest.fixture
def two():
    """A source of two galaxies, and a state with a few axes to choose from."""
    state = State()
    state.param.tab.objects = ["neighbours", "labels"]
    for axes in (state, state.second):
        axes.param.x.objects = ["redshift", "log_mass"]
    return SimpleNamespace(ids=np.array(["a", "b"]), row_of={"b": 1}.get), state


def test_the_address_restores_what_the_store_has_and_ignores_the_rest(two):
    datastore, state = two
    asked = "?x=log_mass&y=nonsense&galaxy=b&theme=light&tab=candidates&zoom=1,2,nonsense"
    location = Location(search=asked)
    UrlSync(datastore=datastore, state=state, location=location)
    assert (state.x, state.row, state.tab, state.dark) == ("log_mass", 1, "labels", False)
    assert state.zoom is None
    state.row = 0
    assert location.query_params["galaxy"] == "a"
    assert location.query_params["theme"] == "light"
    assert query_of(datastore, state)["tab"] == "labels"
    state.dark = True
    assert "theme" not in location.query_params


@pytest.mark.parametrize("galaxy", ["0012345", "266_51630_100", "12.50", "1e5", "a b&c=+d"])
def test_the_address_names_a_galaxy_by_exactly_its_id(two, galaxy):
    datastore, state = two
    datastore.ids, datastore.row_of = np.array([galaxy, "b"]), {"12345": 1, galaxy: 0}.get
    location = Location(search="?ours=007")
    UrlSync(datastore=datastore, state=state, location=location)
    state.row = 0
    other = State()
    UrlSync(datastore, other, Location(search=location.search))
    assert other.row == 0
    assert other.progress.notices == {}
    assert location.search.startswith("?ours=007&")


def test_a_galaxy_of_the_address_that_the_store_lacks_is_named(two):
    datastore, state = two
    UrlSync(datastore, state, Location(search="?galaxy=0012&x=log_mass"))
    assert state.row is None
    state.row = 0
    assert list(state.progress.notices.values()) == ["No galaxy 0012 in this store."]
    assert state.x == "log_mass"
    state.row = 1
    assert state.progress.notices == {}


def test_the_address_restores_both_maps_and_what_is_in_view(two):
    datastore, state = two
    location = Location(search="?x=redshift")
    UrlSync(datastore=datastore, state=state, location=location)
    state.second.x = "log_mass"
    state.param.update(split=True, zoom=(0.1, 9.0, 0.25, 10.5))
    state.second.zoom = (-1.0, -2.0, 3.0, 4.0)
    other = State()
    for axes in (other, other.second):
        axes.param.x.objects = ["redshift", "log_mass"]
    UrlSync(datastore, other, Location(search=location.search))
    assert (other.x, other.zoom) == ("redshift", (0.1, 9.0, 0.25, 10.5))
    assert (other.second.x, other.second.zoom) == ("log_mass", (-1.0, -2.0, 3.0, 4.0))
    other.split = state.split = False
    state.zoom = None
    assert not {"x2", "zoom", "zoom2", "split"} & set(location.query_params)


def shared(session, location):
    """Another session of the address that a session has come to."""
    state = State()
    for name in ("x", "y", "tab", "model", "colour", "seeds"):
        state.param[name].objects = session.state.param[name].objects
    for part, name in (("selection", "order"), ("queue", "rank")):
        objects = getattr(session.state, part).param[name].objects
        getattr(state, part).param[name].objects = objects
    sync = UrlSync(session.datastore, state, Location(search=location.search))
    follower = FocusFollower(datastore=session.datastore, state=state)
    state.progress.loaded = True
    return state, (sync, follower)


def test_the_address_holds_what_was_drawn_typed_and_kept(many):
    state, location = many.state, Location(search="?theme=light")
    sync = UrlSync(many.datastore, state, location)
    state.param.update(k=50, whiten=False, oriented=True, hidden=["green_pea", "odd, a & b%"])
    state.selection.param.update(order="inferred.redshift", descending=True)
    state.queue.rank = "margin"
    middle = float(np.median(many.datastore.store.latents("physics")["redshift"]))
    state.selection.filters = {"inferred.redshift": (middle, float("inf"))}
    (left, right), (bottom, top) = many.map.plane.limits
    across = (left + right) / 2
    many.map.gestures.box.event(bounds=(left, bottom, across, top))
    assert state.selection.selected.any()
    other, kept = shared(many, location)
    assert (other.k, other.whiten, other.oriented) == (50, False, True)
    assert other.hidden == state.hidden
    assert (other.selection.order, other.selection.descending) == ("inferred.redshift", True)
    assert other.queue.rank == "margin"
    assert other.selection.filters.keys() == state.selection.filters.keys()
    assert (other.selection.selected == state.selection.selected).all()
    drawn = (state.selection.gesture.corners, other.selection.gesture.corners)
    np.testing.assert_allclose(*drawn, rtol=1e-5)
    many.search_box.ask(f"redshift > {middle:.4g}")
    other, kept = shared(many, location)
    assert other.selection.query == state.selection.query
    assert (other.selection.selected == state.selection.selected).all()
    assert "drawn=" not in location.search
    assert sync
    assert kept


def test_what_several_acts_selected_is_not_said_to_be_one(many):
    state, location = many.state, Location(search="")
    sync = UrlSync(many.datastore, state, location)
    (left, right), (bottom, top) = many.map.plane.limits
    for mode, end in (("replace", right), ("subtract", (left + right) / 2)):
        state.selection.mode = mode
        many.map.gestures.box.event(bounds=(left, bottom, end, top))
    assert state.selection.selected.any()
    assert "drawn=" not in location.search
    assert sync


def test_an_address_keeps_what_is_not_restored_yet(many):
    text = "?query=redshift+%3E+-9&rank=error&drawn=nonsense&filters=a:b"
    location = Location(search=text)
    sync = UrlSync(many.datastore, many.state, location)
    many.state.row = 3
    assert "query=redshift+%3E+-9" in location.search
    assert sync


def test_a_query_of_the_address_that_is_wrong_is_said_until_another_one_selects(many):
    state = many.state
    sync = UrlSync(many.datastore, state, Location(search="?galaxy=never&query=nonsense+%3E+1"))
    state.progress.loaded = False
    state.progress.loaded = True
    assert state.progress.notices["address"] == "No galaxy never in this store."
    assert "no nonsense" in state.progress.notices["query"]
    many.search_box.ask("redshift > -9")
    assert "query" not in state.progress.notices
    assert sync
