"""Encoding and decoding: raw pixels to latents with their errors, and back to images.

Shapes are written with N galaxies, C bands, P x P raw pixels, S x S network pixels, D latents.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pcvae.checkpoint import Run, read_run, run_folder
from pcvae.dataset import ELLIPTICITY, LatentSpace, orientation_of
from pcvae.errors import ShapeError
from pcvae.labels import wrap_angle
from pcvae.model import ConvVAE, Posterior, outlook
from pcvae.ood import OodScore, grown_sigma
from pcvae.preprocess import Stretch, display, symmetries

__all__ = ["Codec", "Encoded", "encode_images", "latent_table"]

STEEPEST = 3.0  # deviations from the mean beyond which a sigma is tilted no further
BATCH = 24  # galaxies at once on a CPU: of more, the planes need fresh memory each time
GPU_BATCH = 256


class Encoded(NamedTuple):
    """Encoded galaxies, in physical units.

    Args:
        mu: The latents' means, (N, D).
        sigma: Their errors, (N, D).
        recon_error: The mean squared error a pixel, in the network's units, (N,); NaN where
            nothing was decoded.
        ood_distance: The distance from the training galaxies (``pcvae.ood.OodScore``), (N,); NaN
            where the run has no such score.
    """

    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    recon_error: NDArray[np.float64]
    ood_distance: NDArray[np.float64]


def _averaged_labels(
    network: ConvVAE, space: LatentSpace, image: Tensor, core: Tensor, mu: Tensor
) -> Tensor:
    """The means (B, D) with those of labels averaged over the symmetries of the square.

    Flips change the sign of e sin 2 phi, the transposition that of e cos 2 phi; an angle itself
    is left as it is, and so are free latents.

    Args:
        network: The encoder.
        space: Its axes.
        image: As ``Stretch`` makes them, (B, C, S, S).
        core: As ``Stretch.cut_core`` makes them, (B, C, K, K).
        mu: The means of one pass, (B, D).
    """
    names = space.names
    chosen = [k for k in range(space.tied) if names[k] != "orientation"]
    total = torch.zeros_like(mu[:, chosen])
    pairs = zip(symmetries(image), symmetries(core), product((1, -1), repeat=3), strict=True)
    for turned, middle, (cosine, across, along) in pairs:
        layout = torch.channels_last
        found = network.encode(
            turned.contiguous(memory_format=layout), middle.contiguous(memory_format=layout)
        )
        signs = {ELLIPTICITY[0]: cosine, ELLIPTICITY[1]: across * along}
        total += found.mu[:, chosen] * mu.new_tensor([signs.get(names[k], 1) for k in chosen])
    averaged = mu.clone()
    averaged[:, chosen] = total / 8
    return averaged


class Codec:
    """Encodes and decodes with one run's network.

    Args:
        run: A finished run.
        device: Where the network runs.
        symmetries: Whether labels are the mean over the 8 flips and turns of an image, which is
            a little better and takes eight times as long; their sigmas stay those of one pass.

    Example:
        >>> codec = Codec.read(Path("data/runs/demo-physics"))  # doctest: +SKIP
        >>> codec.encode(flux).mu.shape  # doctest: +SKIP
        (64, 6)
    """

    def __init__(self, run: Run, device: str = "cpu", *, symmetries: bool = False) -> None:
        self.run, self.device, self.symmetries = run, torch.device(device), symmetries
        network = _fused(run.model).to(self.device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ood = OodScore.read(run.folder)
        space = run.info.space
        self._mean = torch.tensor(space.mean, device=self.device)
        self._scale = torch.tensor(space.scale, device=self.device)
        factor = torch.tensor(space.factor or [1.0] * len(space.latents), device=self.device)
        self.sigma_scale = self._scale * factor
        self.tilt = torch.tensor(space.tilt or [0.0] * len(space.latents), device=self.device)

    @staticmethod
    def read(folder: Path, device: str = "cpu", *, symmetries: bool = False) -> "Codec":
        """The codec of the run, or of the store's model, in ``folder``."""
        return Codec(read_run(folder), device, symmetries=symmetries)

    @property
    def batch(self) -> int:
        """Galaxies that are encoded at once."""
        return BATCH if self.device.type == "cpu" else GPU_BATCH

    @property
    def space(self) -> LatentSpace:
        """The axes of the latent space."""
        return self.run.info.space

    @torch.inference_mode()
    def encode(self, flux: NDArray[np.float32], *, decode: bool = True) -> Encoded:
        """Map raw pixels (N, C, P, P), in the sample's unit, to latents.

        Args:
            flux: The pixels.
            decode: Whether to decode them again for ``recon_error``, which takes as long again
                or longer.
        """
        starts = range(0, len(flux), self.batch)
        batches = (self.prepare(flux[i : i + self.batch]) for i in starts)
        return self.encode_prepared(batches, decode=decode)

    @torch.inference_mode()
    def encode_prepared(
        self, batches: Iterable[tuple[Tensor, Tensor]], *, decode: bool = True
    ) -> Encoded:
        """As ``encode``, of batches as ``prepare`` makes them, of ``batch`` galaxies each."""
        parts = [self._encode(*batch, decode=decode) for batch in batches]
        if not parts:
            empty = np.empty((0, len(self.space.latents)))
            return Encoded(empty, empty, np.empty(0), np.empty(0))
        return Encoded(*(np.concatenate(part) for part in zip(*parts, strict=True)))

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

    def prepare(self, flux: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        """The network images (N, C, S, S) and cores (N, C, K, K) of raw pixels (N, C, P, P)."""
        # Any strides, byte order and precision; no copy of what is float32 in one piece already.
        single = np.ascontiguousarray(flux, dtype=np.float32)
        raw = torch.as_tensor(single, device=self.device)
        return self.run.stretch(raw), self.run.stretch.cut_core(raw)

    def _encode(self, image: Tensor, core: Tensor, *, decode: bool) -> Encoded:
        image, core = _on_device(image, self.device), _on_device(core, self.device)
        features = self.network.features(image, core)
        posterior = self.network.posterior(features)
        if self.symmetries:
            averaged = _averaged_labels(self.network, self.space, image, core, posterior.mu)
            posterior = posterior._replace(mu=averaged)
        error = torch.full((len(image),), torch.nan)
        if decode:
            reconstruction = self.network.decode(posterior.mu)
            error = (reconstruction - image).square().flatten(1).mean(1)
        distance = _distance(self, features, posterior)
        mu = posterior.mu * self._scale + self._mean
        found = [values.cpu().double().numpy() for values in (mu, error)]
        return Encoded(found[0], _sigma(self, posterior, distance), found[1], distance)

    def table(self, flux: NDArray[np.float32], *, decode: bool = True) -> pd.DataFrame:
        """The columns of a store for raw pixels (N, C, P, P): ``latent_table`` of ``encode``."""
        return latent_table(self.encode(flux, decode=decode), self.space, self.ood)


def _distance(codec: Codec, features: Tensor, posterior: Posterior) -> NDArray[np.float64]:
    """The distances from the training galaxies (B,); NaN where the run has no such score."""
    if codec.ood is None:
        return np.full(len(features), np.nan)
    blocks = outlook(codec.network, features, posterior, measured=codec.ood.measured)
    return codec.ood.distance(torch.cat(blocks, dim=1).cpu().double().numpy())


def _sigma(
    codec: Codec, posterior: Posterior, distance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The calibrated errors (B, D) of the latents, in physical units."""
    space, tied = codec.space, codec.space.tied
    scale = (codec.tilt * posterior.mu.clamp(-STEEPEST, STEEPEST)).exp() * codec.sigma_scale
    spread = (posterior.logvar / 2).exp()
    sigma, unit = (values.cpu().double().numpy() for values in (spread, scale))
    if codec.ood and space.growth:
        slope, excess = np.array(space.growth), codec.ood.excess(distance)
        sigma[:, :tied] = grown_sigma(sigma[:, :tied], slope, excess)
    elif codec.ood and space.grows:
        sigma[:, :tied] *= codec.ood.growth(distance)[:, None]
    return sigma * unit


def _on_device(planes: Tensor, device: torch.device) -> Tensor:
    """The planes there, with the bands last in memory."""
    return planes.to(device).contiguous(memory_format=torch.channels_last)


def encode_images(
    images: ArrayLike, model: str | Path = "decals", *, device: str = "cpu"
) -> pd.DataFrame:
    """The latents of galaxy images, with their errors, in one call.

    Args:
        images: (N, C, P, P) in the unit, bands and pixel scale that the model was trained with;
            for ``decals`` nanomaggies in g, r and z, 128 pixels of 0.262 arcsec on a side, the
            galaxy in the middle.
        model: The folder of a run or of a store's model, or the name of a model that comes with
            pcvae (``decals``).
        device: Where the network runs: ``cpu``, ``cuda`` or ``mps``.

    Returns:
        A row a galaxy: each latent as NAME and NAME_sigma in its physical unit, ``orientation``
        [rad], ``recon_error``, and ``ood``, the share of training galaxies that lie farther in
        (``pcvae.ood.OodScore``), as in a store. A galaxy with a pixel that is not finite has NaN
        in all columns.

    Raises:
        ShapeError: The images are of another shape or kind than the model was trained with.
        RunError: There is no such model.

    Example:
        >>> latents = encode_images(np.zeros((2, 3, 128, 128), np.float32))
        >>> len(latents), "redshift_sigma" in latents
        (2, True)
    """
    codec = Codec.read(run_folder(model), device)
    flux = np.asarray(images)
    _check_images(flux, codec.run)
    finite = np.isfinite(flux).all(axis=(1, 2, 3))
    table = codec.table(np.where(np.isfinite(flux), flux, 0))
    table.loc[~finite] = np.nan
    return table


def _check_images(flux: NDArray[Any], run: Run) -> None:
    """Refuse images that differ from those the network was trained with."""
    bands, settings = run.stretch.bands, run.info.settings
    size, scale = settings.get("size"), settings.get("pixel_scale")
    unit = "nanomaggies" if run.stretch.scale else "values in [0, 1]"
    at = f" at {scale} arcsec a pixel" if scale else ""
    expected = (
        f"(N, {len(bands)}, {size or 'P'}, {size or 'P'}) of {unit} in {', '.join(bands)}{at}"
    )
    known = flux.ndim == 4 and flux.shape[1] == len(bands) and flux.shape[2] == flux.shape[3]
    if not known or flux.dtype.kind != "f" or (size and flux.shape[2] != size):
        msg = f"expected images {expected}, found {flux.shape} of {flux.dtype}"
        raise ShapeError(f"{msg}. `python -m data.ingest IN OUT` cuts and resamples images")


def _fused(model: ConvVAE) -> ConvVAE:
    """A copy with BatchNorms fused into convolutions and ReLUs in place: same output, faster."""
    model = deepcopy(model).eval()
    for block in model.modules():
        if isinstance(block, nn.ReLU):
            block.inplace = True
        if isinstance(block, nn.Sequential):
            for k, (layer, norm) in enumerate(pairwise(list(block))):
                if not isinstance(norm, nn.BatchNorm2d):
                    continue
                if isinstance(layer, nn.Conv2d):
                    block[k], block[k + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
                elif isinstance(layer, nn.ConvTranspose2d):
                    block[k] = fuse_conv_bn_eval(layer, norm, transpose=True)
                    block[k + 1] = nn.Identity()
    _flatten_in_place(model)
    return model


class _FlattenBandsLast(nn.Module):
    """Flatten planes (B, C, S, S) that lie in memory with the bands last: no copy."""

    def forward(self, planes: Tensor) -> Tensor:
        return planes.permute(0, 2, 3, 1).flatten(1)


def _flatten_in_place(model: ConvVAE) -> None:
    """Flatten the convolutions' planes as they lie in memory; the layer after it reads so."""
    (place,) = [k for k, layer in enumerate(model.image) if isinstance(layer, nn.Flatten)]
    dense = [layer for layer in model.image if isinstance(layer, nn.Linear)]
    reader = dense[0] if dense else model.head
    if reader is None:
        return
    size, planes = model.config.sizes[-1], model.config.widths[-1]
    order = torch.arange(planes * size**2).view(planes, size, size).permute(1, 2, 0).flatten()
    with torch.no_grad():
        reader.weight[:, : len(order)] = reader.weight[:, : len(order)][:, order]
    model.image[place] = _FlattenBandsLast()


def latent_table(
    encoded: Encoded, space: LatentSpace, ood: OodScore | None = None
) -> pd.DataFrame:
    """The columns of a store's latents: NAME, NAME_sigma, a derived orientation, the error.

    No redshift is below zero, which a network may say of near galaxies. With the run's score,
    ``ood_distance`` and the share ``ood`` too.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    for axis, name in enumerate(space.names):
        value = encoded.mu[:, axis]
        if name == "redshift":
            value = np.maximum(value, 0.0)
        columns[name] = wrap_angle(value) if name == "orientation" else value
        columns[f"{name}_sigma"] = encoded.sigma[:, axis]
    if ELLIPTICITY[0] in space.names:
        pair = [space.names.index(name) for name in ELLIPTICITY]
        mu, sigma = encoded.mu[:, pair], encoded.sigma[:, pair]
        angle, error = orientation_of(mu, sigma, space.angle_factor)
        columns |= {"orientation": angle, "orientation_sigma": error}
    columns["recon_error"] = encoded.recon_error
    if ood:
        columns["ood_distance"] = encoded.ood_distance
        columns["ood"] = ood.share(encoded.ood_distance)
    return pd.DataFrame(columns)
