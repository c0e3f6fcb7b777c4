"""What a person should know before they believe the latents of a model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from pcvae.errors import SettingsError

if TYPE_CHECKING:
    from pcvae.cutouts import Sample
    from pcvae.encode import Codec
    from pcvae.preprocess import Stretch
    from train.encoding.brick_sample import BrickSample

    Galaxies = Sample | BrickSample

__all__ = ["cautions"]

DUST = {"corrected": "corrected", "left": "not corrected"}
NOISE_ROWS = 512  # galaxies whose noise is measured
SAME_UNIT = 1.5  # factor by which the noise of surveys of one unit may differ


def cautions(
    latents: pd.DataFrame, name: str, codec: "Codec", sample: "Galaxies"
) -> Iterator[str]:
    """Sentences on galaxies unlike those that a model learnt from, and on the Milky Way's dust.

    Args:
        latents: Of that model; with a column ``ood`` if the model has such a score.
        name: The model's.
        codec: Its codec.
        sample: What was encoded.
    """
    yield from _warnings(latents, name, codec, sample)
    if sentence := _dust_warning(name, codec, sample):
        yield sentence


def _warnings(
    latents: pd.DataFrame, name: str, codec: "Codec", sample: "Galaxies"
) -> Iterator[str]:
    """What a person should know before they believe the latents of a model."""
    from pcvae.ood import FAR_OUT, unlike

    if "ood" not in latents:
        return
    share = latents["ood"].to_numpy()
    far = unlike(share)
    if far is None:
        return
    beyond = float((share > FAR_OUT).mean())
    yield (
        f"careful: these galaxies are unlike those that {name} was trained on: {beyond:.0%} of "
        f"them lie farther out than {FAR_OUT:.0%} of its own (distance of the two distributions "
        f"{far:.2f}); labels and look-alikes may be wrong"
    )
    yield from _pixel_warnings(codec.run.stretch, sample)


def _dust_warning(name: str, codec: "Codec", sample: "Galaxies") -> str:
    """Whether fluxes are corrected for dust that the model learnt without, or not; else empty."""
    learnt, found = codec.run.info.settings.get("dust", "unknown"), sample.info.dust
    if "unknown" in (learnt, found) or learnt == found:
        return ""
    return (
        f"careful: {name} was trained on fluxes that were {DUST[learnt]} for the Milky Way's "
        f"dust, these are {DUST[found]}: E(B-V) of 0.1 mag moves redshifts by about 0.03. Make "
        f"the sample again with a column ebv, --dust-maps or --dust leave"
    )


def _pixel_warnings(stretch: "Stretch", sample: "Galaxies") -> Iterator[str]:
    """What the noise of the pixels tells of their unit and of the order of the bands."""
    from pcvae.preprocess import pixel_noise

    if not stretch.noise:
        return
    flux = sample.pixels(slice(0, NOISE_ROWS))
    try:
        found = pixel_noise([flux])
    except SettingsError as error:
        yield f"  {error}"
        return
    ratios = [a / b for a, b in zip(found, stretch.noise, strict=True)]
    told = ", ".join(f"{band} {r:.2g}" for band, r in zip(stretch.bands, ratios, strict=True))
    order, learnt = (
        sorted(range(len(noise)), key=noise.__getitem__) for noise in (found, stretch.noise)
    )
    if order != learnt:
        names = ", ".join(stretch.bands[place] for place in order)
        yield f"  their noise grows in the order {names}, which is not the model's: other bands?"
    elif max(ratios) / min(ratios) < SAME_UNIT and not 1 / SAME_UNIT < ratios[0] < SAME_UNIT:
        yield f"  their noise is that of the model's galaxies times {told}: another unit?"
