"""The sky laid flat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.sky.projection import Projection, fitted, graticule, projection_of, sky_of

RNG = np.random.default_rng(0)


@given(
    ra=st.floats(0, 359.99),
    dec=st.floats(-89.9, 89.9),
    centre=st.floats(0, 359.99),
    whole=st.booleans(),
)
def test_there_and_back_is_the_same_place(ra, dec, centre, whole):
    projection = Projection(centre, whole)
    east, back = projection.round(*projection.flat(ra, dec))
    if np.isfinite(east):
        assert (centre + east - ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)
        assert back == pytest.approx(dec, abs=1e-4)
    else:  # the edge of the sky, where rounding decides
        assert abs((ra - centre) % 360 - 180) < 1e-3


def test_right_ascension_grows_to_the_left_and_declination_upwards():
    for whole in (True, False):
        projection = Projection(180.0, whole)
        x, y = projection.flat([170.0, 190.0], [0.0, 0.0])
        assert x[0] > x[1]
        x, y = projection.flat([180.0, 180.0], [-10.0, 10.0])
        assert y[0] < y[1]


def test_mollweide_keeps_areas():
    """Of galaxies spread evenly over the sky, every part of the ellipse has its share."""
    ra, dec = RNG.uniform(0, 360, 200_000), np.degrees(np.arcsin(RNG.uniform(-1, 1, 200_000)))
    x, y = Projection(0.0, True).flat(ra, dec)
    assert ((x / 180) ** 2 + (y / 90) ** 2).max() <= 1 + 1e-6
    inner = ((x / 180) ** 2 + (y / 90) ** 2) < 0.25
    assert inner.mean() == pytest.approx(0.25, abs=0.005)


def test_the_poles_and_the_equator_are_where_they_belong():
    x, y = Projection(0.0, True).flat([0, 0, 90, 270], [90, -90, 0, 0])
    np.testing.assert_allclose(x, [0, 0, -90, 90], atol=1e-3)
    np.testing.assert_allclose(y, [90, -90, 0, 0], atol=1e-3)


def test_a_field_across_the_origin_of_right_ascension_stays_whole():
    ra, dec = np.array([358.5, 359.5, 0.5, 1.5]), np.array([0.0, 0.1, 0.2, 0.3])
    sky = sky_of(ra, dec)
    assert not sky.projection.whole
    x = sky.points["x"].to_numpy()
    np.testing.assert_allclose(np.diff(x), -1, atol=1e-3)


@pytest.mark.parametrize(
    ("ra", "dec", "whole"),
    [
        ((0, 360), (-90, 90), True),
        ((110, 260), (-5, 65), True),
        ((150, 152), (1, 3), False),
        ((0, 360), (88, 90), False),
        ((350, 370), (-5, 5), False),
    ],
)
def test_a_small_field_is_plain_and_a_large_one_is_not(ra, dec, whole):
    places = RNG.uniform(*ra, 3000) % 360, RNG.uniform(*dec, 3000)
    assert projection_of(*places).whole == whole


def test_the_emptiest_meridian_is_at_the_edge():
    centre = projection_of(RNG.uniform(110, 260, 3000), RNG.uniform(-5, 65, 3000)).centre
    assert centre == pytest.approx(185, abs=6)


def test_galaxies_without_a_place_are_counted_and_have_none():
    sky = sky_of([10.0, np.nan, 11.0, 12.0], [1.0, 2.0, np.nan, 3.0])
    assert sky.placed == 2
    assert list(sky.points["x"].isna()) == [False, True, True, False]


@pytest.mark.parametrize("places", [([], []), ([np.nan], [np.nan]), ([5.0], [5.0])])
def test_few_places_or_none_still_have_a_view(places):
    (left, right), (bottom, top) = sky_of(*places).limits
    assert left < right
    assert bottom < top


@pytest.mark.parametrize("frame", [(1264, 150), (300, 600)])
@pytest.mark.parametrize("aspect", [1.0, 0.5])
def test_a_view_holds_what_it_should_at_the_right_aspect(frame, aspect):
    (left, right), (bottom, top) = fitted(((-3.0, 5.0), (10.0, 20.0)), aspect, frame)
    assert left <= -3
    assert bottom <= 10
    assert right >= 5
    assert top >= 20
    across, up = frame[0] / (right - left), frame[1] / (top - bottom)
    assert across / up == pytest.approx(aspect)


def test_the_graticule_is_written_in_round_degrees_within_the_view():
    projection = Projection(185.0, True)
    limits = ((-80.0, 70.0), (-10.0, 70.0))
    lines, labels = graticule(projection, limits)
    texts = list(labels["text"])
    assert {"160°", "180°", "200°", "0°", "+10°"} <= set(texts)
    assert len(texts) <= len(lines) <= 20
    assert labels["x"].between(*limits[0]).all()
    assert labels["y"].between(*limits[1]).all()
    for x, y, text in labels.itertuples(index=False):
        east, dec = projection.round(x, y)
        if "+" in text or text == "0°":
            assert f"{dec:+.0f}°".replace("+0", "0") == text
        else:
            assert f"{east + 185:.0f}°" == text


def test_the_graticule_grows_finer_with_the_zoom_and_has_no_line_beyond_the_sky():
    labels = graticule(Projection(10.0, False), ((-0.05, 0.05), (1.0, 1.04))).labels
    assert {"+1.01°", "10°"} <= set(labels["text"])
    assert graticule(Projection(10.0, True), ((200.0, 300.0), (80.0, 120.0))).lines == []
