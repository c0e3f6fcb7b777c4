import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from pcvae.checkpoint import SHIPPED, read_run, run_folder
from pcvae.encode import Codec, latent_table
from pcvae.errors import RunError, SettingsError, StoreError
from pcvae.preprocess import Stretch, display
from pcvae.script import device
from pcvae.store import StoreWriter, read_store
from train import encode, train
from train.encoding import cautions


def test_a_store_holds_the_sample_in_its_order(store, runs):
    made = read_store(store)
    assert [model.name for model in made.info.models] == ["physics", "vanilla"]
    assert (made.latents("vanilla")["id"] == made.galaxies["id"]).all()
    split = pd.read_parquet(runs["physics"] / "split.parquet")
    assert made.galaxies["split"].tolist() == split["split"].tolist()


def test_the_store_says_what_the_codec_says(store, sample, runs):
    """A galaxy encoded alone has the latents that the store gives it."""
    made = read_store(store)
    codec = Codec.read(made.model_folder("physics"))
    alone = codec.table(sample.pixels(slice(7, 8)))
    stored = made.latents("physics").iloc[[7]].drop(columns="id").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.astype(np.float32), stored, rtol=1e-3, atol=1e-4)


def test_latents_are_physical(sample, runs):
    codec = Codec.read(runs["physics"])
    k = codec.space.names.index("log_mass")
    mu = codec.encode(sample.pixels(slice(0, 50))).mu[:, k]
    train_masses = sample.catalog["log_mass"]
    assert train_masses.min() - 2 < mu.mean() < train_masses.max() + 2
    assert codec.space.mean[k] == pytest.approx(train_masses.mean(), abs=0.5)


def test_a_tilted_sigma_grows_with_the_mean_up_to_a_limit(sample, runs):
    run = read_run(runs["physics"])
    flux = sample.pixels(slice(0, 20))
    plain = Codec(run).encode(flux)
    space = replace(run.info.space, tilt=(0, 0, 0.3, *[0] * 14))
    tilted = Codec(replace(run, info=replace(run.info, space=space))).encode(flux)
    x = (plain.mu[:, 2] - space.mean[2]) / space.scale[2]
    grown = tilted.sigma / plain.sigma
    assert grown[:, 2] == pytest.approx(np.exp(0.3 * x.clip(-3, 3)), rel=1e-4)
    assert np.delete(grown, 2, axis=1) == pytest.approx(1)


def test_decoding_the_means_gives_the_reconstruction(sample, runs):
    codec = Codec.read(runs["physics"])
    flux = sample.pixels(slice(0, 3))
    image = codec.run.stretch(torch.as_tensor(flux))
    encoded = codec.encode(flux)
    error = (codec.decode(encoded.mu) - image.numpy()) ** 2
    assert error.mean((1, 2, 3)) == pytest.approx(encoded.recon_error, rel=1e-3)


def test_a_picture_of_latents_is_on_the_stamps_scale(store, sample, runs):
    made = read_store(store)
    codec = Codec.read(made.model_folder("vanilla"))
    picture = codec.decode_rgb(made.values("vanilla")[:4], made.info.stamp_stretch)
    assert picture.shape == (4, 64, 64, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    raw = codec.run.stretch.restore(torch.as_tensor(codec.decode(made.values("vanilla")[:4])))
    shown = Stretch.of({**made.info.stamp_stretch, "size": 64})
    assert picture == pytest.approx(display(raw, shown), abs=1e-6)


def test_stamps_show_each_galaxy(store, sample):
    stamps = read_store(store).stamps
    assert stamps.shape == (120, 32, 32, 3)
    bright = sample.flux[:].sum((1, 2, 3))
    shown = np.asarray(stamps[:]).astype(float).sum((1, 2, 3))
    assert np.corrcoef(np.argsort(np.argsort(bright)), np.argsort(np.argsort(shown)))[0, 1] > 0.9


@pytest.mark.parametrize("n", [1, 2])
def test_a_store_of_few_galaxies(make_store, n):
    made = read_store(make_store(n))
    assert len(made) == len(made.latents("physics")) == n


def test_a_store_without_stamps_says_so(make_store):
    assert read_store(make_store(3, stamps=False)).stamps is None


def test_nothing_encodes_to_nothing(runs):
    codec = Codec.read(runs["physics"])
    encoded = codec.encode(np.empty((0, 3, 32, 32), np.float32))
    assert encoded.mu.shape == encoded.sigma.shape == (0, 17)


def arguments(sample, store, runs, *options):
    return [str(sample.folder), str(store), "--run", f"physics={runs['physics']}", *options]


def test_a_killed_encoding_goes_on(sample, runs, tmp_path, monkeypatch):
    whole = read_store(encode.main(arguments(sample, tmp_path / "whole", runs)))
    monkeypatch.setattr(encode, "ROWS", 64)
    writes = []

    def write_part(writer, model, start, table, write=StoreWriter.write_part):
        if len(writes) == 1:
            raise KeyboardInterrupt
        writes.append(start)
        write(writer, model, start, table)

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "write_part", write_part)
        with pytest.raises(KeyboardInterrupt):
            encode.main(arguments(sample, tmp_path / "killed", runs))
    assert not (tmp_path / "killed").exists()
    killed = read_store(encode.main(arguments(sample, tmp_path / "killed", runs)))
    pd.testing.assert_frame_equal(whole.latents("physics"), killed.latents("physics"), rtol=1e-4)
    assert (np.asarray(whole.stamps[:]) == np.asarray(killed.stamps[:])).all()


