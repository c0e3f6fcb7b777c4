"""Finding galaxies by id and by place; a place is read as people write it."""

from html import unescape

import numpy as np
import pytest

from dashboard.backend.sky_index import SkyTree
from dashboard.sky.coordinates import Place, PlaceError, apart, read_place
from dashboard.sky.name_resolver import ADDRESS
from dashboard.sky.search import find, suggestions
from tests.dashboard.explorers import begin, change
from tests.data.services.stand_in import Answer, serving
from tests.data.services.test_sesame import FOUND, NOTHING

SAME = (153.00625, 2.2177778)


@pytest.mark.parametrize(
    "text",
    [
        "10:12:01.5 +02:13:04",
        "10h12m01.5s +2d13m04s",
        "10 12 01.5 +02 13 04",
        "10:12:01.5, +02:13:04",
        "J101201.5+021304",
        "SDSS J101201.50+021304.0",
        "153.00625 2.2177778",
        "153.00625, +2.2177778",
        "  153.00625d  2.2177778d ",
    ],
)
def test_a_place_is_read_however_it_is_written(text):
    assert read_place(text) == pytest.approx(SAME, abs=1e-6)


def test_a_minus_sign_of_print_is_a_minus():
    assert read_place("10:12:01.5 \N{MINUS SIGN}02:13:04").dec == pytest.approx(-SAME[1], abs=1e-6)
    assert read_place("0.5 \N{EN DASH}89") == Place(0.5, -89.0)


@pytest.mark.parametrize("text", ["g0001", "NGC 1068", "1237648720693755918", "", "153.0"])
def test_other_texts_are_no_places(text):
    assert read_place(text) is None


@pytest.mark.parametrize("text", ["400 2", "10 91", "10:12:01.5", "10 95 20 +02 13 04"])
def test_impossible_places_say_what_was_expected(text):
    with pytest.raises(PlaceError, match="expected"):
        read_place(text)


def test_the_nearest_on_the_sky_is_found_across_zero_and_at_the_pole():
    tree = SkyTree([359.9999, 10.0, 200.0, np.nan], [0.0, 0.0, 89.999, 5.0])
    rows, separations = tree.nearest([0.0001, 20.0, np.nan], [0.0, 89.999, 0.0])
    assert list(rows) == [0, 2, -1]
    assert separations[0] == pytest.approx(0.72, rel=1e-6)
    assert separations[1] == pytest.approx(7.2, rel=1e-3)
    assert np.isinf(separations[2])


def test_separations_are_those_of_astropy():
    from astropy.coordinates import SkyCoord

    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 200), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 200)))
    rows, separations = SkyTree(ra[:150], dec[:150]).nearest(ra[150:], dec[150:])
    known, asked = (
        SkyCoord(ra[:150], dec[:150], unit="deg"),
        SkyCoord(ra[150:], dec[150:], unit="deg"),
    )
    expected, distance, _ = asked.match_to_catalog_sky(known)
    assert list(rows) == list(expected)
    np.testing.assert_allclose(separations, distance.arcsec, rtol=1e-9)


def said(session):
    return unescape(session.add_galaxy.words.object)


@pytest.fixture
def many(store):
    return begin(store)


def test_an_id_is_found_and_the_beginning_of_it_suggests(many):
    datastore = many.datastore
    assert find(datastore, "g0042").row == 42
    assert find(datastore, " g0042 ").row == 42
    assert find(datastore, "G0042").row == 42
    assert find(datastore, "0042").row == 42
    assert suggestions(datastore, "g004") == [f"g004{k}" for k in range(8)]
    several = find(datastore, "g004")
    assert several.row is None
    assert "Several galaxies" in several.words


def test_ids_are_texts_and_no_patterns(many):
    assert suggestions(many.datastore, "g.0") == []
    assert suggestions(many.datastore, "(") == []
    assert "no place such as" in find(many.datastore, "M31").words


def test_the_nearest_galaxy_is_picked_and_the_separation_said(many):
    galaxy = many.datastore.store.galaxies.iloc[17]
    many.search_box.ask(f"{galaxy.ra:.6f} {galaxy.dec + 2 / 3600:+.6f}")
    assert many.state.row == 17
    assert 'g0017 lies 2.00" from' in said(many)
    assert not many.add_galaxy.fetch.visible


def test_a_place_far_from_all_galaxies_picks_none_and_offers_to_fetch_it(many):
    galaxy, before = many.datastore.store.galaxies.iloc[17], many.state.row
    many.search_box.ask(f"{galaxy.ra:.6f} {galaxy.dec + 9 / 3600:+.6f}")
    assert many.state.row == before
    assert 'within 5"' in said(many)
    assert 'g0017, is 9.00" away' in said(many)
    assert many.add_galaxy.fetch.visible
    many.add_galaxy.show_nearest.clicks += 1
    assert many.state.row == 17


def test_what_is_not_found_is_said_and_nothing_changes(many):
    before = many.state.row
    for text, words in (("nonsense", "is called"), ("400 2", "RA in 0 to 360")):
        many.search_box.ask(text)
        assert words in said(many)
    many.search_box.ask("")
    assert many.state.row == before


def test_a_name_is_looked_up_on_demand_and_the_galaxy_there_is_picked(many, monkeypatch):
    galaxy = many.datastore.store.galaxies.iloc[17]
    known = FOUND.format(name="NGC 1068", ra=galaxy.ra, dec=galaxy.dec)
    answers = [known, NOTHING.format(name="x")]
    by_name = many.search_box.by_name
    with serving(lambda _: Answer(answers.pop(0).encode())) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        many.search_box.ask("NGC 1068")
        assert service.asked == []
        assert by_name.visible
        many.search_box.look_up()
        assert many.state.row == 17
        assert said(many).startswith("<p")
        assert "NGC 1068: g0017 lies 0.0" in said(many)
        assert not by_name.visible
        many.search_box.ask("Sonic Galaxy")
        many.search_box.look_up()
    assert "knows no object called 'Sonic Galaxy'" in said(many)
    many.search_box.ask("Sonic Galaxy")
    many.search_box.look_up()  # the stand-in is gone
    assert "There is no connection to Sesame" in said(many)
    assert many.state.row == 17
    many.search_box.ask("g0003")
    assert not by_name.visible


def test_without_places_a_place_finds_nothing_and_can_be_fetched(store, tmp_path):
    session = begin(change(store, tmp_path / "store", ra=np.nan, dec=np.nan))
    session.search_box.ask("150.1 2.2")
    assert "known place" in said(session)
    assert session.add_galaxy.fetch.visible


def test_typing_asks_for_ids_and_is_answered(many, monkeypatch):
    answers = []
    monkeypatch.setattr(many.search_box.field, "_send_msg", answers.append)
    many.search_box.field._handle_msg({"type": "search", "id": 3, "query": "g001"})
    assert answers[0]["id"] == 3
    assert answers[0]["options"][0] == "g0010"


def test_an_angle_is_said_in_a_unit_of_its_size():
    assert [apart(one) for one in (0.1234, 61, 7200)] == ['0.12"', "1.0'", "2.0°"]
