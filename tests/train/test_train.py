import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from pcvae.checkpoint import read_run, read_state
from pcvae.dataset import LabelConfig, latent_space, measure_labels, orientation_of
from pcvae.encode import Codec, latent_table
from pcvae.errors import RunError, SettingsError
from pcvae.labels import LABELS, angle_difference, wrap_angle
from pcvae.loss import Targets
from pcvae.metrics import coverage, errors
from pcvae.trainer import Galaxies, _Loop, augment
from train import train

ON_CPU = ["--device", "cpu"]


def call(sample, folder, *options):
    return train.main([str(sample.folder), str(folder), *ON_CPU, *options])


def losses(folder):
    return pd.read_csv(folder / "metrics.csv").drop(columns="seconds")


class KilledError(Exception):
    pass


def kill_after(monkeypatch, epochs):
    """Make the trainer die right after it has written that many epochs."""
    told = train.ProgressBar.epoch

    def epoch(bar, row):
        told(bar, row)
        if row["epoch"] == epochs - 1:
            raise KilledError

    monkeypatch.setattr(train.ProgressBar, "epoch", epoch)


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(sample, tmp_path, monkeypatch, recipe):
    options = ["--epochs", "3", "--recipe", recipe]
    whole = call(sample, tmp_path / "whole", *options)
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(KilledError):
            call(sample, tmp_path / "killed", *options)
    killed = call(sample, tmp_path / "killed", "--resume")
    pd.testing.assert_frame_equal(losses(whole), losses(killed), check_exact=True)
    one, two = (load_file(f / "model.safetensors") for f in (whole, killed))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_same_command_resumes_and_another_refuses(sample, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kill_after(patch, 1)
        with pytest.raises(KilledError):
            call(sample, tmp_path / "run", "--epochs", "2")
    with pytest.raises(RunError, match=r"other settings.*--resume"):
        call(sample, tmp_path / "run", "--epochs", "3")
    call(sample, tmp_path / "run", "--epochs", "2")
    assert len(losses(tmp_path / "run")) == 2


def test_a_finished_run_is_replaced_only_when_asked(sample, tmp_path):
    call(sample, tmp_path / "run", "--epochs", "1")
    with pytest.raises(RunError, match="--overwrite"):
        call(sample, tmp_path / "run", "--epochs", "1")
    call(sample, tmp_path / "run", "--epochs", "1", "--seed", "5", "--overwrite")
    assert read_run(tmp_path / "run").info.seed == 5


@pytest.mark.parametrize("options", [["--resume"], ["--epochs", "3", "--overwrite"]])
def test_a_run_that_was_killed_while_it_replaced_another_goes_on(
    sample, tmp_path, monkeypatch, options
):
    call(sample, tmp_path / "run", "--epochs", "1")
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(KilledError):
            call(sample, tmp_path / "run", "--epochs", "3", "--overwrite")
    assert len(losses(tmp_path / "run")) == 1
    first = losses(tmp_path / "run.partial")
    seen = []
    watched = train.ProgressBar.step
    monkeypatch.setattr(train.ProgressBar, "step", lambda *told: (seen.append(1), watched(*told)))
    call(sample, tmp_path / "run", *options)
    pd.testing.assert_frame_equal(losses(tmp_path / "run")[:2], first)
    assert len(losses(tmp_path / "run")) == 3
    assert len(seen) == 2  # steps of one epoch


def test_other_settings_replace_a_killed_run_when_asked(sample, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kill_after(patch, 1)
        with pytest.raises(KilledError):
            call(sample, tmp_path / "run", "--epochs", "2")
    call(sample, tmp_path / "run", "--epochs", "1", "--seed", "3", "--overwrite")
    assert read_run(tmp_path / "run").info.seed == 3


def test_nothing_to_resume_says_so(sample, tmp_path):
    with pytest.raises(RunError, match="nothing to resume"):
        call(sample, tmp_path / "none", "--resume")


def test_the_same_seed_gives_the_same_weights(sample, runs, tmp_path):
    again = call(sample, tmp_path / "again", "--epochs", "1")
    one, two = (load_file(f / "model.safetensors") for f in (runs["physics"], again))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_loss_falls(sample, tmp_path):
    run = call(sample, tmp_path / "run", "--epochs", "12")
    terms = losses(run)
    assert terms["train_image"].iloc[-1] < terms["train_image"].iloc[0] / 2
    assert terms["train_physics"].iloc[-1] < terms["train_physics"].iloc[0]


def test_rare_galaxies_never_train(sample, runs):
    split = pd.read_parquet(runs["physics"] / "split.parquet").set_index("id")["split"]
    rare = sample.catalog.set_index("id")["population"].isin(sample.info.rare)
    assert set(split[rare]) == {"held_out"}
    assert set(split[~rare]) == {"train", "validation", "test"}


def test_a_label_that_nobody_knows_becomes_a_free_latent(make_sample, tmp_path):
    labels = [f"{one}{end}" for one in ("log_mass", "log_sfr") for end in ("", "_err")]
    sample = make_sample(tmp_path / "sample", without=labels)
    info = read_run(call(sample, tmp_path / "run", "--epochs", "2")).info
    assert info.space.names == ["e_cos", "e_sin", "redshift", *(f"free_{k}" for k in range(14))]
    assert info.space.tied == 3
    assert losses(tmp_path / "run").notna().all(axis=None)


def test_a_physics_model_needs_a_label_of_physics(make_sample, tmp_path):
    sample = make_sample(tmp_path / "sample", without=("redshift", "log_mass", "log_sfr"))
    with pytest.raises(SettingsError, match=r"redshift, log_mass or log_sfr .* --model vanilla"):
        call(sample, tmp_path / "run", "--epochs", "1")
    assert list(tmp_path.iterdir()) == [tmp_path / "sample"]
    assert read_run(call(sample, tmp_path / "run", "--epochs", "1", "--model", "vanilla"))


def test_the_shares_of_test_and_validation_are_the_users(make_sample, tmp_path):
    sample = make_sample(tmp_path / "sample")
    shares = ("--test", "0", "--validation", "0.25")
    run = call(sample, tmp_path / "run", "--epochs", "1", *shares)
    counts = pd.read_parquet(run / "split.parquet")["split"].value_counts()
    assert "test" not in counts
    assert 0.1 < counts["validation"] / (counts["validation"] + counts["train"]) < 0.4
    with pytest.raises(SettingsError, match="leave some to train on"):
        call(sample, tmp_path / "other", "--test", "0.5", "--validation", "0.5")


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_some_missing_labels_do_not_poison_the_weights(make_sample, tmp_path, recipe):
    sample = make_sample(tmp_path / "sample")
    catalog = sample.catalog.copy()
    catalog.loc[::2, ["redshift", "orientation", "log_mass_err"]] = float("nan")
    sample.replace_catalog(catalog)
    run = call(sample, tmp_path / "run", "--epochs", "1", "--recipe", recipe)
    weights = load_file(run / "model.safetensors")
    assert all(value.isfinite().all() for value in weights.values())


def test_training_goes_on_from_another_run(sample, runs, tmp_path):
    tuned = call(sample, tmp_path / "tuned", "--epochs", "1", "--lr", "1e-12",
                 "--init", str(runs["physics"]))  # fmt: skip
    first, second = (load_file(f / "model.safetensors") for f in (runs["physics"], tuned))
    weights = [name for name in first if name.endswith("weight")]
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in weights)
    assert read_run(tuned).info.space == read_run(runs["physics"]).info.space


def test_how_much_is_dropped_is_said_anew_where_training_goes_on(sample, runs, tmp_path):
    options = ["--init", str(runs["physics"]), "--epochs", "1", "--set", "model.dimming=0.4"]
    tuned = read_run(call(sample, tmp_path / "tuned", *options)).info.model
    first = read_run(runs["physics"]).info.model
    assert (first.dropout, first.dimming) == (0.1, 0)
    assert (tuned.dropout, tuned.dimming, tuned.latents) == (0.1, 0.4, first.latents)


@pytest.mark.parametrize(
    ("options", "unit", "dropout"),
    [
        ([], "nanomaggy", 0.1),
        ([], "stretched", 0.5),
        (["--set", "model.dropout=0.2"], "stretched", 0.2),
        (["--recipe", "paper"], "stretched", 0.0),
    ],
)
def test_display_images_drop_more_unless_another_share_is_asked_for(options, unit, dropout):
    args = train.parse_args(["sample", "run", *options])
    assert train._recipe(args, unit).model.dropout == dropout


def test_a_run_of_another_kind_is_no_start(sample, runs, tmp_path):
    with pytest.raises(SettingsError, match="--init"):
        call(sample, tmp_path / "run", "--init", str(runs["vanilla"]))


def test_no_galaxy_is_held_back_that_the_first_run_was_fitted_to(sample, runs, tmp_path):
    with pytest.raises(
        SettingsError, match=r"fitted to \d+ galaxies that are held back .*--seed 0"
    ):
        call(sample, tmp_path / "run", "--seed", "1", "--init", str(runs["physics"]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [["--latents", "9"], ["--set", "model.hidden=99"], ["--set", "labels.angle=phi"],
     ["--set", "resize=bicubic"], ["--set", "model.dropout=0"]],
)  # fmt: skip
def test_what_the_first_run_has_settled_is_not_asked_for_in_vain(sample, runs, tmp_path, options):
    with pytest.raises(SettingsError, match=f"fixes .*{options[-1]}"):
        call(sample, tmp_path / "run", "--init", str(runs["physics"]), *options)
    assert not list(tmp_path.iterdir())


def test_who_can_read_a_run_can_read_its_weights(runs):
    weights, facts = (runs["physics"] / name for name in ("model.safetensors", "run.json"))
    assert weights.stat().st_mode == facts.stat().st_mode


def test_the_run_says_what_it_was_made_with(sample, runs):
    facts = json.loads((runs["physics"] / "run.json").read_text())
    assert facts["command"].startswith("python -m train.train")
    assert facts["checksum"] == sample.checksum()
    assert facts["settings"]["recipe"]["loss"]["likelihood"] == "beta_nll"
    assert set(facts["packages"]) == {"torch", "numpy", "lightning-fabric"}


def test_a_setting_that_cannot_work_is_refused(sample, tmp_path):
    with pytest.raises(SettingsError, match="--epochs above 0"):
        call(sample, tmp_path / "run", "--epochs", "0")
    with pytest.raises(SettingsError, match="at least 5 latents"):
        call(sample, tmp_path / "run2", "--latents", "3")


def test_a_choice_of_the_recipe_can_be_set_otherwise(sample, tmp_path):
    chosen = ["model.apertures=[]", "model.colours=false", "loss.physics=3", "resize=bicubic"]
    options = [part for one in chosen for part in ("--set", one)]
    info = read_run(call(sample, tmp_path / "run", "--epochs", "1", *options)).info
    assert (info.model.apertures, info.model.colours, info.model.hidden) == ((), False, 128)
    recipe = info.settings["recipe"]
    assert (recipe["loss"]["physics"], recipe["resize"]) == (3, "bicubic")
    assert info.settings["set"] == chosen


@pytest.mark.parametrize("text", ["loss.none=1", "loss=1", "resize.x=1", "fit.lr=fast", "name=x"])
def test_a_choice_that_no_recipe_has_is_refused(sample, tmp_path, text):
    with pytest.raises(SettingsError, match=r"expected .*found " + text):
        call(sample, tmp_path / "run", "--set", text)


def test_a_sample_too_small_to_split_says_so(make_sample, tmp_path):
    with pytest.raises(SettingsError, match="too small"):
        call(make_sample(tmp_path / "sample", 2), tmp_path / "run")


@pytest.mark.parametrize("extra", [0, 1, 2])
def test_a_galaxy_alone_in_the_last_batch_does_not_stop_the_training(sample, tmp_path, extra):
    batch = (76 - extra) // 5
    run = call(sample, tmp_path / "run", "--epochs", "1", "--batch", str(batch))
    assert losses(run).notna().all(axis=None)


@pytest.mark.parametrize("recipe", ["default", "paper"])
def test_training_that_diverges_from_the_first_epoch_on_says_so(sample, tmp_path, recipe):
    with pytest.raises(SettingsError, match=r"expected a finite loss.* --lr below 1e\+30"):
        call(sample, tmp_path / "run", "--recipe", recipe, "--lr", "1e30", "--epochs", "3")
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "run.partial" / "last.ckpt").exists()


def test_a_loss_that_is_not_finite_ends_training_and_the_last_good_state_is_kept(
    sample, tmp_path, monkeypatch
):
    whole, seen = _Loop._step, []

    def breaks_in_the_third_epoch(loop, rows, step):
        seen.append(step)
        terms = whole(loop, rows, step)
        return terms if step < 2 * loop.steps else terms | {"total": float("nan")}

    monkeypatch.setattr(_Loop, "_step", breaks_in_the_third_epoch)
    words = r"found nan in epoch 3 \(last.ckpt is of epoch 2\).*--overwrite and a --lr below"
    for _ in range(2):  # a second call of the same command ends alike
        with pytest.raises(SettingsError, match=words):
            call(sample, tmp_path / "run", "--epochs", "5", "--batch", "32")
        assert len(read_state(tmp_path / "run.partial")["history"]) == 2
        assert len(losses(tmp_path / "run.partial")) == 2
    assert seen[-1] == seen[-2] == seen[-3] + 1, "it ends at that step, not at the epoch's end"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("angle", ["phi", "ellipticity"])
def test_labels_turn_with_the_pictures(angle):
    """Bars at all angles are measured by their second moments after they were turned."""
    count, size = 64, 33
    phi = wrap_angle(np.linspace(0.0, np.pi, count, endpoint=False) + 0.02)
    y, x = np.mgrid[:size, :size] - size // 2
    along = [x * np.cos(one) + y * np.sin(one) for one in phi]
    across = [y * np.cos(one) - x * np.sin(one) for one in phi]
    bars = np.exp(-np.square(along) / 50 - np.square(across) / 5)
    catalog = pd.DataFrame({"orientation": phi, "orientation_err": 0.1, "axis_ratio": 0.3})
    unknown = [name for one in LABELS[1:] for name in (one.name, one.error)]
    catalog = catalog.assign(**dict.fromkeys(unknown, np.nan))
    config = LabelConfig(angle, "floored", standardise=True)
    space = latent_space(catalog, config, 5)
    names = space.names[: space.tied]
    mean, scale = (np.array(one[: space.tied]) for one in (space.mean, space.scale))
    truth = (measure_labels(catalog, names, config).truth - mean) / scale
    targets = Targets(*(torch.tensor(truth, dtype=torch.float32) for _ in range(2)))
    torch.manual_seed(0)
    augmented = augment(Galaxies(torch.tensor(bars[:, None], dtype=torch.float32), targets), space)
    image, told = augmented.image[:, 0].numpy(), augmented.targets.truth.numpy() * scale + mean
    moments = [(image * one).sum((1, 2)) for one in (x * x - y * y, 2 * x * y)]
    seen = np.arctan2(*moments[::-1]) / 2
    said = told[:, 0] if angle == "phi" else orientation_of(told, np.ones_like(told))[0]
    assert np.abs(angle_difference(seen, said)).max() < 0.02
    assert np.abs(angle_difference(seen, phi)).max() > 1
    assert ((said > -np.pi / 2 - 1e-6) & (said <= np.pi / 2 + 1e-6)).all()


def test_every_training_galaxy_is_seen_once_an_epoch(sample, tmp_path):
    from lightning_fabric import Fabric

    from pcvae.dataset import LatentSpace
    from pcvae.model import ConvVAE, ModelConfig
    from pcvae.recipes import RECIPES
    from pcvae.trainer import TrainingData, _Loop

    nothing = LatentSpace((), (), (), 0)
    for count in (2, 63, 64, 65, 66, 128, 129):
        some = Galaxies(
            torch.zeros(count, 3, 8, 8), Targets(torch.zeros(count, 0), torch.zeros(count, 0))
        )
        loop = _Loop(Fabric(accelerator="cpu"), ConvVAE(ModelConfig(size=8)),
                     TrainingData(some, some, nothing), RECIPES["default"])  # fmt: skip
        batches = list(loop.batches(0))
        assert sorted(torch.cat(batches).tolist()) == list(range(count))
        assert min(map(len, batches)) > 1
        assert len(batches) == loop.steps


def test_sigmas_are_calibrated_where_a_likelihood_asks_for_them(make_sample, tmp_path):
    """Only labels with enough validation galaxies have a factor of their own."""
    sample = make_sample(tmp_path / "sample", 260)
    factors = {}
    for recipe in ("default", "paper"):
        run = call(sample, tmp_path / recipe, "--epochs", "2", "--recipe", recipe)
        factors[recipe] = read_run(run).info.space.factor
    assert factors["paper"] == ()
    assert len(factors["default"]) == 17
    assert set(factors["default"][5:]) == {1}  # the free latents have no label
    assert all(0.05 <= one <= 20 and one != 1 for one in factors["default"][:5])


def test_the_derived_orientation_is_calibrated_too(make_sample, tmp_path):
    """Of the validation galaxies, the 90 % intervals hold nine in ten, rounded up."""
    sample = make_sample(tmp_path / "sample", 260)
    run = call(sample, tmp_path / "run", "--epochs", "2")
    codec = Codec.read(run)
    table = latent_table(codec.encode(sample.flux[:], decode=False), codec.space)
    chosen = codec.run.split(sample.catalog["id"]) == "validation"
    catalog = sample.catalog[chosen]
    apart = errors(catalog["orientation"], table["orientation"][chosen], "orientation")
    noise = catalog["orientation_err"].fillna(0)
    count, level = chosen.sum(), 0.9
    sigma = np.hypot(table["orientation_sigma"][chosen], noise)
    held = coverage(apart, sigma, level) * count
    assert codec.space.angle_factor != 1
    assert held == pytest.approx(np.ceil(level * (count + 1)), abs=1)


def test_a_wrong_setting_leaves_nothing_behind_that_the_right_one_would_stumble_over(
    make_sample, tmp_path
):
    made, folder = make_sample(tmp_path / "sample", 30).folder, tmp_path / "run"
    with pytest.raises(SettingsError, match="physik"):
        train.main([str(made), str(folder), "--epochs", "1", "--set", "loss.physik=3"])
    assert list(tmp_path.glob("run*")) == []
    assert train.main([str(made), str(folder), "--epochs", "1"]) == folder
