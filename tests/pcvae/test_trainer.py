"""Schedule, running mean and early stopping of the training loop."""

import math

import pytest
import torch
from lightning_fabric import Fabric

from pcvae.dataset import LatentSpace
from pcvae.loss import Targets
from pcvae.model import ConvVAE, ModelConfig
from pcvae.recipes import FitConfig, Recipe
from pcvae.trainer import Galaxies, TrainingData, _Loop, learning_rate, update_mean


def test_the_rate_rises_to_its_peak_and_falls_as_a_cosine_to_zero():
    config = FitConfig(lr=2.0, warmup=0.1)
    rates = [learning_rate(config, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == rates[10] == 2.0
    assert rates[55] == pytest.approx(1.0)
    assert rates[99] == pytest.approx(2 * (1 + math.cos(math.pi * 89 / 90)) / 2)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_without_a_warm_up_the_rate_is_constant():
    assert {learning_rate(FitConfig(lr=5e-6), step, 10) for step in range(10)} == {5e-6}


def test_a_running_mean_keeps_its_decay_of_the_old_weights_and_copies_counters():
    mean = {"weight": torch.ones(2), "count": torch.tensor(3)}
    update_mean(mean, {"weight": torch.zeros(2), "count": torch.tensor(7)}, 0.9)
    torch.testing.assert_close(mean["weight"], torch.full((2,), 0.9))
    assert mean["count"] == 7


@pytest.mark.parametrize(("patience", "stops_at"), [(3, 6), (0, None)])
def test_training_stops_after_so_many_epochs_without_a_better_one(patience, stops_at):
    few = Galaxies(torch.zeros(2, 3, 8, 8), Targets(torch.zeros(2, 0), torch.zeros(2, 0)))
    data = TrainingData(few, few, LatentSpace((), (), (), 0))
    recipe = Recipe("test", fit=FitConfig(patience=patience))
    loop = _Loop(Fabric(accelerator="cpu"), ConvVAE(ModelConfig(size=8)), data, recipe)
    loop.best_epoch = 2
    assert next((epoch for epoch in range(3, 50) if loop.stale(epoch)), None) == stops_at
