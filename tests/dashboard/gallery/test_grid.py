"""The galaxies in focus as pages of pictures, without a browser."""

import numpy as np
import pytest

from dashboard.app import Explorer, open_datastore
from dashboard.backend.datastore import DataStore
from dashboard.backend.stamp_images import data_uri
from dashboard.backend.typography import DASH, MINUS
from dashboard.gallery.grid_order import distances, orders, sorted_rows
from dashboard.selection.filter_chips import SELECTION, range_text
from pcvae.store import read_store
from tests.dashboard.explorers import change, code_of


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    """A store of 120 galaxies whose stamps encode their rows."""
    return change(store, tmp_path_factory.mktemp("grid") / "store")


@pytest.fixture
def session(folder):
    """A session that shows the selection, ten to a page."""
    begun = Explorer(DataStore(read_store(folder), None))
    begun.start()
    begun.tabs["selection"].tiles.fit = 10
    begun.state.tab = "selection"
    return begun


def shown(grid):
    """The rows on the page; each must come with its own id and picture."""
    for item in grid.tiles.items:
        assert item["id"] == grid.datastore.ids[item["row"]]
        assert item["picture"] == data_uri(code_of(item["row"]), "WEBP")
    return [item["row"] for item in grid.tiles.items]


def of(session, rows):
    mask = np.zeros(len(session.datastore), bool)
    mask[list(rows)] = True
    return mask


def test_unknown_values_come_last_whichever_way_and_ties_stay_in_order():
    rows, values = np.arange(5), np.array([2.0, np.nan, 1.0, 2.0, 0.0])
    assert list(sorted_rows(rows, values)) == [4, 2, 0, 3, 1]
    assert list(sorted_rows(rows, values, descending=True)) == [0, 3, 2, 4, 1]
    assert list(sorted_rows(rows, None, descending=True)) == [4, 3, 2, 1, 0]


def test_distances_are_those_of_the_formula():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [np.nan, 0.0]])
    np.testing.assert_array_equal(distances(points, np.array([0, 1, 2]), 0), [0, 5, np.nan])


def test_nothing_selected_says_how_to_select_and_offers_the_rare(session):
    grid = session.tabs["selection"]
    assert shown(grid) == []
    assert "lasso" in grid.tiles.words
    grid.tiles._handle_msg({"offer": "green_pea"})
    assert shown(grid) == list(session.datastore.populations.members("green_pea"))[:10]


