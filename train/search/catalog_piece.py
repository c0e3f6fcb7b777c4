"""A piece of a HATS catalogue as a store: the galaxies of a cone, of pixels or of a condition."""

import ast
import hashlib
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pcvae.errors import SettingsError, StoreError, brief
from pcvae.folders import partial_folder, replace_folder, write_facts
from pcvae.lock import hold
from pcvae.store import ModelInfo, Store, copy_model, read_store
from train.encoding.catalog_tables import fitted
from train.encoding.earlier import EarlierCatalog, read_earlier
from train.encoding.hats_writer import partitions

__all__ = ["MAX_GALAXIES", "MAX_PIECES", "CatalogPiece", "Piece", "made_piece", "piece_store"]

MAX_GALAXIES = 10_000_000  # of a piece: what the dashboard is measured with
MAX_PIECES = 20  # that are kept on disk, those that were opened last
DIGITS = 6  # of a degree: 4 mas
MAX_ORDER = 29  # of HEALPix


@dataclass(frozen=True, slots=True)
class Piece:
    """Which galaxies of a catalogue; by default all.

    Args:
        cone: Right ascension and declination of its centre, and its radius [deg].
        pixels: The order of HEALPix pixels, then their numbers (nested).
        query: A condition on columns of the catalogue, which they fulfil too.

    Raises:
        SettingsError: There is no such piece.
    """

    cone: tuple[float, float, float] | None = None
    pixels: tuple[int, ...] = ()
    query: str = ""

    def __post_init__(self) -> None:
        if self.cone:  # so that an address, in decimal digits, names the same piece
            ra, dec, radius = (round(float(number), DIGITS) for number in self.cone)
            object.__setattr__(self, "cone", (ra, dec, radius))
        _check_cone(self.cone)
        _check_pixels(self.pixels)
        if self.cone and self.pixels:
            msg = "expected a cone or HEALPix pixels, found both"
            raise SettingsError(msg)
        try:
            ast.parse(self.query or "True", mode="eval")
        except SyntaxError as error:
            msg = f"expected a condition such as 'redshift > 0.2', found {self.query!r}"
            raise SettingsError(msg) from error

    def __str__(self) -> str:
        where = "the whole"
        if self.cone:
            ra, dec, radius = self.cone
            where = f"{radius:g}° around RA {ra:.10g}° Dec {dec:+.10g}°"
        elif self.pixels:
            order, *numbers = self.pixels
            where = f"HEALPix of order {order}: {', '.join(map(str, numbers))}"
        return f"{where}, {self.query}" if self.query else where

    @property
    def name(self) -> str:
        """The same as part of a file's name."""
        where = "whole"
        if self.cone:
            where = "{:.10g}_{:+.10g}_{:g}deg".format(*self.cone)
        elif self.pixels:
            where = f"healpix_{self.pixels[0]}_{self.pixels[1]}"
        return f"{where}-query" if self.query else where


class CatalogPiece(NamedTuple):
    """A catalogue made by pcvae, and which of its galaxies are meant."""

    catalog: Path
    piece: Piece

    def __str__(self) -> str:
        return f"{self.catalog.name}: {self.piece}"

    def folder(self) -> Path:
        """Where it lies as a store: in the cache, by what catalogue and piece are now.

        Raises:
            StoreError: There is no such catalogue.
        """
        found = read_earlier(self.catalog, "hats").digest()
        whole = f"{self.catalog.resolve()}\n{found}\n{self.piece!r}"
        key = hashlib.sha256(whole.encode()).hexdigest()[:12]
        return _cache() / f"{self.catalog.name}-{key}"


def made_piece(of: CatalogPiece) -> Store | None:
    """The store of a piece, if it is there; it is kept longer then.

    Raises:
        StoreError: There is no such catalogue.
    """
    folder = of.folder()
    with suppress(StoreError):
        store = read_store(folder)
        os.utime(folder)
        return store
    return None


def piece_store(of: CatalogPiece, tell: Callable[[str], None] = lambda _: None) -> Store:
    """The store of a piece, which is made if it is not there.

    Args:
        of: The piece.
        tell: Called with how far it is.

    Raises:
        StoreError: It is empty, too large, or has no model that a page can show.
        SettingsError: Its condition asks for what the catalogue does not have.
        OutputError: Another process makes it, or the cache cannot be written.
    """
    if store := made_piece(of):
        return store
    folder = of.folder()
    with hold(folder):
        try:
            _make(of, folder, tell)
        finally:
            shutil.rmtree(partial_folder(folder), ignore_errors=True)
    _forget(folder)
    return read_store(folder)


def _make(of: CatalogPiece, folder: Path, tell: Callable[[str], None]) -> None:
    tell("opening the catalogue")
    earlier = read_earlier(of.catalog, "hats")
    assert isinstance(earlier, EarlierCatalog)
    models = _models(earlier)
    work = partial_folder(folder)
    shutil.rmtree(work, ignore_errors=True)  # what a killed process has left
    (work / "latents").mkdir(parents=True)
    _write(work, models, earlier.schema, _tables(of, tell))
    for model in models:
        copy_model(earlier.model(model.name), work / "models" / model.name)
    source = f"{earlier.info.source} Of the HATS catalogue {of.catalog.resolve()}: {of.piece}."
    sample = f"{of.catalog.name}-{of.piece.name}"
    told = replace(earlier.info, sample=sample, source=source, models=models, stamp_stretch=None)
    write_facts(work / "store.json", asdict(told))
    replace_folder(work, folder)


