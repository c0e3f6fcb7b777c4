"""Calibration of a run's sigmas on the validation split."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from pcvae.calibration import sigma_factor, sigma_tilt
from pcvae.dataset import ELLIPTICITY, measure_labels, orientation_of
from pcvae.encode import STEEPEST
from pcvae.metrics import errors
from pcvae.ood import grown_sigma

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pcvae.dataset import LabelConfig, LatentSpace
    from pcvae.model import ConvVAE
    from pcvae.trainer import Galaxies

__all__ = ["GROWTH", "calibrated"]

GROWTH = 5.0  # of sigmas, in spreads of the label, for each D80 that a galaxy lies beyond D80
STILL = (*ELLIPTICITY, "orientation")  # hold for rare galaxies as they are


def calibrated(
    space: "LatentSpace",
    labels: "LabelConfig",
    model: "ConvVAE",
    validation: "Galaxies",
    catalog: "pd.DataFrame",
    excess: "NDArray[np.float64]",
) -> "LatentSpace":
    """The latent space with factors on its sigmas, as ``sigma_factor`` and ``sigma_tilt`` find.

    Args:
        space: The latent space, D latents.
        labels: How the labels were measured for training; here the catalogue's own errors count.
        model: The network.
        validation: The n galaxies of the validation split, images and targets.
        catalog: Their rows, (n,).
        excess: How far each lies outside of the training set, (n,), as ``OodScore.excess`` says.
    """
    model.cpu().eval()
    with torch.inference_mode():
        rows = torch.split(torch.arange(len(validation.image)), 256)
        parts = (validation.at(some, torch.device("cpu")) for some in rows)
        found = [model.encode(part.image, part.core) for part in parts]
    mu, logvar = (torch.cat(values).double().numpy() for values in zip(*found, strict=True))
    scale, tied = np.array(space.scale), space.names[: space.tied]
    noise = measure_labels(catalog, tied, replace(labels, errors="given")).sigma
    noise = noise / scale[: space.tied]
    apart = mu[:, : space.tied] - validation.targets.truth.numpy()
    sigma, tilt, factor = np.exp(logvar / 2), np.zeros(len(scale)), np.ones(len(scale))
    slope = np.array([0.0 if name in STILL else GROWTH for name in tied])
    sigma[:, : space.tied] = grown_sigma(sigma[:, : space.tied], slope, excess)
    steep = mu.clip(-STEEPEST, STEEPEST)
    for k, name in enumerate(tied):
        told = apart[:, k], sigma[:, k], noise[:, k]
        if name in ELLIPTICITY:
            factor[k] = sigma_factor(*told)
        else:
            tilt[k], factor[k] = sigma_tilt(*told, steep[:, k])
    fitted = tuple(factor.tolist()), tuple(tilt.tolist())
    space = replace(space, factor=fitted[0], tilt=fitted[1], angle_factor=1.0)
    space = replace(space, grows=False, growth=tuple(slope.tolist()))
    if ELLIPTICITY[0] not in tied:
        return space
    sigma = sigma * np.exp(tilt * steep) * factor * scale
    physical = mu * scale + np.array(space.mean), sigma
    return replace(space, angle_factor=_angle_factor(space, *physical, catalog))


def _angle_factor(
    space: "LatentSpace",
    mu: "NDArray[np.float64]",
    sigma: "NDArray[np.float64]",
    catalog: "pd.DataFrame",
) -> float:
    """The factor on the error of the derived orientation."""
    pair = [space.names.index(name) for name in ELLIPTICITY]
    angle, spread = orientation_of(mu[:, pair], sigma[:, pair])
    noise = np.nan_to_num(catalog["orientation_err"].to_numpy(np.float64))
    return sigma_factor(errors(catalog["orientation"], angle, "orientation"), spread, noise)
