"""The dashboard's logic, without a browser."""

import holoviews as hv
import numpy as np
import pandas as pd
import shapely
from bokeh.events import PanStart

from dashboard.backend.plane import nearest_row
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import Quantity
from dashboard.backend.stamp_images import data_uri
from dashboard.latent_map.axes_bar import AxesBar, pairs_of
from dashboard.plotting.decision_boundaries import shown_boundaries
from tests.dashboard.explorers import begin, change, code_of, draw

hv.extension("bokeh")


ROWS = [range(4), range(30, 35), range(60, 63)]


CATALOGUE_Z = Quantity("catalogue.redshift", "Catalogue redshift")


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


def test_a_model_keeps_the_axes_that_it_has_and_replaces_those_that_it_has_not(many):
    state = many.state
    state.param.update(x="log_mass", y="log_sfr", colour="inferred.redshift")
    state.model = "vanilla"
    assert (state.x, state.y, state.colour) == ("latent_0", "latent_1", "density")
    state.colour = "catalogue.redshift"
    state.model = "physics"
    assert (state.x, state.y) == ("redshift", "log_mass")
    assert state.colour == "catalogue.redshift"


def test_new_axes_bring_a_new_range_and_the_same_axes_keep_the_zoom(many):
    draw(many)
    zoom = tuple((0.7 * low + 0.3 * high, high) for low, high in many.map.plane.limits)
    many.map.range.event(x_range=zoom[0], y_range=zoom[1])
    assert many.map.limits == zoom
    many.state.colour = "population"
    assert many.map.limits == zoom
    whole = many.map.plane.limits
    many.map.range.event(x_range=whole[0], y_range=whole[1])
    assert many.state.zoom is None
    many.map.range.event(x_range=zoom[0], y_range=zoom[1])
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
    assert "120 galaxies" in many.selection_bar.note.object
    many.state.selection.selected = np.arange(120) < 45
    assert "45 of 120 selected" in many.selection_bar.note.object
    many.state.selection.filters = {"catalogue.redshift": (0.0, 2.0)}
    assert "selected and pass the filters" in many.selection_bar.note.object


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


def test_the_legend_has_the_lines_in_their_colours_and_names_their_regions(many):
    key, populations = many.legend.pane.object, many.datastore.populations
    fitted = shown_boundaries(many.datastore, many.state, many.state)
    assert len(fitted.classes) > 1
    for name in fitted.classes[1:]:
        colour = populations.colour(name, dark=many.state.dark)
        assert f'stroke="{colour}" stroke-width="1.6"' in key
        assert population_title(name) in key.partition("linear SVM: ")[2]
    many.state.boundaries = False
    assert 'stroke-width="1.6"' not in many.legend.pane.object


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


def test_a_zoom_draws_the_galaxies_again_and_no_glyphs(many, monkeypatch):
    draw(many)
    drawn = []
    for glyphs in (many.map.overlays.regions, many.map.overlays.marks, many.map.overlays.rings):
        monkeypatch.setattr(glyphs, "show", lambda *_, **__: drawn.append("glyphs"))
    made = many.map._galaxies
    monkeypatch.setattr(many.map, "_galaxies", lambda: drawn.append("galaxies") or made())
    (left, right), limits = many.map.limits
    many.map.range.event(x_range=(left, (left + right) / 2), y_range=limits)
    assert drawn == ["galaxies"]
