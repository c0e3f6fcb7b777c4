"""A HATS catalogue of galaxies with their latents, written by hats-import, opened by LSDB."""

import hashlib
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pcvae.errors import PcvaeError, StoreError, WorkerError, brief
from pcvae.folders import replace_folder, write_facts, write_text
from pcvae.parts import PartWriter, write_table
from pcvae.store import StoreInfo, copy_model
from train.encoding.catalog_tables import OF_HATS, fitted, grouped, placed
from train.encoding.cluster import in_words

if TYPE_CHECKING:
    from distributed import Client
    from hats_import.collection.arguments import CollectionArguments

__all__ = [
    "FACTS",
    "PARTITION_ROWS",
    "Content",
    "HatsWriter",
    "digest",
    "partitions",
    "some_scores",
]

FACTS = "pcvae.json"  # what a catalogue is made of; written last
WORK = ("parts", "rows", "tables", "state", "made")  # in the unfinished folder only
LIBRARIES = ("pcvae", "torch", "numpy", "hats", "hats-import")
MARGIN = 10.0  # arcsec around each partition in which cross-matches find all neighbours
TABLE_ROWS = 100_000  # of a file that hats-import reads, at least
PARTITION_ROWS = 250_000  # at most, in a partition
SCORES = 1_000_000  # galaxies at least whose scores are looked at, if there are as many
ORDER = 8  # of the smallest partitions: 0.05 deg^2


def partitions(catalog: Path) -> list[Path]:
    """The files of the galaxies of a catalogue made by pcvae, without those of its margin."""
    mains = [path.parent for path in catalog.glob("*/point_map.fits")]  # a margin has none
    return sorted(p for main in mains for p in main.glob("dataset/Norder=*/Dir=*/Npix=*.parquet"))


def some_scores(catalog: Path, model: str) -> pd.DataFrame:
    """The ``ood`` of a model in the first partitions of a catalogue, if it has that column."""
    tables, name = [], f"{model}_ood"
    for path in partitions(catalog):
        if name not in pq.read_schema(path).names:
            return pd.DataFrame()
        tables.append(pq.read_table(path, columns=[name]).rename_columns(["ood"]))
        if sum(map(len, tables)) >= SCORES:
            break
    return pa.concat_tables(tables).to_pandas()


class Content(NamedTuple):
    """What a catalogue is made of.

    Args:
        info: What is known of it as a whole.
        models: Where each model's files lie, by its name.
        tables: Its galaxies with their latents, part after part; always in the same order.
        earlier: A finished catalogue, whose galaxies are in it too.
    """

    info: StoreInfo
    models: Mapping[str, Path]
    tables: Iterator[pa.Table]
    earlier: Path | None = None


