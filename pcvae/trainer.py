"""The training loop.

Shapes are written with N galaxies, C bands, S x S network pixels and K tied latents. Batches and
noise depend on the seed and the epoch alone, so that a resumed run equals an uninterrupted one.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor, nn

from pcvae.checkpoint import read_state, write_state
from pcvae.dataset import ELLIPTICITY, LatentSpace
from pcvae.errors import SettingsError
from pcvae.image_file import ImageFile
from pcvae.loss import LossConfig, LossTerms, Targets, objective
from pcvae.model import ConvVAE
from pcvae.recipes import FitConfig, Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = [
    "Batch",
    "Best",
    "Galaxies",
    "ProgressCallback",
    "TrainingData",
    "augment",
    "fit",
]


class Galaxies(NamedTuple):
    """Images (N, C, S, S), targets, each (N, K), and the cores, if the network sees any.

    Images and cores are in memory, or in files that are read row by row.
    """

    image: Tensor | ImageFile
    targets: Targets
    core: Tensor | ImageFile | None = None

    def at(self, rows: Tensor, device: torch.device) -> "Batch":
        """Some of them, on a device."""
        truth, sigma = (part[rows].to(device) for part in self.targets)
        core = None if self.core is None else self.core[rows].to(device)
        return Batch(self.image[rows].to(device), Targets(truth, sigma), core)


class Batch(NamedTuple):
    """The same of some galaxies, in memory."""

    image: Tensor
    targets: Targets
    core: Tensor | None = None


class TrainingData(NamedTuple):
    """The galaxies to train and to validate on, and the axes to learn, K of them tied."""

    train: Galaxies
    validation: Galaxies
    space: LatentSpace


class Best(NamedTuple):
    """The weights of the epoch with the lowest validation loss."""

    weights: dict[str, Tensor]
    epoch: int
    epochs: int
    loss: float


class ProgressCallback(Protocol):
    """Receives the progress of a training run."""

    def step(self, terms: dict[str, float]) -> None:
        """Called after each step with its loss terms."""

    def epoch(self, row: dict[str, float]) -> None:
        """Called for each epoch, also for those before a resumption, with its row of metrics."""


def augment(galaxies: Batch, space: LatentSpace) -> Batch:
    r"""Transform each galaxy by a random one of the 8 symmetries of the square.

    A flip of x or of y maps :math:`\phi` to :math:`-\phi`, which changes the sign of
    :math:`e \sin 2\phi`; an exchange of x and y maps it to :math:`\pi/2 - \phi`, which changes
    that of :math:`e \cos 2\phi`.

    Args:
        galaxies: A batch of B.
        space: The axes: which of the K tied ones change, and their units.
    """
    names = space.names[: space.tied]
    image, core, truth = galaxies.image, galaxies.core, galaxies.targets.truth.clone()
    flips = torch.rand(3, len(image), device=image.device) < 0.5
    for chosen, axis in zip(flips, (-1, -2, None), strict=True):
        image = _where(chosen, image, axis)
        core = core if core is None else _where(chosen, core, axis)
        component = ELLIPTICITY[1] if axis else ELLIPTICITY[0]
        for name in {component, "orientation"}.intersection(names):
            column = names.index(name)
            mean, scale = space.mean[column], space.scale[column]
            value = mean + scale * truth[:, column]
            augmented = -value if name == component else _turned(value, flipped=bool(axis))
            truth[:, column] = torch.where(chosen, (augmented - mean) / scale, truth[:, column])
    return Batch(image, Targets(truth, galaxies.targets.sigma), core)


def fit(
    fabric: "Fabric",
    model: ConvVAE,
    training_data: TrainingData,
    recipe: Recipe,
    folder: Path,
    watcher: ProgressCallback,
) -> Best:
    """Train, or resume from ``last.ckpt``; write it and ``metrics.csv`` after every epoch.

    Args:
        fabric: Launched, with its devices.
        model: The network with its first weights.
        training_data: The galaxies to train and to validate on.
        recipe: Loss, schedule and seed.
        folder: The run's folder.
        watcher: Called after every step and epoch.

    Raises:
        SettingsError: There is nothing to train or to validate on, or the loss is not finite;
            ``last.ckpt`` is then that of the last epoch whose loss was.
    """
    found = len(training_data.train.image), len(training_data.validation.image)
    if found[0] < 2 or found[1] < 1:
        msg = (
            f"expected at least 2 training and 1 validation galaxies, found {found[0]} and "
            f"{found[1]}: the sample is too small"
        )
        raise SettingsError(msg)
    loop = _Loop(fabric, model, training_data, recipe)
    state = read_state(folder)
    history: list[dict[str, float]] = []
    if state:
        history = loop.restore(state)
        for row in history:
            watcher.epoch(row)
    for epoch in range(len(history), recipe.fit.epochs):
        if loop.stale(epoch) or (history and not math.isfinite(history[-1]["validation_total"])):
            break
        history.append(loop.run(epoch, watcher))
        if fabric.is_global_zero:  # the state last: a kill in between repeats the epoch
            pd.DataFrame(history).to_csv(folder / "metrics.csv", index=False)
            write_state(folder, loop.state(history))
        watcher.epoch(history[-1])
    if not loop.best:
        _check_finite(history[-1]["validation_total"], 0, recipe)
    return Best(loop.best, loop.best_epoch, len(history), loop.best_loss)


def _check_finite(loss: float, epoch: int, recipe: Recipe) -> None:
    if not math.isfinite(loss):
        kept = f" (last.ckpt is of epoch {epoch})" if epoch else ""
        msg = (
            f"expected a finite loss, found {loss} in epoch {epoch + 1}{kept}: begin again with "
            f"--overwrite and a --lr below {recipe.fit.lr:g}"
        )
        raise SettingsError(msg)


def _where(chosen: Tensor, image: Tensor, axis: int | None) -> Tensor:
    """Images (B, C, S, S), those that are chosen flipped along an axis, or else transposed."""
    other = image.flip(axis) if axis else image.transpose(-1, -2)
    return torch.where(chosen[:, None, None, None], other, image)


def _turned(phi: Tensor, *, flipped: bool) -> Tensor:
    """The angles of flipped, or else transposed, galaxies; in (-pi/2, pi/2]."""
    augmented = -phi if flipped else math.pi / 2 - phi
    return math.pi / 2 - torch.remainder(math.pi / 2 - augmented, math.pi)


def learning_rate(config: FitConfig, step: int, steps: int) -> float:
    """The learning rate of a step: constant, or a linear warm-up and a cosine decay to 0.

    Args:
        config: The peak rate and the share of the warm-up.
        step: The number of the step, from 0.
        steps: Steps of the whole training.
    """
    if config.warmup is None:
        return config.lr
    rise = max(1, round(config.warmup * steps))
    if step < rise:
        return config.lr * (step + 1) / rise
    return config.lr * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2


def split_rows(rows: Tensor, batch: int, count: int) -> Iterator[Tensor]:
    """Rows (N,) as ``count`` batches; the last holds the rest.

    A galaxy alone has no batch statistics: it joins the batch before it.
    """
    ends = [*range(batch, count * batch, batch), len(rows)]
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield rows[start:end]


def update_mean(mean: dict[str, Tensor], weights: dict[str, Tensor], decay: float) -> None:
    """Move an exponential moving average of weights, in place; counters are copied."""
    for name, value in weights.items():
        if value.is_floating_point():
            mean[name].lerp_(value.detach(), 1 - decay)
        else:
            mean[name].copy_(value)


def _score(network: nn.Module, batch: Batch, loss: LossConfig) -> LossTerms:
    image, core = batch.image.contiguous(memory_format=torch.channels_last), batch.core
    if core is not None:
        core = core.contiguous(memory_format=torch.channels_last)
    return objective(image, network(image, core), batch.targets, loss)


def _own_rows(fabric: "Fabric", count: int, seed: int) -> Tensor:
    """The rows of this device in the random order of an epoch, as many on each device."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[fabric.global_rank :: fabric.world_size][: count // fabric.world_size]


