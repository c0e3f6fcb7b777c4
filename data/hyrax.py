"""Make a store of another model's embedding, from Hyrax's results, for our dashboard.

    python -m data.hyrax RESULTS data/stores/hyrax --sample data/samples/mine

RESULTS is the folder that ``hyrax infer`` or ``hyrax umap`` wrote. Each number of its vectors is
an axis of the map. What is known of the galaxies comes from a sample, whose pictures are shown, or
from a table; they are matched by id. The store has no network, so nothing is reconstructed.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.pipeline.options import pairs, words
from pcvae.errors import CatalogError, SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run

if TYPE_CHECKING:
    from data.readers.hyrax_results import Embedding
    from pcvae.cutouts import Sample
    from pcvae.preprocess import Stretch
    from pcvae.store import ModelInfo, StoreInfo, StoreWriter

__all__ = ["main", "parse_args"]

KEPT = ("runtime_config.toml", "original_dataset_config.toml")  # what Hyrax says of its run


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("results", metavar="RESULTS", type=Path, help="folder that hyrax infer or umap wrote")
    add("store", metavar="STORE", type=Path, help="store to make; must not exist")
    add("--sample", type=Path, help="sample with the galaxies of these ids")
    add("--catalog", type=Path, help="table with the galaxies of these ids")
    add("--columns", type=pairs, default={}, help="of --catalog: ours=yours,id=object_id")
    add("--population-column", help="of --catalog: column of the populations")
    add("--rare", type=words, default=(), help="of --catalog: populations looked for")
    add("--model", default="hyrax", help="name of the embedding in the store")
    add("--overwrite", action="store_true", help="replace STORE, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the store and return its folder."""
    args = parse_args(argv)
    with hold(args.store, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from data.readers.hyrax_results import read_embedding
    from pcvae.store import StoreWriter

    if args.sample and args.catalog:
        msg = "expected --sample or --catalog, found both"
        raise SettingsError(msg)
    embedding = read_embedding(args.results)
    sample, galaxies = _galaxies(args, embedding)
    rows = _match(galaxies["id"], embedding)
    known = galaxies[rows >= 0].reset_index(drop=True).assign(split="new")
    values = embedding.values[rows[rows >= 0]]
    settings = {"results": args.results.resolve(), "model": args.model, "galaxies": len(known)}
    settings |= {"ids": str(pd.util.hash_pandas_object(known["id"]).sum()), "command": argv}
    writer = StoreWriter(args.store, settings, overwrite=args.overwrite)
    writer.write_part(args.model, 0, _table(known["id"], values))
    stretch = _stamps(writer, sample, np.flatnonzero(rows >= 0)) if sample else None
    model = _model(args.model, values.shape[1])
    info = _info(args, sample, model, stretch, command("data.hyrax", argv))
    with TemporaryDirectory() as folder:
        _describe(Path(folder), args.results, values.shape[1])
        writer.finish(info, known, {args.model: Path(folder)})
    left = len(embedding.ids) - len(known)
    print(f"{args.store}: {len(known)} galaxies of {values.shape[1]} numbers; {left} ids unknown")
    print(f"next: panel serve dashboard/app.py --args {args.store}")
    return args.store


def _galaxies(
    args: argparse.Namespace, embedding: "Embedding"
) -> "tuple[Sample | None, pd.DataFrame]":
    """The catalogue of the galaxies, and the sample if there is one."""
    from data.published.column_mapping import read_candidates
    from pcvae.catalog import complete
    from pcvae.cutouts import read_sample

    if args.sample:
        sample = read_sample(args.sample)
        return sample, sample.catalog
    if args.catalog:
        named = args.columns, args.population_column, None
        return None, complete(read_candidates(args.catalog, *named), ())
    return None, complete(pd.DataFrame({"id": embedding.ids}), ())


def _match(ids: pd.Series, embedding: "Embedding") -> NDArray[np.int64]:
    """The row of the embedding of each galaxy; -1 for none.

    Raises:
        CatalogError: None of the galaxies has one.
    """
    rows = pd.Index(embedding.ids).get_indexer(pd.Index(ids.astype(str)))
    if (rows < 0).all():
        msg = f"no id of the results is one of the galaxies': {str(embedding.ids[0])!r}, found "
        raise CatalogError(f"{msg}{ids.iloc[0]!r}. Name the column with --columns id=NAME")
    return np.asarray(rows, np.int64)


def _table(ids: pd.Series, values: NDArray[np.float64]) -> pd.DataFrame:
    """The latents as a store has them; an embedding has neither sigmas nor reconstructions."""
    table: dict[str, Any] = {"id": ids}
    for number, column in enumerate(values.T):
        table |= {f"latent_{number}": column, f"latent_{number}_sigma": np.nan}
    return pd.DataFrame(table | {"recon_error": np.nan})


def _stamps(writer: "StoreWriter", sample: "Sample", rows: NDArray[np.int64]) -> "Stretch":
    import torch

    from pcvae.preprocess import Stretch, display, mean_maxima

    info = sample.info
    scale: tuple[float, ...] = ()
    if info.unit == "nanomaggy":
        scale = mean_maxima(flux for _, flux in sample.blocks())
    order = tuple(range(len(info.bands)))
    stretch = Stretch(info.bands, scale, size=info.size, order=order)
    done = 0
    for where, flux in sample.blocks():
        mine = rows[(rows >= where.start) & (rows < where.stop)] - where.start
        if len(mine):
            stamps = display(torch.as_tensor(flux[mine]), stretch) * 255 + 0.5
            writer.write_stamps(done, stamps.astype("u1"), len(rows))
            done += len(mine)
    return stretch


def _model(name: str, count: int) -> "ModelInfo":
    from pcvae.labels import Latent
    from pcvae.store import EMBEDDING, ModelInfo

    latents = tuple(Latent(f"latent_{i}", f"{name} {i + 1}") for i in range(count))
    return ModelInfo(name, EMBEDDING, "Hyrax", latents)


def _info(
    args: argparse.Namespace,
    sample: "Sample | None",
    model: "ModelInfo",
    stretch: "Stretch | None",
    made_by: str,
) -> "StoreInfo":
    from pcvae.store import StoreInfo

    facts = sample.info if sample else None
    origin = facts.source if facts else f"Galaxies of {args.catalog.name}." if args.catalog else ""
    return StoreInfo(
        sample=facts.name if facts else args.store.name,
        source=f"{origin} Embedded by Hyrax, {args.results.name}.".strip(),
        bands=facts.bands if facts else (),
        pixel_scale=facts.pixel_scale if facts else None,
        size=facts.size if facts else 0,
        unit=facts.unit if facts else "stretched",
        rare=facts.rare if facts else args.rare,
        hard_negative=facts.hard_negative if facts else (),
        models=(model,),
        stamp_stretch=asdict(stretch) if stretch else None,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=made_by,
    )


def _describe(folder: Path, results: Path, count: int) -> None:
    """Write the metadata in place of a run: the embedding's source, and Hyrax's settings."""
    facts: dict[str, Any] = {"version": 1, "results": results.name, "numbers": count}
    (folder / "embedding.json").write_text(json.dumps(facts, indent=1) + "\n")
    for name in KEPT:
        if (results / name).is_file():
            shutil.copy(results / name, folder / name)


if __name__ == "__main__":
    run(main)
