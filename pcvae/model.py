"""The convolutional VAE: a galaxy image in, a Gaussian over its latents out.

Shapes are written with B galaxies, C bands, S x S pixels, K x K raw pixels of the core, F features
and D latents.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from pcvae.errors import SettingsError, ShapeError
from pcvae.preprocess import unsquash

__all__ = [
    "ConvVAE",
    "Core",
    "ModelConfig",
    "Output",
    "Photometry",
    "Posterior",
    "permute_latents",
]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The architecture of the network; saved beside its weights.

    Args:
        bands: Planes of an image, C.
        size: Pixels on a side, S.
        latents: Axes of the latent space, D.
        widths: Channels after each halving of the image; the published code's by default.
        hidden: Units of a dense layer between image and latents, each way; 0 for none.
        apertures: Radii [network px] of the circles whose fluxes the encoder is given too.
        colours: Whether the encoder is given the differences of those magnitudes as well, between
            bands and between circles.
        dropout: The share of the convolutions' features that is dropped in training.
        dimming: The same of the features of the magnitudes.
        transposed: Whether the decoder doubles the image by 4 x 4 transposed convolutions, in
            place of the published enlargement and convolution of the enlarged image.
        linear: Whether the circles sum the flux before Eq. 1; else the image as it is, for images
            that come stretched by others.
        sampled: The latents that are drawn in training, from the last; None for all. The
            others are decoded from their mean.
        core: Raw pixels on a side, K, of the middle (``Stretch.cut_core``) that a tower of
            convolutions of its own sees; 0 for none.
        core_widths: Its channels after each halving.
        core_dropout: The share of its features that is dropped in training.
        magnitudes: Whether the latents are decoded to the magnitudes too, by a linear layer, and
            the free ones may be linear in them: the colours and sizes that a search needs, which
            weigh nothing in a picture. Without apertures there are none.
        tied: The latents, from the first, that come of the core alone, and that neither the
            decoder nor the prior trains; 0 where there is no core.
    """

    bands: int = 3
    size: int = 69
    latents: int = 5
    widths: tuple[int, ...] = (16, 32)
    hidden: int = 0
    apertures: tuple[float, ...] = ()
    colours: bool = False
    dropout: float = 0.0
    dimming: float = 0.0
    transposed: bool = False
    linear: bool = True
    sampled: int | None = None
    core: int = 0
    core_widths: tuple[int, ...] = (24, 48, 96, 96)
    core_dropout: float = 0.1
    magnitudes: bool = False
    tied: int = 0

    def __post_init__(self) -> None:
        if self.transposed and self.size % 2 ** len(self.widths):
            msg = (
                f"expected a size that {len(self.widths)} doublings end at, a multiple of "
                f"{2 ** len(self.widths)}, found {self.size}"
            )
            raise SettingsError(msg)
        if self.core < 0 or (self.core and not self.core_widths):
            msg = f"expected a core of 0 or more pixels, with widths, found {self.core} px and "
            raise SettingsError(msg + f"{self.core_widths}")
        if self.tied and not (self.core and self.tied <= self.latents):
            msg = f"expected at most {self.latents} tied latents of a core, found {self.tied}"
            raise SettingsError(msg)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels on a side before the first and after each halving: 69, 35, 18."""
        sizes = [self.size]
        for _ in self.widths:
            sizes.append(-(-sizes[-1] // 2))
        return tuple(sizes)


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
        down = [_down(*pair) for pair in pairwise(widths)]
        up = _up(config)
        inner = config.hidden or flat
        drop = [nn.Dropout(config.dropout)] if config.dropout else []
        self.image = nn.Sequential(*down, nn.Flatten(), *drop, *_dense(flat, config.hidden), *drop)
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
            *_dense(config.latents, config.hidden),
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

    def outlook(self, features: Tensor, posterior: Posterior) -> list[Tensor]:
        """The blocks, each (B, F_b), in which what the network was not trained on stands out.

        Photometry and core where there are any; else mean and variance of the latents. What the
        convolutions of the stretched image find tells little: they have learnt to paint.
        """
        parts = [part.units for part in (self.photometry, self.core) if part is not None]
        if not parts:
            return [torch.cat(posterior, dim=1)]
        return list(features[:, -sum(parts) :].split(parts, dim=1))  # type: ignore[no-untyped-call]

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


class Core(nn.Module):
    """What the middle of a galaxy shows in raw pixels, of which Eq. 1 and the resize lose some.

    3 x 3 convolutions of stride 2, their mean over the image, and a dense layer. Outside of
    training the mean is over the image and its half turn, which changes no label, not even the
    orientation.

    Args:
        config: Of the network; its core, widths and hidden units count.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        widths = (config.bands, *config.core_widths)
        drop = [nn.Dropout(config.core_dropout)] if config.core_dropout else []
        self.units = config.hidden or widths[-1]
        self.convolutions = nn.Sequential(*(_down(*pair) for pair in pairwise(widths)))
        self.dense = nn.Sequential(*drop, *_dense(widths[-1], config.hidden), *drop)

    def forward(self, core: Tensor) -> Tensor:
        """Map (B, C, K, K) cores to (B, units) features."""
        seen = self.convolutions(core).mean(dim=(2, 3))
        if not self.training:
            seen = (seen + self.convolutions(core.flip((2, 3))).mean(dim=(2, 3))) / 2
        return self.dense(seen)


