"""A latent store on disk: a sample's galaxies as encoded by one or several models.

Shapes are written with N galaxies, D latents and S x S pixels. A store is written once and then
only read; the order of its rows is that of the sample.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from numpy.typing import NDArray

from pcvae.chunks import create_chunked, damage, open_chunked, seal
from pcvae.cutouts import PART
from pcvae.errors import StoreError, brief
from pcvae.folders import read_facts, replace_folder, write_facts
from pcvae.mapped import MappedFolder, fingerprint, map_frames
from pcvae.parts import PartWriter, part_path
from pcvae.photometry import joined, magnitude_blocks, photometry_blocks
from pcvae.projections import projection_path, read_projections, write_projection
from pcvae.store_info import (
    BOTH,
    EMBEDDING,
    LATENTS,
    MAX_AXES,
    PHOTOMETRY,
    VERSION,
    FeatureColumns,
    ModelInfo,
    SearchFeatures,
    StoreInfo,
    feature_columns,
    search_features,
)
from pcvae.vectors import VECTOR, copy_rows, read_vectors

__all__ = [
    "BOTH",
    "EMBEDDING",
    "LATENTS",
    "MAPPED",
    "MAX_AXES",
    "PHOTOMETRY",
    "ModelInfo",
    "SearchFeatures",
    "Store",
    "StoreInfo",
    "StoreWriter",
    "copy_model",
    "map_tables",
    "put_stamps",
    "read_store",
    "search_features",
]

EARLIER = -1  # the start of the part with the galaxies that are there: sorts before all others
BLOCK = 64 * PART  # stamps that are copied at once
MAPPED = 300_000  # galaxies from which tables are mapped into memory instead of read
REMAKE = "python -m train.encode SAMPLE {} --run physics=RUN"


class Store:
    """A finished store, opened for reading; tables are read when first asked for.

    Those of many galaxies are mapped from files in ``columns``, made when they are not there.

    Args:
        folder: Where it lies.
        info: What is known of it as a whole.
    """

    def __init__(self, folder: Path, info: StoreInfo) -> None:
        self.folder, self.info = folder, info
        self.latents = cache(partial(_read_latents, self))
        self.projections = cache(partial(_read_projections, self))

    def __len__(self) -> int:
        return len(self.galaxies)

    @cached_property
    def galaxies(self) -> pd.DataFrame:
        """The catalogue with each galaxy's ``split``; N rows."""
        path = self.folder / "galaxies.parquet"
        found = self.mapped.of_file(path)
        return found if found is not None else _read_table(self.folder, path)

    def release(self) -> None:
        """Give back the memory of the mapped tables; what is looked at again comes back."""
        self.mapped.release()

    @cached_property
    def mapped(self) -> MappedFolder:
        """Where the tables are mapped from, if there are many galaxies."""
        path = self.folder / "galaxies.parquet"
        rows = _guarded(_again(self.folder), pq.read_metadata, path).num_rows
        return MappedFolder(self.folder / "columns" if rows >= MAPPED else None)

    @cached_property
    def stamps(self) -> "zarr.Array[Any] | None":
        """The images for display, (N, S, S, 3) uint8 with row 0 at the bottom; or None."""
        if self.info.stamp_stretch is None:
            return None
        return zarr.open_array(self.folder / "stamps.zarr", mode="r")

    def model(self, name: str) -> ModelInfo:
        """The metadata of the model of that name.

        Raises:
            StoreError: It has no such model.
        """
        for model in self.info.models:
            if model.name == name:
                return model
        found = ", ".join(model.name for model in self.info.models)
        msg = f"{self.folder} has no model {name!r}: expected one of {found}"
        raise StoreError(msg)

    def values(self, model: str) -> NDArray[np.floating]:
        """The latents (N, D) of a model, without sigmas or derived columns.

        Those of a wide model are read anew, in single precision.
        """
        about = self.model(model)
        if about.wide:
            path = self.latents_path(model)
            return _guarded(_again(self.folder), read_vectors, path, len(about.latents))
        return self.latents(model)[about.names].to_numpy(np.float64)

    def all_latents(self, model: str) -> pd.DataFrame:
        """As ``latents``, of a wide model with its latents, N x D numbers."""
        about, table = self.model(model), self.latents(model)
        if not about.wide:
            return table
        latents = pd.DataFrame(self.values(model), columns=about.names, copy=False)
        return pd.concat([table, latents], axis=1)

    @cached_property
    def photometry(self) -> pd.DataFrame | None:
        """Colours, magnitude, size and shape (N rows) of the catalogue; None if it has none."""
        return _derived(self, "photometry", photometry_blocks)

    @cached_property
    def magnitudes(self) -> pd.DataFrame | None:
        """Magnitudes and colours [mag] (N rows) of the catalogue; None if it has no fluxes."""
        return _derived(self, "magnitudes", magnitude_blocks)

    def features(
        self, model: str, kind: str = LATENTS, *, oriented: bool = False
    ) -> SearchFeatures:
        """The features of all galaxies; see ``feature_columns``."""
        return self.feature_columns(model, kind, oriented=oriented).all()

    def feature_columns(
        self, model: str, kind: str = LATENTS, *, oriented: bool = False
    ) -> FeatureColumns:
        """The features by which galaxies are searched.

        Args:
            model: The model whose latents take part.
            kind: ``latents``, ``photometry`` (``pcvae.photometry``), or ``both``.
            oriented: Whether the latents of the orientation take part. If there are no others,
                they do.

        Raises:
            StoreError: The catalogue has no photometry.
        """
        info = self.model(model)
        latents = self.latents(model)
        if info.wide and kind != PHOTOMETRY:
            latents = pd.DataFrame(self.values(model), columns=info.names, copy=False)
        photometry = self.photometry if kind != LATENTS else None
        return feature_columns(info, latents, photometry, kind, oriented=oriented)

    def model_folder(self, name: str) -> Path:
        """The folder with what decodes and encodes for that model."""
        return self.folder / "models" / self.model(name).name

    def latents_path(self, model: str) -> Path:
        """Where the latents of a model lie; those of a wide one as of ``pcvae.vectors``."""
        return self.folder / "latents" / f"{self.model(model).name}.parquet"


