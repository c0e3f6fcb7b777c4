"""The two recipes: ``paper`` as published, ``default`` with improvements."""

from dataclasses import dataclass, field

from pcvae.dataset import LabelConfig
from pcvae.loss import LossConfig
from pcvae.model import ModelConfig

__all__ = ["RECIPES", "FitConfig", "Recipe"]


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Settings of the optimisation; those of the published code by default.

    Args:
        epochs: Passes over the training galaxies, at most.
        batch: Galaxies a step, over all devices.
        lr: The learning rate; its peak where there is a schedule.
        weight_decay: AdamW's; 0 for Adam.
        warmup: The share of the steps in which the rate rises from 0, to fall as a cosine to 0
            over the rest; None for a constant rate.
        ema: The decay a step of the running mean of the weights that is validated and kept; 0
            for the weights themselves.
        patience: Early stopping: epochs without a better validation loss; 0 for none.
        augment: Whether images and their ellipticities are flipped and transposed at random.
        seed: Fixes the first weights, the batches and the noise.
    """

    epochs: int = 1000
    batch: int = 128
    lr: float = 5e-6
    weight_decay: float = 0.0
    warmup: float | None = None
    ema: float = 0.0
    patience: int = 0
    augment: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of a training run apart from the data.

    Args:
        name: ``paper`` or ``default``.
        model: The network; its bands follow the data.
        latents: Axes of the latent space, an orientation counted as one.
        labels: How labels become targets.
        loss: The objective.
        fit: The optimisation.
        resize: See ``pcvae.preprocess.Stretch``.
        resize_first: See there.
        red_first: Whether the tensor's planes run from red to blue (z, r, g).
    """

    name: str
    model: ModelConfig = field(default_factory=ModelConfig)
    labels: LabelConfig = field(default_factory=LabelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    resize: str = "bicubic"
    resize_first: bool = False
    red_first: bool = True
    latents: int = 5


RECIPES = {
    "paper": Recipe("paper"),
    "default": Recipe(
        "default",
        model=ModelConfig(
            size=64,
            widths=(16, 32, 64, 128),
            hidden=128,
            apertures=(2, 4, 8, 16, 28),
            colours=True,
            dropout=0.1,
            leak=0.1,
            transposed=True,
            sampled=1,
            core=48,
            magnitudes=True,
        ),
        labels=LabelConfig("ellipticity", "floored", standardise=True),
        loss=LossConfig(1.0, 0.3, 40.0, magnitudes=3.0, likelihood="beta_nll", beta=1.0),
        fit=FitConfig(40, 64, 2e-3, 1e-2, warmup=0.1, ema=0.99, patience=25, augment=True),
        resize="area",
        resize_first=True,
        red_first=False,
        latents=16,
    ),
}
