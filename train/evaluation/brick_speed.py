"""What a galaxy costs from bricks on disk to latents on disk, whole and in its parts.

Times are of the processor, all threads together, so that others on the machine count little.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS

from data.pipeline.brick_windows import windows
from data.readers.legacy_bricks import BrickSource, by_brick
from pcvae.encode import Codec, latent_table
from pcvae.sky_stretch import SkyStretch
from pcvae.store import ModelInfo, StoreInfo, StoreWriter
from train.encoding.brick_options import add_brick_options
from train.encoding.brick_parts import NEAR
from train.encoding.brick_sample import BrickSample

__all__ = ["NAME", "SIDE", "brick_figures", "brick_places", "store_info", "write_brick"]

SIDE = 3600  # px of a brick of the Legacy Surveys
INNER = 0.25 * 3600 / 0.262  # px; the middle of a brick that no other brick covers as well
NAME, PLACE = "1500p020", (150.02, 2.03)  # deg
NOISE = {"g": 0.003, "r": 0.005, "z": 0.01}  # nanomaggy a pixel, about that of DECaLS
SURVEY = 20e9  # galaxies
EBV = 0.05  # mag, and as much again over the brick


class Density(NamedTuple):
    """Galaxies on a brick of 0.25 deg, and the goal for ``paper`` [us a galaxy]."""

    galaxies: int
    goal: float


DENSITIES = (Density(9_000, 300.0), Density(69_000, 150.0))  # of DR10, and of Rubin


def brick_figures(
    codecs: Mapping[str, Codec], densities: tuple[Density, ...] = DENSITIES, side: int = SIDE
) -> dict[str, float]:
    """Microseconds a galaxy of each recipe at each density, with its parts and the goal.

    Args:
        codecs: By the name of the recipe; of runs that know their cutouts' size.
        densities: Galaxies on the brick.
        side: Its pixels on a side.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wcs = write_brick(folder, side)
        for number, goal in densities:
            table = brick_places(wcs, number, side)
            for recipe, codec in codecs.items():
                _parts(folder, table.head(codec.batch), codec)  # compiles, or reads what is
                found = _parts(folder, table, codec)
                found |= {"all_in": _whole(folder, table, codec)}
                corrected = table.assign(ebv=np.linspace(EBV, 2 * EBV, number))
                found |= {"all_in_with_dust_undone": _whole(folder, corrected, codec)}
                name = f"{recipe}_at_{number}"
                figures |= {f"{name}_{k}_us": 1e6 * s / number for k, s in found.items()}
                figures[f"{name}_goal_us"] = goal * (1.5 if recipe == "default" else 1.0)
                hours = SURVEY * found["all_in"] / number / 3600
                figures[f"{name}_cpu_hours_for_20_billion_at_this_rate"] = hours
    return figures


def _whole(folder: Path, table: pd.DataFrame, codec: Codec) -> float:
    """Seconds of ``train.encode --bricks``, from the catalogue's file to a finished store."""
    seconds: dict[str, float] = {}
    table.to_parquet(folder / "in.parquet", index=False)
    parser = argparse.ArgumentParser()
    add_brick_options(parser)
    given = ["--bricks", str(folder), "--catalog", str(folder / "in.parquet")]
    with tempfile.TemporaryDirectory() as made:
        args = parser.parse_args(given, argparse.Namespace(store=Path(made, "store")))
        (empty := Path(made, "run")).mkdir()

        quiet = redirect_stdout(StringIO()), redirect_stderr(StringIO())
        with quiet[0], quiet[1], _timed(seconds, "whole"):
            sample = BrickSample.read(args, codec)
            writer = StoreWriter(args.store, {})
            galaxies = sample.encode(writer, {"model": codec}, decode=False)
            writer.finish(
                store_info(sample, codec), galaxies.assign(split="new"), {"model": empty}
            )
    return seconds["whole"]


def store_info(sample: BrickSample, codec: Codec) -> StoreInfo:
    """What is known of a store of these galaxies as a whole, with the codec as ``model``."""
    about, facts = codec.run.info, sample.info
    model = ModelInfo("model", about.kind, about.recipe, codec.space.latents, "")
    return StoreInfo(
        facts.name, facts.source, facts.bands, facts.pixel_scale, facts.size, facts.unit,
        (), (), (model,), None, "", "",
    )  # fmt: skip


def _parts(folder: Path, table: pd.DataFrame, codec: Codec) -> dict[str, float]:
    """Seconds of each step of the whole, one after the other."""
    seconds: dict[str, float] = {}
    stretch, made = codec.run.stretch, codec.run.info.settings
    candidates = by_brick(table, folder)
    source = BrickSource(folder, candidates, stretch.bands)
    positions = candidates[["ra", "dec"]].to_numpy(np.float64)
    field, rows = (made["size"], made["pixel_scale"]), range(len(table))
    with _timed(seconds, "decompress"):
        brick = source.brick(NAME)
    with _timed(seconds, "find"):
        found = windows(brick, rows, positions, field, stretch.bands)
    with _timed(seconds, "stretch_and_pool"):
        sky = SkyStretch(brick.flux, stretch, made["size"])
    places = np.array([(window.low, window.left) for window in found])
    places = places[np.lexsort((places[:, 1], places[:, 0] // NEAR))]
    starts = range(0, len(places), codec.batch)
    with _timed(seconds, "slice"):
        for start in starts:
            sky.images(places[start : start + codec.batch])
    with _timed(seconds, "encode"):
        batches = (sky.images(places[start : start + codec.batch]) for start in starts)
        encoded = codec.encode_prepared(batches, decode=False)
    seconds["encode"] -= seconds["slice"]
    with _timed(seconds, "write"), tempfile.TemporaryDirectory() as other:
        latents = latent_table(encoded, codec.space, codec.ood)
        StoreWriter(Path(other, "store"), {}).write_part("model", 0, latents)
    return seconds


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Keep the seconds of the processor that the block takes."""
    began = time.process_time()
    yield
    seconds[name] = time.process_time() - began


def write_brick(folder: Path, side: int) -> WCS:
    """Noise, in files that are packed as the surveys' coadds are (RICE in tiles of 100 px)."""
    rng, header = np.random.default_rng(0), fits.Header()
    header["CTYPE1"], header["CTYPE2"], header["BUNIT"] = "RA---TAN", "DEC--TAN", "nanomaggy"
    header["CRVAL1"], header["CRVAL2"] = PLACE
    header["CRPIX1"] = header["CRPIX2"] = (side + 1) / 2
    header["CD1_1"], header["CD2_2"] = -0.262 / 3600, 0.262 / 3600
    for band, noise in NOISE.items():
        plane = rng.normal(0, noise, (side, side)).astype(np.float32)
        tile = (min(100, side), min(100, side))
        packed = fits.CompImageHDU(plane, header, compression_type="RICE_1", tile_shape=tile)
        path = folder / f"legacysurvey-{NAME}-image-{band}.fits.fz"
        fits.HDUList([fits.PrimaryHDU(), packed]).writeto(path)
    return WCS(header)


def brick_places(wcs: WCS, count: int, side: int) -> pd.DataFrame:
    """Places all over the inner part of the brick."""
    half = min(INNER, side - 132) / 2
    middle = (side - 1) / 2
    x, y = np.random.default_rng(count).uniform(middle - half, middle + half, (2, count))
    ra, dec = wcs.pixel_to_world_values(x, y)
    return pd.DataFrame({"id": [f"g{row}" for row in range(count)], "ra": ra, "dec": dec})
