"""The galaxies whose vectors another model made: of a store, a sample, a table or by ids alone.

Shapes are written with N galaxies of the origin, of which M have a vector, and D numbers a vector.
"""

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.errors import CatalogError, SettingsError

if TYPE_CHECKING:
    from data.readers.vector_source import VectorSource
    from pcvae.cutouts import Sample
    from pcvae.store import ModelInfo, Store, StoreInfo, StoreWriter

__all__ = ["Galaxies", "describe", "embedded_galaxies", "store_info"]

KEPT = ("runtime_config.toml", "original_dataset_config.toml")  # what Hyrax says of its run
ROWS = 4096  # galaxies whose stamps or latents are copied at once


@dataclass(frozen=True)
class Galaxies:
    """Galaxies with a vector, and where what else is known of them comes from.

    Args:
        table: Their catalogue with ``split``, M rows in the order of the origin.
        there: Which of the origin's galaxies they are, (N,).
        origin: The store or sample; None for a table, or for nothing but ids.
    """

    table: pd.DataFrame
    there: NDArray[np.bool_]
    origin: "Store | Sample | None" = None

    @property
    def store(self) -> "Store | None":
        """The store that they are of."""
        from pcvae.store import Store

        return self.origin if isinstance(self.origin, Store) else None

    @property
    def sample(self) -> "Sample | None":
        """The sample that they are of."""
        from pcvae.cutouts import Sample

        return self.origin if isinstance(self.origin, Sample) else None

    def copy_models(self, writer: "StoreWriter") -> dict[str, Path]:
        """Copy the latents of the store's models; the folder of each model's files, by name."""
        if self.store is None:
            return {}
        folders = {}
        for model in self.store.info.models:
            path = self.store.latents_path(model.name)
            for start, part in _some_rows(path, self.there):
                if not writer.has_part(model.name, start):
                    writer.write_part(model.name, start, part)
            folders[model.name] = self.store.model_folder(model.name)
            self._copy_projections(writer, self.store, model.name)
        return folders

    def _copy_projections(self, writer: "StoreWriter", store: "Store", model: str) -> None:
        from pcvae.projections import KINDS

        axes = store.projections(model)
        for kind in KINDS:
            some = axes[[name for name in axes if str(name).startswith(kind)]]
            if not some.empty:
                places = some.to_numpy(np.float32)[self.there]
                writer.write_projection(model, kind, self.table["id"], [places])

    def write_stamps(self, writer: "StoreWriter") -> dict[str, Any] | None:
        """Write the pictures of a store or a sample; their stretch, None if there are none."""
        if self.sample is not None:
            return _stamps_of_sample(writer, self.sample, np.flatnonzero(self.there))
        if self.store is None or self.store.stamps is None:
            return None
        count, done = int(self.there.sum()), 0
        for start in range(0, len(self.there), ROWS):
            mine = self.there[start : start + ROWS]
            if mine.any():
                some = np.asarray(self.store.stamps[start : start + ROWS])[mine]
                writer.write_stamps(done, some, count)
                done += len(some)
        return self.store.info.stamp_stretch


def embedded_galaxies(
    args: argparse.Namespace, source: "VectorSource", listed: pd.DataFrame | None = None
) -> Galaxies:
    """The galaxies that a command line names and that have a vector.

    Those of a store keep their split, unless its models learnt from none of them. Others are dealt
    as ``train.train`` deals them, if any has a label; else they are ``new``.

    Args:
        args: The command line.
        source: The vectors.
        listed: The galaxies of a table, if that is what the command line names.

    Raises:
        CatalogError: None has a vector.
        SettingsError: The store has a model of that name.
    """
    from data.readers.vector_source import check_unique

    check_unique(source)
    origin, catalog = _origin(args, source, listed)
    ids = catalog["id"].astype(str).to_numpy(str)
    there = np.isin(ids, source.ids)
    if not there.any():
        msg = f"no id of the results is one of the galaxies': {str(source.ids[0])!r}, found "
        raise CatalogError(f"{msg}{str(ids[0])!r}. Name the column with --columns id=NAME")
    table = catalog[there].reset_index(drop=True)
    galaxies = Galaxies(table, there, origin)
    learnt = "split" in table and table["split"].isin(["train", "validation"]).any()
    if not learnt:
        table = table.assign(split=_split(args, table, galaxies))
        galaxies = Galaxies(table, there, origin)
    if galaxies.store is None:
        return galaxies
    if args.model in {model.name for model in galaxies.store.info.models}:
        msg = f"{args.store} has a model {args.model!r} already: choose another --model NAME"
        raise SettingsError(msg)
    return galaxies


