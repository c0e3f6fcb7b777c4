"""Projections of a model's latents to few axes, to look at: principal components, UMAP.

Shapes are written with N galaxies, D latents and P axes. They lie in the store's folder as
``projections/MODEL/KIND.parquet``, beside what the store was written with; no search uses them.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.decomposition import IncrementalPCA

__all__ = [
    "COMPONENTS",
    "KINDS",
    "fit_principal_axes",
    "principal_axes",
    "projection_path",
    "read_projections",
    "write_projection",
]

KINDS = ("pca", "umap")
COMPONENTS = 10  # principal components that are axes, if nothing else is said
ROWS = 20_000  # galaxies a batch

Blocks = Callable[[], Iterable[NDArray[np.floating]]]
"""Gives the latents (n, D) of all galaxies anew at each call, a part at a time."""


def projection_path(store: Path, model: str, kind: str) -> Path:
    """Where a projection of a model lies in the folder of a store."""
    return store / "projections" / model / f"{kind}.parquet"


def read_projections(store: Path, model: str) -> pd.DataFrame:
    """All axes of a model: ``pca_0``, ..., ``umap_0``, ..., N rows; empty if there are none."""
    paths = [projection_path(store, model, kind) for kind in KINDS]
    tables = [pd.read_parquet(path).drop(columns="id") for path in paths if path.exists()]
    return pd.concat(tables, axis=1) if tables else pd.DataFrame()


def write_projection(
    path: Path, ids: pd.Series, kind: str, parts: Iterable[NDArray[np.floating]]
) -> None:
    """Write the axes of all galaxies, whole or not at all.

    Args:
        path: As of ``projection_path``.
        ids: The galaxies, N.
        kind: ``pca`` or ``umap``.
        parts: Their places, (n, P) each, in the galaxies' order.
    """
    places = np.concatenate([np.asarray(part, np.float32) for part in parts])
    axes = {f"{kind}_{axis}": column for axis, column in enumerate(places.T)}
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_suffix(".new")
    pd.DataFrame({"id": ids.to_numpy(), **axes}).to_parquet(begun, index=False)
    begun.replace(path)


def fit_principal_axes(blocks: Blocks, count: int) -> "IncrementalPCA | None":
    """The principal components of the galaxies whose latents are all known; None for too few.

    Of up to 20,000 galaxies they are exact; of more they are found batch by batch.

    Reference:
        Ross, Lim, Lin & Yang (2008), International Journal of Computer Vision 77, 125.

    Args:
        blocks: The latents of all galaxies.
        count: How many components; fewer where there are fewer latents or galaxies.
    """
    from sklearn.decomposition import IncrementalPCA

    found = None
    for batch in _batches(blocks(), count):
        found = found or IncrementalPCA(min(count, *batch.shape))
        found.partial_fit(batch)
    return found


def principal_axes(
    fitted: "IncrementalPCA | None", blocks: Blocks
) -> Iterator[NDArray[np.floating]]:
    """Yield the places (n, P) of all galaxies, a part at a time; NaN where a latent is unknown."""
    count = 1 if fitted is None else fitted.n_components_
    for block in blocks():
        places = np.full((len(block), count), np.nan, np.float32)
        known = np.isfinite(block).all(axis=1)
        if fitted is not None and known.any():
            places[known] = fitted.transform(block[known])
        yield places


def _batches(blocks: Iterable[NDArray[np.floating]], least: int) -> Iterator[NDArray[np.floating]]:
    """The known rows in batches of about ``ROWS``, the last of them with at least ``least``."""
    kept: list[NDArray[np.floating]] = []
    for block in blocks:
        kept.append(block[np.isfinite(block).all(axis=1)])
        while sum(map(len, kept)) >= ROWS + least:
            rows = np.concatenate(kept)
            yield rows[:ROWS]
            kept = [rows[ROWS:]]
    rows = np.concatenate(kept) if kept else np.zeros((0, 1))
    if len(rows) > 1:
        yield rows