def test_a_finished_store_is_replaced_only_when_asked(sample, runs, tmp_path):
    encode.main(arguments(sample, tmp_path / "store", runs))
    with pytest.raises(StoreError, match="--overwrite"):
        encode.main(arguments(sample, tmp_path / "store", runs))
    encode.main(arguments(sample, tmp_path / "store", runs, "--no-stamps", "--overwrite"))
    assert read_store(tmp_path / "store").stamps is None


def test_runs_of_different_splits_are_refused(sample, runs, tmp_path):
    other = train.main([str(sample.folder), str(tmp_path / "run"), "--epochs", "1", "--seed", "9",
                        "--device", "cpu"])  # fmt: skip
    with pytest.raises(SettingsError, match="same --seed"):
        encode.main(arguments(sample, tmp_path / "store", runs, "--run", f"other={other}"))


def test_a_sample_of_another_unit_is_refused(make_sample, runs, tmp_path):
    sample = make_sample(tmp_path / "sample", 3, unit="stretched")
    with pytest.raises(SettingsError, match="train a run on this sample"):
        encode.main(arguments(sample, tmp_path / "store", runs))


def test_galaxies_that_a_run_never_saw_are_new(make_sample, runs, tmp_path):
    sample = make_sample(tmp_path / "sample", 130)
    made = read_store(encode.main(arguments(sample, tmp_path / "store", runs)))
    assert made.galaxies["split"].tolist()[120:] == ["new"] * 10


@pytest.mark.parametrize("text", ["physics", "=x", "a b=x", "physics="])
def test_a_model_without_a_name_is_refused(sample, tmp_path, text):
    with pytest.raises(SettingsError, match="--run NAME=RUN"):
        encode.main([str(sample.folder), str(tmp_path / "store"), "--run", text])


def test_two_runs_of_one_name_are_refused(sample, runs, tmp_path):
    named = [part for one in runs.values() for part in ("--run", f"physics={one}")]
    with pytest.raises(SettingsError, match="physics twice"):
        encode.main([str(sample.folder), str(tmp_path / "store"), *named])


