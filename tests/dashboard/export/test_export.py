"""Exported files read back as they were: values, units, provenance."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits, votable
from astropy.io.fits import Header
from astropy.table import Table
from astropy.wcs import WCS

from dashboard.components.file_input import Upload
from dashboard.export.fits_cutout import NO_FLUX, find_sample, pixels_of
from dashboard.export.fits_cutout import as_fits as cutout_fits
from dashboard.export.table_formats import FORMATS, as_file
from dashboard.export.tables import labelled, provenance, selection
from dashboard.galaxy.legacy_cutout import ADDRESS
from dashboard.labelling.labels import set_label, write_note
from pcvae.cutouts import read_sample
from tests.dashboard.explorers import begin, change
from tests.data.services.stand_in import cutout, serving

ROWS = np.array([3, 8, 40])
NUMBERS = ["ra", "dec", "redshift", "log_mass_err", "physics_redshift", "physics_redshift_sigma"]


@pytest.fixture
def session(store, tmp_path):
    """A session of a copy of the store, with an empty journal and a galaxy without a redshift."""
    redshift = np.where(np.arange(120) == 8, np.nan, 0.25)
    return begin(change(store, tmp_path / "store", redshift=redshift))


@pytest.fixture
def chosen(session):
    return selection(session.datastore, "physics", ROWS)


@pytest.fixture
def facts(session):
    return provenance(session.datastore, "physics", "selection of a test")


def csv(content):
    return pd.read_csv(io.BytesIO(content), comment="#", dtype={"id": str}, keep_default_na=False)


READ = {
    "csv": lambda content: Table.from_pandas(
        pd.read_csv(io.BytesIO(content), comment="#", dtype={"id": str})
    ),
    "parquet": lambda content: Table.read(io.BytesIO(content), format="parquet"),
    "vot": lambda content: votable.parse_single_table(io.BytesIO(content)).to_table(),
    "fits": lambda content: Table.read(io.BytesIO(content), format="fits", hdu=1),
    "ecsv": lambda content: Table.read(content.decode(), format="ascii.ecsv"),
}


@pytest.mark.parametrize("kind", READ)
def test_a_table_comes_back_as_it_was(session, chosen, facts, kind):
    found = READ[kind](as_file(chosen, facts, kind))
    assert [str(one) for one in found["id"]] == list(session.datastore.ids[ROWS])
    assert found.colnames == chosen.colnames
    for name in NUMBERS:
        values = np.ma.filled(np.ma.asarray(found[name], dtype=float), np.nan)
        values = values.astype(chosen[name].dtype)
        np.testing.assert_allclose(values, chosen[name], rtol=1e-12, err_msg=name)
    galaxies, latents = (
        session.datastore.store.galaxies,
        session.datastore.store.latents("physics"),
    )
    np.testing.assert_array_equal(chosen["ra"], galaxies["ra"][ROWS])
    np.testing.assert_array_equal(chosen["physics_redshift"], latents["redshift"][ROWS])
    assert np.isnan(chosen["redshift"][1])


@pytest.mark.parametrize("kind", ["vot", "fits", "ecsv", "parquet"])
def test_units_and_meanings_travel_with_the_columns(chosen, facts, kind):
    content = as_file(chosen, facts, kind)
    found = READ[kind](content)
    assert str(found["ra"].unit) == "deg"
    assert str(found["physics_orientation"].unit) == "rad"
    meaning = found["log_mass"].description
    if kind == "fits":
        with fits.open(io.BytesIO(content)) as hdus:
            meaning = hdus[1].header[f"TCOMM{chosen.colnames.index('log_mass') + 1}"]
    assert "stellar mass" in meaning
    assert "dex(solMass)" in f"{found['log_mass'].unit} {meaning}"


def test_every_file_says_where_it_is_from(chosen, facts):
    files = {kind: as_file(chosen, facts, kind) for kind in FORMATS}
    for kind in ("csv", "reg"):
        assert f"# model: {facts['model']}" in files[kind].decode()
        assert f"# date: {facts['date']}" in files[kind].decode()
    assert "physics_log_mass [dex(solMass)]" in files["csv"].decode()
    schema = pq.read_schema(io.BytesIO(files["parquet"]))
    assert schema.metadata[b"sample"].decode() == facts["sample"]
    assert schema.field("ra").metadata[b"unit"] == b"deg"
    assert Table.read(files["ecsv"].decode(), format="ascii.ecsv").meta["store"] == facts["store"]
    infos = votable.parse(io.BytesIO(files["vot"])).resources[0].infos
    assert {one.name: one.value for one in infos} == facts
    with fits.open(io.BytesIO(files["fits"])) as hdus:
        assert hdus[0].header["SOFTWARE"] == facts["software"]
        assert hdus[0].header["SOURCE"] == facts["source"]
        assert hdus[1].name == "GALAXIES"


def test_positions_have_their_frame(chosen, facts):
    table = votable.parse(io.BytesIO(as_file(chosen, facts, "vot")))
    assert table.resources[0].coordinate_systems[0].system == "ICRS"
    fields = {one.name: one for one in table.get_first_table().fields}
    assert (fields["ra"].ucd, fields["ra"].ref) == ("pos.eq.ra;meta.main", "icrs")


def test_regions_are_circles_with_ids_where_the_galaxies_are(session, facts):
    datastore = session.datastore
    datastore.store.galaxies.loc[8, "ra"] = np.nan
    text = as_file(selection(datastore, "physics", ROWS), facts, "reg").decode()
    lines = text.splitlines()
    assert lines[0].startswith("# Region file format: DS9")
    assert "icrs" in lines
    assert "# places: 2 of 3 galaxies have one" in lines
    circles = [line for line in lines if line.startswith("circle")]
    galaxy = datastore.store.galaxies.iloc[3]
    assert len(circles) == 2
    assert circles[0].startswith(f'circle({galaxy.ra:.7f},{galaxy.dec:+.7f},5")')
    assert "text={g0003}" in circles[0]
    assert "tag={field}" in circles[0]


def test_labels_are_taken_with_who_and_when_and_what_is_known(session, facts):
    datastore = session.datastore
    set_label(datastore, session.state, "4", 8)
    write_note(datastore, session.state, "a ring, très beau\n{odd}", 8)
    set_label(datastore, session.state, "merger", 30)
    datastore.journal.tag("elsewhere", "candidate", user="ben")
    table = labelled(datastore, "physics")
    assert list(table["id"]) == ["g0008", "g0030", "elsewhere"]
    assert list(table["label"]) == ["4", "merger", "candidate"]
    assert table["note"][0].startswith("a ring")
    assert (table["user"][2], table["population"][2]) == ("ben", "")
    assert table["ra"][0] == datastore.store.galaxies["ra"][8]
    assert np.isnan(table["ra"][2])
    for kind in FORMATS:
        content = as_file(table, facts, kind)
        if kind in READ:
            found = READ[kind](content)
            assert [str(one) for one in found["label"]] == ["4", "merger", "candidate"]
    assert csv(as_file(table, facts, "csv"))["note"][0] == "a ring, très beau\n{odd}"
    assert "tag={merger}" in as_file(table, facts, "reg").decode()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_galaxy_that_three_people_labelled_has_three_rows(session, facts, kind):
    datastore = session.datastore
    for user, label in (("ana", "merger"), ("ben", "artefact"), ("cy", "merger")):
        datastore.journal.tag("g0008", label, user=user)
    datastore.journal.tag("g0030", "lens", user="ana")
    content = as_file(labelled(datastore, "physics"), facts, kind)
    if kind == "reg":
        lines = content.decode().splitlines()
        assert sum(line.startswith("circle") for line in lines) == 4
        assert "# places: 2 of 2 galaxies have one" in lines
        return
    found = READ[kind](content)
    said = sorted((str(row["id"]), str(row["user"]), str(row["label"])) for row in found)
    assert said == [
        ("g0008", "ana", "merger"),
        ("g0008", "ben", "artefact"),
        ("g0008", "cy", "merger"),
        ("g0030", "ana", "lens"),
    ]


def test_nothing_labelled_makes_an_empty_table_of_every_kind(session, facts):
    table = labelled(session.datastore, "physics")
    assert len(table) == 0
    for kind in FORMATS:
        as_file(table, facts, kind)


def test_the_sample_is_found_where_the_command_says(store, tmp_path):
    session = begin(store)
    assert find_sample(session.datastore).folder == store.with_name("sample")
    other = begin(change(store, tmp_path / "store", rows=slice(3)))
    assert find_sample(other.datastore) is None


def test_a_cutout_has_the_samples_fluxes_and_comes_back_as_the_same_galaxy(store):
    session = begin(store)
    flux = read_sample(store.with_name("sample")).pixels(slice(7, 8))[0]
    content = cutout_fits(
        session.datastore, 7, pixels_of(session.datastore, 7, find_sample(session.datastore))
    )
    with fits.open(io.BytesIO(content)) as hdus:
        np.testing.assert_array_equal(hdus[0].data, flux)
        assert hdus[0].header["BUNIT"] == "nanomaggy"
        assert hdus[0].header["OBJECT"] == "g0007"
    session.add_galaxy.jobs.read([Upload("again.fits", content)])
    assert session.tabs["neighbours"].strip.items[0]["row"] == 7


@pytest.mark.parametrize("angle", [np.pi / 2, 0.3, -2.0])
def test_the_wcs_puts_the_galaxy_in_the_middle_and_north_where_it_is(store, tmp_path, angle):
    session = begin(change(store, tmp_path / "store", north_angle=angle))
    datastore = session.datastore
    pixels = pixels_of(datastore, 7, read_sample(store.with_name("sample")))
    header = Header.fromstring(cutout_fits(datastore, 7, pixels)[:2880].decode())
    wcs, galaxy = WCS(header).celestial, datastore.store.galaxies.iloc[7]
    x, y = wcs.world_to_pixel_values(galaxy.ra, galaxy.dec)
    assert (float(x), float(y)) == pytest.approx((15.5, 15.5), abs=1e-6)
    north_x, north_y = wcs.world_to_pixel_values(galaxy.ra, galaxy.dec + 2.62 / 3600)
    assert np.arctan2(north_y - y, north_x - x) == pytest.approx(angle, abs=1e-4)
    assert np.hypot(north_y - y, north_x - x) == pytest.approx(10, rel=1e-4)
    east_x, east_y = wcs.world_to_pixel_values(
        galaxy.ra + 2.62 / 3600 / np.cos(np.deg2rad(galaxy.dec)), galaxy.dec
    )
    turned = np.arctan2(east_y - y, east_x - x) - angle
    assert np.cos(turned - np.pi / 2) == pytest.approx(1, abs=1e-6)


def test_a_stamp_says_that_it_is_no_flux(store):
    datastore = begin(store).datastore
    stamp = pixels_of(datastore, 7, None)
    np.testing.assert_array_equal(stamp.values[2], datastore.stamp(7)[:, :, 0])
    header = Header.fromstring(cutout_fits(datastore, 7, stamp)[:2880].decode())
    assert header["BITPIX"] == 8
    assert header["BUNIT"] == header["IMAGETYP"] == NO_FLUX
    assert header["BANDS"] == "blue,green,red"


def real(store, folder, **columns):
    """A store of galaxies that are really on the sky."""
    change(store, folder, ra=150.0, dec=2.0, **columns)
    facts = json.loads((folder / "store.json").read_text()) | {"source": "Legacy Surveys."}
    (folder / "store.json").write_text(json.dumps(facts))
    return begin(folder).datastore


@pytest.mark.parametrize("columns", [{}, {"north_angle": 0.3}])
def test_the_wcs_of_a_fetched_cutout_is_its_own(store, tmp_path, monkeypatch, columns):
    """It comes with north up, however the store's images lie and whether that is known."""
    datastore = real(store, tmp_path / "store", **columns)
    with serving(cutout) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        pixels = pixels_of(datastore, 7, None)
    header = Header.fromstring(cutout_fits(datastore, 7, pixels)[:2880].decode())
    turned = np.array([[-1, 0], [0, 1]]) * 0.262 / 3600
    np.testing.assert_allclose(WCS(header).celestial.pixel_scale_matrix, turned, atol=1e-9)


