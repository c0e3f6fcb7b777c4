"""Latents straight from bricks are those of the way over cutouts."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from data import cutouts
from data.readers.legacy_bricks import BrickSource, by_brick
from pcvae.cutouts import SampleInfo, read_sample
from pcvae.dust import dereddening
from pcvae.encode import Codec
from pcvae.errors import CatalogError, SampleError, SettingsError, StoreError
from pcvae.store import StoreWriter, read_store
from tests.data.readers.test_legacy_bricks import BANDS, brick_header, positions, write_brick
from tests.real import needs_real_data
from train import encode
from train.bench import _run
from train.encoding import brick_parts
from train.encoding.brick_parts import BrickParts

SIDE, N = 330, 128  # px: of the bricks, of a cutout
ALIKE = {"rtol": 0.0, "atol": 1e-4}  # in the latents' units


def shine(_band, plane):
    """Light between the noise, so that Eq. 1 bends; where it saturates, torch rounds otherwise."""
    y, x = np.indices(plane.shape)
    plane += (0.3 * np.exp(-((x - y) ** 2) / 90)).astype(np.float32)


def hole(_band, plane):
    shine(_band, plane)
    plane[150, 160], plane[:60, 150:] = np.nan, 0


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """Two bricks, one with a hole, and a catalogue with galaxies of all kinds."""
    folder = tmp_path_factory.mktemp("sky")
    _, first = write_brick(folder, "1500p020", (150.02, 2.03), SIDE, change=shine)
    _, second = write_brick(folder, "1600p000", (160.02, 0.0), SIDE, change=hole)
    x, y = np.random.default_rng(1).uniform(66, SIDE - 67, (2, 14))
    tables = [pd.DataFrame(positions(wcs, x, y)) for wcs in (first, second)]
    more = [positions(first, [20.0], [200.0]), {"ra": [10.0], "dec": [80.0]}]
    table = pd.concat([*tables, *map(pd.DataFrame, more)], ignore_index=True)
    table.insert(0, "id", [f"g{row}" for row in range(len(table))])
    table["ebv"] = np.linspace(0, 0.3, len(table))
    table.sample(frac=1, random_state=0).to_csv(folder / "in.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def sample(sky):
    """The way over cutouts."""
    arguments = [sky / "in.csv", sky / "sample", "--bricks", sky, "--size", N, "--workers", 1]
    return read_sample(cutouts.main([str(word) for word in arguments]))


def arguments(folder, store, *options):
    given = ["--bricks", folder, "--catalog", folder / "in.csv", store, "--run", "decals=decals"]
    return [str(word) for word in (*given, "--device", "cpu", *options)]


@pytest.fixture(scope="module")
def store(sky):
    return read_store(encode.main(arguments(sky, sky / "store")))


def test_a_store_from_bricks_is_that_of_the_cutouts(sky, sample, store):
    given = [str(sample.folder), str(sky / "over"), "--run", "decals=decals", "--device", "cpu"]
    over = read_store(encode.main(given))
    latents = store.latents("decals")
    assert latents["id"].tolist() == over.latents("decals")["id"].tolist()
    pd.testing.assert_frame_equal(latents, over.latents("decals"), check_exact=False, **ALIKE)
    for name in ("id", "ra", "ebv", "brick", "split", "north_angle"):
        pd.testing.assert_series_equal(store.galaxies[name], over.galaxies[name])
    for name in ("bands", "size", "pixel_scale", "unit", "dust", "extinction"):
        assert getattr(store.info, name) == getattr(over.info, name)


def test_workers_make_the_same_store_of_bricks(sky, store, tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(brick_parts, "ROWS", 4)  # of which some are on no brick
    with LocalCluster(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
    ) as cluster:
        where = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
        made = read_store(encode.main(arguments(sky, tmp_path / "store", *where)))
    latents = made.latents("decals")
    pd.testing.assert_frame_equal(
        latents, store.latents("decals"), check_exact=False, rtol=0, atol=1e-4
    )
    pd.testing.assert_frame_equal(made.galaxies, store.galaxies)
    left_out = [pd.read_csv(of.folder / "left_out.csv") for of in (made, store)]
    pd.testing.assert_frame_equal(*left_out)


def test_the_same_galaxies_are_left_out_for_the_same_reasons(sample, store):
    ours, theirs = (
        pd.read_csv(folder / "left_out.csv") for folder in (store.folder, sample.folder)
    )
    assert {"no brick", "galaxy too near the edge"} < set(ours["reason"])
    assert {"pixels not finite", "band without data"} & set(ours["reason"])
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("recipe", ["paper", "default"])
@pytest.mark.parametrize("dust", ["correct", "leave"])
def test_both_recipes_equal_the_cutouts(sky, sample, recipe, dust):
    codec, table = Codec(_run(recipe)), pd.read_csv(sky / "in.csv", dtype={"id": str})
    candidates = by_brick(table.assign(north_angle=np.nan), sky)
    extinction = sample.info.extinction if dust == "correct" else {}
    info = SampleInfo("sky", "a test", BANDS, 0.262, N, extinction=extinction)
    parts = BrickParts(BrickSource(sky, candidates, BANDS), candidates, info)
    todo = {span: {"model": codec} for span in parts.spans}
    found = [part.latents["model"] for part in parts.tables(todo, decode=True)]
    flux = sample.pixels(slice(0, len(sample)))
    if dust == "leave":
        magnitudes = np.outer(sample.catalog["ebv"], list(sample.info.extinction.values()))
        flux = flux / (10 ** (0.4 * magnitudes))[..., None, None].astype(np.float32)
    latents = pd.concat(found, ignore_index=True)
    assert latents.pop("id").tolist() == sample.catalog["id"].tolist()
    pd.testing.assert_frame_equal(latents, codec.table(flux), check_exact=False, **ALIKE)


def test_without_kernels_the_latents_are_the_same(sky, store, tmp_path, monkeypatch):
    monkeypatch.setattr("pcvae.fast_stretch._is_installed", lambda: False)
    plain = read_store(encode.main(arguments(sky, tmp_path / "store")))
    pd.testing.assert_frame_equal(
        plain.latents("decals"), store.latents("decals"), check_exact=False, **ALIKE
    )


def test_a_killed_encoding_goes_on(sky, store, tmp_path, monkeypatch):
    monkeypatch.setattr(brick_parts, "ROWS", 4)
    written = []

    def write_part(writer, model, start, table, write=StoreWriter.write_part):
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(start)
        write(writer, model, start, table)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "write_part", write_part)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments(sky, tmp_path / "store"))
    again = []
    monkeypatch.setattr(
        StoreWriter,
        "write_part",
        lambda *given, write=StoreWriter.write_part: (again.append(given[2]), write(*given)),
    )
    whole = read_store(encode.main(arguments(sky, tmp_path / "store")))
    assert not set(again) & set(written)
    pd.testing.assert_frame_equal(
        whole.latents("decals"), store.latents("decals"), check_exact=False, **ALIKE
    )
    assert not (whole.folder / "rows").exists()


def test_one_that_is_killed_while_its_parts_are_removed_keeps_who_was_left_out(
    sky, store, tmp_path, monkeypatch, capsys
):
    def remove_half(folder, *options, remove=shutil.rmtree, **named):
        if folder.name == "rows":
            next(folder.glob("*.parquet")).unlink()
            raise KeyboardInterrupt
        remove(folder, *options, **named)

    with monkeypatch.context() as patch:
        patch.setattr("pcvae.store.shutil.rmtree", remove_half)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments(sky, tmp_path / "store"))
    whole = read_store(encode.main(arguments(sky, tmp_path / "store")))
    left_out = [(folder / "left_out.csv").read_text() for folder in (whole.folder, store.folder)]
    assert left_out[0] == left_out[1]
    assert f"{len(store)} galaxies, models decals" in capsys.readouterr().out


def test_galaxies_of_bricks_are_added_to_a_store_once_also_after_a_kill(
    sky, store, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(brick_parts, "ROWS", 4)
    table = pd.read_csv(sky / "in.csv", dtype={"id": str})
    (few := tmp_path / "few").mkdir()
    table.head(16).to_csv(few / "in.csv", index=False)
    made, more = tmp_path / "store", ["--append", "--catalog", str(sky / "in.csv")]
    first = read_store(encode.main([*arguments(sky, made), "--catalog", str(few / "in.csv")]))
    before = first.galaxies["id"].tolist()
    assert 3 < len(before) < len(store)

    def write_part(writer, model, start, table, write=StoreWriter.write_part):
        write(writer, model, start, table)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "write_part", write_part)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments(sky, made, *more))
    assert len(read_store(made)) == len(before)
    both = read_store(encode.main(arguments(sky, made, *more)))
    assert f"{len(before)} of {len(table)} galaxies are in" in capsys.readouterr().out
    assert both.galaxies["id"].tolist()[: len(before)] == before
    assert sorted(both.galaxies["id"]) == sorted(store.galaxies["id"])
    found, expected = (one.latents("decals").set_index("id").sort_index() for one in (both, store))
    pd.testing.assert_frame_equal(found, expected, check_exact=False, **ALIKE)
    left_out = [set(pd.read_csv(of.folder / "left_out.csv")["id"]) for of in (both, store)]
    assert left_out[0] == left_out[1]
    facts = (made / "store.json").read_bytes()
    encode.main(arguments(sky, made, *more))
    assert "nothing is added" in capsys.readouterr().out
    assert (made / "store.json").read_bytes() == facts


def test_the_dashboard_opens_a_store_from_bricks(store):
    from dashboard.backend.datastore import DataStore

    opened = DataStore.open(read_store(store.folder))
    assert len(opened.ids) == len(store)
    assert opened.stamp(0) is None


def test_one_without_the_other_is_refused(sky, tmp_path):
    with pytest.raises(SettingsError, match="add --catalog"):
        encode.main([str(tmp_path / "store"), "--bricks", str(sky), "--run", "decals=decals"])


def test_a_catalogue_without_positions_is_refused(sky, tmp_path):
    table = tmp_path / "in.csv"
    table.write_text("id,where\na,1\n")
    with pytest.raises(CatalogError, match="--columns ra=NAME,dec=NAME"):
        encode.main([*arguments(sky, tmp_path / "store"), "--catalog", str(table)])


def test_a_folder_without_bricks_is_refused(sky, tmp_path):
    given = arguments(sky, tmp_path / "store")
    with pytest.raises(SampleError, match="found none"):
        encode.main([*given, "--bricks", str(tmp_path)])


def test_bricks_that_lack_a_band_leave_no_galaxy(tmp_path):
    _, wcs = write_brick(tmp_path, "1500p020", (150.02, 2.03), SIDE, bands=("g", "r"))
    table = pd.DataFrame({"id": ["a"], **positions(wcs, [160.0], [160.0])})
    table.to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(StoreError, match=r"all 1 left out \(1 missing band\).*no z of brick"):
        encode.main(arguments(tmp_path, tmp_path / "store"))
    assert not list(tmp_path.glob("store*"))


def test_bricks_of_other_pixels_are_left_out(sky, tmp_path, monkeypatch):
    monkeypatch.setattr("data.readers.fits_file.ImageWcs.pixel_scale", 0.4, raising=False)
    monkeypatch.setattr("data.readers.fits_file.ImageWcs.__init__", _with_scale(0.4))
    with pytest.raises(StoreError, match="other pixel scale"):
        encode.main(arguments(sky, tmp_path / "store"))


def _with_scale(scale):
    def init(self, wcs, shape):
        self._wcs, self._shape, self.pixel_scale = wcs, shape, scale

    return init


@needs_real_data
@pytest.mark.parametrize("ebv", [0.0, 0.1])
def test_real_galaxies_on_a_brick_equal_their_cutouts(tmp_path, ebv):
    """The pixels of a survey, laid side by side as a brick."""
    with np.load(Path(os.environ["PCVAE_REAL_DATA"], "decals", "images.npz")) as file:
        flux = file["images"][:16]
    brick = flux.reshape(4, 4, 3, N, N).transpose(2, 0, 3, 1, 4).reshape(3, 4 * N, 4 * N)
    header = brick_header(150.02, 2.03, 4 * N)
    for band, plane in zip(BANDS, brick, strict=True):
        hdu = fits.PrimaryHDU(plane, header)
        hdu.writeto(tmp_path / f"legacysurvey-1500p020-image-{band}.fits")
    middle = N * np.arange(4) + N / 2 - 0.5
    place = positions(WCS(header), np.tile(middle, 4), np.repeat(middle, 4))
    ids = [f"g{row:02d}" for row in range(16)]
    pd.DataFrame({"id": ids, **place, "ebv": ebv}).to_csv(tmp_path / "in.csv", index=False)
    made = read_store(encode.main(arguments(tmp_path, tmp_path / "store")))
    found = made.latents("decals").set_index("id")
    factors = dereddening([ebv], list(made.info.extinction.values()))[0]
    corrected = (flux * factors[:, None, None]).astype(np.float32)
    expected = Codec.read(made.model_folder("decals")).table(corrected)
    expected.index = pd.Index(ids, name="id")
    pd.testing.assert_frame_equal(
        found.astype(np.float64), expected.loc[found.index], check_exact=False, **ALIKE
    )
    assert len(found) > 8
