"""What it costs to train on images in files in place of memory: time, and memory by number."""

import multiprocessing
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from pcvae.dataset import LatentSpace
from pcvae.image_file import ImageFile
from pcvae.loss import Targets
from pcvae.model import ConvVAE
from pcvae.recipes import Recipe
from pcvae.trainer import Galaxies, TrainingData, fit
from train.encoding.cluster import own_peak

__all__ = ["stream_figures"]

ROUNDS = 3
MORE = 8  # times as many galaxies, for the growth of the memory
BLOCK = 512  # images written at once
NOTHING = LatentSpace((), (), (), 0)


class _Silent:
    def step(self, terms: dict[str, float]) -> None:
        """Say nothing."""

    def epoch(self, row: dict[str, float]) -> None:
        """Say nothing."""


def stream_figures(recipe: Recipe, count: int) -> dict[str, float]:
    """Seconds an epoch both ways, alternating, and the peak memory [bytes] of each at two sizes.

    Files are in the page cache, as they were just written.

    Args:
        recipe: What is trained.
        count: Galaxies of the shorter epochs.
    """
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        data = {way: _data(recipe, count, Path(folder) if way else None) for way in seconds}
        for turn in range(ROUNDS + 1):
            for way, taken in seconds.items():
                began = time.perf_counter()
                _epoch(recipe, data[way])
                if turn:
                    taken.append(time.perf_counter() - began)
    streamed, held = (statistics.median(seconds[way]) for way in (True, False))
    figures = {
        "galaxies": float(count),
        "streamed_seconds_per_epoch": streamed,
        "in_memory_seconds_per_epoch": held,
        "ratio_of_streamed_to_in_memory": streamed / held,
    }
    for way, name in ((True, "streamed"), (False, "in_memory")):
        for number in (count, MORE * count):
            figures[f"{name}_peak_bytes_at_{number}"] = _peak_apart(recipe, number, streamed=way)
    return figures


def _peak_apart(recipe: Recipe, count: int, *, streamed: bool) -> float:
    """The peak memory of a process that trains for an epoch."""
    apart = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=apart) as process:
        return float(process.submit(peak_of_epoch, recipe, count, streamed=streamed).result())


def peak_of_epoch(recipe: Recipe, count: int, *, streamed: bool) -> int:
    """Train for an epoch; the most memory [bytes] that this process had."""
    with tempfile.TemporaryDirectory() as folder:
        _epoch(recipe, _data(recipe, count, Path(folder) if streamed else None))
    return own_peak()


def _epoch(recipe: Recipe, data: TrainingData) -> None:
    """One epoch with validation, and what it leaves on disk."""
    once = replace(recipe, fit=replace(recipe.fit, epochs=1))
    fabric = Fabric(accelerator="cpu", devices=1)
    with tempfile.TemporaryDirectory() as folder:
        fit(fabric, ConvVAE(recipe.model), data, once, Path(folder), _Silent())


def _data(recipe: Recipe, count: int, folder: Path | None) -> TrainingData:
    """Images of noise, in files of a folder or in memory; a tenth of them to validate on."""
    train, validation = (
        _galaxies(recipe, number, folder and folder / name)
        for number, name in ((count, "train"), (count // 10, "validation"))
    )
    return TrainingData(train, validation, NOTHING)


def _galaxies(recipe: Recipe, count: int, path: Path | None) -> Galaxies:
    size, core = recipe.model.size, recipe.model.core
    targets = Targets(torch.randn(count, 4), torch.ones(count, 4))
    shapes = (count, 3, size, size), (count, 3, core, core)
    if path is None:
        images: list[torch.Tensor | ImageFile] = [torch.empty(shape) for shape in shapes]
    else:
        images = [ImageFile(path.with_suffix(f".{n}"), shape) for n, shape in enumerate(shapes)]
    for image in images:
        if isinstance(image, ImageFile):
            image.make_room()
        for start in range(0, count, BLOCK):
            some = slice(start, min(start + BLOCK, count))
            image[some] = torch.rand(some.stop - some.start, *image.shape[1:])
    return Galaxies(images[0], targets, images[1])
