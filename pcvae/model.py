"""The convolutional VAE: a galaxy image in, a Gaussian over its latents out.

Shapes are written with B galaxies, C bands, S x S pixels, K x K raw pixels of the core, F features
and D latents.
"""

from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from pcvae.errors import ShapeError
from pcvae.model_config import ModelConfig
from pcvae.towers import Core, Photometry, dense, down

__all__ = [
    "ConvVAE",
    "Core",
    "ModelConfig",
    "Output",
    "Photometry",
    "Posterior",
    "outlook",
    "permute_latents",
]


class Posterior(NamedTuple):
    r"""The posterior :math:`q(z \mid x) = \mathcal{N}(\mu, \sigma^2)`, each (B, D)."""

    mu: Tensor
    logvar: Tensor

    def sample(self, last: int | None = None) -> Tensor:
        r"""Draw :math:`z = \mu + \sigma \epsilon`, which keeps the gradient.

        Args:
            last: Draw only that many latents, from the last; the others are their mean.
        """
        start = 0 if last is None else self.mu.shape[1] - last
        mu, logvar = self.mu[:, start:], self.logvar[:, start:]
        drawn = mu + torch.randn_like(mu) * (logvar / 2).exp()
        return torch.cat([self.mu[:, :start], drawn], dim=1)


class Output(NamedTuple):
    """What a network makes of a batch.

    Args:
        image: The reconstruction (B, C, S, S).
        posterior: Over the latents.
        magnitude_error: The squared error of the decoded magnitudes, summed over them (B,); None
            for a network that decodes none.
    """

    image: Tensor
    posterior: Posterior
    magnitude_error: Tensor | None = None


