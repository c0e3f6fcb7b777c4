"""The pictures of maps: every galaxy leaves ink, colours are means of values."""

import numpy as np
import pandas as pd
import pytest

from dashboard.plotting.raster import (
    Canvas,
    colour_map,
    over,
    paint_categories,
    paint_context,
    paint_density,
    paint_mean,
)

CANVAS = Canvas((0.0, 1.0), (0.0, 1.0), 80, 60)


def points_at(*places, value=None):
    table = pd.DataFrame(places, columns=["x", "y"], dtype=np.float32)
    return table if value is None else table.assign(value=value)


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


def test_the_context_is_fainter_where_there_are_fewer_galaxies():
    crowd, alone = [(0.2, 0.5)] * 300, [(0.8, 0.5)]
    image = paint_context(points_at(*crowd, *alone), CANVAS, dark=True)
    assert image[30, 64, 3] < 0.6 * image[30, 16, 3]


def test_the_context_tells_dense_from_sparse_where_single_dots_are_seen():
    """Dots that do not cover each other are shaded by how crowded their surroundings are."""
    close = [(0.15 + 0.03 * column, 0.4 + 0.04 * row) for column in range(5) for row in range(5)]
    image = paint_context(points_at(*close, (0.8, 0.5)), CANVAS, dark=False)
    middle = image[25:35, 12:24, 3].max()
    assert image[30, 64, 3] < 0.6 * middle


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("count", [1, 40, 400])
def test_dots_are_round_and_of_one_size_at_every_scale_of_the_device(scale, count):
    """The dot's extent is the same up, across and aslant, and grows with the scale."""
    rest = np.column_stack([np.full(count - 1, 0.05), np.linspace(0, 1, count - 1)])
    canvas = Canvas((0.0, 1.0), (0.0, 1.0), round(80 * scale), round(60 * scale), scale)
    image = paint_density(points_at((0.5, 0.5), *rest), canvas, dark=True)
    dot = image[:, canvas.width // 4 :, 3] / 255
    rows, columns = (dot.sum(axis=side) for side in (1, 0))
    np.testing.assert_allclose(rows[rows > 0], columns[columns > 0], atol=0.02)
    single = paint_density(points_at((0.5, 0.5), *rest), CANVAS, dark=True)
    area = single[:, 20:, 3].sum() / 255
    assert dot.sum() == pytest.approx(area * scale**2, rel=0.25)


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