def map_tables(store: Store) -> None:
    """Make what is mapped of a large store, so that it opens at once; of a small one nothing."""
    if store.mapped.is_used:
        _ = store.galaxies, store.photometry, store.magnitudes
        for model in store.info.models:
            store.latents(model.name)
        store.release()


def _derived(store: Store, name: str, blocks: Callable[..., Iterator[pd.DataFrame]]) -> Any:
    """A table that is computed from the catalogue, part by part; None for no parts."""
    parts = blocks(store.galaxies, store.info.bands)
    made_of = f"{fingerprint(store.folder / 'galaxies.parquet')} {store.info.bands}"
    found = store.mapped.open(name, partial(map_frames, parts, made_of=made_of))
    return joined(parts) if found is None else found


def _read_latents(store: Store, model: str) -> pd.DataFrame:
    """Latents, their sigmas, derived columns and ``recon_error``; N rows, in single precision.

    Without the latents of a wide model, which are columns of ``Store.all_latents``.
    """
    about, path, ids = store.model(model), store.latents_path(model), store.galaxies["id"]
    table, again = None, _again(store.folder)
    if not about.wide:
        table = _guarded(again, store.mapped.of_file, path, ids=ids)
    if table is None:
        table = _read_table(store.folder, path, ["id", "recon_error"] if about.wide else None)
        if "id" in table and not table["id"].equals(ids):
            msg = f"the ids of model {model!r} are not those of the galaxies. "
            raise StoreError(msg + again)
    columns = {"id": ids if "id" in table or store.mapped.is_used else None}
    columns |= {str(n): table[n].astype(np.float32) for n in table if n != "id"}
    wanted = ["id", *(() if about.wide else about.names), about.orientation]
    if absent := [name for name in wanted if name and columns.get(name) is None]:
        msg = f"the latents of model {model!r} lack the column {absent[0]!r}. "
        raise StoreError(msg + again)
    return pd.DataFrame(columns, copy=False)


def _read_projections(store: Store, model: str) -> pd.DataFrame:
    """The projections of a model's latents to look at (``train.project``), N rows or none.

    Raises:
        StoreError: They are broken; or there are none of a wide model.
    """
    about, again = store.model(model), f"python -m train.project {store.folder} --overwrite"
    table = _guarded(f"Make them again with: {again}", read_projections, store.folder, about.name)
    lacking = about.wide and not len(table.columns)
    if lacking or (len(table.columns) and len(table) != len(store)):
        msg = f"expected projections of the {len(store)} galaxies of model {model!r}, found "
        raise StoreError(f"{msg}{len(table)}. Make them with: {again}")
    return table


