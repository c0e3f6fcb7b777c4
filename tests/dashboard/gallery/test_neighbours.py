"""The strip of nearest neighbours."""

import holoviews as hv
import pytest

from dashboard.backend.quantities import default_features
from pcvae.errors import StoreError
from pcvae.neighbours import Neighbours

hv.extension("bokeh")


def test_neighbours_are_the_ten_nearest_and_a_click_picks_one(many):
    many.state.row = 3
    nearest = many.tabs["neighbours"].strip
    rows, distances = many.datastore.neighbours.index("physics").result().query(3, 10)
    assert [item["row"] for item in nearest.items] == list(rows)
    assert nearest.items[0]["caption"] == f"distance {distances[0]:.2f}"
    nearest._handle_msg({"pick": int(rows[4])})
    assert many.state.row == rows[4]


def test_a_strip_obeys_only_for_galaxies_that_it_shows(many):
    many.state.row = 3
    many.tabs["neighbours"].strip._handle_msg({"pick": 3})
    many.tabs["neighbours"].strip._handle_msg({"pick": 10**9})
    many.tabs["neighbours"].strip._handle_msg({"pick": None})
    assert many.state.row == 3


def test_a_click_that_comes_as_the_strip_changes_still_picks(many):
    many.state.row = 3
    strip = many.tabs["neighbours"].strip
    hit = strip.items[-1]["row"]
    index = many.datastore.neighbours.index("physics").result()
    many.state.row = next(row for row in range(60) if hit not in index.query(row, 10)[0])
    assert hit not in {item["row"] for item in strip.items}
    strip._handle_msg({"pick": hit})
    assert many.state.row == hit


def test_neighbours_do_not_depend_on_the_orientation(many):
    info = many.datastore.store.model("physics")
    assert "e_cos" in info.names
    assert many.datastore.neighbours.index("physics").result().axes == len(info.names) - 2


def test_neighbours_are_those_by_the_chosen_features(photometric):
    many = photometric
    many.state.row = 3
    nearest, store = many.tabs["neighbours"], many.datastore.store
    for features in ("photometry", "both"):
        many.state.features = features
        found = store.features("physics", features)
        rows, _ = Neighbours(found.values, blocks=found.sizes).query(3, 10)
        assert [item["row"] for item in nearest.strip.items] == list(rows)
    assert "by the latents of physics and photometry, whitened" in nearest.note.object
    many.state.features = "photometry"
    assert "10 nearest by photometry, whitened<" in nearest.note.object


def test_a_store_without_photometry_offers_its_latents_alone(many, photometric):
    assert list(photometric.state.param.features.objects) == ["latents", "photometry", "both"]
    assert list(many.state.param.features.objects) == ["latents"]
    with pytest.raises(StoreError, match="no photometry: expected flux_BAND, r50"):
        many.datastore.store.features("physics", "photometry")


def test_a_session_does_not_read_the_whole_catalogue_for_its_default(photometric, monkeypatch):
    """It is read once a store, when that is opened."""
    datastore = photometric.datastore
    monkeypatch.setattr(
        type(datastore.store), "photometry", property(lambda _: pytest.fail("read"))
    )
    assert default_features(datastore.store) == "both"
    assert photometric.state.features == "both"


def test_an_external_galaxy_is_compared_without_reading_all_others(many, monkeypatch):
    neighbours, row = many.datastore.neighbours, 3
    latents = many.datastore.columns.latents("physics", row)
    neighbours.index("physics").result()
    monkeypatch.setattr(
        type(many.datastore.store), "features", lambda *_, **__: pytest.fail("read")
    )
    assert neighbours.nearest_to("physics", latents, 1)["row"].tolist() == [row]