@pytest.mark.parametrize("main", [encode.main, train.main])
def test_a_device_that_is_not_here_is_refused(sample, runs, tmp_path, monkeypatch, main):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    options = ["--run", f"physics={runs['physics']}"] if main is encode.main else []
    with pytest.raises(SettingsError, match=r"devices that are here \(.*cpu\), found cuda"):
        main([str(sample.folder), str(tmp_path / "made"), *options, "--device", "cuda"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("cuda", "mps", "chosen"), [(1, 0, "cuda"), (0, 1, "mps"), (0, 0, "cpu")])
def test_a_gpu_is_taken_where_there_is_one(monkeypatch, cuda, mps, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: bool(mps))
    assert device("auto") == chosen


def test_a_missing_run_says_how_to_train_one(sample, tmp_path):
    with pytest.raises(RunError, match=r"python -m train\.train"):
        encode.main([str(sample.folder), str(tmp_path / "store"), "--run", f"a={tmp_path}/none"])


def test_an_old_store_says_how_to_rebuild(tmp_path):
    (tmp_path / "store.json").write_text('{"version": 0}')
    with pytest.raises(StoreError, match=r"version 0, .* version 1.*python -m train\.encode"):
        read_store(tmp_path)


def test_a_model_that_is_not_there_lists_those_that_are(store):
    with pytest.raises(StoreError, match="physics, vanilla"):
        read_store(store).latents("resnet")


def test_tables_of_different_galaxies_are_refused(make_store):
    folder = make_store(5)
    path = folder / "latents" / "physics.parquet"
    pd.read_parquet(path).iloc[::-1].to_parquet(path, index=False)
    with pytest.raises(StoreError, match="not those of the galaxies"):
        read_store(folder).latents("physics")


def test_the_store_rebuilds_the_model_from_itself(store):
    folder = read_store(store).model_folder("physics")
    assert {"run.json", "model.safetensors", "stretch.json", "metrics.csv"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.glob("*.ckpt"))
    assert json.loads((folder / "run.json").read_text())["kind"] == "physics"


def test_the_codec_is_the_trained_network(sample, runs):
    """Folding BatchNorms into convolutions changes nothing but the time it takes."""
    codec = Codec.read(runs["physics"])
    flux = torch.as_tensor(sample.pixels(slice(0, 9)))
    given = codec.run.stretch(flux), codec.run.stretch.cut_core(flux)
    with torch.no_grad():
        trained, found = codec.run.model(*given), codec.network(*given)
    torch.testing.assert_close(found.posterior.mu, trained.posterior.mu, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.image, trained.image, rtol=1e-4, atol=1e-5)
    assert not any(isinstance(one, torch.nn.BatchNorm2d) for one in codec.network.image.modules())


def test_in_place_activations_change_neither_the_run_nor_the_pixels(sample, runs):
    """In the codec's copy alone: neither the run's network nor the pixels change."""
    codec = Codec.read(runs["physics"])
    kinds = [{m.inplace for m in net.modules() if isinstance(m, torch.nn.ReLU)}
             for net in (codec.network, codec.run.model)]  # fmt: skip
    assert kinds == [{True}, {False}]
    flux = sample.pixels(slice(0, 9))
    given, first = flux.copy(), codec.encode(flux)
    np.testing.assert_array_equal(flux, given)
    np.testing.assert_array_equal(codec.encode(flux).mu, first.mu)


@pytest.mark.parametrize(
    "form",
    [
        lambda flux: flux.astype(np.float64),
        lambda flux: flux.astype(">f4"),
        lambda flux: flux[..., ::-1].copy()[..., ::-1],
        lambda flux: flux.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2),
        lambda flux: np.repeat(flux, 2, axis=0)[::2],
    ],
    ids=["double", "big-endian", "mirrored", "channels last", "every second"],
)
def test_latents_depend_on_the_pixels_and_not_on_how_they_lie_in_memory(sample, runs, form):
    codec, flux = Codec.read(runs["physics"]), sample.pixels(slice(0, 5))
    for found, expected in zip(codec.encode(form(flux)), codec.encode(flux), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_galaxy_alone_is_encoded_as_among_others(sample, runs):
    codec, flux = Codec.read(runs["physics"]), sample.pixels(slice(0, 5))
    alone, among = codec.encode(flux[3:4]), codec.encode(flux)
    assert alone.mu.shape == (1, among.mu.shape[1])
    np.testing.assert_allclose(alone.mu[0], among.mu[3], atol=1e-3 * among.sigma.min())


def test_a_shipped_model_encodes_cutouts_by_its_name():
    """Under 5 MB, found by name from any folder, and without a path of where it was made."""
    files = list((SHIPPED / "decals").iterdir())
    assert sum(path.stat().st_size for path in files) < 5e6
    codec = Codec.read(run_folder("decals"))
    flux = np.random.default_rng(0).gamma(0.3, 0.1, (3, 3, 128, 128)).astype(np.float32)
    table = latent_table(codec.encode(flux), codec.space)
    assert table.notna().all(axis=None)
    assert {"orientation", "redshift", "log_mass", "log_sfr", "free_0"} <= set(table)
    assert '"/' not in (SHIPPED / "decals" / "run.json").read_text()


def test_a_shipped_model_refuses_cutouts_of_another_size(sample, tmp_path):
    with pytest.raises(SettingsError, match="128 px"):
        encode.main([str(sample.folder), str(tmp_path / "store"), "--run", "physics=decals"])


def test_a_mean_over_symmetries_does_not_depend_on_how_a_galaxy_lies(sample, runs):
    """Flips and turns change the sign of an ellipticity's components, and nothing else."""
    codec = Codec.read(runs["physics"], symmetries=True)
    flux = sample.pixels(slice(0, 4))
    names, mean = codec.space.names, codec.encode(flux).mu[:, :5]
    e_cos, e_sin = names.index("e_cos"), names.index("e_sin")
    flipped, turned = (codec.encode(np.ascontiguousarray(other)).mu[:, :5]
                       for other in (flux[..., ::-1], flux.swapaxes(2, 3)))  # fmt: skip
    flipped[:, e_sin] *= -1
    turned[:, e_cos] *= -1
    np.testing.assert_allclose(flipped, mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(turned, mean, rtol=1e-3, atol=1e-4)
    plain = Codec.read(runs["physics"]).encode(flux)
    assert not np.allclose(plain.mu[:, :5], mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(codec.encode(flux).mu[:, 5:], plain.mu[:, 5:], rtol=1e-4, atol=1e-5)


@pytest.fixture
def other(sample, tmp_path):
    """Make a sample with other pixels than those of ``sample``, which a function is given."""

    def make(change):
        folder = tmp_path / "other"
        shutil.copytree(sample.folder, folder)
        pixels = zarr.open_array(folder / "cutouts.zarr", mode="r+")
        pixels[:] = change(pixels[:])
        return folder

    return make


def noise(flux):
    return np.random.default_rng(0).normal(0, 0.01, flux.shape).astype(np.float32)


STRANGE = {
    "swapped bands": (lambda flux: flux[:, ::-1], "labels and look-alikes may be wrong"),
    "another unit": (lambda flux: flux * 3.631, "another unit?"),
    "pure noise": (noise, "labels and look-alikes may be wrong"),
    "off centre": (lambda flux: np.roll(flux, 10, axis=3), "may be wrong"),
    "noise of other bands": (
        lambda flux: flux + noise(flux) * np.array([9, 3, 0])[:, None, None], "other bands?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), STRANGE.values(), ids=STRANGE)
def test_a_sample_unlike_the_training_one_is_said_to_be(
    other, runs, tmp_path, capsys, change, words
):
    options = ["--run", f"physics={runs['physics']}", "--no-stamps"]
    encode.main([str(other(change)), str(tmp_path / "store"), *options])
    shown = capsys.readouterr().out
    assert "careful: these galaxies are unlike those that physics was trained on" in shown
    assert words in shown


def test_an_ordinary_sample_is_not_said_to_be_unlike(sample, make_sample, runs, tmp_path, capsys):
    fresh = make_sample(tmp_path / "fresh", 200)
    for number, folder in enumerate((sample.folder, fresh.folder)):
        store = tmp_path / f"store{number}"
        encode.main([str(folder), str(store), "--run", f"physics={runs['physics']}"])
        share = read_store(store).latents("physics")["ood"]
        assert 0.2 < share.median() < 0.8
    assert "careful" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("learnt", "found", "words"),
    [
        ("corrected", "left", "were corrected for the Milky Way's dust, these are not corrected"),
        ("left", "corrected", "were not corrected for the Milky Way's dust, these are corrected"),
        ("corrected", "corrected", ""),
        ("unknown", "left", ""),
    ],
)
def test_fluxes_with_dust_are_told_from_those_without(learnt, found, words):
    run = SimpleNamespace(info=SimpleNamespace(settings={"dust": learnt}))
    sample = SimpleNamespace(info=SimpleNamespace(dust=found))
    said = cautions._dust_warning("physics", SimpleNamespace(run=run), sample)
    assert words in said
    assert bool(said) == bool(words)


def test_no_redshift_is_below_zero(runs):
    codec = Codec.read(runs["physics"])
    encoded = codec.encode(np.zeros((1, 3, 32, 32), np.float32))
    axis = codec.space.names.index("redshift")
    encoded.mu[:, axis] = -0.02
    assert latent_table(encoded, codec.space)["redshift"].tolist() == [0.0]
    encoded.mu[:, axis] = 0.3
    assert latent_table(encoded, codec.space)["redshift"].tolist() == [0.3]
