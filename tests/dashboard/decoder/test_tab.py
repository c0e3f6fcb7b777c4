"""Decoding: which latents are decoded, and that the pictures are the codec's own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from dashboard.app import Explorer
from dashboard.backend.jobs import Latest
from dashboard.backend.latent_range import Spread, spread_of
from dashboard.backend.stamp_images import data_uri
from dashboard.decoder.latent_points import decoded, path, placed, traversal
from dashboard.decoder.traversals import along_latents, along_line, between
from pcvae.encode import Codec
from pcvae.store import read_store
from tests.dashboard.explorers import EXAMPLES, begin, change, datastore_of


@pytest.fixture(scope="module")
def datastore(store, tmp_path_factory):
    return datastore_of(store, tmp_path_factory.mktemp("journal") / "journal.sqlite")


@pytest.fixture
def session(datastore):
    explorer = Explorer(datastore)
    explorer.start()
    explorer.state.param.update(row=17, tab="decode")
    return explorer


def codec_of(session, model="physics"):
    return Codec.read(session.datastore.store.model_folder(model))


def picture_of(session, place, model="physics"):
    """What the codec itself makes of one place, as the dashboard shows it."""
    stretch = session.datastore.store.info.stamp_stretch
    shown = codec_of(session, model).decode_rgb(np.asarray(place)[None], stretch)[0]
    return data_uri((np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8), "WEBP")


def place_of(session, row, model="physics"):
    return session.datastore.store.values(model)[row]


def test_pictures_are_the_codecs_own(session):
    places = session.datastore.store.values("physics")[:5]
    codec, stretch = codec_of(session), session.datastore.store.info.stamp_stretch
    expected = np.clip(codec.decode_rgb(places, stretch), 0, 1)
    found = decoded(codec, session.datastore.store, places)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found / 255, expected, atol=0.5 / 255 + 1e-6)


def test_it_starts_from_the_picked_galaxy_or_the_medians(session):
    live = session.tabs["decode"].single_image
    assert live.picture.uri == picture_of(session, place_of(session, 17))
    assert session.datastore.ids[17] in live.note.object
    session.state.row = 40
    assert live.picture.uri == picture_of(session, place_of(session, 40))
    session.state.decoding.start = "median"
    medians = np.median(session.datastore.store.values("physics"), axis=0)
    assert live.picture.uri == picture_of(session, medians)
    np.testing.assert_allclose(live.sliders.values, medians)


def test_a_slider_changes_its_latent_and_no_other(session):
    live = session.tabs["decode"].single_image
    names = session.datastore.store.model("physics").names
    expected = place_of(session, 17).copy()
    for name, value in (("redshift", 0.7), ("free_0", -1.0)):
        live.sliders._handle_msg({"slider": names.index(name), "value": value})
        expected[names.index(name)] = value
        np.testing.assert_array_equal(session.state.decoding.latents, expected)
        assert live.picture.uri == picture_of(session, expected)
    assert live.sliders.values == pytest.approx(expected.tolist())
    session.state.row = 18
    assert session.state.decoding.latents is None
    assert live.picture.uri == picture_of(session, place_of(session, 18))


def test_a_slider_that_is_not_there_moves_nothing(session):
    live = session.tabs["decode"].single_image
    for message in ({"slider": 99, "value": 0.0}, {"slider": 0}, {"slider": "0", "value": "x"}):
        live.sliders._handle_msg(message)
    assert session.state.decoding.latents is None


def test_a_message_is_answered_when_its_effect_is_there_and_also_when_it_has_none(session):
    sliders = session.tabs["decode"].single_image.sliders
    seen = []
    sliders.param.watch(lambda event: seen.append((event.name, event.new)), ["values", "answered"])
    sliders._handle_msg({"slider": 0, "value": 0.25, "turn": 1})
    (moved, values), answered = seen
    assert (moved, values[0], answered) == ("values", 0.25, ("answered", 1))
    sliders._handle_msg({"slider": 99, "value": 0.25, "turn": 2})
    assert seen[2:] == [("answered", 2)]


def test_under_the_cursor_are_its_axes_and_the_other_latents_of_the_galaxy(session):
    state, live = session.state, session.tabs["decode"].single_image
    state.param.update(x="log_mass", y="free_0")
    state.decoding.follow_cursor = True
    hv.render(session.map.figure)
    session.map.pointer.place.data = {"x": [9.5], "y": [0.3]}
    names = session.datastore.store.model("physics").names
    expected = place_of(session, 17).copy()
    expected[names.index("log_mass")], expected[names.index("free_0")] = 9.5, 0.3
    np.testing.assert_array_equal(state.decoding.latents, expected)
    assert live.picture.uri == picture_of(session, expected)


def test_the_cursor_decodes_nothing_unless_it_is_asked_to(session):
    hv.render(session.map.figure)
    assert session.map.pointer.place.tags == [False]
    session.map.pointer.place.data = {"x": [0.2], "y": [9.5]}
    assert session.state.decoding.latents is None
    session.state.decoding.follow_cursor = True
    assert session.map.pointer.place.tags == [True]
    session.state.tab = "neighbours"
    assert session.map.pointer.place.tags == [False]


def test_taps_pick_again_on_another_tab(session):
    hv.render(session.map.figure)
    session.state.decoding.param.update(along="line", draw_line=True)
    session.state.tab = "neighbours"
    assert not session.state.decoding.draw_line
    points = session.map.plane.points
    session.map.tap.event(x=float(points["x"][3]), y=float(points["y"][3]))
    assert (session.state.row, session.state.line) == (3, None)


def test_each_latent_runs_between_its_percentiles_with_the_others_held(session):
    values = session.datastore.store.values("physics")
    spread = spread_of(session.datastore.store, "physics")
    base = values[17]
    places = traversal(base, spread)
    low, high = np.percentile(values, (2, 98), axis=0)
    for axis, row in enumerate(places):
        np.testing.assert_allclose(row[:, axis], np.linspace(low[axis], high[axis], 7))
        others = np.delete(row, axis, axis=1)
        np.testing.assert_array_equal(others, np.broadcast_to(np.delete(base, axis), others.shape))
    titles = [latent.title for latent in session.datastore.store.model("physics").latents]
    assert [
        one.title for one in along_latents(session.datastore, "physics", base, spread)
    ] == titles


def test_the_grid_shows_what_is_decoded_and_a_click_puts_the_sliders_there(session):
    film, live = session.tabs["decode"].traversals, session.tabs["decode"].single_image
    names = session.datastore.store.model("physics").names
    assert [len(row["frames"]) for row in film.frames.rows] == [7] * len(names)
    place = film.strips[2].places[5]
    assert film.frames.rows[2]["frames"][5]["uri"] == picture_of(session, place)
    film.frames._handle_msg({"row": 2, "frame": 5})
    np.testing.assert_array_equal(session.state.decoding.latents, place)
    assert live.picture.uri == picture_of(session, place)
    film.frames._handle_msg({"row": 99, "frame": 0})
    np.testing.assert_array_equal(session.state.decoding.latents, place)


def test_two_taps_draw_a_line_and_pick_nothing(session):
    state, film = session.state, session.tabs["decode"].traversals
    state.decoding.along = "line"
    assert "Draw a line" in film.frames.empty
    hv.render(session.map.figure)
    state.decoding.draw_line = True
    session.map.tap.event(x=0.2, y=9.0)
    assert state.decoding.draw_line
    assert not film.frames.rows
    session.map.tap.event(x=0.6, y=11.0)
    assert (state.line, state.decoding.draw_line, state.row) == ((0.2, 9.0, 0.6, 11.0), False, 17)
    assert session.map.pointer.line.data == {"x": [0.2, 0.6], "y": [9.0, 11.0]}
    places = film.strips[0].places
    names = session.datastore.store.model("physics").names
    np.testing.assert_allclose(places[:, names.index("redshift")], np.linspace(0.2, 0.6, 8))
    np.testing.assert_allclose(places[:, names.index("log_mass")], np.linspace(9.0, 11.0, 8))
    last = film.frames.rows[0]["frames"][-1]
    assert last["uri"] == picture_of(session, places[-1])
    session.map.tap.event(x=0.3, y=10.0)
    assert state.row != 17


def test_a_line_is_on_the_map_only_while_it_is_decoded(session):
    hv.render(session.map.figure)
    state, line = session.state, session.map.pointer.line
    state.decoding.along, state.line = "line", (0.1, 9.0, 0.5, 10.0)
    assert line.data["x"] == [0.1, 0.5]
    state.decoding.along = "latents"
    assert line.data["x"] == []
    state.decoding.along = "line"
    assert line.data["x"] == [0.1, 0.5]
    state.tab = "neighbours"
    assert line.data["x"] == []


def test_a_line_is_forgotten_on_other_axes(session):
    hv.render(session.map.figure)
    session.state.decoding.along = "line"
    session.state.line = (0.1, 9.0, 0.5, 10.0)
    assert session.tabs["decode"].traversals.frames.rows
    session.state.x = "log_sfr"
    assert session.state.line is None
    assert not session.tabs["decode"].traversals.frames.rows


def test_a_path_runs_from_one_galaxy_to_another(session):
    state, film = session.state, session.tabs["decode"].traversals
    state.decoding.along = "path"
    assert "Start here" in film.frames.empty
    film.begin.clicks += 1
    assert state.decoding.path_start == 17
    assert "Pick another" in film.frames.empty
    state.row = 60
    places = film.strips[0].places
    np.testing.assert_allclose(places, path(place_of(session, 17), place_of(session, 60), 8))
    captions = [frame["says"] for frame in film.frames.rows[0]["frames"]]
    assert (captions[0], captions[-1]) == (session.datastore.ids[17], session.datastore.ids[60])


@pytest.fixture
def slowly(session, monkeypatch):
    """Rows of pictures that are asked for and arrive, one by one, when this is called."""
    film, asked = session.tabs["decode"].traversals, []
    monkeypatch.setattr(film.latest, "ask", lambda *given: asked.append(given))

    def arrive():
        work, show = asked.pop(0)
        show(session.datastore.workers.decoder.submit(work))

    return arrive


def test_what_arrives_late_does_not_fill_rows_that_are_no_longer_wanted(session, slowly):
    state, film = session.state, session.tabs["decode"].traversals
    state.decoding.start = "median"
    state.decoding.along = "path"
    slowly()
    assert (film.frames.rows, film.strips) == ([], [])
    state.decoding.path_start, state.row = 17, 60
    film.begin.clicks += 1
    slowly()
    assert (film.frames.rows, film.strips) == ([], [])
    state.row = 61
    state.row = 62
    slowly()
    assert film.frames.rows == []
    slowly()
    assert film.frames.rows[0]["frames"][-1]["says"] == session.datastore.ids[62]


def test_another_model_has_its_own_sliders_and_pictures(session):
    live = session.tabs["decode"].single_image
    live.sliders._handle_msg({"slider": 0, "value": 0.1})
    session.state.model = "vanilla"
    assert [item["title"] for item in live.sliders.items] == [
        one.title for one in session.datastore.store.model("vanilla").latents
    ]
    expected = picture_of(session, place_of(session, 17, "vanilla"), "vanilla")
    assert live.picture.uri == expected


def test_a_derived_orientation_turns_the_ellipticity_and_keeps_its_size():
    names = ["e_cos", "redshift", "e_sin"]
    place = placed(np.array([0.3, 0.5, 0.4]), names, {"orientation": np.pi / 4, "redshift": 0.7})
    np.testing.assert_allclose(place, [0.0, 0.7, 0.5], atol=1e-12)
    np.testing.assert_array_equal(placed(place, names, {"unknown": 3.0}), place)


def test_galaxies_without_latents_are_told_apart_from_the_sample(store, tmp_path):
    folder = change(store, tmp_path / "store")
    path_of = folder / "latents" / "physics.parquet"
    table = pd.read_parquet(path_of)
    table.loc[3, "redshift"] = np.nan
    table.to_parquet(path_of, index=False)
    session = begin(folder)
    session.state.param.update(row=3, tab="decode")
    assert "the median" in session.tabs["decode"].single_image.note.object
    session.state.decoding.param.update(along="path", path_start=3)
    session.state.row = 4
    assert between(session.datastore, session.state) == []
    assert np.isfinite(spread_of(session.datastore.store, "physics")).all()


@pytest.mark.parametrize("part", ["single_image", "traversals"])
def test_what_is_not_decoded_is_told_until_something_is(session, monkeypatch, part):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(f"dashboard.decoder.{part}.decoded", fail)
    session.state.row = 18
    assert "Not decoded: out of memory" in session.card.trouble.object
    monkeypatch.undo()
    session.state.row = 19
    assert session.card.trouble.object == ""


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_store_decodes(store, tmp_path, name):
    session = begin(change(store, tmp_path / "store", **EXAMPLES[name]))
    session.state.tab = "decode"
    tab = session.tabs["decode"]
    for model in session.datastore.models:
        session.state.model = model
        assert tab.single_image.picture.uri.startswith("data:image/webp")
        assert len(tab.traversals.frames.rows) == len(tab.single_image.sliders.items)


def test_a_model_that_cannot_decode_says_why(store, tmp_path):
    folder = change(store, tmp_path / "store")
    (folder / "models" / "physics" / "model.safetensors").write_bytes(b"nothing")
    session = begin(folder)
    tab = session.tabs["decode"]
    session.state.tab = "decode"
    assert "cannot be read" in tab.note.object
    assert not tab._parts.visible
    session.state.model = "vanilla"
    assert tab._parts.visible
    assert tab.single_image.picture.uri


def test_nothing_is_decoded_before_the_tab_is_turned_to(datastore):
    session = Explorer(datastore)
    session.start()
    assert session.tabs["decode"].single_image.picture.uri == ""


def test_a_line_needs_two_ends(session):
    session.state.line = (0.1, 9.0, 0.1, 9.0)
    assert along_line(session.datastore, session.state, place_of(session, 17)) == []


def test_nothing_to_spread_gives_sliders_that_can_be_moved(store, tmp_path):
    spread = spread_of(read_store(change(store, tmp_path / "s", slice(0))), "physics")
    assert isinstance(spread, Spread)
    assert (spread.least < spread.most).all()
    one = spread_of(read_store(change(store, tmp_path / "one", slice(1))), "physics")
    assert (one.least < one.most).all()


def test_of_many_jobs_asked_for_at_once_only_the_latest_is_done_after_the_first():
    began, go = Event(), Event()
    with ThreadPoolExecutor(1) as workers:
        done, latest, jobs = [], Latest(workers.submit), []

        def wait():
            began.set()
            go.wait(10)
            return "first"

        latest._running = True
        for number in range(5):
            latest.ask(lambda number=number: number, lambda job: done.append(job.result()))
        jobs.append(workers.submit(wait))
        began.wait(10)
        go.set()
        latest._end(jobs[0], lambda job: done.append(job.result()))
    assert done == [4, "first"]


def test_nothing_can_be_pressed_before_the_decoder_is_there(datastore):
    """A menu that is opened and then taken away with its parts is a click that is lost."""
    explorer = Explorer(datastore)
    tab = explorer.tabs["decode"]
    assert not tab._parts.visible
    assert "opening the model" in tab.note.object
    explorer.start()
    explorer.state.tab = "decode"
    assert tab._parts.visible
    assert not tab.note.visible
