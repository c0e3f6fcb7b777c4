"""A baseline: a plain convolutional network on the pixels, trained until it learns no more.

Shapes are written with B or N galaxies, C bands, K x K pixels and L labels.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from pcvae.cutouts import Sample
from pcvae.labels import LABELS
from pcvae.preprocess import Stretch, pixel_noise, symmetries
from train.evaluation.galaxy_pool import Estimate, Pool

__all__ = ["PlainCnn", "by_cnn", "central_pixels"]

WIDTHS = (24, 32)  # of the first convolution; the one of less validation error is kept
CORE = 48  # px of the middle that it sees
HIDDEN, DROPOUT = 128, 0.1
BATCH, LR, WEIGHT_DECAY = 64, 2e-3, 1e-2
PATIENCE, SLOWER, STEPS = 4, 0.3, 3  # epochs without progress, until the rate falls; how often
MAX_EPOCHS = 120
NAMES = tuple(label.name for label in LABELS[1:])


class PlainCnn(nn.Module):
    """Four 3 x 3 convolutions of stride 2, the mean over the image, two dense layers.

    Args:
        planes: Bands and colours.
        labels: L.
        width: Channels of the first convolution; the next have 2, 4 and 4 times as many.
    """

    def __init__(self, planes: int, labels: int, width: int) -> None:
        super().__init__()
        widths = (planes, width, 2 * width, 4 * width, 4 * width)
        convolutions = [layer for pair in pairwise(widths) for layer in _convolution(*pair)]
        self.layers = nn.Sequential(
            nn.BatchNorm2d(planes, affine=False),
            *convolutions,
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(DROPOUT),
            nn.Linear(widths[-1], HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, labels),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, K, K) cores, as ``Stretch.cut_core`` makes them, to (B, L) labels."""
        planes = torch.cat([image, image[:, :-1] - image[:, 1:]], dim=1)
        result: Tensor = self.layers(planes.contiguous(memory_format=torch.channels_last))
        return result


class _Fit(NamedTuple):
    network: PlainCnn
    error: float


def central_pixels(samples: Sequence[Sample], ids: pd.Series, train: NDArray[np.bool_]) -> Tensor:
    """The middle of each galaxy in units of the noise (N, C, K, K); NaN for those in no sample.

    Args:
        samples: Where the galaxies are looked for.
        ids: The galaxies, N.
        train: Which of them the noise is measured on, (N,).
    """
    info = samples[0].info
    size = min(CORE, *(sample.info.size for sample in samples))
    raw = torch.full((len(ids), len(info.bands), size, size), torch.nan)
    place = pd.Series(np.arange(len(ids)), index=ids.to_numpy())
    plain = Stretch(info.bands, (), core=size)
    whole = []
    for sample in samples:
        wanted = sample.catalog["id"].map(place).to_numpy(np.float64)
        for where, flux in sample.blocks():
            known = np.isfinite(wanted[where])
            rows = wanted[where][known].astype(np.int64)
            raw[torch.as_tensor(rows)] = plain.cut_core(torch.as_tensor(flux[known]))
            if info.unit == "nanomaggy" and train[rows].any():
                whole.append(pixel_noise([flux[known][train[rows]]]))
    if not whole:
        return raw
    noise = tuple(np.median(whole, axis=0).tolist())
    return Stretch(info.bands, (), core=size, noise=noise).cut_core(raw)


