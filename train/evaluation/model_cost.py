"""The cost of a model: weights, seconds of training, milliseconds a galaxy."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pcvae.encode import BATCH, Codec

__all__ = ["SURVEY", "cost"]

SURVEY = 20e9  # galaxies that Rubin will see, for which the paper states CPU-hours
REPEATS = 5


def cost(codec: Codec, folder: Path, size: int, seed: int = 0) -> dict[str, Any]:
    """The figures of one model, on this machine and by as many threads as PyTorch has now.

    Pixels of noise are encoded, as no figure hangs on what they show; the shortest of some repeats
    counts, as others are longer by what else the machine does.

    Args:
        codec: The model.
        folder: Where its ``metrics.csv`` is, if anywhere.
        size: Pixels on a side of the sample's cutouts.
        seed: Fixes the noise.
    """
    import torch

    shape = BATCH, codec.run.info.model.bands, size, size
    flux = np.random.default_rng(seed).random(shape, dtype=np.float32)
    encode = _seconds(lambda: codec.encode(flux, decode=False)) / BATCH
    both = _seconds(lambda: codec.encode(flux)) / BATCH
    return {
        "weights": sum(weight.numel() for weight in codec.run.model.parameters()),
        **_training(folder / "metrics.csv"),
        "encode_ms": 1e3 * encode,
        "encode_decode_ms": 1e3 * both,
        "threads": torch.get_num_threads(),
        "survey_cpu_hours": SURVEY * encode * torch.get_num_threads() / 3600,
    }


def _seconds(work: Callable[[], Any]) -> float:
    work()
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def _training(path: Path) -> dict[str, Any]:
    table = pd.read_csv(path) if path.exists() else pd.DataFrame()
    if "seconds" not in table:
        return {"epochs": None, "training_seconds": None}
    return {"epochs": len(table), "training_seconds": float(table["seconds"].sum())}
