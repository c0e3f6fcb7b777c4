"""The metadata of a latent store and its models, and the features to search galaxies by.

Shapes are written with N galaxies, D latents and F features.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.errors import StoreError
from pcvae.labels import LABELS, Latent

__all__ = [
    "BOTH",
    "EMBEDDING",
    "LATENTS",
    "MAX_AXES",
    "PHOTOMETRY",
    "VERSION",
    "FeatureColumns",
    "ModelInfo",
    "SearchFeatures",
    "StoreInfo",
    "feature_columns",
    "search_features",
]

VERSION = 1
EMBEDDING = "embedding"
ORIENTATION = ("e_cos", "e_sin", "orientation")
LATENTS, PHOTOMETRY, BOTH = "latents", "photometry", "both"  # features to search by
MAX_AXES = 64  # latents that are axes to look at; of more, projections are shown


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The metadata of one model of a store.

    Args:
        name: Its name in the store, such as ``physics`` or ``vanilla``.
        kind: ``physics`` or ``vanilla``; or ``embedding``, for axes that were made elsewhere, with
            no network that encodes or decodes.
        recipe: The recipe it was trained by.
        latents: The axes of its latent space, in their order.
        orientation: The latent or derived column with the angle [rad]; empty for none.
    """

    name: str
    kind: str
    recipe: str
    latents: tuple[Latent, ...]
    orientation: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the latents, in their order."""
        return [latent.name for latent in self.latents]

    @property
    def wide(self) -> bool:
        """Whether it has too many latents to look at each."""
        return len(self.latents) > MAX_AXES

    def blocks(self, *, oriented: bool = False) -> list[list[str]]:
        """The names of the tied and of the free latents, without empty ones.

        Args:
            oriented: Whether the latents of the orientation are among them. If there are no
                others, they are.
        """
        kept = [name for name in self.names if oriented or name not in ORIENTATION]
        kept = kept or self.names
        tied = {*(label.name for label in LABELS), *ORIENTATION}
        parts = [name for name in kept if name in tied], [n for n in kept if n not in tied]
        return [part for part in parts if part]


class SearchFeatures(NamedTuple):
    """The features of N galaxies by which they are searched.

    Args:
        names: Their names, F.
        sizes: How many features each block has: tied latents, free latents, photometry.
        values: Their values, (N, F); NaN where unknown.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    values: NDArray[np.floating]


class FeatureColumns(NamedTuple):
    """The features of N galaxies as the columns of their tables, none of which is copied.

    Args:
        names: As of ``SearchFeatures``.
        sizes: Likewise.
        columns: Their values, (N,) each; those of a wide model together, (N, D).
        dtype: What they are computed in.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    columns: tuple[NDArray[np.floating], ...]
    dtype: type[np.floating]

    def __len__(self) -> int:
        return len(self.columns[0])

    def take(self, rows: slice | NDArray[np.intp]) -> NDArray[np.floating]:
        """The features (n, F) of some galaxies."""
        if len(self.columns) == 1 and self.columns[0].ndim == 2:
            return self.columns[0][rows]
        return np.column_stack([column[rows].astype(self.dtype) for column in self.columns])

    def all(self) -> SearchFeatures:
        """Those of all galaxies."""
        return SearchFeatures(self.names, self.sizes, self.take(slice(None)))


def feature_columns(
    info: ModelInfo,
    latents: pd.DataFrame,
    photometry: pd.DataFrame | None,
    kind: str,
    *,
    oriented: bool = False,
) -> FeatureColumns:
    """The features of galaxies whose tables these are, N rows each; in single precision if wide.

    Args:
        info: The model whose latents take part.
        latents: Its latents, at least.
        photometry: As ``pcvae.photometry`` makes it; None if the catalogue has none.
        kind: ``latents``, ``photometry`` or ``both``.
        oriented: Whether the latents of the orientation take part.

    Raises:
        StoreError: Photometry is asked for, and there is none.
    """
    wanted = [] if kind == PHOTOMETRY else info.blocks(oriented=oriented)
    blocks = [latents if list(latents) == names else latents[names] for names in wanted]
    if kind != LATENTS:
        if photometry is None:
            msg = "there is no photometry: expected flux_BAND, r50 and axis_ratio in the catalogue"
            raise StoreError(msg)
        blocks.append(photometry)
    names = tuple(str(name) for block in blocks for name in block)
    sizes = tuple(block.shape[1] for block in blocks)
    dtype = np.float32 if info.wide else np.float64
    if len(blocks) == 1 and info.wide:
        return FeatureColumns(names, sizes, (blocks[0].to_numpy(dtype),), dtype)
    columns = tuple(block[name].to_numpy() for block in blocks for name in block)
    return FeatureColumns(names, sizes, columns, dtype)


def search_features(
    info: ModelInfo,
    latents: pd.DataFrame,
    photometry: pd.DataFrame | None,
    kind: str,
    *,
    oriented: bool = False,
) -> SearchFeatures:
    """The features of all galaxies of these tables, as of ``feature_columns``."""
    return feature_columns(info, latents, photometry, kind, oriented=oriented).all()


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """The metadata of a store; ``store.json``.

    Args:
        sample: The sample's name.
        source: A sentence on where its galaxies come from.
        bands: The bands of the images.
        pixel_scale: Arcsec a pixel of the cutouts; None if unknown.
        size: Pixels on a side of the cutouts.
        unit: The pixels' unit in the sample, ``nanomaggy`` or ``stretched``.
        rare: The populations that are looked for.
        hard_negative: The populations that resemble them.
        models: The models, in the order in which they are shown.
        stamp_stretch: The stretch of the stamps, as ``pcvae.preprocess.Stretch`` writes it;
            None where there are no stamps.
        created: When, in UTC; ISO 8601.
        command: The command that made it.
        dust: What the sample says of the Milky Way's dust, ``corrected``, ``left`` or
            ``unknown``; see ``pcvae.cutouts.SampleInfo``.
        extinction: The A/E(B-V) of each band by which it was corrected, if it was here.
    """

    sample: str
    source: str
    bands: tuple[str, ...]
    pixel_scale: float | None
    size: int
    unit: str
    rare: tuple[str, ...]
    hard_negative: tuple[str, ...]
    models: tuple[ModelInfo, ...]
    stamp_stretch: dict[str, Any] | None
    created: str
    command: str
    version: int = VERSION
    dust: str = "unknown"
    extinction: dict[str, float] = field(default_factory=dict)
