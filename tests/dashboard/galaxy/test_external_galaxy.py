"""A galaxy that a person adds: read, encoded, shown, placed; never kept in the store."""

import gzip
import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from dashboard.app import Explorer, open_datastore
from dashboard.components.file_input import MAX_BYTES, FileField, Upload, UploadError
from dashboard.galaxy.image_files import read_image_files
from dashboard.galaxy.legacy_cutout import ADDRESS
from data import hyrax
from data.services.legacy_surveys import OFFLINE
from pcvae.store import read_store
from tests.dashboard.explorers import begin
from tests.dashboard.galaxy.uploads import cube, info_of
from tests.data.services.stand_in import Answer, as_fits, cutout, serving, sky_header
from tests.data.test_hyrax import write_results

BANDS = ("g", "r", "z")


def png(picture, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def test_a_galaxy_of_the_sample_brought_as_fits_is_seen_as_the_store_sees_it(session, flux):
    session.add_galaxy.jobs.read([cube(flux[7])])
    external, latents = session.state.external, session.datastore.store.latents("physics")
    assert session.state.row is None
    np.testing.assert_array_equal(external.flux, flux[7])
    found = external.seen["physics"].latents.iloc[0]
    for name in found.index:
        assert found[name] == pytest.approx(latents[name][7], abs=1e-4), name
    np.testing.assert_array_equal(external.seen["physics"].stamp, session.datastore.stamp(7))


def test_the_guest_is_on_the_card_on_the_map_and_has_neighbours(session, flux):
    import holoviews as hv

    hv.render(session.map.figure)
    session.add_galaxy.jobs.read([cube(flux[7], "mine.fits")])
    assert "mine" in session.card.facts.object
    assert "not in the store" in session.card.facts.object
    assert session.card.pictures.object.count("<img") == 3
    assert "Redshift" in session.card.properties.object
    assert not session.card.judge.bar.visible
    assert session.tabs["neighbours"].strip.items[0]["row"] == 7
    drawn, plane = session.map.overlays.rings.source.data, session.map.plane
    star = list(drawn["shape"]).index("star")
    assert drawn["x"][star] == pytest.approx(plane.points["x"][7], abs=1e-4)
    assert drawn["y"][star] == pytest.approx(plane.points["y"][7], abs=1e-4)


def test_the_guest_stays_while_others_are_looked_at_and_can_be_gone_back_to(session, flux):
    session.add_galaxy.jobs.read([cube(flux[7], "mine.fits")])
    session.state.row = 3
    assert session.datastore.ids[3] in session.card.facts.object
    assert session.add_galaxy.back.visible
    session.add_galaxy.back.clicks += 1
    assert "mine" in session.card.facts.object
    assert not session.add_galaxy.back.visible


def test_another_model_sees_the_guest_too(session, flux):
    session.add_galaxy.jobs.read([cube(flux[7], "mine.fits")])
    session.state.model = "vanilla"
    assert set(session.state.external.seen) == {"physics", "vanilla"}
    assert "Latent" in session.card.properties.object
    assert session.tabs["neighbours"].strip.items[0]["row"] == 7


def test_a_guest_is_encoded_by_the_model_that_it_is_kept_for(session, flux, monkeypatch):
    """Also when the person turns to another model while it is being encoded."""
    later = []
    monkeypatch.setattr(
        "dashboard.galaxy.external_jobs.when_done", lambda *given: later.append(given)
    )

    def proceed():
        job, call = later.pop(0)
        job.exception()
        call()

    session.add_galaxy.jobs.read([cube(flux[7])])
    proceed()
    assert "Encoding it" in session.add_galaxy.words.object
    session.state.model = "vanilla"
    while later:
        proceed()
    seen = session.state.external.seen
    assert set(seen) == {"physics", "vanilla"}
    for model, one in seen.items():
        latents = session.datastore.store.latents(model).drop(columns="id")
        assert list(one.latents) == list(latents)
        np.testing.assert_allclose(one.latents.iloc[0], latents.iloc[7], atol=1e-4)
    assert "Latent" in session.card.properties.object
    assert session.tabs["neighbours"].strip.items[0]["row"] == 7


@pytest.mark.parametrize("steps", [0, 1], ids=["while it is read", "while it is encoded"])
def test_a_panel_that_is_closed_drops_what_is_under_way(session, flux, monkeypatch, steps):
    later = []
    monkeypatch.setattr(
        "dashboard.galaxy.external_jobs.when_done", lambda *given: later.append(given)
    )
    session.add_galaxy.jobs.read([cube(flux[7])])
    for step in range(2):
        if step == steps:
            session.add_galaxy.shut()
        for job, call in [later.pop(0)] if later else []:
            job.exception()
            call()
    assert session.state.external is None
    assert not session.add_galaxy.panel.visible


def test_a_guest_is_of_one_session_and_the_store_stays_as_it_was(store, session, flux):
    files = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    other = Explorer(session.datastore)
    session.add_galaxy.jobs.read([cube(flux[7])])
    assert other.state.external is None
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == files


def test_a_file_a_band_makes_one_galaxy(session, flux):
    parts = []
    for band, plane in zip(BANDS, flux[7], strict=True):
        header = sky_header(150.0, 2.0, 32, BANDS=band)
        parts.append(Upload(f"mine_{band}.fits", as_fits(plane, header)))
    external = read_image_files(parts[::-1], info_of(session))
    np.testing.assert_array_equal(external.flux, flux[7])
    assert "3 files" in external.notes[0]
    with pytest.raises(UploadError, match="found g, z: r is missing"):
        read_image_files([parts[0], parts[2]], info_of(session))


def test_a_larger_cutout_is_cut_and_finer_pixels_are_joined_and_it_is_said(session):
    rng = np.random.default_rng(0)
    large = rng.normal(1, 0.1, (3, 50, 50)).astype(np.float32)
    external = read_image_files([cube(large)], info_of(session))
    np.testing.assert_array_equal(external.flux, large[:, 9:41, 9:41])
    assert "Cut to 32 by 32" in " ".join(external.notes)
    assert external.north_angle == pytest.approx(np.pi / 2, abs=1e-6)
    fine = cube(np.repeat(np.repeat(large[:, :32, :32], 2, 1), 2, 2), scale=0.131)
    external = read_image_files([fine], info_of(session))
    assert 'Resampled from 0.131" to 0.262"' in " ".join(external.notes).replace("″", '"')


def test_a_packed_file_is_unpacked_but_not_without_end(session, flux, monkeypatch):
    file = cube(flux[7])
    packed = Upload("one.fits.gz", gzip.compress(file.content))
    np.testing.assert_array_equal(read_image_files([packed], info_of(session)).flux, flux[7])
    monkeypatch.setattr("data.readers.fits_limits.MAX_UNPACKED", len(file.content) - 10)
    with pytest.raises(UploadError, match="unpacked"):
        read_image_files([packed], info_of(session))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_placed_roughly_and_it_is_said(session, kind):
    picture = np.flipud(session.datastore.stamp(7)).repeat(3, 0).repeat(3, 1)
    wide = np.pad(picture, ((0, 0), (6, 6), (0, 0)))
    file = Upload("mine.png" if kind == "PNG" else "mine.jpg", png(wide, kind))
    session.add_galaxy.jobs.read([file])
    said = session.state.external.notes
    assert "Cut to the square of 96 pixels" in said[1]
    assert "rough" in said[-1]
    if kind == "PNG":
        shown = session.state.external.seen["physics"].stamp.astype(int)
        assert np.abs(shown - session.datastore.stamp(7)).max() <= 2


def test_a_picture_for_a_store_of_pictures_is_taken_as_it_is(make_store):
    session = begin(make_store(unit="nanomaggy"))
    stretched = replace(info_of(session), unit="stretched")
    picture = np.flipud(session.datastore.stamp(7))
    external = read_image_files([Upload("mine.png", png(picture))], stretched)
    expected = session.datastore.stamp(7)[:, :, ::-1].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(external.flux, expected, atol=1e-6)
    with pytest.raises(UploadError, match="learnt from pictures"):
        read_image_files([cube(np.ones((3, 32, 32), np.float32))], stretched)


def bad_files(flux):
    """Files that are no galaxy, and what is said of them."""
    small = flux[7][:, :20, :20]
    nan = np.where(np.arange(32) == 5, np.nan, flux[7]).astype(np.float32)
    whole, table = cube(flux[7]).content, io.BytesIO()
    fits.BinTableHDU.from_columns([fits.Column("ra", "D", array=[1.0])]).writeto(table)
    return {
        "no image": ([Upload("t.fits", table.getvalue())], "found none"),
        "table": ([Upload("t.csv", b"ra,dec")], r"expected \.fits.*found t\.csv"),
        "html": ([Upload("one.fits", b"<html>")], "unreadable"),
        "cut off": ([Upload("one.fits", whole[: len(whole) // 2])], "unreadable"),
        "too small": ([cube(small)], "20 px wide, 32 are needed"),
        "not finite": ([cube(nan)], "not finite"),
        "zeros": ([cube(np.zeros((3, 32, 32), np.float32))], "exactly zero"),
        "other bands": ([cube(flux[7], BANDS="gri")], "found g, i, r: z is missing"),
        "no picture": ([Upload("one.png", b"\x89PNG nothing")], "cannot be read"),
        "blank": ([Upload("one.png", png(np.zeros((9, 9, 3), np.uint8)))], "every pixel"),
        "two": ([Upload("1.png", b""), Upload("2.png", b"")], "one picture"),
        "none": ([], "found no file"),
        "too much": ([Upload("one.fits", bytes(MAX_BYTES + 1))], "at most 64 MB, found 64 MB"),
        "gz": ([Upload("one.fits.gz", b"nothing")], "cannot be unpacked"),
    }


BAD = list(bad_files(np.ones((8, 3, 32, 32), np.float32)))


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_says_what_was_expected_and_found_and_nothing_is_lost(session, flux, kind):
    files, words = bad_files(flux)[kind]
    session.add_galaxy.jobs.read([cube(flux[3], "before.fits")])
    before = session.state.external
    with pytest.raises(UploadError, match=words):
        read_image_files(files, info_of(session))
    if files:
        session.add_galaxy.jobs.read(files)
        assert "Not taken" in session.add_galaxy.words.object
    assert session.state.external is before
    assert "before" in session.card.facts.object


def test_more_than_the_limit_is_not_kept_even_if_a_browser_sends_it(session):
    field = FileField(most=100)
    for part in range(1, 4):
        message = {"name": "a.fits", "chunk": part, "total_chunks": 3, "mime_type": ""}
        field._process_chunk({**message, "data": bytes(60)})
    assert sum(len(one["value"]) for one in field._buffer) <= 100
    field.value = []
    with pytest.raises(UploadError, match="at most"):
        field.files()
    assert field.files() == []


def test_a_broken_model_is_told_in_words_and_nothing_is_lost(store, flux, tmp_path):

    folder = shutil.copytree(store, tmp_path / "store")
    (folder / "models" / "physics" / "model.safetensors").write_bytes(b"nothing")
    session = begin(folder)
    row = session.state.row
    session.add_galaxy.jobs.read([cube(flux[7])])
    assert "Not taken" in session.add_galaxy.words.object
    assert (session.state.row, session.state.external) == (row, None)


@pytest.fixture
def service(monkeypatch):
    with serving(cutout) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        yield service


def test_a_place_is_fetched_as_the_stores_images_are_encoded_and_placed(session, service):
    session.search_box.ask("150.1 2.2")
    assert session.add_galaxy.fetch.visible
    session.add_galaxy.fetch.clicks += 1
    external = session.state.external
    assert (external.ra, external.dec) == (150.1, 2.2)
    assert external.flux.shape == (3, 32, 32)
    assert service.asked[0].query["size"] == "32"
    assert service.asked[0].query["layer"] == "ls-dr9-south"
    assert "Legacy Surveys, layer ls-dr9-south" in session.card.facts.object
    assert session.tabs["neighbours"].strip.items


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b"<html>busy</html>"), "not a FITS file but begins with"),
        (Answer(b"no", 404), "HTTP 404"),
        (Answer(b"", 500), "HTTP 500.*upload a FITS cutout"),
    ],
)
def test_a_service_that_fails_is_told_in_words(session, service, answer, words):
    import re

    service.answer = lambda _: answer
    session.search_box.ask("150.1 2.2")
    session.add_galaxy.fetch.clicks += 1
    assert re.search(words, session.add_galaxy.words.object)
    assert session.state.external is None
    assert session.add_galaxy.field.visible


def test_outside_the_footprint_it_says_so(session, service):
    session.search_box.ask("20.0 2.2")
    session.add_galaxy.fetch.clicks += 1
    assert "outside the footprint" in session.add_galaxy.words.object


def test_a_slow_service_is_given_up(session, service, monkeypatch):
    monkeypatch.setattr(
        "dashboard.galaxy.legacy_cutout.PATIENCE", replace(OFFLINE, timeout=0.1, back_off=0.01)
    )
    service.answer = lambda asked: cutout(asked)._replace(delay=0.5)
    session.search_box.ask("150.1 2.2")
    session.add_galaxy.fetch.clicks += 1
    assert "no answer in time" in session.add_galaxy.words.object


def test_offline_it_says_so_and_offers_the_upload(session, monkeypatch):
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:9")
    session.search_box.ask("150.1 2.2")
    session.add_galaxy.fetch.clicks += 1
    assert "no connection to the service" in session.add_galaxy.words.object
    assert "upload a FITS cutout" in session.add_galaxy.words.object
    assert session.add_galaxy.field.visible


def test_an_embedding_says_that_it_has_no_network(sample, tmp_path):
    results = write_results(tmp_path / "results")
    folder = hyrax.main([str(results), str(tmp_path / "store"), "--sample", str(sample.folder)])
    assert read_store(folder).info.models[0].kind == "embedding"
    session = Explorer(open_datastore(folder))
    session.start()
    session.state.row = 3
    assert "This model has no network" in session.card.trouble.object
    assert "Not decoded" in session.card.pictures.object
    session.add_galaxy.open()
    assert "has no network" in session.add_galaxy.words.object
    assert not session.add_galaxy.field.visible
    session.add_galaxy.jobs.read([cube(np.ones((3, 32, 32), np.float32))])
    assert "has no network" in session.add_galaxy.words.object
    assert session.tabs["neighbours"].strip.items