def _read_table(folder: Path, path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    table: pd.DataFrame = _guarded(_again(folder), pd.read_parquet, path, columns=columns)
    pa.default_memory_pool().release_unused()  # else it keeps as much again
    return table


def _again(folder: Path) -> str:
    return f"Make the store again with: {REMAKE.format(folder)}"


def _guarded(remake: str, read: Callable[..., Any], path: Path, *args: Any, **options: Any) -> Any:
    """What a reader makes of a file.

    Raises:
        StoreError: It cannot be read, and what makes it again, as a sentence says.
    """
    try:
        return read(path, *args, **options)
    except (OSError, ValueError, KeyError) as error:
        msg = f"{path} cannot be read: {brief(error)}. {remake}"
        raise StoreError(msg) from error


def read_store(folder: Path) -> Store:
    """Open the store in ``folder``.

    Raises:
        StoreError: It is missing, of another version, or not whole.
    """
    info = read_facts(folder / "store.json", StoreInfo, VERSION, StoreError, REMAKE.format(folder))
    store = Store(folder, info)
    try:
        rows = pq.read_metadata(folder / "galaxies.parquet").num_rows
        words = _stamps_damage(store, rows) if info.models else "store.json names no model"
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = brief(error)
    if words:
        made_by = f"{info.command} --overwrite" if info.command else REMAKE.format(folder)
        msg = f"the store in {folder} is not whole: {words}. Make it again with: {made_by}"
        raise StoreError(msg)
    return store


def _stamps_damage(store: Store, rows: int) -> str:
    """What is wrong with the stamps of a store of so many galaxies; empty if nothing is."""
    stamps = store.stamps
    if stamps is None:
        return ""
    if not store.info.bands:
        return "store.json names no bands"
    if stamps.ndim != 4 or stamps.shape[0] != rows or stamps.shape[3] != 3:
        return f"expected stamps of shape ({rows}, S, S, 3), found {stamps.shape}"
    return damage(store.folder / "stamps.zarr", stamps)


class StoreWriter(PartWriter):
    """Fills ``FOLDER.partial`` part by part, and renames it when all is there.

    Its arguments are those of ``PartWriter``.
    """

    @property
    def is_joined(self) -> bool:
        """Whether the parts are joined; what is left to do is to move the store into place."""
        return (self.work / "store.json").exists()

    def begin_with(self, earlier: Store, rows: int) -> None:
        """Put a finished store's galaxies before those of the parts, of which there are ``rows``.

        Called again by a call that goes on, before it writes any part.
        """
        if self.is_joined:
            return
        for model in earlier.info.models:
            path = part_path(self.work, model.name, EARLIER)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                begun = path.with_suffix(".new")
                shutil.copyfile(earlier.latents_path(model.name), begun)
                begun.replace(path)
        self.first = len(earlier)
        if earlier.stamps is not None:
            self.begin_stamps(rows, earlier.stamps.shape[1:])
            for start in range(0, len(earlier), BLOCK):
                stamps = np.asarray(earlier.stamps[start : start + BLOCK])
                put_stamps(self.work, start, stamps)

    def begin_stamps(self, rows: int, shape: Sequence[int]) -> None:
        """Make room for the display images of so many galaxies, each of a shape (S, S, 3)."""
        path = self.work / "stamps.zarr"
        if not path.exists():
            begun, whole = self.work / "stamps.zarr.new", (self.first + rows, *shape)
            create_chunked(begun, whole, (PART, *shape), "u1", compress=True)
            begun.rename(path)

    def write_stamps(self, start: int, stamps: NDArray[np.uint8], rows: int) -> None:
        """Put display images (n, S, S, 3) of the rows from ``start`` of ``rows`` on disk."""
        self.begin_stamps(rows, stamps.shape[1:])
        put_stamps(self.work, self.first + start, stamps)

    def write_projection(
        self, model: str, kind: str, ids: pd.Series, parts: Iterable[NDArray[np.floating]]
    ) -> None:
        """Put axes to look at on disk; see ``pcvae.projections.write_projection``."""
        write_projection(projection_path(self.work, model, kind), ids, kind, parts)

    def finish(
        self, info: StoreInfo, galaxies: pd.DataFrame, model_folders: Mapping[str, Path]
    ) -> Store:
        """Join the parts, copy the models in, and move the store into place.

        A kill between any two operations loses nothing, as in ``SampleWriter.finish``.

        Args:
            info: What is known of the store as a whole.
            galaxies: The catalogue with its ``split``, N rows.
            model_folders: Where each model's files lie, by its name in the store.
        """
        if not self.is_joined:
            self._join(galaxies, model_folders)
            write_facts(self.work / "store.json", asdict(info))
        for made_of in ("parts", "rows"):
            if (self.work / made_of).exists():
                shutil.rmtree(self.work / made_of)
        store = read_store(replace_folder(self.work, self.folder))
        map_tables(store)
        return store

    def _join(self, galaxies: pd.DataFrame, model_folders: Mapping[str, Path]) -> None:
        stamps = self.work / "stamps.zarr"
        if stamps.exists() and (absent := seal(stamps)):
            msg = f"{stamps} has lost its chunk {absent[0]}: run the same command with --overwrite"
            raise StoreError(msg)
        (self.work / "latents").mkdir(exist_ok=True)
        for name, files in model_folders.items():
            parts = self.parts(name)
            joined = self.work / "latents" / f"{name}.parquet"
            if VECTOR in pq.read_schema(parts[0]).names:
                copy_rows(parts, joined)
            else:
                table = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
                table.to_parquet(joined, index=False)
            copy_model(files, self.work / "models" / name)
        galaxies.to_parquet(self.work / "galaxies.parquet", index=False)


def put_stamps(work: Path, start: int, stamps: NDArray[np.uint8]) -> None:
    """Put display images in the room made for them in an unfinished folder."""
    open_chunked(work / "stamps.zarr")[start : start + len(stamps)] = stamps


def copy_model(run: Path, folder: Path) -> None:
    """Copy what encodes and decodes from a run."""
    ignored = shutil.ignore_patterns("*.ckpt*", "settings.json")
    shutil.copytree(run, folder, ignore=ignored, dirs_exist_ok=True)
