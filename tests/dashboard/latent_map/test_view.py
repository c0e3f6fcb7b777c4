"""The dashboard's logic, without a browser."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
import shapely
from bokeh.events import PanStart

from dashboard.app import Explorer, open_datastore, store_folder
from dashboard.backend.datastore import DataStore
from dashboard.backend.plane import nearest_row
from dashboard.backend.quantities import Quantity
from dashboard.backend.stamp_images import data_uri
from dashboard.labelling.labels import is_candidate, toggle
from dashboard.latent_map.axes_bar import AxesBar, pairs_of
from dashboard.latent_map.toolbar import choose_model
from dashboard.state import State
from pcvae.errors import StoreError
from pcvae.store import read_store
from tests.dashboard.explorers import EXAMPLES, begin, change, code_of, draw

hv.extension("bokeh")
ROWS = [range(4), range(30, 35), range(60, 63)]
CATALOGUE_Z = Quantity("catalogue.redshift", "Catalogue redshift")
LABELS = ["redshift", "log_mass", "log_sfr", "orientation"]


@pytest.fixture(params=EXAMPLES)
def explorer(request, examples):
    """A session of each example store, its page on the screen."""
    return begin(examples[request.param])


@pytest.fixture
def many(examples):
    """A session of the store of 120 galaxies, with an empty journal."""
    path = examples["many"].with_name("many.journal.sqlite")
    path.unlink(missing_ok=True)
    return begin(examples["many"])


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


def test_a_tap_picks_the_nearest_galaxy(many):
    draw(many)
    points = many.map.plane.points
    for row in (0, 7, 118):
        many.map.tap.event(x=float(points["x"][row]), y=float(points["y"][row]))
        assert many.state.row == row


def test_a_tap_nowhere_picks_nothing(many):
    before = many.state.row
    many.map.tap.event(x=None, y=None)
    assert many.state.row == before


def test_nearest_is_as_seen_on_the_screen_whatever_the_units():
    """A step of 1 across is a pixel here, a step of 1 up a thousand."""
    points = pd.DataFrame({"x": [0.0, 50.0, np.nan], "y": [0.1, 0.0, 0.0]}, dtype=np.float32)
    limits, frame = ((0.0, 1000.0), (0.0, 1.0)), (1000, 1000)
    assert nearest_row(points, (0.0, 0.0), limits, frame) == 1
    assert nearest_row(points[2:], (0.0, 0.0), limits, frame) is None


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
    many.state.row = next(row for row in range(60) if row not in {i["row"] for i in strip.items})
    assert hit not in {item["row"] for item in strip.items}
    strip._handle_msg({"pick": hit})
    assert many.state.row == hit


def test_neighbours_do_not_depend_on_the_orientation(many):
    info = many.datastore.store.model("physics")
    assert "e_cos" in info.names
    assert many.datastore.neighbours.index("physics").result().axes == len(info.names) - 2


def test_a_population_has_one_colour_wherever_it_is_shown(examples):
    session = begin(examples["unknown populations"])
    session.state.colour = "population"
    for row in (0, 5, 13):
        session.state.row = row
        colour = session.datastore.populations.colour(
            session.datastore.populations.names[row], dark=True
        )
        assert colour in session.card.facts.object
        assert colour in session.legend.pane.object


def test_lookalikes_are_ordinary_and_ranked_by_how_many_seeds_are_near(many):
    many.state.param.update(tab="lookalikes", seeds="green_pea")
    items = many.tabs["lookalikes"].strip.items
    assert items
    assert not {many.datastore.populations.names[item["row"]] for item in items} & {"green_pea"}
    counts = [int(item["caption"].split()[1]) for item in items]
    assert counts == sorted(counts, reverse=True)


def test_a_tag_is_in_the_journal_and_on_the_list_and_can_be_taken_away(many):
    many.state.param.update(row=8, tab="labels")
    many.keys._handle_msg({"key": "c"})
    assert is_candidate(many.datastore, 8)
    (item,) = many.tabs["labels"].strip.items
    assert item["row"] == 8
    assert many.card.judge.bar.label == "candidate"
    many.tabs["labels"].strip._handle_msg({"remove": item["mark"]})
    assert not is_candidate(many.datastore, 8)
    assert many.card.judge.bar.label == ""
    assert len(many.datastore.journal.events()) == 2


def test_what_others_tag_is_seen_by_every_session(many):
    other = Explorer(many.datastore)
    other.state.tab = "labels"
    toggle(many.datastore, many.state, 4)
    other.refresh()
    assert [item["row"] for item in other.tabs["labels"].strip.items] == [4]


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


def test_a_model_keeps_the_axes_that_it_has_and_replaces_those_that_it_has_not(many):
    state = many.state
    state.param.update(x="log_mass", y="log_sfr", colour="inferred.redshift")
    state.model = "vanilla"
    assert (state.x, state.y, state.colour) == ("latent_0", "latent_1", "density")
    state.colour = "catalogue.redshift"
    state.model = "physics"
    assert (state.x, state.y) == ("redshift", "log_mass")
    assert state.colour == "catalogue.redshift"


def test_what_can_be_chosen_comes_from_the_store(many):
    state = State()
    choose_model(many.datastore, state, "")
    assert state.param.model.objects == ["physics", "vanilla"]
    assert set(state.param.seeds.objects) == {"red_spiral", "green_pea", "selection:"}


def test_new_axes_bring_a_new_range_and_the_same_axes_keep_the_zoom(many):
    draw(many)
    zoom = ((0.2, 0.3), (9.0, 9.5))
    many.map.range.event(x_range=zoom[0], y_range=zoom[1])
    assert many.map.limits == zoom
    many.state.colour = "population"
    assert many.map.limits == zoom
    many.state.x = "log_sfr"
    assert many.map.limits == many.map.plane.limits


def test_two_maps_have_axes_of_their_own(many):
    assert len(many.maps.shown) == 1
    many.state.split = True
    first, second = many.maps.shown
    hv.render(second.figure)
    assert (second.axes.model, first.axes.model) == ("vanilla", "physics")
    second.axes.param.update(x="latent_2", zoom=(0.0, 0.0, 1.0, 1.0))
    assert second.plane.x.column == "latent_2"
    assert first.limits == first.plane.limits
    first.axes.model = "vanilla"
    assert (first.axes.x, second.axes.x) == ("latent_0", "latent_2")
    second.axes.x = "latent_3"
    assert second.axes.zoom is None


def test_the_second_map_of_a_store_of_one_model_shows_other_axes(examples):
    state = begin(examples["vanilla only"]).state
    assert state.second.model == "vanilla"
    assert (state.second.x, state.second.y) != (state.x, state.y)


def test_the_pairs_of_the_paper_are_offered_as_far_as_the_model_has_them(many):
    many.state.split = True
    assert ("redshift", "log_sfr") in pairs_of(many.datastore, "physics").values()
    bar = AxesBar(datastore=many.datastore, axes=many.state.second)
    assert len(bar.pairs) == 10
    bar._take({"label": list(bar.pairs)[4]})
    assert (many.state.second.x, many.state.second.y) == list(bar.pairs.values())[4]


def test_the_second_map_rings_the_same_galaxy(many):
    many.state.split = True
    for one in many.maps.shown:
        hv.render(one.figure)
    many.state.row = 17
    for one in many.maps.shown:
        place = one.plane.points.iloc[17]
        assert one.overlays.rings.source.data["x"][-1] == place["x"]
        assert one.overlays.rings.source.data["y"][-1] == place["y"]


def around(points, rows):
    """The box round some galaxies, and its corners."""
    (left, bottom), (right, top) = points.iloc[rows].min(), points.iloc[rows].max()
    return (left, bottom, right, top), [(left, bottom), (right, bottom), (right, top), (left, top)]


def test_a_box_on_either_map_selects_what_lies_in_it(many):
    many.state.split = True
    for one in many.maps.shown:
        bounds, _ = around(one.plane.points, [3, 17, 40])
        one.gestures.box.event(bounds=bounds)
        x, y = one.plane.points["x"], one.plane.points["y"]
        left, bottom, right, top = bounds
        inside = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        assert list(many.state.selection.focus) == list(inside)
        assert many.state.selection.gesture.plane == one.axes.plane


def test_a_lasso_selects_what_shapely_says_and_keys_add_and_take_away(many):
    draw(many)
    points = many.map.plane.points.to_numpy(np.float64)
    lassos = [around(many.map.plane.points, rows)[1] for rows in ROWS]
    inside = [shapely.contains_xy(shapely.Polygon(one), *points.T) for one in lassos]
    many.map.gestures.lasso.event(geometry=np.array(lassos[0]))
    assert list(many.state.selection.focus) == list(inside[0])
    for held, lasso in (({"shift": True}, lassos[1]), ({"ctrl": True}, lassos[2])):
        many.map.gestures._hold(PanStart(None, modifiers=held))
        many.map.gestures.lasso.event(geometry=np.array(lasso))
    assert list(many.state.selection.focus) == list((inside[0] | inside[1]) & ~inside[2])
    assert list(many.map.gestures.outline.source.data["x"]) == [x for x, _ in lassos[2]]


def test_galaxies_out_of_focus_are_grey_on_both_maps(many):
    many.state.param.update(split=True, colour="population")
    many.state.selection.selected = np.arange(120) < 60
    for one in many.maps.shown:
        one.size.update(width=400, height=300)
        picture = np.dstack([one._galaxies().dimension_values(i, flat=False) for i in range(2, 6)])
        seen = picture[picture[..., 3] > 200].astype(int)
        grey = np.ptp(seen[:, :3], axis=1) == 0
        assert 0.1 < grey.mean() < 0.9
        hv.render(one.figure)
        strength = one.overlays.marks.shown["red_spiral"].data_source.data["strength"]
        assert list(strength == 1) == [
            row < 60 for row in many.datastore.populations.members("red_spiral")
        ]


def test_a_galaxy_has_one_colour_whatever_is_selected_and_in_either_map(many):
    many.state.param.update(split=True, colour="catalogue.redshift")
    before, legend = many.datastore.columns.values("physics", CATALOGUE_Z), many.legend.pane.object
    many.state.selection.selected = before > np.median(before)
    assert many.legend.pane.object == legend
    row = int(np.argmax(before))
    seen = []
    for one in many.maps.shown:
        x, y = (float(one.plane.points[name][row]) for name in "xy")
        one.axes.zoom = (x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6)
        one.size.update(width=60, height=60)
        picture = one._galaxies()
        seen.append([picture.dimension_values(i, flat=False)[30, 30] for i in range(2, 6)])
    assert seen[0] == seen[1]


def test_a_residual_is_what_is_inferred_minus_what_is_known(many):
    store = many.datastore.store
    latents, known = store.latents("physics"), store.galaxies
    values = {
        key: many.datastore.columns.values("physics", Quantity(key, key))
        for key in ("residual.log_mass", "pull.log_mass", "residual.orientation")
    }
    gap = latents["log_mass"] - known["log_mass"]
    sigma = np.hypot(latents["log_mass_sigma"], known["log_mass_err"])
    np.testing.assert_allclose(values["residual.log_mass"], gap, atol=1e-5)
    np.testing.assert_allclose(values["pull.log_mass"], gap / sigma, rtol=1e-4, atol=1e-4)
    turned = np.exp(2j * values["residual.orientation"])
    expected = np.exp(2j * (latents["orientation"] - known["orientation"]))
    np.testing.assert_allclose(turned, expected, atol=1e-4)
    assert np.abs(values["residual.orientation"]).max() <= np.pi / 2


def test_the_colours_of_a_residual_have_their_middle_at_none(many):
    low, high = many.datastore.columns.limits("physics", Quantity("residual.redshift", ""))
    assert low == -high
    many.state.colour = "residual.redshift"
    assert "Residual of redshift" in many.legend.pane.object


def test_ids_are_found_all_at_once(many):
    ids = many.datastore.ids
    asked = [ids[7], "nobody", ids[110], ids[7]]
    assert list(many.datastore.rows_of(asked)) == [7, -1, 110, 7]
    assert not len(many.datastore.rows_of([]))
    assert many.datastore.row_of("nobody") is None


def test_a_large_screen_has_larger_pixels_but_the_same_view(many):
    many.map.size.update(width=3200, height=1800)
    picture = many.map._galaxies()
    height, width = picture.dimension_values(2, flat=False).shape
    assert 1_400_000 < width * height <= 1_500_000
    np.testing.assert_allclose(width / height, 16 / 9, rtol=1e-2)
    (left, right), (bottom, top) = many.map.limits
    np.testing.assert_allclose(picture.bounds.lbrt(), (left, bottom, right, top))


def test_a_glance_shows_the_galaxy_under_the_cursor_and_picks_nothing(many):
    draw(many)
    picked, place = many.state.row, many.map.plane.points.iloc[17]
    many.map.tooltip.show(float(place["x"]), float(place["y"]))
    assert many.datastore.ids[17] in many.map.tooltip.pane.object
    assert data_uri(code_of(17), "WEBP") in many.map.tooltip.pane.object
    assert many.state.row == picked
    many.map.tooltip.show(1e6, 1e6)
    assert not many.map.tooltip.pane.visible


def test_the_brush_says_how_many_are_selected(many):
    assert "120 galaxies" in many.selection_bar.said.object
    many.state.selection.selected = np.arange(120) < 45
    assert "45 of 120 selected" in many.selection_bar.said.object
    many.state.selection.filters = {"catalogue.redshift": (0.0, 2.0)}
    assert "selected and pass the filters" in many.selection_bar.said.object


def test_the_first_view_is_not_squashed_by_outliers(store, tmp_path):
    folder = change(store, tmp_path / "store")
    path = folder / "latents" / "physics.parquet"
    table = pd.read_parquet(path)
    table.loc[:0, "redshift"] = 1e6
    table.to_parquet(path, index=False)
    (left, right), _ = begin(folder).map.plane.limits
    assert right - left < 1e6


def test_the_legend_says_to_what_the_boundaries_were_fitted(many):
    assert "linear SVM" in many.legend.pane.object
    assert "all galaxies" in many.legend.pane.object


def test_the_boundaries_are_drawn_for_the_chosen_axes_and_can_be_put_away(many):
    draw(many)
    regions = many.map.overlays.regions
    (picture,) = regions.fill.data["image"]
    assert picture.any()
    assert regions.lines.data["x"]
    many.state.boundaries = False
    assert not regions.fill.data["image"]
    assert not regions.lines.data["x"]
    assert "SVM" not in many.legend.pane.object


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