def _models(earlier: EarlierCatalog) -> tuple[ModelInfo, ...]:
    """The models of a catalogue whose latents are axes to look at."""
    shown = tuple(model for model in earlier.info.models if not model.wide)
    if not shown:
        widest = max(len(model.latents) for model in earlier.info.models)
        msg = f"the models of {earlier.folder} have too many latents ({widest}) to be axes of maps"
        raise StoreError(f"{msg}: show the store that it was made of")
    return shown


def _tables(of: CatalogPiece, tell: Callable[[str], None]) -> Iterator[pa.Table]:
    """The galaxies of a piece, partition after partition, each read when it is asked for."""
    import dask

    with _in_words(of):
        frames = _frames(of)
    rows = 0
    for count, frame in enumerate(frames, start=1):
        with _in_words(of):
            (table,) = dask.compute(frame, scheduler="synchronous")
        rows += len(table)
        if rows > MAX_GALAXIES:
            msg = f"more than {MAX_GALAXIES:,} galaxies lie in {of}: choose a smaller piece, by a"
            raise StoreError(f"{msg} cone, HEALPix pixels or a condition")
        tell(f"{count} of {len(frames)} partitions read, {rows:,} galaxies")
        if len(table):
            yield pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False)
    if not rows:
        msg = f"no galaxy of {of.catalog} is in this piece ({of.piece}): choose another one"
        raise StoreError(msg)


def _frames(of: CatalogPiece) -> list[object]:
    """A delayed table for each partition that a piece touches."""
    import lsdb

    piece = of.piece
    catalog = lsdb.open_catalog(partitions(of.catalog.absolute())[0].parents[3])
    if piece.cone:
        ra, dec, radius = piece.cone
        catalog = catalog.cone_search(ra=ra, dec=dec, radius_arcsec=3600 * radius)
    if piece.pixels:
        order, *numbers = piece.pixels
        catalog = catalog.pixel_search([(order, number) for number in numbers], fine=True)
    if piece.query:
        catalog = catalog.query(piece.query)
    return list(catalog.to_delayed()) if len(catalog.get_healpix_pixels()) else []


@contextmanager
def _in_words(of: CatalogPiece) -> Iterator[None]:
    """Say what LSDB's errors, which are of many kinds, mean for who asked for the piece."""
    try:
        yield
    except ModuleNotFoundError:
        raise
    except Exception as error:
        msg = f"{of.catalog} cannot be read: {brief(error)}"
        if of.piece.query:
            msg = f"expected a condition on columns of {of.catalog}, found {of.piece.query!r}: "
            raise SettingsError(f"{msg}{brief(error)}") from error
        raise StoreError(msg) from error


def _write(
    work: Path, models: tuple[ModelInfo, ...], schema: pa.Schema, tables: Iterator[pa.Table]
) -> None:
    """Write the catalogue and the latents of each model, a partition in memory at a time."""
    columns = {name: _latents(name, models, schema) for name in (model.name for model in models)}
    taken = {column for given in columns.values() for column in given}
    kept = {column: column for column in schema.names if column not in taken}
    files = {work / "galaxies.parquet": kept}
    for name, given in columns.items():
        short = {column: column.removeprefix(f"{name}_") for column in given}
        files[work / "latents" / f"{name}.parquet"] = {"id": "id", **short}
    with ExitStack() as stack:
        writers: dict[Path, pq.ParquetWriter] = {}
        for table in tables:
            whole = fitted(table, schema)
            for path, names in files.items():
                part = whole.select(list(names)).rename_columns(list(names.values()))
                if path not in writers:
                    writers[path] = stack.enter_context(pq.ParquetWriter(path, part.schema))
                writers[path].write_table(part)


def _latents(model: str, models: tuple[ModelInfo, ...], schema: pa.Schema) -> list[str]:
    """The columns of a catalogue that are a model's, and no other's of a longer name."""
    longer = [f"{m.name}_" for m in models if m.name.startswith(f"{model}_")]
    return [
        field.name
        for field in schema
        if field.name.startswith(f"{model}_")
        and not any(field.name.startswith(prefix) for prefix in longer)
        and pa.types.is_floating(field.type)
    ]


def _check_cone(cone: tuple[float, float, float] | None) -> None:
    if cone is None:
        return
    ra, dec, radius = cone
    if not (all(map(math.isfinite, cone)) and 0 <= ra <= 360 and abs(dec) <= 90):
        msg = f"expected a cone's RA in 0 to 360° and Dec in -90 to 90°, found {ra:g} {dec:g}"
        raise SettingsError(msg)
    if not 0 < radius <= 180:
        msg = f"expected a cone's radius above 0 and up to 180°, found {radius:g}"
        raise SettingsError(msg)


def _check_pixels(pixels: tuple[int, ...]) -> None:
    if not pixels:
        return
    order, *numbers = pixels
    if not numbers or not 0 <= order <= MAX_ORDER:
        msg = f"expected an order of 0 to {MAX_ORDER} and HEALPix pixels, found {pixels}"
        raise SettingsError(msg)
    last = 12 * 4**order - 1
    if wrong := [number for number in numbers if not 0 <= number <= last]:
        msg = f"expected HEALPix pixels of 0 to {last} at order {order}, found {wrong[0]}"
        raise SettingsError(msg)


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pcvae" / "pieces"


def _forget(made: Path) -> None:
    """Remove the pieces that were opened longest ago, beyond ``MAX_PIECES``."""
    stores = [path.parent for path in made.parent.glob("*/store.json")]
    stores.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in stores[MAX_PIECES:]:
        shutil.rmtree(folder, ignore_errors=True)
