"""A baseline: a supervised ResNet18 on the pixels.

Shapes are written with B galaxies, C bands, S x S pixels and K labels.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from pcvae.cutouts import Sample
from pcvae.labels import LABELS
from pcvae.preprocess import Stretch
from train.evaluation.galaxy_pool import Estimate, Pool

__all__ = ["ResNet18", "by_resnet", "images_of"]

WIDTHS = (64, 64, 128, 256, 512)
BATCH, LR, WEIGHT_DECAY = 64, 1e-3, 1e-2
NAMES = tuple(label.name for label in LABELS[1:])


class ResNet18(nn.Module):
    """Four stages of two residual blocks of two 3 x 3 convolutions each, and a linear head.

    Reference: He et al. (2016), CVPR, 770, https://arxiv.org/abs/1512.03385, table 1.

    Args:
        bands: C.
        labels: K.
    """

    def __init__(self, bands: int, labels: int) -> None:
        super().__init__()
        stem = [_conv(bands, WIDTHS[0], size=7, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        stages = [
            block
            for number, (before, after) in enumerate(pairwise(WIDTHS))
            for block in (_Block(before, after, stride=1 + (number > 0)), _Block(after, after))
        ]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], labels)]
        self.layers = nn.Sequential(*stem, *stages, *head)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, S, S) images to (B, K) standardised labels."""
        result: Tensor = self.layers(image)
        return result


class _Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _conv(before, after, stride=stride), nn.ReLU(), _conv(after, after)
        )
        same = before == after and stride == 1
        self.skip = nn.Identity() if same else _conv(before, after, size=1, stride=stride)

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(self.change(image) + self.skip(image))


def _conv(before: int, after: int, *, size: int = 3, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(before, after, size, stride, size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after))


def images_of(samples: Sequence[Sample], ids: pd.Series, stretch: Stretch) -> Tensor:
    """The network images (N, C, S, S) of these galaxies; NaN for those in no sample."""
    bands = len(samples[0].info.bands)
    images = torch.full((len(ids), bands, stretch.size, stretch.size), torch.nan)
    place = pd.Series(np.arange(len(ids)), index=ids.to_numpy())
    for sample in samples:
        wanted = sample.catalog["id"].map(place).to_numpy(np.float64)
        for where, flux in sample.blocks():
            known = np.isfinite(wanted[where])
            if known.any():
                target = torch.as_tensor(wanted[where][known].astype(np.int64))
                images[target] = stretch(torch.as_tensor(flux[known]))
    return images


def by_resnet(pool: Pool, images: Tensor, epochs: int, seed: int) -> dict[str, Estimate]:
    """Estimate redshift, mass and star-formation rate from images, trained as a regression.

    Adam with weight decay, one-cycle learning rate, flips and quarter turns; the squared error of
    standardised labels, those unknown masked; the epoch with the least validation error is kept.
    One sigma for all galaxies comes from the validation split.

    Args:
        pool: The galaxies.
        images: Their network images, (N, C, S, S).
        epochs: Passes over the training galaxies.
        seed: Fixes weights, batches and turns.
    """
    truth = np.stack([pool.truth(name) for name in NAMES], axis=1)
    seen = torch.isfinite(images[:, 0, 0, 0]).numpy()
    rows = {"train": pool.train & seen, "validation": pool.validation & seen}
    known = truth[rows["train"]]
    usable = np.isfinite(known).sum(axis=0) > 1
    if not usable.any():
        return {}
    names = [name for name, enough in zip(NAMES, usable, strict=True) if enough]
    mean, spread = np.nanmean(known[:, usable], axis=0), np.nanstd(known[:, usable], axis=0)
    target = torch.as_tensor((truth[:, usable] - mean) / spread, dtype=torch.float32)
    parts = {name: torch.as_tensor(np.flatnonzero(mask)) for name, mask in rows.items()}
    network = _fit(images, target, parts, epochs, seed)
    value = np.full((len(pool), len(names)), np.nan)
    value[seen] = _predict(network, images[torch.as_tensor(seen)]) * spread + mean
    residual = (value - truth[:, usable])[pool.validation]
    return {
        name: Estimate(value[:, k], np.full(len(pool), _spread(residual[:, k])))
        for k, name in enumerate(names)
    }


def _fit(
    images: Tensor, target: Tensor, parts: dict[str, Tensor], epochs: int, seed: int
) -> ResNet18:
    torch.manual_seed(seed)
    network = ResNet18(images.shape[1], target.shape[1])
    steps = -(-len(parts["train"]) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LR, total_steps=epochs * steps)
    best, kept = np.inf, dict[str, Tensor]()
    with tqdm(range(epochs), desc="resnet18", unit="epoch", leave=False) as bar:
        for _ in bar:
            network.train()
            order = parts["train"][torch.randperm(len(parts["train"]))]
            for batch in torch.split(order, BATCH):
                loss = _error(network(_turned(images[batch])), target[batch])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            score = _validation(network, images, target, parts["validation"])
            if score < best or not kept:
                best = score
                kept = {name: item.clone() for name, item in network.state_dict().items()}
            bar.set_postfix(validation=f"{score:.3f}")
    network.load_state_dict(kept)
    return network


def _error(estimate: Tensor, target: Tensor) -> Tensor:
    known = torch.isfinite(target)
    squares = torch.where(known, estimate - target.nan_to_num(), 0.0).square()
    return squares.sum() / known.sum().clamp(min=1)


def _turned(images: Tensor) -> Tensor:
    """A whole batch turned or flipped alike: batches are many."""
    turned = images.rot90(int(torch.randint(4, ())), (2, 3))
    return turned.flip(3) if torch.rand(()) < 0.5 else turned


def _validation(network: ResNet18, images: Tensor, target: Tensor, rows: Tensor) -> float:
    if not len(rows):
        return 0.0
    estimate = torch.as_tensor(_predict(network, images[rows]), dtype=torch.float32)
    return float(_error(estimate, target[rows]))


@torch.inference_mode()
def _predict(network: ResNet18, images: Tensor) -> NDArray[np.float64]:
    network.eval()
    note = torch.cat([network(batch) for batch in torch.split(images, BATCH)])
    return note.numpy().astype(np.float64)


def _spread(residual: NDArray[np.float64]) -> float:
    known = residual[np.isfinite(residual)]
    return float(np.sqrt(np.square(known).mean())) if len(known) else np.nan
