"""Tasks of Dask's workers: each makes the parts of a run of galaxies, or of a brick.

A task gets paths, which all workers must see, and gives a count: pixels and latents pass neither
the scheduler nor the process that called the command.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from data.readers.legacy_bricks import BrickFiles, BrickSource
from pcvae.cutouts import PART, Sample, SampleInfo, read_sample
from pcvae.encode import Codec
from pcvae.errors import RunError, SampleError
from pcvae.folders import partial_folder
from pcvae.parts import PartWriter, part_path, write_table
from pcvae.preprocess import Stretch, display
from pcvae.script import device
from pcvae.store import put_stamps
from train.encoding.brick_parts import BrickParts, Span
from train.encoding.chosen_rows import ChosenRows
from train.encoding.taken_rows import TakenRows

__all__ = [
    "BrickJob",
    "Models",
    "SampleJob",
    "brick_jobs",
    "encode_brick",
    "encode_rows",
    "part_edges",
    "sample_jobs",
    "stamps",
]

USED = ["id", "ra", "dec", "ebv", "brick"]  # columns that a brick's task needs


@dataclass(frozen=True)
class Models:
    """The models that encode, as a worker finds them.

    Args:
        runs: The name, the folder and the time of making of each.
        device: Where they run.
        symmetries: As of ``Codec``.
    """

    runs: tuple[tuple[str, Path, str], ...]
    device: str
    symmetries: bool

    def codecs(self) -> dict[str, Codec]:
        """The codecs by name; a worker keeps those of its last task.

        Raises:
            RunError: The worker does not see the same runs.
        """
        return _codecs(self)


@lru_cache(maxsize=1)
def _codecs(models: Models) -> dict[str, Codec]:
    where, codecs = device(models.device), {}
    for name, folder, created in models.runs:
        codec = codecs[name] = Codec.read(folder, where, symmetries=models.symmetries)
        if codec.run.info.created != created:
            msg = f"expected the run of {created} in {folder}, found that of "
            raise RunError(f"{msg}{codec.run.info.created}: all workers must see the same files")
    return codecs


@lru_cache(maxsize=1)
def _sample(folder: Path, checksum: str) -> Sample:
    sample = read_sample(folder)
    if sample.checksum() != checksum:
        msg = f"a worker finds another sample in {folder}: all workers must see the same files"
        raise SampleError(msg)
    return sample


@dataclass(frozen=True)
class SampleJob:
    """The galaxies from ``start`` of a sample.

    Args:
        work: The unfinished folder with the parts.
        sample: The sample's folder.
        checksum: Its checksum.
        models: The models.
        stretch: Of the stamps; None for none.
        decode: As of ``Codec.encode``.
        rows: How many galaxies a part has.
        first: The row of the stamps at which the sample begins.
        start: The first galaxy of the part.
        stop: That after its last one.
        chosen: The rows of the cutouts that they are; empty if they stand together.
        wanted: The models whose parts are not there yet.
    """

    work: Path
    sample: Path
    checksum: str
    models: Models
    stretch: Stretch | None
    decode: bool
    rows: int
    first: int = 0
    start: int = 0
    stop: int = 0
    chosen: tuple[int, ...] = ()
    wanted: tuple[str, ...] = ()


def part_edges(galaxies: int, rows: int, first: int) -> Iterator[tuple[int, int]]:
    """The first row of each part and that after its last one, whatever makes the parts.

    No two parts share a chunk of the stamps, also where these begin with those of others.

    Args:
        galaxies: How many there are.
        rows: How many a part has.
        first: The row of the stamps at which they begin.
    """
    edge = (rows - first % PART) % rows or rows
    return pairwise(dict.fromkeys([0, *range(edge, galaxies, rows), galaxies]))


def sample_jobs(whole: SampleJob, sample: Sample, writer: PartWriter) -> list[SampleJob]:
    """The parts of a sample that are not there, each as ``whole`` is."""
    names, jobs = [name for name, *_ in whole.models.runs], []
    for start, stop in part_edges(len(sample), whole.rows, whole.first):
        wanted = tuple(name for name in names if not writer.has_part(name, start))
        if wanted:
            rows = sample.rows[start:stop].tolist() if isinstance(sample, ChosenRows) else ()
            chosen = tuple(rows)
            jobs.append(replace(whole, start=start, stop=stop, chosen=chosen, wanted=wanted))
    if jobs:
        _make_folders(whole.work, whole.models)
    return jobs


def _make_folders(work: Path, models: Models) -> None:
    """Make the folders of parts; no task does, as one that is late would begin anew."""
    for name, *_ in models.runs:
        part_path(work, name, 0).parent.mkdir(parents=True, exist_ok=True)


def encode_rows(job: SampleJob) -> int:
    """Encode galaxies of a sample and write their parts; how many there are."""
    sample, where = _sample(job.sample, job.checksum), slice(job.start, job.stop)
    if job.chosen:
        sample, where = ChosenRows.of(sample, np.array(job.chosen)), slice(0, len(job.chosen))
    flux = sample.pixels(where)
    if job.stretch:
        put_stamps(job.work, job.first + job.start, stamps(flux, job.stretch))
    codecs = job.models.codecs()
    for name in job.wanted:
        table = codecs[name].table(flux, decode=job.decode)
        table.insert(0, "id", sample.catalog["id"].to_numpy()[where])
        write_table(part_path(job.work, name, job.start), table)
    return len(flux)


def stamps(flux: NDArray[np.float32], stretch: Stretch) -> NDArray[np.uint8]:
    """Display images (n, S, S, 3) of raw pixels (n, C, P, P)."""
    return (display(torch.as_tensor(flux), stretch) * 255 + 0.5).astype("u1")


@dataclass(frozen=True)
class BrickJob:
    """The galaxies on one brick, or some of those that are on none.

    Args:
        store: What is to be made.
        files: The brick's, by band.
        candidates: Its galaxies, of which the first is row ``first`` of all.
        first: That row.
        info: Of the cutouts.
        models: The models.
        decode: As of ``Codec.encode``.
        wanted: The models whose parts are not there yet, by the parts' rows.
    """

    store: Path
    files: BrickFiles
    candidates: pd.DataFrame
    first: int
    info: SampleInfo
    models: Models
    decode: bool
    wanted: Mapping[int, tuple[str, ...]]


def brick_jobs(
    whole: BrickJob, spans: Sequence[Span], todo: Mapping[Span, Mapping[str, Codec]]
) -> Iterator[BrickJob]:
    """The bricks with parts that are not there, each as ``whole`` is.

    Args:
        whole: All files and candidates, in the order of the bricks.
        spans: All parts.
        todo: The models of each part that is not there.
    """
    if todo:
        _make_folders(partial_folder(whole.store), whole.models)
    used = whole.candidates[[name for name in USED if name in whole.candidates]]
    for (brick, _), group in groupby(spans, lambda span: (span.brick, span.brick or span.start)):
        parts = list(group)
        first, wanted = parts[0].start, {span.start: tuple(todo.get(span, ())) for span in parts}
        if any(wanted.values()):
            yield replace(
                whole,
                files={brick: whole.files[brick]} if brick else {},
                candidates=used.iloc[first : parts[-1].stop].reset_index(drop=True),
                first=first,
                wanted=wanted,
            )


def encode_brick(job: BrickJob) -> int:
    """Encode galaxies on a brick and write their parts; how many there are."""
    source = BrickSource(job.files, job.candidates, job.info.bands)
    parts, codecs = BrickParts(source, job.candidates, job.info), job.models.codecs()
    wanted = {span: job.wanted.get(span.start + job.first, ()) for span in parts.spans}
    todo = {span: {name: codecs[name] for name in names} for span, names in wanted.items()}
    todo = {span: models for span, models in todo.items() if models}
    taken, count = TakenRows(job.store), 0
    for part in parts.tables(todo, decode=job.decode):
        start = part.span.start + job.first
        taken.write(start, part.rows.assign(row=part.rows["row"] + job.first))
        for name, table in part.latents.items():
            write_table(part_path(partial_folder(job.store), name, start), table)
        count += len(part.rows)
    return count