def by_cnn(pool: Pool, images: Tensor, seed: int) -> dict[str, Estimate]:
    """Estimate redshift, mass and star-formation rate from pixels, trained as a regression.

    Adam with weight decay; flips and turns in training, and their mean in the estimate; the
    squared error of standardised labels, those unknown left out. The learning rate falls where the
    validation error does, until it no longer does. Of two widths the one of less validation error
    is kept. One sigma for all galaxies comes from the validation split.

    Args:
        pool: The galaxies.
        images: Their central pixels, (N, C, K, K).
        seed: Fixes weights, batches and turns.
    """
    truth = np.stack([pool.truth(name) for name in NAMES], axis=1)
    seen = torch.isfinite(images[:, 0, 0, 0]).numpy()
    rows = {"train": pool.train & seen, "validation": pool.validation & seen}
    known = truth[rows["train"]]
    usable = np.isfinite(known).sum(axis=0) > 1
    if not usable.any() or not rows["validation"].any():
        return {}
    names = [name for name, enough in zip(NAMES, usable, strict=True) if enough]
    mean, spread = np.nanmean(known[:, usable], axis=0), np.nanstd(known[:, usable], axis=0)
    target = torch.as_tensor((truth[:, usable] - mean) / spread, dtype=torch.float32)
    parts = {name: torch.as_tensor(np.flatnonzero(mask)) for name, mask in rows.items()}
    fits = [_fit(images, target, parts, width, seed) for width in WIDTHS]
    network = min(fits, key=lambda fit: fit.error).network
    value = np.full((len(pool), len(names)), np.nan)
    value[seen] = _predict(network, images[torch.as_tensor(seen)]) * spread + mean
    residual = (value - truth[:, usable])[pool.validation]
    return {
        name: Estimate(value[:, k], np.full(len(pool), _spread(residual[:, k])))
        for k, name in enumerate(names)
    }


def _convolution(before: int, after: int) -> list[nn.Module]:
    layer = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(after), nn.ReLU()]


def _fit(images: Tensor, target: Tensor, parts: dict[str, Tensor], width: int, seed: int) -> _Fit:
    torch.manual_seed(seed)
    network = PlainCnn(2 * images.shape[1] - 1, target.shape[1], width)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=SLOWER, patience=PATIENCE
    )
    least, kept = np.inf, dict[str, Tensor]()
    with tqdm(range(MAX_EPOCHS), f"cnn {width}", unit="epoch", leave=False) as bar:
        for _ in bar:
            network.train()
            order = parts["train"][torch.randperm(len(parts["train"]))]
            for batch in torch.split(order, BATCH):
                loss = _error(network(_turned(images[batch])), target[batch])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            score = _validation(network, images, target, parts["validation"])
            if score < least:
                least = score
                kept = {name: item.clone() for name, item in network.state_dict().items()}
            plateau.step(score)
            bar.set_postfix(validation=f"{score:.3f}")
            if optimiser.param_groups[0]["lr"] < 1.01 * LR * SLOWER**STEPS:
                break
    network.load_state_dict(kept)
    return _Fit(network, least)


def _error(estimate: Tensor, target: Tensor) -> Tensor:
    known = torch.isfinite(target)
    squares = torch.where(known, estimate - target.nan_to_num(), 0.0).square()
    return squares.sum() / known.sum().clamp(min=1)


def _turned(images: Tensor) -> Tensor:
    """A whole batch turned or flipped alike: batches are many."""
    turned = images.rot90(int(torch.randint(4, ())), (2, 3))
    return turned.flip(3) if torch.rand(()) < 0.5 else turned


def _validation(network: PlainCnn, images: Tensor, target: Tensor, rows: Tensor) -> float:
    estimate = torch.as_tensor(_predict(network, images[rows]), dtype=torch.float32)
    return float(_error(estimate, target[rows]))


@torch.inference_mode()
def _predict(network: PlainCnn, images: Tensor) -> NDArray[np.float64]:
    network.eval()
    parts = [
        torch.stack([network(turned) for turned in symmetries(batch)]).mean(dim=0)
        for batch in torch.split(images, BATCH)
    ]
    return torch.cat(parts).numpy().astype(np.float64)


def _spread(residual: NDArray[np.float64]) -> float:
    known = residual[np.isfinite(residual)]
    return float(np.sqrt(np.square(known).mean())) if len(known) else np.nan
