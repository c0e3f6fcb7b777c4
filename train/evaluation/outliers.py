"""The score of what lies outside of a run's training set."""

from itertools import accumulate
from typing import TYPE_CHECKING

import torch

from pcvae.model import outlook
from pcvae.ood import LEARNT, MAGNITUDES, OodScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pcvae.model import ConvVAE
    from pcvae.trainer import Galaxies, TrainingData

__all__ = ["ood_score"]

BATCH = 256
MOST = 200_000  # training galaxies that the score is fitted to: their features are in memory


def ood_score(model: "ConvVAE", data: "TrainingData") -> "tuple[OodScore, NDArray[np.float64]]":
    """Fit the score to the training galaxies; and the distances of those of validation, (n,).

    Of more than ``MOST`` training galaxies a random choice takes part.

    Args:
        model: The network with its weights.
        data: The galaxies.
    """
    model.cpu().eval()
    train, sizes = _outlook(model, data.train, _some_rows(len(data.train.image)))
    every = torch.arange(len(data.validation.image))
    validation, _ = _outlook(model, data.validation, every)
    first = LEARNT if model.magnitudes is None else MAGNITUDES
    shapes = [first, *[LEARNT] * (len(sizes) - 1)]
    score = OodScore.fit(train, [0, *accumulate(sizes)], validation, shapes)
    return score, score.distance(validation)


@torch.inference_mode()
def _outlook(
    model: "ConvVAE", galaxies: "Galaxies", chosen: torch.Tensor
) -> "tuple[NDArray[np.float64], list[int]]":
    """The features (n, F) of ``pcvae.model.outlook`` of some rows, and the width of each block."""
    parts, sizes = [], list[int]()
    for rows in torch.split(chosen, BATCH):
        some = galaxies.at(rows, torch.device("cpu"))
        features = model.features(some.image, some.core)
        blocks = outlook(model, features, model.posterior(features))
        sizes = [block.shape[1] for block in blocks]
        parts.append(torch.cat(blocks, dim=1))
    return torch.cat(parts).double().numpy(), sizes


def _some_rows(count: int) -> torch.Tensor:
    """All rows of so many, or ``MOST`` of them by chance, always the same, rising."""
    if count <= MOST:
        return torch.arange(count)
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MOST]
    return chosen.sort().values