class Photometry(nn.Module):
    r"""Magnitude features, which the stretched image lacks where bright cores saturate.

    .. math::
        m_{b,R} = \operatorname{asinh} \sum_{r < R} y_b, \qquad y_b = x_b / \sqrt{1 - x_b^2}

    the stretch of Eq. 1 undone, summed in circles around the centre, brought to mean 0 and
    deviation 1 over a batch, and through two dense layers. asinh is a logarithm that bears noise
    below zero (Lupton et al. 1999, https://arxiv.org/abs/astro-ph/9903081). The differences of
    neighbouring bands and circles say nothing new, but each is then brought to deviation 1, where
    among magnitudes it is a small change of large numbers.

    Args:
        config: Of the network; its apertures, sizes and hidden units count.
    """

    circles: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        offset = torch.arange(config.size) - (config.size - 1) / 2
        distance = torch.hypot(offset[:, None], offset[None, :]).flatten()
        circles = (distance < torch.tensor(config.apertures)[:, None]).float().T.contiguous()
        # The configuration has them already, so the weights need not.
        self.register_buffer("circles", circles, persistent=False)
        self.linear, self.colours = config.linear, config.colours
        bands, radii = config.bands, len(config.apertures)
        magnitudes = bands * radii
        if config.colours:
            magnitudes += (bands - 1) * radii + bands * (radii - 1)
        self.count, self.units = magnitudes, config.hidden or magnitudes
        self.layers = nn.Sequential(
            nn.BatchNorm1d(magnitudes, affine=False),
            *_dense(magnitudes, self.units),
            *_dense(self.units, self.units),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, S, S) images to (B, units) features of their magnitudes."""
        return self.features(self.scaled(image))

    def measured(self, image: Tensor) -> Tensor:
        """The magnitudes and colours (B, count) of (B, C, S, S) images."""
        light = unsquash(image) if self.linear else image
        found = [torch.asinh(light.flatten(2) @ self.circles)]
        if self.colours:
            found += [found[0].diff(dim=1), found[0].diff(dim=2)]
        return torch.cat([part.flatten(1) for part in found], dim=1)

    def scaled(self, image: Tensor) -> Tensor:
        """The same with mean 0 and deviation 1."""
        return self.layers[0](self.measured(image))

    def features(self, scaled: Tensor) -> Tensor:
        """Map them to (B, units) features."""
        return self.layers[1:](scaled)


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


def _down(before: int, after: int) -> nn.Module:
    conv = nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


def _enlarged(before: int, after: int, size: int) -> list[nn.Module]:
    enlarge = nn.Upsample(size=size, mode="bilinear")
    return [enlarge, nn.ConvTranspose2d(before, after, kernel_size=3, padding=1)]


def _doubled(before: int, after: int, _size: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1)]


def _dense(before: int, after: int) -> list[nn.Module]:
    return [nn.Linear(before, after), nn.ReLU()] if after else []
