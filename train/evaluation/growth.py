"""How time and memory grow from bricks on disk to a HATS catalogue, by the number of galaxies.

Each number is measured in a process of its own, whose peak memory is its libraries' too. The
bricks are of noise, packed as a survey's, and are as full as Rubin's would be.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from astropy.io import fits

from pcvae.checkpoint import Run
from pcvae.encode import Codec
from train.encoding.brick_options import add_brick_options
from train.encoding.brick_sample import BrickSample
from train.encoding.cluster import add_cluster_options, own_peak
from train.encoding.hats_writer import HatsWriter, partitions
from train.encoding.output_options import add_output_options
from train.encoding.outputs import Whole, finish
from train.evaluation.brick_speed import NAME, SIDE, brick_places, store_info, write_brick

__all__ = ["COUNTS", "GrowthJob", "growth_figures", "measure", "write_sky"]

COUNTS = (1_000, 10_000, 100_000, 1_000_000)  # galaxies
FULL = 69_000  # galaxies on a brick of 0.25 deg at Rubin's density
STEP = 0.27  # deg between the middles of bricks, so that each galaxy is on one


class GrowthJob(NamedTuple):
    """What one process measures.

    Args:
        bricks: The folder of the bricks.
        table: The catalogue of the galaxies on them.
        run: The model.
    """

    bricks: Path
    table: Path
    run: Run


def growth_figures(
    run: Run, counts: Sequence[int] = COUNTS, side: int = SIDE, full: int = FULL
) -> dict[str, float]:
    """Seconds, peak memory and bytes of each step for each number of galaxies.

    Args:
        run: The model.
        counts: How many galaxies.
        side: Pixels on a side of a brick.
        full: Galaxies on a brick, at most.
    """
    figures = {"encoder_flops": _flops(run), "galaxies_a_brick": float(full)}
    for count in counts:
        with tempfile.TemporaryDirectory() as made:
            job = write_sky(Path(made), run, count, side, full)
            figures["brick_bytes"] = float(_size(job.bricks.glob(f"*{NAME}*")))
            apart = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=apart) as process:
                found = process.submit(measure, job).result()
            figures |= {f"{name}_at_{count}": value for name, value in found.items()}
    return figures


def write_sky(folder: Path, run: Run, count: int, side: int, full: int) -> GrowthJob:
    """Bricks of noise with so many galaxies on them, and their catalogue."""
    (bricks := folder / "coadd").mkdir()
    wcs, tables = write_brick(bricks, side), []
    for place, start in enumerate(range(0, count, full)):
        shift = place * STEP
        if place:
            _copy_brick(bricks, shift)
        table = brick_places(wcs, min(full, count - start), side)
        tables.append(table.assign(ra=table["ra"] + shift, id=f"b{place}" + table["id"]))
    path = folder / "galaxies.parquet"
    pd.concat(tables, ignore_index=True).to_parquet(path, index=False)
    return GrowthJob(bricks, path, run)


def measure(job: GrowthJob) -> dict[str, float]:
    """Encode the galaxies of bricks and write them as a HATS catalogue, by one thread.

    Returns:
        Seconds of the processor and of the clock, and peak memory [bytes], of ``encode``
        (catalogue read, bricks to parts on disk) and ``index`` (parts to a catalogue); its bytes
        on disk.
    """
    import torch

    torch.set_num_threads(1)
    codec = Codec(job.run)
    figures: dict[str, float] = {}
    quiet = redirect_stdout(StringIO()), redirect_stderr(StringIO())
    with tempfile.TemporaryDirectory(dir=job.table.parent) as made, quiet[0], quiet[1]:
        args = _arguments(job, Path(made) / "sky")
        (empty := Path(made, "run")).mkdir()
        with _timed(figures, "encode"):
            sample = BrickSample.read(args, codec)
            writer = HatsWriter(args.store, {})
            galaxies = sample.encode(writer, {"model": codec}, decode=False)
        whole = Whole(store_info(sample, codec), galaxies.assign(split="new"), {"model": empty})
        with _timed(figures, "index"):
            finish(args, writer, whole, None)
        figures["catalogue_bytes"] = float(_size(partitions(args.store)))
    return figures


def _arguments(job: GrowthJob, catalog: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_brick_options(parser)
    add_output_options(parser)
    add_cluster_options(parser)
    given = ["--bricks", str(job.bricks), "--catalog", str(job.table), "--output", "hats"]
    return parser.parse_args(given, argparse.Namespace(store=catalog))


@contextmanager
def _timed(figures: dict[str, float], step: str) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    figures[f"{step}_cpu_seconds"] = time.process_time() - cpu
    figures[f"{step}_seconds"] = time.perf_counter() - wall
    figures[f"{step}_peak_bytes"] = float(own_peak())


def _copy_brick(folder: Path, shift: float) -> None:
    """The files of the first brick again, ``shift`` [deg] farther east; packed as they are."""
    for path in folder.glob(f"*{NAME}*"):
        with fits.open(path, disable_image_compression=True) as file:
            ra = file[1].header["CRVAL1"] + shift
            file[1].header["CRVAL1"] = ra
            name = f"{round(10 * ra):04d}{NAME[4:]}"
            file.writeto(path.with_name(path.name.replace(NAME, name)))


def _flops(run: Run) -> float:
    """Operations of the encoder for a galaxy; a multiplication with its addition is two."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    config = run.info.model
    image = torch.zeros(1, config.bands, config.size, config.size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run.model.encode(image)
    return float(counter.get_total_flops())


def _size(files: "Iterator[Path] | Sequence[Path]") -> int:
    return sum(path.stat().st_size for path in files)
