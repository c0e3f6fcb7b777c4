"""Parts of the encoder beside the convolutions of the stretched image: core and photometry.

Shapes are written with B galaxies, C bands, S x S pixels and K x K raw pixels of the core.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pcvae.model_config import ModelConfig
from pcvae.preprocess import unsquash

__all__ = ["Core", "Photometry", "dense", "down"]


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
        self.convolutions = nn.Sequential(*(down(*pair) for pair in pairwise(widths)))
        self.dense = nn.Sequential(*drop, *dense(widths[-1], config.hidden), *drop)

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
            *dense(magnitudes, self.units),
            *dense(self.units, self.units),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, C, S, S) images to (B, units) features of their magnitudes."""
        return self.features(self.scaled(image))

    def measured(self, image: Tensor) -> Tensor:
        """The magnitudes and colours (B, count) of (B, C, S, S) images.

        In single precision, whatever that of the training is: colours are small differences.
        """
        with torch.autocast(image.device.type, enabled=False):
            light = unsquash(image.float()) if self.linear else image.float()
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


def down(before: int, after: int) -> nn.Module:
    """A 3 x 3 convolution of stride 2 with BatchNorm and ReLU, which halves an image."""
    conv = nn.Conv2d(before, after, kernel_size=3, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


def dense(before: int, after: int, leak: float = 0.0) -> list[nn.Module]:
    """A dense layer with a ReLU of that slope below zero; none for no units."""
    activation = nn.LeakyReLU(leak) if leak else nn.ReLU()
    return [nn.Linear(before, after), activation] if after else []
