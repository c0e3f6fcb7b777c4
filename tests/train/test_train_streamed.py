"""Training that reads its images from disk, at other precisions, and on several devices."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from pcvae.errors import RunError, SettingsError
from pcvae.image_file import ImageFile
from train import train, training_images
from train.evaluation import outliers
from train.training_images import FOLDER

ROOT = Path(__file__).parents[2]


def call(sample, run, *options):
    return train.main([str(sample.folder), str(run), "--device", "cpu", *options])


def losses(run):
    return pd.read_csv(run / "metrics.csv").drop(columns="seconds")


def test_a_streamed_run_is_that_of_images_in_memory_and_leaves_no_images(
    sample, runs, tmp_path, monkeypatch
):
    monkeypatch.setattr(train.ProgressBar, "epoch", stop_once())
    with pytest.raises(InterruptedError):
        call(sample, tmp_path / "run", "--epochs", "1", "--stream")
    files = tmp_path / "run.partial" / FOLDER
    made = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    assert sorted(made) == ["train-core.f4", "train.f4", "validation-core.f4", "validation.f4"]
    with monkeypatch.context() as patch:
        patch.setattr(training_images, "_fill", None)  # the files that are there are read again
        run = call(sample, tmp_path / "run", "--epochs", "1", "--stream")
    pd.testing.assert_frame_equal(losses(run), losses(runs["physics"]), check_exact=True)
    one, two = (load_file(f / "model.safetensors") for f in (run, runs["physics"]))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not (run / FOLDER).exists()


def stop_once(told=train.ProgressBar.epoch):
    """A progress callback that ends the first run after its first epoch."""
    calls = []

    def epoch(bar, row):
        told(bar, row)
        calls.append(row)
        if len(calls) == 1:
            raise InterruptedError

    return epoch


def test_images_that_memory_cannot_hold_are_streamed_or_refused(sample, tmp_path, monkeypatch):
    free = type("Memory", (), {"available": 1e5})
    monkeypatch.setattr(training_images.psutil, "virtual_memory", lambda: free)
    with pytest.raises(SettingsError, match=r"memory of 0\.0 GB, found .* GB: add --stream"):
        call(sample, tmp_path / "run", "--epochs", "1")
    call(sample, tmp_path / "run", "--epochs", "1", "--stream")


def test_files_of_images_are_read_by_rows(tmp_path):
    images = ImageFile(tmp_path / "images", (5, 2, 3))
    assert not images.is_whole()
    images.make_room()
    values = torch.rand(5, 2, 3)
    images[0:2], images[2:5] = values[:2], values[2:]
    assert images.is_whole()
    rows = torch.tensor([4, 0, 4, 2])
    assert torch.equal(images[rows], values[rows])
    assert images[rows[:0]].shape == (0, 2, 3)
    with (tmp_path / "images").open("r+b") as file:
        file.truncate(50)
    with pytest.raises(RunError, match="images cannot be read: expected 120 bytes"):
        images[rows]
    images.close()
    (tmp_path / "images").unlink()
    with pytest.raises(RunError, match="No such file"):
        images[rows]


def test_bfloat16_trains_about_as_single_precision_does(sample, runs, tmp_path):
    run = call(sample, tmp_path / "run", "--epochs", "1", "--precision", "bf16")
    half, single = losses(run).iloc[0], losses(runs["physics"]).iloc[0]
    assert half["train_total"] != single["train_total"]
    assert half["train_total"] == pytest.approx(single["train_total"], rel=0.05)
    settings = json.loads((run / "run.json").read_text())["settings"]
    assert settings["precision"] == "bf16"
    with pytest.raises(SettingsError, match="--precision 16 on a CUDA device"):
        call(sample, tmp_path / "other", "--precision", "16")


def test_two_processes_have_the_loss_of_one_within_noise(sample, tmp_path):
    """In processes of their own, as Fabric starts the second one by the command line."""
    options = ["--epochs", "3", "--batch", "16"]
    one = losses(call(sample, tmp_path / "one", *options))
    words = [str(sample.folder), str(tmp_path / "two"), "--device", "cpu", *options]
    command = [sys.executable, "-m", "train.train", *words, "--devices", "2", "--stream"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("galaxies: {'train': 76") == 1
    two = losses(tmp_path / "two")
    for name in ("train_total", "validation_total"):
        assert two[name].tolist() == pytest.approx(one[name].tolist(), rel=0.15)
    assert two["train_total"].iloc[-1] < 0.8 * two["train_total"].iloc[0]


def test_the_score_of_outliers_is_fitted_to_a_bounded_number(monkeypatch):
    monkeypatch.setattr(outliers, "MOST", 6)
    assert outliers._some_rows(6).tolist() == list(range(6))
    some = outliers._some_rows(100).tolist()
    assert some == sorted(set(some)) == outliers._some_rows(100).tolist()
    assert len(some) == 6
    assert max(some) > 6