def test_a_galaxy_is_fetched_from_its_own_layer(store, tmp_path, monkeypatch):
    layer = np.where(np.arange(120) == 7, "ls-dr9-north", "ls-dr9-south").astype(object)
    layer[8] = None
    datastore = real(store, tmp_path / "store", layer=layer)
    with serving(cutout) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        for row in (7, 8, 9):
            pixels_of(datastore, row, None)
    asked = [one.query["layer"] for one in service.asked]
    assert asked == ["ls-dr9-north", "ls-dr9-south", "ls-dr9-south"]


def test_a_real_galaxy_is_fetched_where_its_sample_is_not_at_hand(store, tmp_path, monkeypatch):
    datastore = real(store, tmp_path / "store")
    with serving(cutout) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        found = pixels_of(datastore, 7, None)
    assert found.unit == "nanomaggy"
    assert "layer ls-dr9-south" in found.origin
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:9")
    stamp = pixels_of(datastore, 7, None)
    assert stamp.unit == NO_FLUX
    assert "no connection" in stamp.origin


def handed(session):
    return base64.b64decode(session.export_panel.file.data.partition(",")[2])


def test_a_person_takes_the_selection_away(session):
    session.state.selection.selected = np.isin(np.arange(120), ROWS)
    session.export_panel.open()
    assert "Selection: 3 of 120 galaxies" in session.export_panel.what.options
    session.export_panel.what.value = "selection"
    session.export_panel.formats.kind.value = "csv"
    session.export_panel.take()
    assert list(csv(handed(session))["id"]) == list(session.datastore.ids[ROWS])
    assert session.export_panel.file.filename == "example-selection.csv"
    assert "3 rows" in session.export_panel.words.object