class HatsWriter(PartWriter):
    """Fills ``FOLDER.partial`` part by part, and renames it when the catalogue is whole.

    Its arguments are those of ``PartWriter``.
    """

    @property
    def is_joined(self) -> bool:
        """Whether the catalogue is made; what is left to do is to move it into place."""
        return any((folder / FACTS).exists() for folder in (self._made, self.work))

    @property
    def _name(self) -> str:
        clean = re.sub(r"[^A-Za-z0-9._-]", "_", self.folder.name)
        return "galaxies" if clean in ("models", FACTS, *WORK) else clean

    @property
    def _made(self) -> Path:
        return self.work / "made" / self._name

    def finish(
        self, content: Content, client: "Client", *, partition_rows: int = PARTITION_ROWS
    ) -> Path:
        """Write the catalogue and move it into place.

        A kill between any two operations loses nothing: tables that are there are not written
        again, hats-import goes on where it was, and ``FACTS``, which says that all is there, is
        written last and moved last.

        Args:
            content: What it is made of.
            client: Its workers write the partitions.
            partition_rows: Of a partition, at most.

        Raises:
            StoreError: Too many galaxies share a place on the sky.
            WorkerError: A worker or the scheduler has ended too often.
        """
        if not self.is_joined:
            files = partitions(content.earlier) if content.earlier else []
            self._write_tables(content.tables, pq.read_schema(files[0]) if files else None)
            files += sorted((self.work / "tables").glob("*.parquet"))
            facts = _facts(content, sum(pq.read_metadata(path).num_rows for path in files))
            self._import(client, files, partition_rows, facts)
            _point_margins(self._made, self._name)
            for name, run in content.models.items():
                copy_model(run, self._made / "models" / name)
            write_facts(self._made / FACTS, facts)
        if self._made.exists():
            for path in sorted(self._made.iterdir(), key=lambda path: path.name == FACTS):
                path.replace(self.work / path.name)
        for name in WORK:
            shutil.rmtree(self.work / name, ignore_errors=True)
        return replace_folder(self.work, self.folder)

    def _write_tables(self, tables: Iterator[pa.Table], schema: pa.Schema | None) -> None:
        """Put the galaxies that have a place on disk, part by part, with the columns of others."""
        folder, without = self.work / "tables", []
        folder.mkdir(exist_ok=True)
        for part, table in enumerate(grouped(tables, TABLE_ROWS)):
            here, nowhere = placed(table)
            path = folder / f"{part:012d}.parquet"
            if len(here) and not path.exists():
                write_table(path, fitted(here, schema) if schema else here)
            without += nowhere["id"].to_pylist()
        if without:
            _leave_out(self.work / "left_out.csv", without)
            print(f"left out: {len(without)} without a place on the sky")

    def _import(
        self,
        client: "Client",
        files: list[Path],
        partition_rows: int,
        facts: Mapping[str, object],
    ) -> None:
        begun = (self.work / "state").exists()
        try:
            _run(self._arguments(files, partition_rows, facts), client)
        except PcvaeError:
            raise
        except Exception as error:
            if not begun or client.status != "running":
                raise _in_words(error, partition_rows) from error
            # A killed call has left what cannot be gone on with, as half a file: begin once more.
            for name in ("state", "made"):
                shutil.rmtree(self.work / name, ignore_errors=True)
            self._import(client, files, partition_rows, facts)

    def _arguments(
        self, files: list[Path], partition_rows: int, facts: Mapping[str, object]
    ) -> "CollectionArguments":
        from hats_import.catalog.file_readers.parquet import ParquetPyarrowReader
        from hats_import.collection.arguments import CollectionArguments

        names, work = pq.read_schema(files[0]).names, self.work.absolute()
        kept = [name for name in names if name not in OF_HATS]
        arguments = CollectionArguments(
            output_path=work / "made",
            output_artifact_name=self._name,
            tmp_dir=work / "state",
            addl_hats_properties=_properties(facts),
            progress_bar=False,
        )
        arguments = arguments.catalog(
            input_file_list=[path.absolute() for path in files],
            file_reader=ParquetPyarrowReader(column_names=kept),
            sort_columns="id",
            pixel_threshold=partition_rows,
            highest_healpix_order=ORDER,
            expected_total_rows=facts["galaxies"],
        )
        return arguments.add_margin(margin_threshold=MARGIN, is_default=True)


def _run(arguments: "CollectionArguments", client: "Client") -> None:
    from hats_import.pipeline import pipeline_with_client

    logging.disable(logging.WARNING)  # it warns of the collection that it makes itself
    try:
        with in_words():
            pipeline_with_client(arguments, client)
    finally:
        logging.disable(logging.NOTSET)


def _point_margins(made: Path, name: str) -> None:
    """Let margins name their catalogue by its place beside them, not by where it was made."""
    from hats.catalog import TableProperties

    for margin in made.glob(f"{name}_*/hats.properties"):
        properties = TableProperties.read_from_dir(margin.parent)
        properties.primary_catalog = f"../{name}"
        properties.to_properties_file(margin.parent)


def _in_words(error: Exception, partition_rows: int) -> StoreError | WorkerError:
    """What hats-import's error means for who called the command."""
    if "threshold" in str(error):
        msg = f"more than {partition_rows} galaxies lie within 0.05 deg^2: raise --partition-rows"
        return StoreError(msg)
    msg = (
        f"the catalogue could not be written: {brief(error).rstrip('.')}. The same command goes on"
    )
    return WorkerError(msg)


def _facts(content: Content, rows: int) -> dict[str, object]:
    """All that tells how a catalogue was made."""
    return {
        "galaxies": rows,
        "versions": {name: version(name) for name in LIBRARIES},
        "sha256": {name: digest(files) for name, files in content.models.items()},
        **asdict(content.info),
    }


def digest(run: Path) -> str:
    """The SHA-256 of a model's weights and settings together."""
    found = hashlib.sha256()
    for name in ("run.json", "model.safetensors"):
        if (run / name).exists():  # an embedding has no weights
            found.update((run / name).read_bytes())
    return found.hexdigest()


def _properties(facts: Mapping[str, object]) -> dict[str, str]:
    """The same in short, among the properties of the catalogue."""
    digests, versions = facts["sha256"], facts["versions"]
    return {
        "pcvae_command": str(facts["command"]),
        "pcvae_version": str(versions["pcvae"]) if isinstance(versions, dict) else "",
        "pcvae_models": ", ".join(f"{name} sha256:{digest}" for name, digest in digests.items())
        if isinstance(digests, dict)
        else "",
    }


def _leave_out(path: Path, ids: list[str]) -> None:
    """Add galaxies without a place to the table of those left out, once."""
    detail = "no right ascension and declination"
    added = pd.DataFrame({"id": ids, "reason": "no position", "detail": detail})
    found = pd.read_csv(path, dtype=str) if path.exists() else added[:0]
    table = pd.concat([found, added]).drop_duplicates("id")
    write_text(path, table.to_csv(index=False))
