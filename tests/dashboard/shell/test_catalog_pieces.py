"""Pieces of a HATS catalogue, shown as stores."""

import json
import sys
from concurrent.futures import Future
from threading import Event
from urllib.parse import parse_qs

import numba
import numpy as np
import pandas as pd
import panel as pn
import pytest
from astropy.coordinates import SkyCoord
from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from panel.io.session import generate_session
from panel.io.state import set_curdoc

from dashboard.app import Explorer, serve, shared_datastore
from dashboard.shell import catalog_pieces, served_store
from dashboard.shell.catalog_pieces import (
    MAX_WAITING,
    PieceJob,
    asked_piece,
    named_piece,
    piece_job,
)
from dashboard.shell.connection import Connection
from dashboard.shell.piece_panel import NO_STAMPS
from dashboard.shell.url_sync import shared_address
from dashboard.shell.waiting_page import waiting_html, waiting_page
from pcvae.errors import OutputError, SettingsError, StoreError
from pcvae.journal import journal_path
from pcvae.lock import hold
from pcvae.store import read_store
from train import hats as to_hats
from train.encoding import hats_writer
from train.search import catalog_piece
from train.search.catalog_piece import CatalogPiece, Piece, made_piece, piece_store

pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning"),
]
CONE = (40.0, 10.0, 30.0)