def test_what_is_empty_says_so_and_cannot_be_taken(session):
    session.export_panel.open()
    assert "Nothing is labelled" in session.export_panel.words.object
    assert session.export_panel.go.disabled
    session.export_panel.what.value = "selection"
    assert "Nothing is selected" in session.export_panel.words.object
    session.export_panel.what.value = "cutout"
    assert not session.export_panel.go.disabled
    session.export_panel.take()
    assert session.export_panel.file.filename == f"{session.datastore.ids[session.state.row]}.fits"
    assert "sample example" in session.export_panel.words.object


def test_a_file_too_large_for_the_page_is_told_and_not_sent(session, monkeypatch):
    monkeypatch.setattr("dashboard.export.export_panel.MAX_BYTES", 100)
    session.export_panel.open()
    session.export_panel.what.value = "figure"
    session.export_panel.take()
    assert "can hand over" in session.export_panel.words.object
    assert session.export_panel.file.data is None


def test_a_failure_is_told_and_the_page_goes_on(session, monkeypatch):
    def fail(*_):
        raise OSError("the disk is gone")

    monkeypatch.setattr("dashboard.export.files.map_figure", fail)
    session.export_panel.open()
    session.export_panel.what.value = "figure"
    session.export_panel.take()
    assert "the disk is gone" in session.export_panel.words.object
    assert not session.export_panel.job.running
