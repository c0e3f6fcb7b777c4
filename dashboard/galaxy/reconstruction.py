"""Reconstructions of galaxies."""

from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.stamp_images import Residual, in_band, residual
from dashboard.components.notices import MAX_LETTERS

__all__ = ["Reconstruction", "reconstruction_of"]


class Reconstruction(NamedTuple):
    """The reconstruction of a galaxy by a model.

    Args:
        reconstruction: (S, S, 3) uint8, row 0 at the bottom.
        residual: The image minus that; None where the store has no image.
    """

    reconstruction: NDArray[np.uint8]
    residual: Residual | None


def reconstruction_of(
    datastore: DataStore, model: str, row: int, *, dark: bool = True, channel: int | None = None
) -> tuple[Reconstruction | None, str]:
    """The reconstruction of a galaxy, once the codec is loaded; else the reason why not.

    Args:
        datastore: The store of both.
        model: The model.
        row: The galaxy.
        dark: Whether a residual of zero is black, or white.
        channel: Which of red, green and blue is shown alone; None for colour.
    """
    job = datastore.model_jobs.codec(model)
    failure = job.exception()
    if failure is not None:
        return None, f"The model cannot be read: {str(failure)[:MAX_LETTERS]}"
    codec, stamp = job.result(), datastore.stamp(row)
    stretch = datastore.store.info.stamp_stretch or asdict(codec.run.stretch)
    latents = datastore.columns.latents(model, row)[None]
    if not np.isfinite(latents).all():
        return None, "This galaxy has no latents"
    rebuilt = in_band(codec.decode_rgb(latents, stretch)[0], channel)
    picture = (np.clip(rebuilt, 0, 1) * 255 + 0.5).astype(np.uint8)
    if stamp is None:
        return Reconstruction(picture, None), ""
    image = in_band(stamp, channel).astype(np.float32) / 255
    return Reconstruction(picture, residual(image, rebuilt, dark=dark)), ""
