"""The strip below the maps: its height, by its edge, by its button and by the address."""

from panel.io.location import Location

from dashboard.shell.tab_strip import TALL
from dashboard.shell.url_sync import UrlSync, query_of
from dashboard.state import State


def test_edge_button_and_address_say_one_height(many):
    state, location = many.state, Location(search="?theme=light")
    sync = UrlSync(many.datastore, state, location)
    strip = many.body()[3]
    _, (_, toggle), edge = strip.objects
    stamps = many.tabs["neighbours"].strip.height
    usual = strip.height
    edge.size = usual + 100
    assert (strip.height, state.strip, toggle.chosen) == (usual + 100, usual + 100, True)
    assert many.tabs["neighbours"].strip.height == stamps + 100
    assert location.query_params["strip"] == usual + 100
    toggle.chosen = False
    assert (strip.height, edge.size) == (usual, usual)
    assert "strip" not in location.query_params
    toggle.chosen = True
    assert (strip.height, edge.size) == (TALL, TALL)
    assert sync


def test_an_address_has_no_strip_that_is_too_low_or_too_high(many):
    least, most = State.param["strip"].bounds
    for asked, height in (("2", least), ("99999", most), ("high", State.param["strip"].default)):
        state = State()
        UrlSync(many.datastore, state, Location(search=f"?strip={asked}"))
        assert state.strip == height
    assert "strip" not in query_of(many.datastore, state)


def test_each_tab_is_built_once(many, monkeypatch):
    built = []

    def counted(make):
        return lambda tab: (built.append(tab.key), make(tab))[1]

    for kind in map(type, many.tabs.values()):
        monkeypatch.setattr(kind, "__panel__", counted(kind.__panel__))
    many.body()
    assert sorted(built) == sorted(many.tabs)
