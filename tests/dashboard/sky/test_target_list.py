"""A target list is read, matched by id or place, and walked through."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from dashboard.components.file_input import Upload, UploadError
from dashboard.galaxy.external_jobs import ExternalJobs
from dashboard.sky.crossmatch import match, read_targets
from dashboard.sky.target_table import PAGE, match_summary
from tests.dashboard.explorers import begin


@pytest.fixture
def session(store):
    return begin(store)


def galaxies(session):
    return session.datastore.store.galaxies


def as_csv(**columns):
    return Upload("targets.csv", pd.DataFrame(columns).to_csv(index=False).encode())


def nearby(session, rows, arcsec, **columns):
    """Targets without ids, north of some galaxies."""
    places = galaxies(session).iloc[rows]
    return as_csv(RAJ2000=places["ra"], DEJ2000=places["dec"] + arcsec / 3600, **columns)


@pytest.mark.parametrize("kind", ["csv", "ecsv", "vot", "fits", "parquet"])
def test_lists_of_all_kinds_are_read(kind, tmp_path):
    table = Table({"ObjID": ["007", "g1"], "_RAJ2000": [10.5, 20.25], "_DEJ2000": [-1.5, 2.0]})
    path = tmp_path / f"mine.{kind}"
    if kind == "parquet":
        table.to_pandas().to_parquet(path)
    else:
        names = {"vot": "votable", "ecsv": "ascii.ecsv", "csv": "ascii.csv", "fits": "fits"}
        table.write(path, format=names[kind])
    found = read_targets(Upload(path.name, path.read_bytes()))
    assert list(found["id"]) == ["007", "g1"]
    np.testing.assert_array_equal(found[["ra", "dec"]], [[10.5, -1.5], [20.25, 2.0]])


@pytest.mark.parametrize(
    "text",
    [
        "name;RA;DEC\na;153.00625;2.2177778\n",
        "name\tra\tdec\na\t153.00625\t2.2177778\n",
        "# from a page\nName, R.A., Dec.\na, 10:12:01.5, +02:13:04\n",
        "ra_deg,dec_deg,name\n153.00625,2.2177778,a\n",
        "Target,RAJ2000,DEJ2000\na,10 12 01.5,+02 13 04\n",
    ],
)
def test_places_are_read_however_they_are_written(text):
    found = read_targets(Upload("mine.csv", text.encode()))
    assert list(found["id"]) == ["a"]
    assert list(found.loc[0, ["ra", "dec"]]) == pytest.approx([153.00625, 2.2177778], abs=1e-6)


def test_what_is_missing_in_a_row_is_unknown():
    found = read_targets(Upload("mine.csv", b"id,ra,dec\na,1,2\n,3,4\nb,,\n"))
    assert list(found["id"]) == ["a", "", "b"]
    assert found[["ra", "dec"]].isna().sum().tolist() == [1, 1]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mine.csv", b"a,b\n1,2\n", "expected a column of ids, or RA and Dec.*found a, b"),
        ("mine.csv", b"id\n", "found 0"),
        ("mine.csv", b"", "cannot be read"),
        ("mine.csv", b"ra,dec\n400,2\n", "RA in 0 to 360.*found 400, 2"),
        ("mine.csv", b"ra,dec\nhere,there\n", "degrees or sexagesimal"),
        ("mine.doc", b"id\n1\n", r"ending in \.csv.*found mine\.doc"),
        ("mine.fits", b"<html>", "cannot be read"),
        ("mine.vot", b"<html>", "cannot be read"),
    ],
)
def test_a_bad_list_says_what_was_expected_and_the_old_one_stays(session, name, content, words):
    session.tabs["targets"].upload(as_csv(id=["g0003"]))
    with pytest.raises(UploadError, match=words):
        read_targets(Upload(name, content))
    session.tabs["targets"].upload(Upload(name, content))
    assert "Not taken" in session.tabs["targets"].words.object
    assert name in session.tabs["targets"].words.object
    assert "targets." not in session.tabs["targets"].words.object
    assert list(session.tabs["targets"].matched["row"]) == [3]


def test_a_target_is_its_id_else_the_nearest_within_the_radius(session):
    places = galaxies(session)
    table = as_csv(
        id=["g0005", "x", "y", "z", ""],
        ra=[places["ra"][9], places["ra"][7], places["ra"][8], np.nan, 20.0],
        dec=[places["dec"][9], places["dec"][7] + 1 / 3600, places["dec"][8] - 4 / 3600, 1, -80],
    )
    found = match(session.datastore, read_targets(table), 2.0)
    assert list(found["row"]) == [5, 7, -1, -1, -1]
    assert list(found["how"]) == ["id", "position", "", "", ""]
    assert found["separation"][1] == pytest.approx(1.0, rel=1e-4)
    assert found["separation"][2] == pytest.approx(4.0, rel=1e-4)
    assert found["separation"][0] > 1000
    assert np.isnan(found["separation"][3])
    assert list(match(session.datastore, read_targets(table), 5.0)["row"]) == [5, 7, 8, -1, -1]
    assert match_summary(found) == (
        '2 of 5 targets are in this store (1 by id, 1 by position, at most 1.00" off); 3 are not.'
    )


def test_a_person_uploads_a_list_steps_through_it_and_selects_it(session):
    view = session.tabs["targets"]
    session.state.tab = "targets"
    session.keys._handle_msg({"key": "ArrowRight"})
    assert view.after.disabled
    view.upload(nearby(session, [40, 3, 88], 0.5, note="x"))
    assert "3 of 3" in view.words.object
    assert [item["galaxy"] for item in view.table.items] == ["g0040", "g0003", "g0088"]
    for row in (40, 3, 88, 88):
        session.keys._handle_msg({"key": "ArrowRight"})
        assert session.state.row == row
    view.before.clicks += 1
    assert session.state.row == 3
    view.table._handle_msg({"pick": 0})
    assert session.state.row == 40
    view.table._handle_msg({"pick": 10**9})
    session.list_bar.choose.clicks += 1
    assert list(np.flatnonzero(session.state.selection.focus)) == [3, 40, 88]


def test_steps_skip_what_is_not_in_the_store_and_that_can_be_fetched(session, monkeypatch):
    view, asked = session.tabs["targets"], []
    monkeypatch.setattr(ExternalJobs, "fetch", lambda _, place: asked.append(place))
    view.upload(as_csv(id=["no", "g0004", "never", "g0006"], ra=[1.0, 2, 3, 4], dec=[-80.0] * 4))
    for row in (4, 6):
        view.step(1)
        assert session.state.row == row
    view.table._handle_msg({"pick": 2})
    assert session.state.row == 6
    assert [item["fetch"] for item in view.table.items] == [True, False, True, False]
    view.table._handle_msg({"fetch": 2})
    assert asked == [(3.0, -80.0)]


def test_another_radius_matches_again(session):
    view = session.tabs["targets"]
    view.upload(nearby(session, [40, 3], 3.0))
    assert "0 of 2" in view.words.object
    assert view.after.disabled
    view.radius.value = 4.0
    assert "2 of 2" in view.words.object
    assert not view.after.disabled


def test_a_long_list_shows_a_page_at_a_time_and_steps_turn_to_the_page(session):
    view = session.tabs["targets"]
    ids = [f"none{i}" for i in range(PAGE + 30)] + ["g0009"]
    view.upload(as_csv(id=ids))
    assert len(view.table.items) == PAGE
    assert view.pager.visible
    view.step(1)
    assert view.table.items[-1]["galaxy"] == "g0009"
    assert view.table.current == PAGE + 30
    assert session.state.row == 9


def test_every_target_of_a_long_list_can_be_turned_to_and_fetched(session, monkeypatch):
    view, asked = session.tabs["targets"], []
    monkeypatch.setattr(ExternalJobs, "fetch", lambda _, place: asked.append(place))
    far = 2 * PAGE + 50
    view.upload(
        as_csv(id=["g0009"] + ["none"] * far, ra=np.arange(far + 1), dec=[-80.0] * (far + 1))
    )
    assert (view.pager.page, view.pager.pages) == (0, 3)
    view.pager._handle_msg({"go": 2})
    assert [item["n"] for item in view.table.items] == list(range(2 * PAGE, far + 1))
    view.table._handle_msg({"fetch": far})
    assert asked == [(float(far), -80.0)]
    view.step(1)
    assert view.table.items[0]["galaxy"] == "g0009"
    assert view.pager.page == 0
    view.pager._handle_msg({"go": 1})
    view.table._handle_msg({"pick": PAGE + 7})
    assert (view.pager.page, view.table.current) == (1, PAGE + 7)
    view.upload(as_csv(id=["g0003"]))
    assert (view.pager.page, view.pager.pages, view.pager.visible) == (0, 1, False)


def test_a_list_is_of_one_session(session):
    from dashboard.app import Explorer

    session.tabs["targets"].upload(as_csv(id=["g0003"]))
    assert Explorer(session.datastore).tabs["targets"].matched is None
