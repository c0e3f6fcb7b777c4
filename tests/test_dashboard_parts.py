"""The pure functions of the dashboard: pictures, shading, properties, borders, addresses."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panel.io.location import Location
from PIL import Image

from dashboard.active_learning.label_list import when
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import colour_of, marker_of
from dashboard.backend.quantities import robust_limits
from dashboard.backend.stamp_images import area_mean, data_uri, residual, scale_bar
from dashboard.galaxy.card import links_of
from dashboard.galaxy.property_table import Interval, Property, difference, row_html
from dashboard.plotting.layers import borders, filled
from dashboard.plotting.raster import (
    Canvas,
    colour_map,
    over,
    paint_categories,
    paint_context,
    paint_density,
    paint_mean,
)
from dashboard.shell.allowed_hosts import known_names, names
from dashboard.shell.error_page import trouble_html
from dashboard.shell.url_sync import UrlSync, query_of
from dashboard.state import State
from pcvae.anomaly import NORMAL
from pcvae.boundaries import Boundaries, boundary_grid

CANVAS = Canvas((0.0, 1.0), (0.0, 1.0), 80, 60)


def points_at(*places, value=None):
    table = pd.DataFrame(places, columns=["x", "y"], dtype=np.float32)
    return table if value is None else table.assign(value=value)


def test_a_picture_has_row_0_at_the_bottom():
    stamp = np.zeros((4, 4, 3), np.uint8)
    stamp[0] = 255
    png = base64.b64decode(data_uri(stamp).partition(",")[2])
    assert np.asarray(Image.open(io.BytesIO(png)))[-1].min() == 255


@pytest.mark.parametrize(("before", "after"), [(128, 69), (32, 69), (10, 10), (7, 1)])
def test_the_area_mean_keeps_the_mean(before, after):
    image = np.random.default_rng(0).random((before, before, 3)).astype(np.float32)
    resized = area_mean(image, after)
    assert resized.shape == (after, after, 3)
    np.testing.assert_allclose(resized.mean((0, 1)), image.mean((0, 1)), rtol=1e-4)


def test_the_area_mean_of_halves_is_the_mean_of_squares_of_four():
    image = np.random.default_rng(0).random((6, 6, 3)).astype(np.float32)
    expected = image.reshape(3, 2, 3, 2, 3).mean((1, 3))
    np.testing.assert_allclose(area_mean(image, 3), expected, rtol=1e-5)


def test_a_residual_is_warm_where_the_image_is_brighter_and_says_its_limit():
    image, model = np.zeros((2, 8, 8, 3), np.float32)
    image[:2], model[6:] = 0.5, 0.5
    shown = residual(image, model)
    assert shown.limit == pytest.approx(0.5)
    assert (shown.picture[0, :, 0] > shown.picture[0, :, 2]).all()
    assert (shown.picture[7, :, 2] > shown.picture[7, :, 0]).all()
    assert len(np.unique(shown.picture[4])) == 1


def test_nothing_left_over_is_not_blown_up():
    image = np.full((8, 8, 3), 0.3, np.float32)
    assert residual(image, image + 1e-4).limit == pytest.approx(0.02)


def test_a_scale_bar_is_a_round_angle_of_a_fitting_length():
    text, share = scale_bar(0.262, 128)
    assert text == "10″"
    assert share == pytest.approx(10 / (0.262 * 128))
    assert scale_bar(None, 128) is None


def test_every_galaxy_in_view_leaves_ink_and_none_out_of_view_does():
    image = paint_density(points_at((0.5, 0.5), (2.0, 0.5), (np.nan, 0.5)), CANVAS, dark=True)
    rows, columns = np.nonzero(image[..., 3])
    assert abs(rows.mean() - 30) < 1.5
    assert abs(columns.mean() - 40) < 1.5
    assert not paint_density(points_at((2.0, 0.5)), CANVAS, dark=True)[..., 3].any()


def test_row_0_of_a_map_is_at_the_bottom():
    image = paint_density(points_at((0.5, 0.1)), CANVAS, dark=True)
    assert np.nonzero(image[..., 3])[0].mean() < 15


def test_the_colour_of_a_value_does_not_depend_on_how_many_galaxies_have_it():
    one = points_at((0.5, 0.5), value=0.7)
    crowd = points_at(*[(0.5, 0.5)] * 9, value=0.7)
    first, second = (paint_mean(each, CANVAS, (0, 1), dark=True) for each in (one, crowd))
    np.testing.assert_array_equal(first[30, 40], second[30, 40])


def test_overlapping_dots_show_the_mean_value():
    pair = points_at((0.5, 0.5), (0.5, 0.5), value=[0.2, 0.8])
    middle = points_at((0.5, 0.5), value=0.5)
    first, second = (paint_mean(each, CANVAS, (0, 1), dark=True) for each in (pair, middle))
    np.testing.assert_allclose(first[30, 40].astype(int), second[30, 40], atol=4)


TURN = (-np.pi / 2, np.pi / 2)


def turned(*degrees, apart=0.0):
    """The colour between galaxies that point there, side by side ``apart`` px."""
    places = [(0.5 + apart * place / CANVAS.width, 0.5) for place in range(len(degrees))]
    points = points_at(*places, value=np.radians(degrees).astype(np.float32))
    image = paint_mean(points, CANVAS, TURN, dark=True, kind="cyclic")
    return image[30, 40 + int(apart * (len(degrees) - 1)) // 2, :3].astype(int)


@pytest.mark.parametrize("apart", [0.0, 2.0])
@pytest.mark.parametrize(("pair", "middle"), [((88, -88), 90), ((80, -60), -80), ((10, 30), 20)])
def test_the_mean_of_orientations_is_taken_round_the_circle(pair, middle, apart):
    np.testing.assert_allclose(turned(*pair, apart=apart), turned(middle), atol=4)


@pytest.mark.parametrize("degrees", [-90, -89, -45, 0, 45, 89, 90])
def test_an_orientation_alone_has_its_own_colour(degrees):
    wheel = colour_map("cyclic", dark=True)
    expected = wheel[int((degrees + 90) / 180 * 255)] * 255
    np.testing.assert_allclose(turned(degrees), expected, atol=4)


def test_galaxies_without_a_value_are_grey_and_not_left_out():
    image = paint_mean(points_at((0.5, 0.5), value=np.nan), CANVAS, (0, 1), dark=True)
    red, green, blue, opaque = image[30, 40]
    assert red == green == blue
    assert opaque > 0


def test_categories_have_their_own_colours():
    image = paint_categories(
        points_at((0.2, 0.5), (0.8, 0.5), value=[0, 1]), CANVAS, ["#ff0000", "#0000ff"]
    )
    assert tuple(image[30, 16, :3]) == (255, 0, 0)
    assert tuple(image[30, 64, :3]) == (0, 0, 255)


def test_what_lies_above_hides_what_lies_below_as_far_as_it_is_opaque():
    above, below = (np.zeros((1, 3, 4), np.uint8) for _ in range(2))
    above[0, :, :] = [(200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 51)]
    below[0, :, :] = (0, 100, 0, 255)
    assert over(above, below).tolist() == [[[200, 0, 0, 255], [0, 100, 0, 255], [40, 80, 0, 255]]]


def test_the_context_is_grey_wherever_a_galaxy_is():
    image = paint_context(points_at((0.2, 0.5), (0.8, 0.5)), CANVAS, dark=True)
    seen = image[image[..., 3] > 0]
    assert (seen[:, 0] == seen[:, 2]).all()
    assert image[30, 16, 3] > 0
    assert image[30, 64, 3] > 0


def test_the_densest_place_has_the_brightest_colour():
    rng = np.random.default_rng(0)
    crowd = points_at(*rng.normal([0.3, 0.5], 0.02, (5000, 2)), *rng.random((200, 2)))
    image = paint_density(crowd, CANVAS, dark=True).astype(int)
    lit = np.where(image[..., 3] > 0, image[..., :3].sum(axis=2), 0)
    row, column = np.unravel_index(lit.argmax(), lit.shape)
    assert abs(row - 30) < 5
    assert abs(column - 24) < 5


@pytest.mark.parametrize("dark", [True, False])
def test_no_galaxies_make_an_empty_map(dark):
    nothing = points_at().assign(value=[])
    for image in (
        paint_density(nothing, CANVAS, dark=dark),
        paint_mean(nothing, CANVAS, (0, 1), dark=dark),
        paint_categories(nothing, CANVAS, ["#ff0000"]),
    ):
        assert image.shape == (60, 80, 4)
        assert not image[..., 3].any()


@given(st.lists(st.floats(allow_infinity=False, allow_nan=True, width=32), max_size=20))
@settings(max_examples=100, deadline=None)
def test_limits_are_finite_and_in_order(values):
    low, high = robust_limits(np.array(values, np.float64))
    assert np.isfinite([low, high]).all()
    assert low < high


def test_a_difference_is_in_joint_sigmas():
    assert difference(Interval(1.0, 3.0), Interval(11.0, 4.0)) == pytest.approx(2.0)
    assert np.isnan(difference(Interval(np.nan, 1.0), Interval(1.0, 1.0)))
    assert difference(Interval(0.0, np.nan), Interval(1.0, 0.5)) == pytest.approx(2.0)


def test_orientations_differ_by_less_than_a_quarter_turn():
    near = difference(Interval(-1.55, 0.1), Interval(1.55, 0.0), cyclic=True)
    assert abs(near) == pytest.approx((np.pi - 3.1) / 0.1)


def test_a_value_is_shown_with_two_digits_of_its_error():
    assert str(Interval(0.12345, 0.0123)) == "0.123 ± 0.012"
    assert str(Interval(-10.5, 2.3)) == "\N{MINUS SIGN}10.5 ± 2.3"
    assert str(Interval(np.nan, 1.0)) == "\N{EN DASH}"


def test_a_row_escapes_what_it_shows_and_points_at_large_differences():
    counts = np.ones(4, dtype=int)
    row = Property("<b>", "", Interval(0, 1), Interval(9, 1), counts, (0.0, 1.0), cyclic=False)
    html = row_html(row)
    assert "<b>" not in html
    assert "far" in html
    assert "+6.4" in html


def test_borders_run_where_the_svm_changes_its_mind():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(-2, 0.5, (200, 2)), rng.normal(2, 0.5, (50, 2))])
    found = boundary_grid(values, [NORMAL] * 200 + ["rare"] * 50, limits=((-4, 4), (-4, 4)))
    lines = borders(found, {"rare": "#ff0000"}.get)
    (x,), (y,) = lines["x"], lines["y"]
    assert lines["colour"] == ["#ff0000"]
    inner = (np.abs(x) < 3) & (np.abs(y) < 3)
    assert np.abs((x + y)[inner]).max(initial=0) < 1.5
    fill = filled(found, {"rare": "#ff0000"}.get)
    (image,) = fill["image"]
    assert 0.3 < (image > 0).mean() < 0.7
    assert image[-1, -1] & 0xFF == 255 * (image[-1, -1] > 0)
    assert (fill["x"], fill["dw"]) == ([-4], [8])


def test_without_boundaries_nothing_is_drawn():
    nothing = Boundaries(np.zeros(2), np.zeros(2), np.zeros((2, 2), int), (), {}, {})
    for found in (None, nothing):
        assert not borders(found, {}.get)["x"]
        assert not filled(found, {}.get)["image"]


def test_marks_differ_in_shape_as_well_as_in_colour():
    rare = ["green_pea", "red_spiral", "merger", "ring", "lens"]
    marks = [marker_of(name, rare) for name in rare]
    assert len({mark.shape for mark in marks}) == len(rare)
    assert len({mark.dark for mark in marks}) == len(rare)
    assert marks[0].shape == "circle"
    assert marks[1].shape == "diamond"


def test_a_colour_stays_when_others_come_and_go():
    assert colour_of("green_pea", ["green_pea"], dark=True) == colour_of(
        "green_pea", ["field", "red_spiral", "green_pea"], dark=True
    )


def test_links_carry_the_place():
    links = links_of(150.1, -2.2)
    assert "ra=150.100000&dec=-2.200000" in links["Legacy Surveys"]
    assert links_of(np.nan, 1.0) == {}


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:5006", True),
        ("127.0.0.1:5006", True),
        ("[::1]:5006", True),
        ("lab.example", True),
        ("evil.example:5006", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_only_names_that_the_server_was_given_are_served(host, known):
    given_names = known_names(["serve", "--allow-websocket-origin=lab.example:80"], "")
    assert names(host, given_names) is known
    assert names(host, known_names([], "*"))


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


def test_work_that_is_done_is_taken_at_once():
    class Done:
        def done(self):
            return True

        def exception(self):
            return None

    called = []
    when_done(Done(), lambda: called.append(1))
    assert called == [1]


def test_a_time_is_told_without_its_seconds():
    assert when("2026-03-04T05:06:07.891011+00:00") == "4 Mar 05:06"


def test_the_page_of_trouble_says_what_is_wrong_and_what_to_run():
    html = trouble_html("No store", "no <store> in x")
    assert "No &lt;store&gt; in x" in html
    assert "make demo-store" in html
