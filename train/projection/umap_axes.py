"""Two axes by UMAP, fitted to some galaxies and extended to the others part by part.

Shapes are written with N galaxies and P principal components.
"""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.errors import SettingsError, StoreError
from pcvae.folders import goes_on, write_text
from pcvae.projections import (
    Blocks,
    fit_principal_axes,
    principal_axes,
    projection_path,
    write_projection,
)
from pcvae.store import Store

__all__ = ["UmapSettings", "check_installed", "umap_axes"]

COMPONENTS = 50  # principal components that UMAP sees of more latents
ROWS = 10_000  # galaxies a part: about 10 s, and what a kill loses at most beside the fit
AXES = 2

Floats = NDArray[np.float32]


class UmapSettings(NamedTuple):
    """What decides the axes.

    Args:
        neighbours: Galaxies around each that count.
        min_dist: How near two galaxies may come, in units of the axes.
        fit: Galaxies that it is fitted to, at most.
        seed: Fixes which these are, and the result.
    """

    neighbours: int
    min_dist: float
    fit: int
    seed: int


def check_installed() -> Any:
    """The class ``umap.UMAP``.

    Raises:
        SettingsError: umap-learn is not installed.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        msg = "--axes umap needs the package umap-learn: pip install 'pcvae[project]'"
        raise SettingsError(msg) from error
    return UMAP


def umap_axes(
    store: Store, model: str, blocks: Blocks, settings: UmapSettings, *, overwrite: bool
) -> None:
    """Write the two axes of a model of a store; goes on with the parts that are missing.

    Reference:
        McInnes, Healy & Melville (2018), arXiv:1802.03426.

    Args:
        store: The store.
        model: Its model.
        blocks: The latents that the axes are of.
        settings: What decides them.
        overwrite: Whether parts of other settings are forgotten.

    Raises:
        StoreError: Parts of other settings are there.
    """
    path = projection_path(store.folder, model, "umap")
    work = path.with_name("umap.partial")
    text = json.dumps({**settings._asdict(), "created": store.info.created})
    if not goes_on(work, text, StoreError, overwrite=overwrite):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_text(work / "settings.json", text)
    values = _components(blocks)
    parts = [work / f"{start:012d}.npy" for start in range(0, len(values), ROWS)]
    if missing := [part for part in parts if not part.exists()]:
        _extend(values, settings, missing)
    write_projection(path, store.galaxies["id"], "umap", (np.load(part) for part in parts))
    shutil.rmtree(work)


def _components(blocks: Blocks) -> Floats:
    """What UMAP sees, (N, P): the latents, or their principal components if they are many."""
    if next(iter(blocks())).shape[1] <= COMPONENTS:
        return np.concatenate([np.asarray(block, np.float32) for block in blocks()])
    parts = principal_axes(fit_principal_axes(blocks, COMPONENTS), blocks)
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _extend(values: Floats, settings: UmapSettings, missing: list[Path]) -> None:
    """Fit to some galaxies, and place those of the missing parts."""
    known = np.flatnonzero(np.isfinite(values).all(axis=1))
    rng = np.random.default_rng(settings.seed)
    some = np.sort(rng.choice(known, min(settings.fit, len(known)), replace=False))
    places = np.full((len(values), AXES), np.nan, np.float32)
    if len(some) <= settings.neighbours:
        msg = f"expected more than {settings.neighbours} galaxies for UMAP, found {len(some)}"
        raise SettingsError(f"{msg} whose latents are known: give fewer --neighbours")
    fitted = _fitted(values[some], settings)
    places[some] = fitted.embedding_
    others = np.setdiff1d(known, some)
    for part in missing:
        where = slice(int(part.stem), int(part.stem) + ROWS)
        rows = others[(others >= where.start) & (others < where.stop)]
        if len(rows):
            places[rows] = fitted.transform(values[rows])
        begun = part.with_suffix(".new")
        with begun.open("wb") as file:
            np.save(file, places[where])
        begun.replace(part)


def _fitted(values: Floats, settings: UmapSettings) -> Any:
    import warnings

    with warnings.catch_warnings():  # that a seed leaves one process
        warnings.simplefilter("ignore")
        made = check_installed()(
            n_components=AXES,
            n_neighbors=settings.neighbours,
            min_dist=settings.min_dist,
            random_state=settings.seed,
        )
        return made.fit(values)
