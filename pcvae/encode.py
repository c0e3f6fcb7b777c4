"""A trained model at work: raw pixels to latents with their errors, and back to pictures.

Shapes are written with N galaxies, C bands, P x P raw pixels, S x S network pixels, D latents.
"""

from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pcvae.checkpoint import Run, read_run
from pcvae.dataset import ELLIPTICITY, LatentSpace, orientation_of
from pcvae.labels import wrap_angle
from pcvae.model import ConvVAE
from pcvae.preprocess import Stretch, display

__all__ = ["Codec", "Encoded", "latent_table"]

STEEPEST = 3.0  # deviations from the mean beyond which a sigma is tilted no further
BATCH = 64  # galaxies that a network takes at once


class Encoded(NamedTuple):
    """What the encoder says, in physical units.

    Args:
        mu: The latents' means, (N, D).
        sigma: Their errors, (N, D).
        recon_error: The mean squared error a pixel, in the network's units, (N,); NaN where
            nothing was decoded.
    """

    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    recon_error: NDArray[np.float64]


class Codec:
    """Encodes and decodes with one run's network.

    Args:
        run: A finished run.
        device: Where the network runs.

    Example:
        >>> codec = Codec.read(Path("data/runs/demo-physics"))  # doctest: +SKIP
        >>> codec.encode(flux).mu.shape  # doctest: +SKIP
        (64, 6)
    """

    def __init__(self, run: Run, device: str = "cpu") -> None:
        self.run, self.device = run, torch.device(device)
        network = _fused(run.model).to(self.device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        space = run.info.space
        self._mean = torch.tensor(space.mean, device=self.device)
        self._scale = torch.tensor(space.scale, device=self.device)
        factor = torch.tensor(space.factor or [1.0] * len(space.latents), device=self.device)
        self._sigma_scale = self._scale * factor
        self._tilt = torch.tensor(space.tilt or [0.0] * len(space.latents), device=self.device)

    @staticmethod
    def read(folder: Path, device: str = "cpu") -> "Codec":
        """The codec of the run, or of the store's model, in ``folder``."""
        return Codec(read_run(folder), device)

    @property
    def space(self) -> LatentSpace:
        """The axes of the latent space."""
        return self.run.info.space

    @torch.inference_mode()
    def encode(self, flux: NDArray[np.float32], *, decode: bool = True) -> Encoded:
        """Map raw pixels (N, C, P, P), in the sample's unit, to latents.

        Args:
            flux: The pixels.
            decode: Whether to decode them again for ``recon_error``, which takes most of the time.
        """
        starts = range(0, len(flux), BATCH)
        parts = [self._encode(flux[i : i + BATCH], decode=decode) for i in starts]
        if not parts:
            empty = np.empty((0, len(self.space.latents)))
            return Encoded(empty, empty, np.empty(0))
        return Encoded(*(np.concatenate(one) for one in zip(*parts, strict=True)))

    @torch.inference_mode()
    def decode(self, latents: NDArray[np.float64]) -> NDArray[np.float32]:
        """Map latents (N, D), in physical units, to network images (N, C, S, S)."""
        values = torch.tensor(latents, dtype=torch.float32, device=self.device)
        return self.network.decode((values - self._mean) / self._scale).cpu().numpy()

    def decode_rgb(
        self, latents: NDArray[np.float64], stamp_stretch: Mapping[str, Any]
    ) -> NDArray[np.float32]:
        """Map latents (N, D) to pictures (N, S, S, 3) in [0, 1], as the store's stamps show.

        Args:
            latents: In physical units.
            stamp_stretch: The store's ``stamp_stretch``.
        """
        raw = self.run.stretch.restore(torch.as_tensor(self.decode(latents)))
        shown = Stretch.of({**stamp_stretch, "size": raw.shape[-1]})
        return display(raw, shown)

    def _encode(self, flux: NDArray[np.float32], *, decode: bool) -> Encoded:
        raw = torch.as_tensor(flux, dtype=torch.float32, device=self.device)
        image = self.run.stretch(raw).contiguous(memory_format=torch.channels_last)
        posterior = self.network.encode(image)
        error = torch.full((len(image),), torch.nan)
        if decode:
            reconstruction = self.network.decode(posterior.mu)
            error = (reconstruction - image).square().flatten(1).mean(1)
        mu = posterior.mu * self._scale + self._mean
        tilted = posterior.logvar / 2 + self._tilt * posterior.mu.clamp(-STEEPEST, STEEPEST)
        sigma = tilted.exp() * self._sigma_scale
        return Encoded(*(one.cpu().double().numpy() for one in (mu, sigma, error)))


def _fused(model: ConvVAE) -> ConvVAE:
    """A copy whose convolutions do the work of the BatchNorms behind them: the same, sooner."""
    model = deepcopy(model).eval()
    for block in model.modules():
        if isinstance(block, nn.Sequential):
            for k, (one, norm) in enumerate(pairwise(list(block))):
                if not isinstance(norm, nn.BatchNorm2d):
                    continue
                if isinstance(one, nn.Conv2d):
                    block[k], block[k + 1] = fuse_conv_bn_eval(one, norm), nn.Identity()
                elif isinstance(one, nn.ConvTranspose2d):
                    block[k] = fuse_conv_bn_eval(one, norm, transpose=True)
                    block[k + 1] = nn.Identity()
    return model


def latent_table(encoded: Encoded, space: LatentSpace) -> pd.DataFrame:
    """The columns of a store's latents: NAME, NAME_sigma, a derived orientation, the error."""
    columns: dict[str, NDArray[np.float64]] = {}
    for axis, name in enumerate(space.names):
        value = encoded.mu[:, axis]
        columns[name] = wrap_angle(value) if name == "orientation" else value
        columns[f"{name}_sigma"] = encoded.sigma[:, axis]
    if ELLIPTICITY[0] in space.names:
        pair = [space.names.index(name) for name in ELLIPTICITY]
        mu, sigma = encoded.mu[:, pair], encoded.sigma[:, pair]
        angle, error = orientation_of(mu, sigma, space.angle_factor)
        columns |= {"orientation": angle, "orientation_sigma": error}
    return pd.DataFrame(columns | {"recon_error": encoded.recon_error})
