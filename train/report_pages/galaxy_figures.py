"""The report's figures of galaxies: look-alikes, reconstructions and latent traversals.

Shapes are written with N galaxies, D latents and S x S pixels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pcvae.encode import Codec
from pcvae.lookalikes import shared_neighbours
from pcvae.neighbours import Neighbours
from pcvae.store import ModelInfo, Store
from train.evaluation.galaxy_pool import Pool
from train.report_pages.metric_figures import rare_style

__all__ = ["look_alike_figure", "reconstruction_figure", "traversal_figure"]

SEEDS, FOUND = 3, 8  # rare examples and look-alikes of a row
STEPS = np.linspace(-2, 2, 9)  # standard deviations of a latent
ANGLES = ("orientation", "e_cos", "e_sin")
INK = "#22272e"

Floats = NDArray[np.float64]


def look_alike_figure(pool: Pool, store: Store, model: ModelInfo) -> Figure | None:
    """Fig. 3 of the paper: the normal galaxies near most galaxies of each rare population.

    Latents are whitened and the orientation is left out. None without stamps or rare galaxies.
    """
    population = pool.galaxies["population"].to_numpy()
    here = (pool.galaxies["row"] >= 0).to_numpy() & pool.unseen
    names = [name for name in pool.info.rare if (here & (population == name)).any()]
    if store.stamps is None or not names:
        return None
    near = Neighbours(pool.latents[model.name][_plain(model)].to_numpy(np.float64))
    candidates = here & ~np.isin(population, pool.info.rare)
    figure = Figure(figsize=(11.5, 1.7 * len(names)), layout="constrained")
    grid = figure.subplots(len(names), SEEDS + FOUND, squeeze=False)
    for line, name in zip(grid, names, strict=True):
        seeds = np.flatnonzero(here & (population == name))
        ranked = shared_neighbours(near, seeds, candidates).head(FOUND)
        colour = rare_style(name, pool.info.rare)[1]
        for ax, row in zip(line, seeds[:SEEDS], strict=False):
            _stamp(ax, store, pool, int(row), name.replace("_", " "), colour)
        pairs = ranked[["row", "seeds"]].to_numpy(int)
        for ax, (row, count) in zip(line[SEEDS:], pairs, strict=False):
            title = f"near {count}:\n{population[row].replace('_', ' ')}"
            _stamp(ax, store, pool, int(row), title, INK)
    _blank(grid)
    figure.suptitle(f"{model.name}: rare galaxies, and the others near most of them", fontsize=10)
    return figure


def reconstruction_figure(
    pool: Pool, store: Store, codecs: Sequence[tuple[ModelInfo, Codec]], seed: int, count: int = 8
) -> Figure | None:
    """Test galaxies and, below, what each model makes of them. None without stamps."""
    stretch = store.info.stamp_stretch
    rows = np.flatnonzero((pool.galaxies["row"] >= 0).to_numpy() & pool.unseen)
    if store.stamps is None or stretch is None or not len(rows):
        return None
    rows = np.sort(np.random.default_rng(seed).permutation(rows)[:count])
    figure = Figure(figsize=(1.3 * count, 1.5 * (1 + len(codecs))), layout="constrained")
    grid = figure.subplots(1 + len(codecs), count, squeeze=False)
    for column, row in enumerate(rows):
        title = str(pool.galaxies["population"].iloc[row]).replace("_", " ")
        _stamp(grid[0, column], store, pool, int(row), title, INK)
    for line, (model, codec) in zip(grid[1:], codecs, strict=True):
        pictures = codec.decode_rgb(pool.values(model)[rows].astype(np.float64), stretch)
        for ax, picture in zip(line, pictures, strict=False):
            _show(ax, picture)
        line[0].set_title(model.name, fontsize=7, color=INK)
    _blank(grid)
    return figure


def traversal_figure(pool: Pool, store: Store, model: ModelInfo, codec: Codec) -> Figure | None:
    """What each latent paints: a row a latent, from -2 to +2 standard deviations of the test.

    The other latents stay at their medians. None where the store tells no stretch for display.
    """
    stretch = store.info.stamp_stretch
    values = pool.values(model)[pool.test]
    values = values[np.isfinite(values).all(axis=1)]
    if stretch is None or len(values) < 2:
        return None
    middle, spread = np.median(values, axis=0), values.std(axis=0)
    figure = Figure(
        figsize=(1.15 * len(STEPS) + 1.2, 1.2 * len(model.names)), layout="constrained"
    )
    grid = figure.subplots(len(model.names), len(STEPS), squeeze=False)
    for axis, (line, latent) in enumerate(zip(grid, model.latents, strict=True)):
        points = np.tile(middle, (len(STEPS), 1))
        points[:, axis] += STEPS * spread[axis]
        pictures = codec.decode_rgb(points, stretch)
        for ax, picture, point in zip(line, pictures, points, strict=True):
            _show(ax, picture)
            ax.set_title(f"{point[axis]:.2f}", fontsize=6, pad=2)
        line[0].text(
            -0.1, 0.5, latent.title.replace(" ", "\n"), fontsize=7, ha="right", va="center",
            transform=line[0].transAxes,
        )  # fmt: skip
    _blank(grid)
    return figure


def _plain(model: ModelInfo) -> list[str]:
    return [name for name in model.names if name not in ANGLES] or model.names


def _stamp(ax: Axes, store: Store, pool: Pool, row: int, title: str, colour: str) -> None:
    if store.stamps is not None:
        _show(ax, np.asarray(store.stamps[int(pool.galaxies["row"].iloc[row])]))
    ax.set_title(title, fontsize=6.5, color=colour, pad=2)


def _show(ax: Axes, picture: NDArray[np.generic]) -> None:
    ax.imshow(picture, origin="lower", interpolation="nearest")


def _blank(grid: NDArray[Any]) -> None:
    for ax in grid.flat:
        ax.set_axis_off()
