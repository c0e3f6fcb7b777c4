"""Whole sessions: every view of every example store, sessions side by side, broken stores."""

import holoviews as hv
import numpy as np
import pytest

from dashboard.app import Explorer, open_datastore, store_folder
from dashboard.backend.datastore import DataStore
from dashboard.backend.stamp_images import data_uri
from dashboard.labelling.labels import toggle
from dashboard.latent_map.toolbar import choose_model
from dashboard.state import State
from pcvae.errors import StoreError
from pcvae.store import read_store
from tests.dashboard.explorers import EXAMPLES, begin, change, code_of, draw

hv.extension("bokeh")


@pytest.fixture(params=EXAMPLES)
def explorer(request, examples):
    """A session of each example store, its page on the screen."""
    return begin(examples[request.param])


def test_every_view_is_built_on_every_example_store(explorer):
    explorer.page().get_root()
    figure = draw(explorer)
    axes = [explorer.map.plane.x.axis, explorer.map.plane.y.axis]
    assert [figure.xaxis.axis_label, figure.yaxis.axis_label] == axes


def test_every_tab_and_model_of_every_store_can_be_chosen(explorer):
    for model in explorer.datastore.models:
        explorer.state.model = model
        for tab in explorer.state.param.tab.objects:
            explorer.state.tab = tab
        assert {"x", "y"} <= set(explorer.map.plane.points)
        assert explorer.state.x in explorer.state.param.x.objects


def test_every_galaxy_of_every_store_can_be_picked(explorer):
    for row in range(min(len(explorer.datastore), 12)):
        explorer.state.row = row
        assert explorer.datastore.ids[row] in explorer.card.facts.object


def test_every_colour_of_every_store_is_painted(explorer):
    explorer.map.size.update(width=90, height=60)
    for colour in list(explorer.state.param.colour.objects):
        explorer.state.colour = colour
        image = explorer.map._galaxies()
        inked = image.dimension_values(5, flat=False) > 0
        assert inked.any() == np.isfinite(explorer.map.plane.points).all(axis=1).any()


def test_a_store_without_galaxies_says_so(examples):
    session = begin(examples["none"])
    assert session.state.row is None
    assert "no galaxies" in session.card.facts.object
    assert "that you pick" in session.tabs["neighbours"].strip.empty


def test_without_stamps_the_reconstruction_still_shows_and_the_page_says_why(examples):
    session = begin(examples["no stamps"])
    assert "no stamps" in session.card.pictures.object
    assert 'alt="Reconstruction"' in session.card.pictures.object


def test_image_and_id_never_mismatch(many):
    """Each stamp encodes its own row."""
    for tab in ("neighbours", "lookalikes", "labels"):
        strip = many.tabs[tab]
        toggle(many.datastore, many.state, 5)
        toggle(many.datastore, many.state, 42)
        many.state.param.update(row=17, tab=tab)
        assert strip.strip.items
        for item in strip.strip.items:
            assert item["id"] == many.datastore.ids[item["row"]]
            assert item["picture"] == data_uri(code_of(item["row"]), "WEBP")
        toggle(many.datastore, many.state, 5)
        toggle(many.datastore, many.state, 42)
    assert data_uri(code_of(17)) in many.card.pictures.object
    assert many.datastore.ids[17] in many.card.facts.object


def test_of_the_panels_below_the_header_one_is_open(many):
    upload, export = many.add_galaxy.panel, many.export_panel.panel
    many.export_panel.open()
    many.add_galaxy.open()
    assert (upload.visible, export.visible) == (True, False)
    many.export_panel.open()
    assert (upload.visible, export.visible) == (False, True)
    many.export_panel.open()
    assert not export.visible


def test_the_page_works_without_a_journal_and_says_why(examples):
    datastore = DataStore(read_store(examples["many"]), None, "cannot open the journal")
    session = Explorer(datastore)
    session.state.row = 3
    toggle(datastore, session.state)
    assert "cannot open the journal" in session.card.trouble.object
    assert not session.card.judge.bar.visible


def test_two_sessions_share_no_choice(many):
    other = Explorer(many.datastore)
    other.state.param.update(row=3, model="vanilla", colour="population", tab="labels")
    assert many.state.model == "physics"
    assert many.state.row != 3
    assert (many.state.colour, many.state.tab) == ("density", "neighbours")
    assert other.state.param.x.objects != many.state.param.x.objects
    assert other.map.plane.x != many.map.plane.x


def test_what_can_be_chosen_comes_from_the_store(many):
    state = State()
    choose_model(many.datastore, state, "")
    assert state.param.model.objects == ["physics", "vanilla"]
    assert set(state.param.seeds.objects) == {"red_spiral", "green_pea", "selection:"}


def test_a_broken_model_is_told_in_words_and_the_page_goes_on(store, tmp_path):
    folder = change(store, tmp_path / "store")
    (folder / "models" / "physics" / "model.safetensors").write_bytes(b"nothing")
    session = begin(folder)
    assert "cannot be read" in session.card.trouble.object
    assert "Not decoded" in session.card.pictures.object
    session.state.row = 3
    session.state.model = "vanilla"
    assert 'alt="Reconstruction"' in session.card.pictures.object


def test_no_store_says_which_command_makes_one(tmp_path):
    with pytest.raises(StoreError, match=r"python -m train\.encode"):
        open_datastore(tmp_path / "none")
    assert store_folder([]).parts[-3:] == ("data", "stores", "demo")
    assert str(store_folder(["a/b"])) == "a/b"