@pytest.fixture(scope="module")
def catalog(store, tmp_path_factory):
    """A catalogue of some partitions, made of the store of 120 galaxies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)  # compiling takes longer than the tests
        import hats.pixel_tree.moc_filter
        import hats.pixel_tree.pixel_alignment  # noqa: F401
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hats_writer, "ORDER", 3)
        made = tmp_path_factory.mktemp("catalogs") / "sky"
        return to_hats.main([str(store), str(made), "--partition-rows", "80"])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; the folder with its pieces."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pn.state.cache.clear()
    yield tmp_path / "cache" / "pcvae" / "pieces"
    pn.state.cache.clear()


def apart(galaxies):
    """Degrees of each galaxy from the centre of the cone."""
    places = SkyCoord(galaxies["ra"].to_numpy(), galaxies["dec"].to_numpy(), unit="deg")
    return SkyCoord(*CONE[:2], unit="deg").separation(places).deg


def test_a_cone_is_a_store_with_the_galaxies_latents_and_models_of_its_catalogue(catalog, store):
    whole, told = read_store(store), []
    made = piece_store(CatalogPiece(catalog, Piece(CONE)), told.append)
    near = whole.galaxies[apart(whole.galaxies) < CONE[2]]
    assert 5 < len(near) < 60
    assert sorted(made.galaxies["id"]) == near["id"].tolist()
    assert list(made.galaxies) == list(whole.galaxies)
    for model in ("physics", "vanilla"):
        expected = whole.latents(model).iloc[near.index].reset_index(drop=True)
        found = made.latents(model).sort_values("id", ignore_index=True)
        pd.testing.assert_frame_equal(found, expected)
        assert (made.model_folder(model) / "model.safetensors").exists()
    assert made.stamps is None
    assert made.info.sample == "sky-40_+10_30deg"
    assert made.info.source.endswith(f"{catalog}: 30° around RA 40° Dec +10°.")
    assert told[-1].endswith(f"partitions read, {len(made)} galaxies")


def test_a_piece_is_made_once_and_anew_of_a_changed_catalogue(catalog, monkeypatch):
    of = CatalogPiece(catalog, Piece(CONE))
    assert made_piece(of) is None
    made = piece_store(of)
    with monkeypatch.context() as patch:
        patch.setattr(catalog_piece, "_make", None)
        assert piece_store(of).folder == made.folder
        facts, before = catalog / "pcvae.json", (catalog / "pcvae.json").read_text()
        facts.write_text(json.dumps(json.loads(before) | {"created": "later"}))
        assert made_piece(of) is None
        facts.write_text(before)
    (made.folder / "galaxies.parquet").write_bytes(b"damaged")
    assert len(piece_store(of)) == len(made)


def test_pixels_and_conditions_choose_galaxies(catalog, store):
    table = read_store(store).all_latents("physics")
    ids = [
        piece_store(CatalogPiece(catalog, Piece(pixels=(0, *numbers)))).galaxies["id"].tolist()
        for numbers in (range(4), range(4, 12))
    ]
    assert min(map(len, ids)) > 0
    assert sorted(ids[0] + ids[1]) == table["id"].tolist()
    half = float(table["redshift"].median())
    made = piece_store(CatalogPiece(catalog, Piece(query=f"physics_redshift > {half}")))
    assert sorted(made.galaxies["id"]) == table["id"][table["redshift"] > half].tolist()
    assert piece_store(CatalogPiece(catalog, Piece())).galaxies["id"].nunique() == 120


def test_a_piece_that_cannot_be_shown_is_refused_in_a_sentence(catalog, cache, monkeypatch):
    def refused(error, words, piece):
        with pytest.raises(error, match=words):
            piece_store(CatalogPiece(catalog, piece))

    refused(StoreError, r"no galaxy of .*sky is in this piece \(1° ", Piece((200, -80, 1)))
    refused(SettingsError, "a condition on columns of .*'size > 3'", Piece(query="size > 3"))
    refused(SettingsError, "a condition on columns of .*'id > 3'", Piece(query="id > 3"))
    of = CatalogPiece(catalog, Piece(CONE))
    with hold(of.folder()):
        refused(OutputError, "is being written by process", of.piece)
    monkeypatch.setattr(catalog_piece, "MAX_GALAXIES", 9)
    refused(StoreError, "more than 9 galaxies lie in sky: the whole: choose", Piece())
    assert not list(cache.glob("*"))


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ({"cone": (400, 0, 1)}, "RA in 0 to 360° .* found 400 0"),
        ({"cone": (float("nan"), 0, 1)}, "RA in 0 to 360°"),
        ({"cone": (4, 0, 0)}, "radius above 0 .* found 0"),
        ({"cone": (4, 0, 1e-7)}, "radius above 0"),
        ({"pixels": (0, 12)}, "pixels of 0 to 11 at order 0, found 12"),
        ({"pixels": (3,)}, "an order of 0 to 29 and HEALPix pixels"),
        ({"cone": CONE, "pixels": (0, 1)}, "found both"),
        ({"query": "redshift >"}, "a condition such as"),
    ],
)
def test_there_is_no_piece_that_cannot_be(piece, words):
    with pytest.raises(SettingsError, match=words):
        Piece(**piece)


def test_the_command_line_and_the_address_name_a_piece(catalog, store):
    assert named_piece([]) is named_piece([str(store)]) is None
    assert named_piece([str(catalog)]) == CatalogPiece(catalog, Piece())
    named = named_piece([str(catalog), "--query", "redshift > 0.1", "--cone", "40", "-10", ".5"])
    assert named.piece == Piece((40.0, -10.0, 0.5), query="redshift > 0.1")
    assert named_piece([str(catalog), "--healpix", "1", "5", "6"]).piece.pixels == (1, 5, 6)
    assert asked_piece(named, {"galaxy": "g1", "query": "redshift > 9"}) == named
    other = asked_piece(named, {"cone": "1,2,3"})
    assert other.piece == Piece((1.0, 2.0, 3.0), query="redshift > 0.1")
    with pytest.raises(SettingsError, match="expected a cone RA,DEC,RADIUS"):
        asked_piece(named, {"cone": "1,2"})
    with pytest.raises(SettingsError, match=r"expected a HATS catalogue .*found .*store: make"):
        named_piece([str(store), "--cone", "1", "2", "3"])
    with pytest.raises(SettingsError, match=r"--cone: expected 3 arguments.*--args CATALOG"):
        named_piece([str(catalog), "--cone", "1", "2"])


def test_only_the_pieces_that_were_opened_last_are_kept(catalog, cache, monkeypatch):
    monkeypatch.setattr(catalog_piece, "MAX_PIECES", 2)
    monkeypatch.setattr(served_store, "MAX_PIECES", 1)
    pieces = [CatalogPiece(catalog, Piece((40.0, 10.0, radius))) for radius in (30.0, 40.0, 50.0)]
    for piece in (*pieces[:2], pieces[0], pieces[2]):
        shared_datastore(piece_store(piece).folder, piece)
    assert [made_piece(piece) is not None for piece in pieces] == [True, False, True]
    kept = [value.piece for value, _ in pn.state.cache.values()]
    assert kept == [pieces[2]]


@pytest.fixture
def session(catalog):
    """A session of the cone."""
    piece = CatalogPiece(catalog, Piece(CONE))
    return Explorer(shared_datastore(piece_store(piece).folder, piece))


def test_the_page_says_which_piece_it_shows_and_goes_to_another(session, catalog):
    panel, connection = session.piece_panel, session.connection
    assert session.title == "pcvae · sky: 30° around RA 40° Dec +10°"
    assert session.datastore.journal.address.endswith(str(journal_path(catalog)))
    address = shared_address(session.datastore, session.state)
    assert parse_qs(address.removeprefix("?"))["cone"] == ["40,10,30"]
    panel.open()
    assert (panel.centre.value, panel.radius.value) == ("40 +10", "30")
    assert NO_STAMPS in panel.about.object
    for centre, radius, words in (
        ("40 10", "wide", "Expected a radius in degrees"),
        ("NGC 1068", "1", "Expected a centre such as"),
        ("40 100", "1", "Expected RA in 0 to 360"),
        ("200 -80", "1", "No galaxy of"),
    ):
        panel.centre.value, panel.radius.value = centre, radius
        panel.ask()
        assert words in panel.said.object
        assert 'role="alert"' in panel.said.object
    assert connection.address == ""
    panel.centre.value, panel.radius.value = "02:40:00.1 +10:00:00.1", "60°"
    session.state.param.update(row=3, tab="sky")
    panel.ask()
    query = parse_qs(connection.address.removeprefix("?"))
    assert query["cone"] == ["40.000417,10.000028,60"]
    shown = asked_piece(session.datastore.piece, {"cone": query["cone"][0]})
    assert made_piece(shown) is not None, "the page opens what was made"
    assert query["tab"] == ["sky"]
    assert "galaxy" not in query


def test_a_store_of_its_own_has_no_piece(many):
    assert "cone" not in shared_address(many.datastore, many.state)
    assert many.piece_panel not in many.header()
    many.piece_panel.ask()
    assert many.connection.address == ""


def visit(arguments, monkeypatch, *, warm=False):
    """What ``panel serve`` shows a visitor."""
    monkeypatch.setattr(sys, "argv", ["app.py", *map(str, arguments)])
    monkeypatch.setattr(served_store, "is_warming", lambda: warm)
    monkeypatch.setattr("dashboard.app.is_warming", lambda: False)
    pages = []

    def app(document):
        with set_curdoc(document):
            pages.append(serve())

    generate_session(Application(FunctionHandler(app)))
    (main,) = pages[0].main
    return pages[0].title, "".join(pane.object for pane in main.select(pn.pane.HTML))


def test_a_visitor_waits_for_a_piece_that_a_worker_makes_and_one_that_warms_up_makes_it(
    catalog, monkeypatch
):
    given = [catalog, "--cone", *map(str, CONE)]
    monkeypatch.setattr("dashboard.app.piece_job", lambda of: PieceJob(Future(), ["1 of 2"]))
    title, shown = visit(given, monkeypatch)
    assert title == "pcvae · sky: 30° around RA 40° Dec +10°"
    assert "Reading the catalogue: 1 of 2" in shown
    assert made_piece(CatalogPiece(catalog, Piece(CONE))) is None
    assert "Reading the catalogue" not in visit(given, monkeypatch, warm=True)[1]
    assert "Reading the catalogue" not in visit(given, monkeypatch)[1]
    _, shown = visit([catalog, "--cone", "1"], monkeypatch)
    assert "No store to show" in shown


def test_what_a_waiting_page_changes_comes_after_it_has_loaded(catalog, monkeypatch):
    """Else it does not reach the browser, where a piece is made sooner than the page."""
    made, loaded = Future(), []
    made.set_result(None)
    monkeypatch.setattr(pn.state, "onload", loaded.append)
    of = CatalogPiece(catalog, Piece(CONE))
    (main,) = waiting_page(of, PieceJob(made, [])).main
    (connection,) = main.select(Connection)
    assert connection.address == ""
    loaded[0]()
    assert connection.address == "?"


def test_addresses_of_many_pieces_do_not_pile_up(catalog, monkeypatch):
    release = Event()
    monkeypatch.setattr(catalog_pieces, "piece_store", lambda *_: release.wait(60))
    asked = [CatalogPiece(catalog, Piece((float(ra), 0.0, 1.0))) for ra in range(MAX_WAITING)]
    jobs = [piece_job(of) for of in asked]
    beyond = CatalogPiece(catalog, Piece((300.0, 0.0, 1.0)))
    assert "ask again later" in piece_job(beyond).failure
    assert piece_job(asked[0]) is jobs[0]
    release.set()
    for job in jobs:
        job.store.result()
    assert not piece_job(beyond).failure


def test_a_job_says_how_far_it_is_and_why_it_failed_and_is_begun_anew(catalog, monkeypatch):
    of, failures = (
        CatalogPiece(catalog, Piece(CONE)),
        [ModuleNotFoundError(name="lsdb"), OSError()],
    )

    def fail(*_):
        raise failures.pop()

    monkeypatch.setattr(catalog_pieces, "piece_store", fail)
    for words in ("the piece cannot be made: OSError", "needs lsdb: pip install -e '.[scale]'"):
        job = piece_job(of)
        job.store.exception()
        assert words in job.failure
        assert "started with" in waiting_html(of, job)
    monkeypatch.undo()
    assert np.isfinite(piece_job(of).store.result().galaxies["ra"]).all()