class ConvVAE(nn.Module):
    """Encode (B, C, S, S) images in [0, 1] to D latents and decode them back.

    With the default configuration this is the network of the published code: two 3 x 3
    convolutions of stride 2 and a linear layer; a linear layer, then twice a bilinear
    enlargement and a 3 x 3 transposed convolution, with BatchNorm and ReLU between, and a
    sigmoid at the end.

    Args:
        config: The sizes of the network.

    Example:
        >>> vae = ConvVAE(ModelConfig(size=16, latents=5))
        >>> output = vae(torch.rand(2, 3, 16, 16))
        >>> output.image.shape, output.posterior.mu.shape
        (torch.Size([2, 3, 16, 16]), torch.Size([2, 5]))
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths, sizes = (config.bands, *config.widths), config.sizes
        flat = widths[-1] * sizes[-1] ** 2
        halved = [down(*pair) for pair in pairwise(widths)]
        up = _up(config)
        inner = config.hidden or flat
        drop = [nn.Dropout(config.dropout)] if config.dropout else []
        layers = [*halved, nn.Flatten(), *drop, *dense(flat, config.hidden, config.leak), *drop]
        self.image = nn.Sequential(*layers)
        self.photometry = Photometry(config) if config.apertures else None
        self.dim = nn.Dropout(config.dimming)
        self.core = Core(config) if config.core else None
        scaled = self.photometry.count if self.photometry and config.magnitudes else 0
        seen = inner + (self.photometry.units if self.photometry else 0) + scaled
        seen += self.core.units if self.core else 0
        free = config.latents - config.tied
        self.head = nn.Linear(seen, 2 * free) if free else None
        tied = self.core.units if self.core and config.tied else 0
        self.tied_head = nn.Linear(tied, 2 * config.tied) if tied else None
        self.magnitudes = nn.Linear(config.latents, scaled) if scaled else None
        self.decoder = nn.Sequential(
            *dense(config.latents, config.hidden),
            nn.Linear(config.hidden or config.latents, flat),
            nn.Unflatten(1, (widths[-1], sizes[-1], sizes[-1])),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(),
            *up,
            nn.Sigmoid(),
        )

    def features(self, image: Tensor, core: Tensor | None = None) -> Tensor:
        """What the encoder makes of (B, C, S, S) images before its latents, (B, F).

        Args:
            image: As ``Stretch`` makes them.
            core: (B, C, K, K), as ``Stretch.cut_core`` makes them, for a network with a core.

        Raises:
            ShapeError: They are of another shape than the network's.
        """
        _check_shapes(self.config, image, core)
        found = [self.image(image)]
        if self.photometry is not None:
            scaled = self.photometry.scaled(image)
            found += [scaled] if self.magnitudes is not None else []
            found.append(self.dim(self.photometry.features(scaled)))
        if self.core is not None and core is not None:
            found.append(self.core(core))
        return torch.cat(found, dim=1) if len(found) > 1 else found[0]

    def posterior(self, features: Tensor) -> Posterior:
        """The posterior over the latents, of features (B, F).

        The free latents read the core's features, but do not train them: what its convolutions
        look for are the labels.
        """
        parts = []
        if self.tied_head is not None:
            units = self.tied_head.in_features
            core = features[:, -units:]
            parts.append(self.tied_head(core).chunk(2, dim=1))
            features = torch.cat([features[:, :-units], core.detach()], dim=1)
        if self.head is not None:
            parts.append(self.head(features).chunk(2, dim=1))
        return Posterior(*(torch.cat(part, dim=1) for part in zip(*parts, strict=True)))

    def encode(self, image: Tensor, core: Tensor | None = None) -> Posterior:
        """Map (B, C, S, S) images, with their (B, C, K, K) cores, to the posterior."""
        return self.posterior(self.features(image, core))

    def decode(self, latents: Tensor) -> Tensor:
        """Map (B, D) latents to (B, C, S, S) images in [0, 1]."""
        return self.decoder(latents)

    def forward(self, image: Tensor, core: Tensor | None = None) -> Output:
        """Reconstruct the images; sample in training, use the mean otherwise."""
        features = self.features(image, core)
        posterior = self.posterior(features)
        latents = posterior.sample(self.config.sampled) if self.training else posterior.mu
        tied = self.config.tied
        latents = torch.cat([latents[:, :tied].detach(), latents[:, tied:]], dim=1)
        error = None
        if self.magnitudes is not None:
            count = self.magnitudes.out_features
            end = sum(part.units for part in (self.photometry, self.core) if part is not None)
            found = features[:, features.shape[1] - end - count : features.shape[1] - end]
            error = (self.magnitudes(latents) - found.detach()).square().sum(dim=1)
        return Output(self.decode(latents), posterior, error)


def outlook(
    model: ConvVAE, features: Tensor, posterior: Posterior, *, measured: bool = True
) -> list[Tensor]:
    """The blocks, each (B, F_b), in which what a network was not trained on stands out.

    Photometry and core where there are any; else mean and variance of the latents. What the
    convolutions of the stretched image find tells little: they have learnt to paint.

    Args:
        model: The network.
        features: As ``ConvVAE.features`` gives them.
        posterior: Theirs.
        measured: Whether photometry is the scaled magnitudes themselves where the network
            decodes them, in place of what its dense layers make of them.
    """
    parts = [part.units for part in (model.photometry, model.core) if part is not None]
    if not parts:
        return [torch.cat(posterior, dim=1)]
    blocks = list(features[:, -sum(parts) :].split(parts, dim=1))  # type: ignore[no-untyped-call]
    if measured and model.magnitudes is not None:
        end = features.shape[1] - sum(parts)
        blocks[0] = features[:, end - model.magnitudes.out_features : end]
    return blocks


@torch.no_grad()
def permute_latents(model: ConvVAE, order: Tensor) -> None:
    """Give the latents of a network another order, in place; the tied ones must stay.

    Args:
        model: The network.
        order: The present place of each latent, (D,).
    """
    if model.head is not None:
        free = order[model.config.tied :] - model.config.tied
        rows = torch.cat([free, free + len(free)])
        model.head.weight.copy_(model.head.weight[rows])
        model.head.bias.copy_(model.head.bias[rows])
    for layer in (model.decoder[0], model.magnitudes):
        if layer is not None:
            weight = cast("Tensor", layer.weight)
            weight.copy_(weight[:, order])


def _check_shapes(config: ModelConfig, image: Tensor, core: Tensor | None) -> None:
    """Refuse images or cores of another shape."""
    bands, size, middle = config.bands, config.size, config.core
    if image.shape[1:] != (bands, size, size):
        msg = (
            f"expected images of shape (B, {bands}, {size}, {size}), found "
            f"{tuple(image.shape)}; run them through pcvae.preprocess.Stretch first"
        )
        raise ShapeError(msg)
    if middle and (core is None or core.shape[1:] != (bands, middle, middle)):
        found = "none" if core is None else tuple(core.shape)
        msg = (
            f"expected cores of shape (B, {bands}, {middle}, {middle}), found {found}; "
            f"pcvae.preprocess.Stretch.cut_core makes them"
        )
        raise ShapeError(msg)


def _up(config: ModelConfig) -> list[nn.Module]:
    """The decoder's layers that double the image, to the last one before the sigmoid."""
    widths, sizes = (config.bands, *config.widths), config.sizes
    enlarge = _doubled if config.transposed else _enlarged
    up: list[nn.Module] = [
        nn.Sequential(
            *enlarge(widths[i + 1], widths[i], sizes[i]), nn.BatchNorm2d(widths[i]), nn.ReLU()
        )
        for i in reversed(range(1, len(config.widths)))
    ]
    last = enlarge(widths[1], config.bands, config.size)
    if config.transposed:
        # A night sky rather than a grey one to start from: the first epochs are not lost.
        nn.init.constant_(cast("Tensor", last[-1].bias), -3.0)
    return [*up, *last]


def _enlarged(before: int, after: int, size: int) -> list[nn.Module]:
    enlarge = nn.Upsample(size=size, mode="bilinear")
    return [enlarge, nn.ConvTranspose2d(before, after, kernel_size=3, padding=1)]


def _doubled(before: int, after: int, _size: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1)]