def store_info(
    args: argparse.Namespace,
    galaxies: Galaxies,
    width: int,
    stretch: dict[str, Any] | None,
    made_by: str,
) -> "StoreInfo":
    """The metadata of the store: of the origin, with the embedding as one more model."""
    from pcvae.store import StoreInfo

    facts = galaxies.origin.info if galaxies.origin is not None else None
    bands = tuple(
        name.removeprefix("flux_")
        for name in map(str, galaxies.table)
        if name.startswith("flux_") and not name.endswith("_err")
    )
    origin = facts.source if facts else f"Galaxies of {args.catalog.name}." if args.catalog else ""
    store, sample = galaxies.store, galaxies.sample
    others = store.info.models if store is not None else ()
    name = sample.info.name if sample is not None else args.output.name
    made = args.made_by or args.model
    return StoreInfo(
        sample=store.info.sample if store is not None else name,
        source=f"{origin} Embedded by {made}, {args.array.name}.".strip(),
        bands=facts.bands if facts else bands,
        pixel_scale=facts.pixel_scale if facts else None,
        size=facts.size if facts else 0,
        unit=facts.unit if facts else "stretched",
        rare=facts.rare if facts else args.rare,
        hard_negative=facts.hard_negative if facts else (),
        models=(*others, _model(args.model, made, width)),
        stamp_stretch=stretch,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=made_by,
        dust=facts.dust if facts else "unknown",
        extinction=facts.extinction if facts else {},
    )


def describe(folder: Path, array: Path, width: int) -> Path:
    """Write the metadata in place of a run: the embedding's source, and Hyrax's settings."""
    folder.mkdir()
    facts: dict[str, Any] = {"version": 1, "results": array.name, "numbers": width}
    (folder / "embedding.json").write_text(json.dumps(facts, indent=1) + "\n")
    for name in KEPT:
        if (array / name).is_file():
            shutil.copy(array / name, folder / name)
    return folder


def _origin(
    args: argparse.Namespace, source: "VectorSource", listed: pd.DataFrame | None
) -> "tuple[Store | Sample | None, pd.DataFrame]":
    """The store or sample, if there is one, and the catalogue of its galaxies."""
    from pcvae.catalog import complete
    from pcvae.cutouts import read_sample
    from pcvae.store import read_store

    if args.store:
        store = read_store(args.store)
        return store, store.galaxies
    if args.sample:
        sample = read_sample(args.sample)
        return sample, sample.catalog
    return None, complete(pd.DataFrame({"id": source.ids}) if listed is None else listed, ())


def _split(
    args: argparse.Namespace, table: pd.DataFrame, galaxies: Galaxies
) -> NDArray[np.str_] | str:
    """The split of galaxies that no run of ours was trained on: what neighbours learn from."""
    from pcvae.dataset import SHARES, assign_split
    from pcvae.labels import LABELS

    if not any(table[label.name].notna().any() for label in LABELS):
        return "new"
    facts = galaxies.origin.info if galaxies.origin is not None else None
    never = (*facts.rare, *facts.hard_negative) if facts else args.rare
    asked = args.validation, args.test
    shares = tuple(usual if a is None else a for a, usual in zip(asked, SHARES, strict=True))
    validation, test = shares
    populations = list(table["population"])
    return assign_split(table["id"], populations, never, args.seed, shares=(validation, test))


def _some_rows(path: Path, there: NDArray[np.bool_]) -> Iterator[tuple[int, Any]]:
    """The kept rows of a Parquet file in parts, each with the number of those before it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    seen = done = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS):
            kept = pa.Table.from_batches([batch.filter(pa.array(there[seen : seen + len(batch)]))])
            yield done, kept
            seen, done = seen + len(batch), done + len(kept)


def _stamps_of_sample(
    writer: "StoreWriter", sample: "Sample", rows: NDArray[np.intp]
) -> dict[str, Any]:
    import torch

    from pcvae.preprocess import Stretch, display, mean_maxima

    info = sample.info
    scale: tuple[float, ...] = ()
    if info.unit == "nanomaggy":
        scale = mean_maxima(flux for _, flux in sample.blocks())
    stretch = Stretch(info.bands, scale, size=info.size, order=tuple(range(len(info.bands))))
    done = 0
    for where, flux in sample.blocks():
        mine = rows[(rows >= where.start) & (rows < where.stop)] - where.start
        if len(mine):
            stamps = display(torch.as_tensor(flux[mine]), stretch) * 255 + 0.5
            writer.write_stamps(done, stamps.astype("u1"), len(rows))
            done += len(mine)
    return asdict(stretch)


def _model(name: str, made_by: str, width: int) -> "ModelInfo":
    from pcvae.labels import Latent
    from pcvae.store import EMBEDDING, ModelInfo

    latents = tuple(Latent(f"latent_{i}", f"{name} {i + 1}") for i in range(width))
    return ModelInfo(name, EMBEDDING, made_by, latents)
