"""The address of a view."""

from types import SimpleNamespace

import numpy as np
import pytest
from panel.io.location import Location

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