class _Loop:
    """The state of a training run between two epochs."""

    def __init__(
        self, fabric: "Fabric", model: ConvVAE, training_data: TrainingData, recipe: Recipe
    ) -> None:
        self.fabric, self.recipe, self.seed = fabric, recipe, recipe.fit.seed
        self.train, self.validation, self.space = training_data
        # Twice as fast on a CPU, and what tensor cores want.
        self.net = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        config = recipe.fit
        kind = torch.optim.AdamW if config.weight_decay else torch.optim.Adam
        first = kind(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.wrapped, self.optimizer = fabric.setup(self.net, first)
        self.mean = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        self.best: dict[str, Tensor] = {}
        self.best_epoch, self.best_loss = -1, math.inf

    @property
    def steps(self) -> int:
        """Steps an epoch, the same on every device."""
        whole, rest = divmod(len(self.train.image) // self.fabric.world_size, self._batch)
        return max(1, whole + (rest > 1))

    @property
    def _terms(self) -> tuple[str, ...]:
        """The terms of the loss that this network has."""
        absent = set() if self.net.magnitudes is not None else {"magnitudes"}
        return tuple(name for name in LossTerms._fields if name not in absent)

    @property
    def _batch(self) -> int:
        return max(1, self.recipe.fit.batch // self.fabric.world_size)

    def stale(self, epoch: int) -> bool:
        """Whether early stopping applies."""
        patience = self.recipe.fit.patience
        return bool(patience) and epoch - self.best_epoch > patience

    def run(self, epoch: int, watcher: ProgressCallback) -> dict[str, float]:
        """Train for one epoch, validate, and return its row of metrics."""
        began = time.perf_counter()
        torch.manual_seed(self.seed * 1_000_003 + epoch * 1_009 + self.fabric.global_rank)
        self.wrapped.train()
        sums = dict.fromkeys(self._terms, 0.0)
        for step, rows in enumerate(self.batches(epoch)):
            terms = self._step(rows, epoch * self.steps + step)
            if self.fabric.world_size == 1:  # others wait for each other until the epoch ends
                _check_finite(terms["total"], epoch, self.recipe)
            watcher.step(terms)
            sums = {k: sums[k] + terms[k] * len(rows) for k in sums}
        row: dict[str, float] = {"epoch": epoch}
        count = len(self.train.image) // self.fabric.world_size
        row |= {f"train_{k}": v / count for k, v in sums.items()}
        kept = self.mean if self.recipe.fit.ema else self.net.state_dict()
        row |= {f"validation_{k}": v for k, v in self._validate(kept).items()}
        _check_finite(row["train_total"] + row["validation_total"], epoch, self.recipe)
        row |= {"lr": self.optimizer.param_groups[0]["lr"]}
        row |= {"seconds": time.perf_counter() - began}
        if row["validation_total"] < self.best_loss:
            self.best_loss, self.best_epoch = row["validation_total"], epoch
            self.best = {k: v.detach().cpu().clone() for k, v in kept.items()}
        return row

    def state(self, history: list[dict[str, float]]) -> dict[str, Any]:
        """The state that ``restore`` takes, as tensors and plain values."""
        return {
            "model": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "mean": self.mean,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss,
            "history": history,
        }

    def restore(self, state: dict[str, Any]) -> list[dict[str, float]]:
        """Restore a state; return the rows of metrics until then."""
        self.net.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean = {k: v.to(self.fabric.device) for k, v in state["mean"].items()}
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.best_loss = state["best_loss"]
        return state["history"]

    def batches(self, epoch: int) -> Iterator[Tensor]:
        """The rows of each batch of an epoch on this device."""
        mine = _own_rows(self.fabric, len(self.train.image), self.seed * 1_000_003 + epoch)
        return split_rows(mine, self._batch, self.steps)

    def _step(self, rows: Tensor, step: int) -> dict[str, float]:
        rate = learning_rate(self.recipe.fit, step, self.recipe.fit.epochs * self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = self.train.at(rows, self.fabric.device)
        if self.recipe.fit.augment:
            batch = augment(batch, self.space)
        terms = _score(self.wrapped, batch, self.recipe.loss)
        self.optimizer.zero_grad()
        self.fabric.backward(terms.total)
        self.optimizer.step()
        if self.recipe.fit.ema:
            decay = min(self.recipe.fit.ema, (1 + step) / (10 + step))
            update_mean(self.mean, self.net.state_dict(), decay)
        return {k: float(getattr(terms, k).detach()) for k in self._terms}

    @torch.no_grad()
    def _validate(self, weights: dict[str, Tensor]) -> dict[str, float]:
        now = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        self.net.load_state_dict(weights)
        self.net.eval()
        sums = dict.fromkeys(self._terms, 0.0)
        count = len(self.validation.image)
        for rows in torch.split(torch.arange(count), self.recipe.fit.batch):
            batch = self.validation.at(rows, self.fabric.device)
            terms = _score(self.net, batch, self.recipe.loss)
            sums = {k: sums[k] + float(getattr(terms, k)) * len(rows) / count for k in sums}
        self.net.load_state_dict(now)
        return sums
