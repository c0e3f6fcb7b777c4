"""What encodes: this process, or Dask's workers."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pcvae.cutouts import Sample
from pcvae.encode import Codec
from pcvae.preprocess import Stretch
from pcvae.store import StoreWriter
from train.encoding.cluster import connect, peak_memory, results
from train.encoding.outputs import Writer
from train.encoding.part_tasks import Models, SampleJob, encode_rows, sample_jobs, stamps

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Workers", "hired", "share"]

MB = 1e6  # bytes


class Workers(NamedTuple):
    """Dask's workers, and the models that they encode with."""

    client: "Client"
    models: Models


@contextmanager
def hired(
    args: argparse.Namespace, codecs: Mapping[str, Codec], folders: Mapping[str, Path]
) -> Iterator[Workers | None]:
    """The workers of ``--engine dask``; None if this process encodes.

    Says at the end how much memory they took.

    Args:
        args: With ``cluster.add_cluster_options``, ``device`` and ``symmetries``.
        codecs: Of the models, by name.
        folders: Where each of them lies.
    """
    if args.engine == "local":
        yield None
        return
    runs = tuple(
        (name, folder.absolute(), codecs[name].run.info.created)
        for name, folder in folders.items()
    )
    with connect(args) as client:
        yield Workers(client, Models(runs, args.device, args.symmetries))
        print(f"workers: {len(client.nthreads())}, peak memory {peak_memory(client) / MB:.0f} MB")


def share(
    workers: Workers, writer: Writer, sample: Sample, whole: tuple[Stretch | None, bool, int]
) -> None:
    """Let workers encode the parts of a sample that are missing.

    Args:
        workers: The workers.
        writer: Keeps the parts.
        sample: What is encoded.
        whole: The stretch of the stamps, None for none; ``decode`` as of ``Codec.encode``; and
            how many galaxies a part has.
    """
    from tqdm import tqdm

    stretch, *_ = whole
    if stretch and isinstance(writer, StoreWriter) and not writer.is_joined:
        shape = stamps(sample.pixels(slice(0, 1)), stretch).shape[1:]
        writer.begin_stamps(len(sample), shape)
    places = writer.work.absolute(), sample.folder.absolute(), sample.checksum()
    jobs = sample_jobs(SampleJob(*places, workers.models, *whole, writer.first), sample, writer)
    left = sum(job.stop - job.start for job in jobs)
    with tqdm(total=len(sample), initial=len(sample) - left, desc="encode", unit="galaxy") as bar:
        for count in results(workers.client, encode_rows, jobs):
            bar.update(count)
