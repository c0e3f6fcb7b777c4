"""Recipe ``paper`` is the published one, choice by choice."""

import numpy as np
import pandas as pd
import pytest
import torch
from lightning_fabric import Fabric

from pcvae.checkpoint import read_run
from pcvae.classifier import pipeline
from pcvae.dataset import LatentSpace
from pcvae.loss import Targets
from pcvae.model import ConvVAE
from pcvae.neighbours import Neighbours
from pcvae.preprocess import Stretch
from pcvae.recipes import RECIPES
from pcvae.trainer import Galaxies, TrainingData, _Loop
from pcvae.trials import paper_trials
from train import train

PAPER = RECIPES["paper"]

DOCUMENTED = {
    "latents": (PAPER.model.latents, 5),
    "pixels on a side, halved twice": (PAPER.model.sizes, (69, 35, 18)),
    "channels of the convolutions": (PAPER.model.widths, (16, 32)),
    "no dense layer between": (PAPER.model.hidden, 0),
    "no photometry beside the image": (PAPER.model.apertures, ()),
    "no dropout": (PAPER.model.dropout, 0.0),
    "bilinear enlargement": (PAPER.model.transposed, False),
    "every latent is drawn": (PAPER.model.sampled, None),
    "orientation as the angle": (PAPER.labels.angle, "phi"),
    "errors of the labels": (PAPER.labels.errors, "published"),
    "labels in their own units": (PAPER.labels.standardise, False),
    "beta0": (PAPER.loss.image, 10),
    "weight of the divergence": (PAPER.loss.prior, 1),
    "beta1 over batch and labels": (PAPER.loss.physics, 50 / 512),
    "squared pulls": (PAPER.loss.likelihood, "chi2"),
    "epochs": (PAPER.fit.epochs, 1000),
    "batch": (PAPER.fit.batch, 128),
    "learning rate": (PAPER.fit.lr, 5e-6),
    "constant rate": (PAPER.fit.warmup, None),
    "the weights themselves": (PAPER.fit.ema, 0),
    "no early stop": (PAPER.fit.patience, 0),
    "no augmentation": (PAPER.fit.augment, False),
    "no weight decay": (PAPER.fit.weight_decay, 0),
    "resized after the stretch": (PAPER.resize_first, False),
    "resized without antialiasing": (PAPER.resize, "bicubic"),
    "planes z, r, g": (PAPER.red_first, True),
}


@pytest.mark.parametrize("choice", DOCUMENTED)
def test_a_choice_of_the_paper_is_the_documented_one(choice):
    found, expected = DOCUMENTED[choice]
    assert found == expected


@pytest.fixture(scope="module")
def run(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper") / "run"
    options = ["--recipe", "paper", "--epochs", "3", "--device", "cpu"]
    return train.main([str(sample.folder), str(folder), *options])


def test_a_run_stretches_by_the_mean_maxima_of_its_training_galaxies(run, sample):
    """Eq. 1 with beta = 10, z r g, 69 px; no galaxy of another split has a say."""
    training = read_run(run).split(sample.catalog["id"]) == "train"
    maxima = sample.flux[:][training].max(axis=(2, 3)).mean(axis=0)
    stretch = Stretch.read(run)
    assert stretch.scale == pytest.approx(maxima.tolist(), rel=1e-4)
    assert (stretch.beta, stretch.size, stretch.order) == (10, 69, (2, 1, 0))


def test_a_run_keeps_a_constant_rate_and_the_epoch_of_least_validation_loss(run):
    history = pd.read_csv(run / "metrics.csv")
    assert (history["lr"] == 5e-6).all()
    assert read_run(run).info.epoch == (int(history["validation_total"].argmin()), 3)


def test_a_run_ties_four_latents_and_leaves_one(run):
    space = read_run(run).info.space
    assert space.names == ["orientation", "redshift", "log_mass", "log_sfr", "free_0"]
    assert (space.tied, space.factor, space.angle_factor) == (4, (), 1.0)


def test_the_weights_follow_adam():
    few = Galaxies(torch.rand(2, 3, 69, 69), Targets(*torch.zeros(2, 2, 0)))
    training_data = TrainingData(few, few, LatentSpace((), (), (), 0))
    loop = _Loop(Fabric(accelerator="cpu"), ConvVAE(PAPER.model), training_data, PAPER)
    assert type(loop.optimizer.optimizer) is torch.optim.Adam
    assert loop.optimizer.param_groups[0]["betas"] == (0.9, 0.999)


def test_the_search_is_the_published_scripts():
    """SMOTE before the scaler, RBF kernel, gamma 1/D, five splits that keep the classes."""
    steps = pipeline("paper").named_steps
    assert list(steps) == ["smote", "scaler", "svm"]
    assert (steps["svm"].kernel, steps["svm"].gamma, steps["svm"].C) == ("rbf", "auto", 1.0)
    values = np.random.default_rng(0).normal(size=(120, 5))
    trials = paper_trials(values, np.repeat(["normal", "red", "green"], [80, 30, 10]))
    np.testing.assert_array_equal(trials.confusion().sum(axis=2), [[16, 2, 6]] * 5)


def test_neighbours_are_sought_in_unscaled_latents_where_the_paper_is_asked_for():
    values = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 5.0], [-3.0, 0.0], [0.0, -50.0]])
    _, distance = Neighbours(values, whiten=False).query(np.array([0]), 1)
    assert distance[0, 0] == pytest.approx(3)
    rows, _ = Neighbours(values).query(np.array([0]), 1)
    assert rows[0, 0] == 2  # the second axis is the wide one
