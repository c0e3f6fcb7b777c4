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


def ood_score(model: "ConvVAE", data: "TrainingData") -> "tuple[OodScore, NDArray[np.float64]]":
    """Fit the score to the training galaxies; and the distances of those of validation, (n,).

    Args:
        model: The network with its weights.
        data: The galaxies.
    """
    model.cpu().eval()
    train, sizes = _outlook(model, data.train)
    validation, _ = _outlook(model, data.validation)
    first = LEARNT if model.magnitudes is None else MAGNITUDES
    shapes = [first, *[LEARNT] * (len(sizes) - 1)]
    score = OodScore.fit(train, [0, *accumulate(sizes)], validation, shapes)
    return score, score.distance(validation)


@torch.inference_mode()
def _outlook(model: "ConvVAE", galaxies: "Galaxies") -> "tuple[NDArray[np.float64], list[int]]":
    """The features (N, F) of ``pcvae.model.outlook``, and the width of each block."""
    parts, sizes = [], list[int]()
    for rows in torch.split(torch.arange(len(galaxies.image)), BATCH):
        some = galaxies.at(rows, torch.device("cpu"))
        features = model.features(some.image, some.core)
        blocks = outlook(model, features, model.posterior(features))
        sizes = [block.shape[1] for block in blocks]
        parts.append(torch.cat(blocks, dim=1))
    return torch.cat(parts).double().numpy(), sizes
