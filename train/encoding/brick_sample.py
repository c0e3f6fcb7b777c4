"""A catalogue whose galaxies are on coadded bricks, which is encoded without cutouts on disk."""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.pipeline.checksums import files_digest, table_digest
from data.pipeline.dust_correction import with_dust
from data.pipeline.options import DustOptions
from data.published.column_mapping import read_candidates
from data.readers.legacy_bricks import BrickSource, by_brick
from data.services.legacy_surveys import PAPER_SIZE, PIXEL_SCALE
from pcvae.catalog import complete
from pcvae.cutouts import SampleInfo
from pcvae.encode import Codec
from pcvae.errors import CatalogError, StoreError
from pcvae.folders import partial_folder
from pcvae.parts import PartWriter
from train.encoding.brick_parts import BrickParts, Span
from train.encoding.cluster import results
from train.encoding.part_tasks import BrickJob, Models, brick_jobs, encode_brick
from train.encoding.taken_rows import TakenRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from train.encoding.engine import Workers

__all__ = ["BrickSample"]


@dataclass(frozen=True)
class BrickSample:
    """The galaxies of a catalogue on bricks; stands where a sample of cutouts does.

    Args:
        info: What is known of the cutouts as a whole.
        catalog: A row a galaxy, brick after brick.
        source: Reads the bricks.
    """

    info: SampleInfo
    catalog: pd.DataFrame
    source: BrickSource

    def __len__(self) -> int:
        return len(self.catalog)

    @staticmethod
    def read(args: argparse.Namespace, codec: Codec) -> "BrickSample":
        """Read the catalogue and find its galaxies' bricks.

        Args:
            args: With ``brick_options.add_brick_options``.
            codec: Of the first run, whose bands and field the cutouts have.

        Raises:
            CatalogError: No galaxy has a position.
            SampleError: The folder has no bricks.
        """
        bands, made = codec.run.stretch.bands, codec.run.info.settings
        candidates = read_candidates(
            args.catalog, args.columns, args.population_column, args.survey
        )
        if not candidates[["ra", "dec"]].notna().all(axis=1).any():
            msg = f"expected right ascensions and declinations [deg] in {args.catalog}, found none"
            raise CatalogError(f"{msg}. Name their columns with --columns ra=NAME,dec=NAME")
        candidates, dust = with_dust(candidates, bands, "nanomaggy", DustOptions.of(args))
        candidates = by_brick(candidates, args.bricks)
        info = SampleInfo(
            name=args.store.name,
            source=f"Legacy Surveys coadds, cut from the bricks in {args.bricks.resolve().name}.",
            bands=bands,
            pixel_scale=made.get("pixel_scale") or PIXEL_SCALE,
            size=made.get("size") or PAPER_SIZE,
            dust=dust.dust,
            extinction=dust.extinction,
        )
        return BrickSample(info, candidates, BrickSource(args.bricks, candidates, bands))

    def only(self, chosen: NDArray[np.bool_]) -> "BrickSample":
        """Those galaxies of it."""
        catalog = self.catalog[chosen].reset_index(drop=True)
        source = BrickSource(self.source.bricks, catalog, self.info.bands)
        return BrickSample(self.info, catalog, source)

    def checksum(self) -> str:
        """A digest of all that decides the pixels."""
        facts = self.info.bands, self.info.size, self.info.pixel_scale, self.info.extinction
        digests = table_digest(self.catalog), files_digest(self.source.files)
        return f"{digests[0]} {digests[1]} {facts}"

    def pixels(self, where: slice) -> NDArray[np.float32]:
        """Cutouts (n, C, N, N) of galaxies on the first bricks, as many as the slice is long."""
        parts = BrickParts(self.source, self.catalog, self.info)
        return parts.cutouts(where.stop - (where.start or 0))

    def encode(
        self,
        writer: PartWriter,
        codecs: Mapping[str, Codec],
        *,
        decode: bool,
        workers: "Workers | None" = None,
    ) -> pd.DataFrame:
        """Write the parts that are missing; the rows of the galaxies that are taken.

        None of what is joined already, where nothing is missing.

        Args:
            writer: Keeps the parts.
            codecs: Of the models.
            decode: As of ``Codec.encode``.
            workers: Make the parts, instead of this process.

        Raises:
            StoreError: None is, and there were none before them.
        """
        from tqdm import tqdm

        if writer.is_joined:  # its parts are being removed, and it has what follows of them
            return self.catalog.iloc[:0]
        parts, taken = BrickParts(self.source, self.catalog, self.info), TakenRows(writer.folder)
        todo = _missing(parts.spans, writer, codecs)
        left = sum(span.stop - span.start for span in todo)
        with tqdm(total=len(self), initial=len(self) - left, desc="encode", unit="galaxy") as bar:
            if workers:
                whole = self._job(writer, workers.models, decode=decode)
                jobs = brick_jobs(whole, parts.spans, todo)
                for count in results(workers.client, encode_brick, jobs):
                    bar.update(count)
                todo = {}
            for part in parts.tables(todo, decode=decode):
                taken.write(part.span.start, part.rows)
                for name, table in part.latents.items():
                    writer.write_part(name, part.span.start, table)
                bar.update(len(part.rows))
        galaxies, left_out = taken.split(self.catalog)
        if len(left_out):
            _report(left_out, len(galaxies), writer)
        return complete(galaxies, self.info.bands) if len(galaxies) else galaxies

    def _job(self, writer: PartWriter, models: Models, *, decode: bool) -> BrickJob:
        files = {
            name: {band: path.absolute() for band, path in paths.items()}
            for name, paths in self.source.bricks.items()
        }
        store = writer.folder.absolute()
        return BrickJob(store, files, self.catalog, 0, self.info, models, decode, {})


def _missing(
    spans: "Sequence[Span]", writer: PartWriter, codecs: Mapping[str, Codec]
) -> dict[Span, dict[str, Codec]]:
    """The parts that some model has not on disk, with the codecs of those."""
    absent = {
        span: {
            name: codec for name, codec in codecs.items() if not writer.has_part(name, span.start)
        }
        for span in spans
    }
    return {span: models for span, models in absent.items() if models}


def _report(left_out: pd.DataFrame, galaxies: int, writer: PartWriter) -> None:
    """Say how many are left out and why; remove what was begun if all are."""
    store = writer.folder
    counts = left_out["reason"].value_counts()
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    if not galaxies and not writer.append:
        shutil.rmtree(partial_folder(store))
        msg = f"no galaxy is left for {store}: all {len(left_out)} left out ({reasons}), such as "
        raise StoreError(f"{msg}{left_out['id'].iloc[0]}: {left_out['detail'].iloc[0]}")
    print(f"left out: {len(left_out)} ({reasons}), see {store / 'left_out.csv'}")
