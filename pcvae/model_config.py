"""The architecture of the network, as it is saved beside its weights."""

from dataclasses import dataclass

from pcvae.errors import SettingsError

__all__ = ["ModelConfig"]


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
        leak: The slope below zero of the dense layer after the image's convolutions, without
            which all its units can die: then no latent sees the image.
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
    leak: float = 0.0

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