def test_image_and_id_never_mismatch_through_filter_sort_and_page(session):
    state, grid = session.state, session.tabs["selection"]
    redshift = session.datastore.store.galaxies["redshift"].to_numpy()
    sfr = session.datastore.store.latents("physics")["log_sfr"].to_numpy()
    state.selection.selected = of(session, range(0, 120, 2))
    state.selection.filters = {"catalogue.redshift": (float(np.quantile(redshift, 0.3)), np.inf)}
    state.selection.param.update(order="inferred.log_sfr", descending=True)
    rows = [row for row in range(0, 120, 2) if redshift[row] >= np.quantile(redshift, 0.3)]
    expected = sorted(rows, key=lambda row: -sfr[row])
    assert grid.pager.pages == -(-len(rows) // 10)
    seen = []
    for page in range(grid.pager.pages):
        grid.pager._handle_msg({"go": page})
        assert grid.pager.page == page
        seen += shown(grid)
    assert seen == expected
    values = [float(item["caption"].replace(MINUS, "-")) for item in grid.tiles.items]
    np.testing.assert_allclose(values, sfr[shown(grid)], rtol=5e-3)


def test_pages_begin_and_end_and_are_turned_no_further(session):
    grid = session.tabs["selection"]
    session.state.selection.selected = of(session, range(25))
    grid.tiles._handle_msg({"turn": -1})
    assert shown(grid) == list(range(10))
    for _ in range(5):
        grid.tiles._handle_msg({"turn": 1})
    assert shown(grid) == list(range(20, 25))
    grid.pager._handle_msg({"go": 3})
    assert shown(grid) == list(range(20, 25))


def test_more_room_shows_more_and_keeps_the_galaxy_that_was_in_view(session):
    grid = session.tabs["selection"]
    session.state.selection.selected = of(session, range(100))
    grid.pager._handle_msg({"go": 5})
    grid.tiles.fit = 30
    assert shown(grid) == list(range(30, 60))


def test_a_click_goes_to_the_galaxy_and_only_to_one_that_is_shown(session):
    grid = session.tabs["selection"]
    session.state.selection.selected = of(session, range(40, 60))
    grid.tiles._handle_msg({"pick": 47})
    assert session.state.row == 47
    assert grid.tiles.picked == 47
    assert session.datastore.ids[47] in session.card.facts.object
    for nonsense in (55, 10**9, None, "47"):
        grid.tiles._handle_msg({"pick": nonsense})
    assert session.state.row == 47


def test_a_galaxy_that_is_picked_elsewhere_is_turned_to(session):
    grid = session.tabs["selection"]
    session.state.selection.selected = of(session, range(0, 120, 3))
    session.state.row = 99
    assert 99 in shown(grid)
    session.state.row = 98
    assert grid.tiles.picked == 98


def test_the_nearest_come_first_and_picking_one_of_them_leaves_their_order(session):
    state, grid = session.state, session.tabs["selection"]
    near, _ = session.datastore.neighbours.index("physics").result().query(7, 119)
    state.row, state.selection.selected = 7, of(session, range(120))
    state.selection.order = "distance"
    assert shown(grid) == [7, *near[:9]]
    grid.tiles._handle_msg({"pick": int(near[3])})
    assert shown(grid) == [7, *near[:9]]
    state.row = 90
    assert shown(grid)[0] == 90


def test_the_arrows_walk_through_the_order_over_the_pages(session):
    state, grid = session.state, session.tabs["selection"]
    state.selection.selected = of(session, range(50, 70))
    state.row = 59
    grid.step(1)
    assert state.row == 60
    assert shown(grid) == list(range(60, 70))
    grid.step(-1)
    assert state.row == 59
    state.row = 69
    grid.step(1)
    assert state.row == 69


def test_every_order_of_every_model_is_shown(session):
    session.state.selection.selected = of(session, range(5, 70))
    for model in session.datastore.models:
        session.state.model = model
        for key in orders(session.datastore, model).values():
            session.state.selection.order = key
            assert len(shown(session.tabs["selection"])) == 10
    session.state.selection.order = "inferred.latent_0"
    session.state.model = "physics"
    assert session.state.selection.order == "store"


def test_without_stamps_the_tiles_carry_their_ids(store, tmp_path):
    begun = Explorer(open_datastore(change(store, tmp_path / "store", stamps=False)))
    begun.state.tab = "selection"
    begun.state.selection.selected = of(begun, [3, 5])
    items = begun.tabs["selection"].tiles.items
    assert [item["row"] for item in items] == [3, 5]
    assert {item["picture"] for item in items} == {""}


def test_pictures_that_cannot_be_read_are_told_in_words(session, monkeypatch):
    def broken(*_, **__):
        raise OSError("the disk is gone")

    monkeypatch.setattr(session.datastore, "load", lambda _: session.datastore.soon(broken))
    session.state.selection.selected = of(session, range(5))
    assert "the disk is gone" in session.card.trouble.object
    assert len(session.tabs["selection"].tiles.items) == 5
    monkeypatch.undo()
    session.state.selection.selected = of(session, range(6))
    assert "the disk is gone" not in session.card.trouble.object


def test_chips_say_what_narrows_the_focus_and_take_it_away(session):
    state, chips = session.state, session.tabs["selection"].chips.chips
    assert chips.count == "All 120 galaxies"
    state.selection.selected = of(session, range(60))
    state.selection.filters = {
        "catalogue.redshift": (-np.inf, 2.0),
        "inferred.latent_0": (0.0, 1.0),
    }
    assert chips.count == "60 of 120 galaxies"
    assert [(chip["key"], chip["idle"]) for chip in chips.chips] == [
        (SELECTION, False),
        ("catalogue.redshift", False),
        ("inferred.latent_0", True),
    ]
    chips._handle_msg({"remove": "inferred.latent_0"})
    assert list(state.selection.filters) == ["catalogue.redshift"]
    chips._handle_msg({"remove": SELECTION})
    assert state.selection.selected is None
    state.selection.selected = of(session, range(60))
    chips._handle_msg({"clear": True})
    assert (state.selection.selected, state.selection.filters, state.selection.focus) == (
        None,
        {},
        None,
    )


def test_nothing_passes_is_said(session):
    session.state.selection.selected = of(session, range(9))
    session.state.selection.filters = {"catalogue.redshift": (50.0, 60.0)}
    assert "No galaxy passes" in session.tabs["selection"].tiles.title


def test_a_range_is_written_with_its_ends():
    assert range_text(0.12345, 0.5).split() == ["0.123", DASH, "0.5"]
    assert range_text(-2.0, np.inf) == f"≥ {MINUS}2"


def test_stamps_are_as_large_and_as_cropped_as_is_chosen(session):
    tiles = session.tabs["selection"].tiles
    assert (tiles.size, tiles.crop) == (64, 1)
    session.state.selection.param.update(stamp_size=128, crop=4)
    assert (tiles.size, tiles.crop) == (128, 4)
