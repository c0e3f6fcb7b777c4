"""A synthetic store of any number of galaxies, for benchmarks: quick to make, small on disk.

Properties are correlated roughly as real ones are; stamps repeat one block. The decoder is that
of the shipped model, so that a picked galaxy costs as much as in use. A store of more than twenty
million is lean: an embedding of five latents, places and populations.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from numpy.typing import NDArray

from pcvae.checkpoint import run_folder
from pcvae.cutouts import PART
from pcvae.errors import SettingsError
from pcvae.labels import Latent
from pcvae.store import EMBEDDING, ModelInfo, Store, StoreInfo, read_store

__all__ = ["make_store"]

Columns = dict[str, NDArray[np.float64]]
MIN_GALAXIES = 1_000
BLOCK = 1_000_000  # galaxies made at once
SIZE = 64  # px on a side of a stamp
SHIPPED = "decals"
LEAN = 20_000_000  # galaxies above which there is little of each
LEAN_LATENTS = ("redshift", "log_mass", "log_sfr", "free_0", "free_1")
DIGITS = np.uint32(0xFFFFFF00)  # of a number in single precision, four or five decimal ones
RARE = {  # how many, and where: redshift, log mass, log SFR
    "red_spiral": (294, (0.06, 10.7, -0.9)),
    "green_pea": (13, (0.30, 9.5, 1.0)),
}
SCATTER = {"redshift": 0.03, "log_mass": 0.15, "log_sfr": 0.35, "e_cos": 0.06, "e_sin": 0.06}


def make_store(folder: Path, galaxies: int, *, stamps: bool = True, seed: int = 0) -> Store:
    """Write a store with a physics and a vanilla model, or open it if it is there.

    Args:
        folder: Where; must not exist, or hold a whole store.
        galaxies: How many.
        stamps: Whether it has images.
        seed: Fixes all that is random.

    Raises:
        SettingsError: There are too few galaxies to measure on.
    """
    if (folder / "store.json").exists():
        return read_store(folder)
    if galaxies < MIN_GALAXIES:
        msg = f"expected --galaxies of at least {MIN_GALAXIES}, found {galaxies}"
        raise SettingsError(msg)
    work = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    (work / "latents").mkdir(parents=True)
    lean = galaxies > LEAN
    models = _lean_model() if lean else _write_models(work)
    blocks = _lean_blocks if lean else partial(_blocks, names=models[0].names)
    parts = blocks(galaxies=galaxies, rng=np.random.default_rng(seed))
    _write_tables(work, [model.name for model in models], parts)
    if stamps:
        _write_stamps(work / "stamps.zarr", galaxies, np.random.default_rng(seed))
    info = StoreInfo(
        sample=f"{galaxies:,} made-up galaxies",
        source="Made up for measuring the dashboard: simulated numbers, no galaxies.",
        bands=("g", "r", "z"),
        pixel_scale=0.262,
        size=SIZE,
        unit="nanomaggy",
        rare=tuple(RARE),
        hard_negative=(),
        models=models,
        stamp_stretch=_stretch(work) if stamps else None,
        created="2026-01-01T00:00:00+00:00",
        command=f"python -m dashboard.benchmarks.interactions --galaxies {galaxies}",
    )
    (work / "store.json").write_text(json.dumps(asdict(info), indent=1) + "\n")
    work.rename(folder)
    return read_store(folder)


def _write_models(work: Path) -> tuple[ModelInfo, ModelInfo]:
    """The shipped model, once as it is and once with latents that have no names."""
    shipped = run_folder(SHIPPED)
    facts = json.loads((shipped / "run.json").read_text())
    latents = tuple(Latent(**latent) for latent in facts["space"]["latents"])
    physics = ModelInfo("physics", "physics", "default", latents, "orientation")
    unnamed = tuple(Latent(f"latent_{i}", f"Latent {i}", "") for i in range(len(latents)))
    vanilla = replace(physics, name="vanilla", kind="vanilla", latents=unnamed, orientation="")
    for model in (physics, vanilla):
        there = shutil.copytree(shipped, work / "models" / model.name)
        facts["kind"], facts["space"]["latents"] = model.kind, [asdict(o) for o in model.latents]
        (there / "run.json").write_text(json.dumps(facts))
    return physics, vanilla


def _lean_model() -> tuple[ModelInfo]:
    """An embedding of a few latents, with no network."""
    latents = tuple(Latent(name, name.replace("_", " ").title(), "") for name in LEAN_LATENTS)
    return (ModelInfo("lean", EMBEDDING, "made up", latents),)


def _stretch(work: Path) -> dict[str, object]:
    found = json.loads((work / "models" / "physics" / "stretch.json").read_text())
    return {**found, "size": SIZE}


def _write_tables(
    work: Path, models: Sequence[str], parts: Iterator[tuple[pd.DataFrame, ...]]
) -> None:
    """The catalogue, and the latents of each model, part by part."""
    paths = [work / "galaxies.parquet", *(work / "latents" / f"{m}.parquet" for m in models)]
    writers: list[pq.ParquetWriter] = []
    for tables in parts:
        arrows = [pa.Table.from_pandas(_single(table), preserve_index=False) for table in tables]
        if not writers:
            writers = [_writer(p, a.schema) for p, a in zip(paths, arrows, strict=True)]
        for writer, table in zip(writers, arrows, strict=True):
            writer.write_table(table)
    for writer in writers:
        writer.close()


def _single(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers but places in single precision, with as many digits as surveys give."""
    cut = table.copy(deep=False)
    for name in table.columns.difference(["ra", "dec"]):
        if table[name].to_numpy().dtype.kind == "f":
            digits = table[name].to_numpy(np.float32).view(np.uint32) & DIGITS
            cut[name] = digits.view(np.float32)
    return cut


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer that keeps numbers small on disk."""
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    texts = [field.name for field in schema if field.name not in (*numbers, "id")]
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=texts, use_byte_stream_split=numbers
    )


def _lean_blocks(galaxies: int, rng: np.random.Generator) -> Iterator[tuple[pd.DataFrame, ...]]:
    for start in range(0, galaxies, BLOCK):
        n = min(BLOCK, galaxies - start)
        truth, population = _truth(n, rng)
        free = {name: rng.normal(0, 0.9, n) for name in LEAN_LATENTS if name.startswith("free_")}
        ids = pd.DataFrame({"id": _ids(start, n)})
        split = np.where(population == "field", np.where(rng.random(n) < 0.9, "train", "test"), "")
        places = {
            "ra": rng.uniform(120, 240, n).astype(np.float32),
            "dec": np.degrees(np.arcsin(rng.uniform(-0.1, 0.6, n))).astype(np.float32),
        }
        kinds = {"population": population, "split": np.where(split == "", "held_out", split)}
        yield ids.assign(**places, **kinds), ids.assign(**truth, **free)


def _ids(start: int, n: int) -> pd.Series:
    """The ids of galaxies from one on: ``m`` and nine digits."""
    digits = (np.arange(start, start + n)[:, None] // 10 ** np.arange(8, -1, -1)) % 10
    texts = np.full((n, 10), ord("m"), np.uint8)
    texts[:, 1:] = digits + ord("0")
    ends = pa.py_buffer(np.arange(0, 10 * n + 1, 10, dtype=np.int64))
    found: pd.Series = pa.LargeStringArray.from_buffers(n, ends, pa.py_buffer(texts)).to_pandas()
    return found


def _blocks(
    names: Sequence[str], galaxies: int, rng: np.random.Generator
) -> Iterator[tuple[pd.DataFrame, ...]]:
    mixing = np.linalg.qr(rng.normal(size=(len(names), len(names))))[0]
    for start in range(0, galaxies, BLOCK):
        n = min(BLOCK, galaxies - start)
        truth, population = _truth(n, rng)
        catalogue = _catalogue(truth, population, start, rng)
        latents = _latents(truth, [name for name in names if name.startswith("free_")], rng)
        table = pd.DataFrame(latents)[list(names)]
        spread = (table - table.mean()) / table.std()
        mixed = np.tanh(spread.to_numpy() @ mixing / 2) * 2
        vanilla = {f"latent_{i}": mixed[:, i] for i in range(len(names))}
        vanilla |= {f"{name}_sigma": rng.uniform(0.1, 0.3, n) for name in list(vanilla)}
        ids = catalogue[["id"]]
        yield (
            catalogue,
            ids.assign(**latents, recon_error=rng.lognormal(-6, 0.5, n)),
            ids.assign(**vanilla, recon_error=rng.lognormal(-6, 0.5, n)),
        )


def _truth(n: int, rng: np.random.Generator) -> tuple[Columns, NDArray[np.object_]]:
    """Correlated properties (n,): mass with redshift, star formation with mass."""
    redshift = np.clip(rng.gamma(3, 0.11, n), 0.005, 1)
    log_mass = 10.3 + 0.9 * np.log10(redshift / 0.2) + rng.normal(0, 0.45, n)
    quiet = rng.random(n) < 1 / (1 + np.exp(-2.5 * (log_mass - 10.8)))
    main = 0.75 * (log_mass - 10) + 2.2 * np.log10(1 + redshift)
    log_sfr = main - 1.6 * quiet + rng.normal(0, 0.25 + 0.2 * quiet, n)
    population = np.full(n, "field", object)
    first = 0
    for name, (most, place) in RARE.items():
        count = min(most, n // 4 - first)
        rows = slice(first, first + count)
        population[rows] = name
        for values, centre in zip((redshift, log_mass, log_sfr), place, strict=True):
            values[rows] = centre + rng.normal(0, 0.1 * abs(centre), count)
        first += count
    order = rng.permutation(n)
    truth = {"redshift": redshift, "log_mass": log_mass, "log_sfr": log_sfr}
    return {name: values[order] for name, values in truth.items()}, population[order]


def _catalogue(
    truth: Columns,
    population: NDArray[np.object_],
    start: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    n = len(population)
    measured = {name: values + rng.normal(0, 0.02, n) for name, values in truth.items()}
    errors = {f"{name}_err": np.full(n, 0.02) for name in truth}
    splits = np.where(
        population == "field", rng.choice(["train", "test"], n, p=[0.9, 0.1]), "held_out"
    )
    return pd.DataFrame(
        {
            "id": _ids(start, n),
            "ra": rng.uniform(120, 240, n),
            "dec": np.degrees(np.arcsin(rng.uniform(-0.1, 0.6, n))),
            "survey": "made up",
            "population": population,
            **measured,
            **errors,
            "orientation": rng.uniform(-np.pi / 2, np.pi / 2, n),
            "orientation_err": 0.1,
            "axis_ratio": rng.uniform(0.2, 1, n),
            "r50": rng.lognormal(1.6, 0.4, n),
            "north_angle": np.pi / 2,
            "split": np.where(population == "field", splits, "held_out"),
        }
    )


def _latents(truth: Columns, free: Sequence[str], rng: np.random.Generator) -> Columns:
    """The tied latents near the truth, the free ones, the first with a trend, and sigmas."""
    n = len(truth["redshift"])
    centre = truth | {"e_cos": rng.normal(0, 0.15, n), "e_sin": rng.normal(0, 0.15, n)}
    columns = {
        name: centre[name] + rng.normal(0, SCATTER[name], n)
        for name in ("e_cos", "e_sin", "redshift", "log_mass", "log_sfr")
    }
    for place, name in enumerate(free):
        trend = 0.6 * (truth["log_mass"] - 10.3) if place == 0 else 0.0
        columns[name] = trend + rng.normal(0, 0.9, n)
    columns["orientation"] = np.arctan2(columns["e_sin"], columns["e_cos"]) / 2
    sigmas = {name: SCATTER.get(name, 0.3) * rng.uniform(0.7, 1.3, n) for name in columns}
    return columns | {f"{name}_sigma": values for name, values in sigmas.items()}


def _write_stamps(path: Path, galaxies: int, rng: np.random.Generator) -> None:
    """One block of blobs; all further chunks are links to it."""
    y, x = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    width = rng.uniform(2, 7, (PART, 1, 1))
    blobs = np.exp(-np.hypot(x, y / rng.uniform(0.4, 1, (PART, 1, 1))) / width)
    colours = rng.uniform(0.4, 1, (PART, 1, 1, 3))
    shape = (galaxies, SIZE, SIZE, 3)
    array = zarr.create_array(path, shape=shape, chunks=(PART, *shape[1:]), dtype="u1")
    whole = (blobs[..., None] * colours * 255).astype(np.uint8)
    array[:PART] = whole[: min(PART, galaxies)]
    for part in range(1, -(-galaxies // PART)):
        chunk = path / "c" / str(part) / "0" / "0"
        chunk.mkdir(parents=True)
        os.link(path / "c" / "0" / "0" / "0" / "0", chunk / "0")
