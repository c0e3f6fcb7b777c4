"""Project a store's latents to few axes to look at: principal components and UMAP.

    python -m train.project data/stores/demo --axes pca,umap

The dashboard then has them in the menus of its axes, colours and histograms, as projections: they
are no latents, and no search uses them. They are made of all latents but the orientation's, each
divided by its standard deviation; those of an embedding made elsewhere are taken as they are. A
second call of the same command goes on where a killed one stopped.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.pipeline.options import words
from pcvae.errors import SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import run

if TYPE_CHECKING:
    from pcvae.projections import Blocks
    from pcvae.store import Store

AXES = ("pca", "umap")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by python -m train.encode or data.embeddings")
    add("--axes", type=words, default=("pca",), help="which: pca,umap; default: pca")
    add("--model", action="append", help="a model of the store; may be repeated; default: all")
    add("--components", type=int, default=10, help="principal components")
    add("--neighbours", type=int, default=15, help="UMAP: galaxies around each that count")
    add("--min-dist", type=float, default=0.1, help="UMAP: how near two galaxies may come")
    add("--fit", type=int, default=50_000, help="UMAP: galaxies it is fitted to; others follow")
    add("--seed", type=int, default=0, help="UMAP: fixes the result")
    add("--overwrite", action="store_true", help="make again what is there")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the projections and return the store's folder."""
    args = parse_args(argv)
    _check(args)
    with hold(args.store, break_lock=args.break_lock):
        return _make(args)


def _make(args: argparse.Namespace) -> Path:
    from pcvae.projections import projection_path
    from pcvae.store import read_store

    store = read_store(args.store)
    for name in args.model or [model.name for model in store.info.models]:
        blocks = _blocks(store, name)
        for kind in args.axes:
            if projection_path(store.folder, name, kind).exists() and not args.overwrite:
                print(f"{name}: has its {kind} axes already; --overwrite makes them again")
                continue
            (_pca if kind == "pca" else _umap)(args, store, name, blocks)
    print(f"next: panel serve dashboard/app.py --args {args.store}")
    return args.store


def _check(args: argparse.Namespace) -> None:
    if not args.axes or set(args.axes) - set(AXES):
        msg = f"expected --axes out of {', '.join(AXES)}, found {','.join(args.axes) or 'none'}"
        raise SettingsError(msg)
    for name, least in (("components", 1), ("neighbours", 2), ("fit", 2)):
        if getattr(args, name) < least:
            msg = f"expected --{name} of at least {least}, found {getattr(args, name)}"
            raise SettingsError(msg)
    if not 0 <= args.min_dist <= 1:
        msg = f"expected --min-dist from 0 to 1, found {args.min_dist:g}"
        raise SettingsError(msg)
    if "umap" in args.axes:
        from train.projection.umap_axes import check_installed

        check_installed()


def _blocks(store: "Store", model: str) -> "Blocks":
    """The latents of a model, as the axes are made of them."""
    import numpy as np

    from pcvae.store import EMBEDDING
    from pcvae.vectors import vector_blocks

    about = store.model(model)
    if about.wide:
        return lambda: vector_blocks(store.latents_path(model), len(about.latents))
    values = store.features(model).values
    if about.kind != EMBEDDING and len(values):
        spread = np.nanstd(values, axis=0)
        values = (values - np.nanmean(values, axis=0)) / np.where(spread > 0, spread, 1)
    single = values.astype(np.float32)
    return lambda: [single]


def _pca(args: argparse.Namespace, store: "Store", model: str, blocks: "Blocks") -> None:
    from pcvae.projections import (
        fit_principal_axes,
        principal_axes,
        projection_path,
        write_projection,
    )

    fitted = fit_principal_axes(blocks, args.components)
    path = projection_path(store.folder, model, "pca")
    write_projection(path, store.galaxies["id"], "pca", principal_axes(fitted, blocks))
    shares = [] if fitted is None else fitted.explained_variance_ratio_
    print(f"{model}: principal components with {', '.join(f'{s:.1%}' for s in shares)} "
          "of the variance")  # fmt: skip


def _umap(args: argparse.Namespace, store: "Store", model: str, blocks: "Blocks") -> None:
    from train.projection.umap_axes import UmapSettings, umap_axes

    settings = UmapSettings(args.neighbours, args.min_dist, args.fit, args.seed)
    umap_axes(store, model, blocks, settings, overwrite=args.overwrite)
    said = f"{args.neighbours} neighbours, fitted to at most {args.fit} galaxies"
    print(f"{model}: UMAP with {said}")


if __name__ == "__main__":
    run(main)
