"""A galaxy that is not in the store, encoded as the store's own are, and never kept.

Shapes are written with C bands, S x S pixels and D latents.
"""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.stamp_images import (
    Residual,
    in_band,
    residual,
)
from dashboard.state import Metric, State
from pcvae.store import EMBEDDING, LATENTS

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = [
    "NO_NETWORK",
    "Encoding",
    "ExternalGalaxy",
    "encode_external",
    "has_network",
    "near_shown",
    "place_on",
    "shown_external",
    "shown_metric",
]

NO_NETWORK = (
    "This model has no network: its axes are an embedding that was made elsewhere, so nothing "
    "can be reconstructed, and no galaxy of your own can be placed on its map"
)


@dataclass(frozen=True, eq=False)
class ExternalGalaxy:
    """A galaxy that is not in the store.

    Args:
        name: Its name.
        flux: Its pixels (C, S, S), in the unit, bands and size of the store's sample.
        notes: How the image was processed, and assumptions, a sentence each.
        ra: Right ascension [deg]; NaN if unknown.
        dec: Declination [deg]; NaN if unknown.
        north_angle: Direction of north [rad], counter-clockwise from +x; NaN if unknown.
        dereddened: Whether its pixels were corrected for the Milky Way's dust.
    """

    name: str
    flux: NDArray[np.float32]
    notes: tuple[str, ...] = ()
    ra: float = np.nan
    dec: float = np.nan
    north_angle: float = np.nan
    dereddened: bool = False
    seen: dict[str, "Encoding"] = field(default_factory=dict, init=False, repr=False)


class Encoding(NamedTuple):
    """The encoding of an external galaxy by one model.

    Args:
        stamp: Its image (S, S, 3) uint8, row 0 at the bottom, in the store's stretch.
        latents: A row with the columns of a store's latents.
        mu: The latents alone, (D,).
        reconstruction: The decoded latents, (s, s, 3) in [0, 1].
        without_dust: Whether the model learnt from fluxes corrected for the Milky Way's dust,
            and this galaxy's are not.
    """

    stamp: NDArray[np.uint8]
    latents: pd.DataFrame
    mu: NDArray[np.float64]
    reconstruction: NDArray[np.float32]
    without_dust: bool = False

    def pictures(
        self, *, dark: bool, channel: int | None = None
    ) -> tuple[NDArray[np.uint8], Residual]:
        """Reconstruction and residual, for the card; of one channel, or in colour."""
        rebuilt = in_band(self.reconstruction, channel)
        shown = (np.clip(rebuilt, 0, 1) * 255 + 0.5).astype(np.uint8)
        image = in_band(self.stamp, channel).astype(np.float32) / 255
        return shown, residual(image, rebuilt, dark=dark)


def encode_external(
    datastore: DataStore, codec: "Codec", model: str, external: ExternalGalaxy
) -> Encoding:
    """Encode an external galaxy by a model, and decode it; cached with the galaxy."""
    if model not in external.seen:
        external.seen[model] = _see(datastore, codec, external)
    return external.seen[model]


def _see(datastore: DataStore, codec: "Codec", external: ExternalGalaxy) -> Encoding:
    import torch

    from pcvae.encode import latent_table
    from pcvae.preprocess import Stretch, display, display_stretch

    info, flux = datastore.store.info, external.flux[None]
    stretch = info.stamp_stretch or asdict(display_stretch(codec.run.stretch, info.size))
    encoded = codec.encode(flux)
    stamp = display(torch.as_tensor(flux), Stretch.of(stretch))[0]
    return Encoding(
        (stamp * 255 + 0.5).astype(np.uint8),
        latent_table(encoded, codec.space, codec.ood),
        encoded.mu[0],
        codec.decode_rgb(encoded.mu, stretch)[0],
        codec.run.info.settings.get("dust") == "corrected" and not external.dereddened,
    )


def place_on(external: ExternalGalaxy | None, model: str, x: str, y: str) -> pd.DataFrame:
    """The position of an external galaxy on two axes of a model; no row if it has none.

    It has none on projections, which are of the store's galaxies.
    """
    latents = external.seen[model].latents if external and model in external.seen else None
    values = np.zeros((0, 2), np.float32)
    if latents is not None and {x, y} <= set(latents):
        values = latents[[x, y]].to_numpy(np.float32)
    return pd.DataFrame(values, columns=["x", "y"], dtype=np.float32)


def has_network(datastore: DataStore, model: str) -> bool:
    """Whether a model can encode and decode: an embedding made elsewhere cannot."""
    return datastore.store.model(model).kind != EMBEDDING


def shown_external(state: State, model: str) -> Encoding | None:
    """The encoding of the external galaxy if it is shown: while no galaxy is picked."""
    if state.row is not None or state.external is None:
        return None
    return state.external.seen.get(model)


def shown_metric(state: State) -> Metric:
    """The chosen metric; by the latents for an external galaxy, which no catalogue has."""
    external = shown_external(state, state.model) is not None
    return state.metric._replace(features=LATENTS) if external else state.metric


def near_shown(datastore: DataStore, state: State) -> pd.DataFrame:
    """The ``row`` and ``distance`` of the nearest neighbours of the picked or external galaxy."""
    seen = shown_external(state, state.model)
    if seen is not None:
        metric = shown_metric(state)
        return datastore.neighbours.nearest_to(state.model, seen.mu, state.k, metric)
    if state.row is not None:
        return datastore.neighbours.nearest(state.model, state.row, state.k, state.metric)
    return pd.DataFrame({"row": np.array([], np.intp), "distance": np.array([])})
