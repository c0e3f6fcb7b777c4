"""What is made of encoded parts: a store, or a HATS catalogue."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from pcvae.mapped import plain
from pcvae.store import StoreInfo, StoreWriter, read_store
from train.encoding.catalog_tables import joined_parts
from train.encoding.cluster import connect
from train.encoding.earlier import Earlier, EarlierStore
from train.encoding.hats_writer import (
    PARTITION_ROWS,
    Content,
    HatsWriter,
    partitions,
    some_scores,
)
from train.encoding.taken_rows import carry_left_out

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Whole", "Writer", "finish", "next_commands", "open_writer", "scores", "size"]

Writer = StoreWriter | HatsWriter


class Whole(NamedTuple):
    """What is known beside the parts: the facts, N galaxies, and where each model lies."""

    info: StoreInfo
    galaxies: pd.DataFrame
    models: Mapping[str, Path]


def open_writer(
    args: argparse.Namespace, settings: dict[str, object], earlier: Earlier | None = None
) -> Writer:
    """What keeps the parts and makes ``args.output`` of them.

    Args:
        args: Of ``train.encode``.
        settings: What decides the content beside the options.
        earlier: What galaxies are added to.
    """
    options = {"overwrite": args.overwrite, "append": earlier is not None}
    if earlier:
        settings["append"] = earlier.digest()
    if args.symmetries:
        settings["symmetries"] = True
    if args.no_reconstruction:
        settings["reconstruction"] = False
    if args.output == "store":
        return StoreWriter(args.store, settings, **options)
    settings |= {"output": "hats", "partition_rows": args.partition_rows}
    return HatsWriter(args.store, settings, **options)


def finish(
    args: argparse.Namespace,
    writer: Writer,
    whole: Whole,
    client: "Client | None",
    earlier: Earlier | None = None,
) -> None:
    """Make of the parts, and of what was there, what is asked for."""
    if earlier:
        carry_left_out(writer.work, earlier.folder, whole.galaxies["id"])
    if isinstance(writer, StoreWriter):
        if isinstance(earlier, EarlierStore):
            both = pd.concat([plain(earlier.store.galaxies), whole.galaxies], ignore_index=True)
            whole = whole._replace(galaxies=both)
        writer.finish(*whole)
        return
    parts = {name: writer.parts(name) for name in whole.models}
    tables = joined_parts(whole.galaxies, parts)
    before = earlier.folder if earlier else None
    content = Content(whole.info, whole.models, tables, before)
    rows = args.partition_rows or PARTITION_ROWS
    if client:
        writer.finish(content, client, partition_rows=rows)
        return
    with connect(args) as own:
        writer.finish(content, own, partition_rows=rows)


def size(made: Path, output: str) -> int:
    """How many galaxies it has."""
    tables = [made / "galaxies.parquet"] if output == "store" else partitions(made)
    return sum(pq.read_metadata(table).num_rows for table in tables)


def scores(made: Path, output: str, model: str) -> pd.DataFrame:
    """A model's latents in a store; of a catalogue its ``ood`` alone, for a million galaxies."""
    return read_store(made).latents(model) if output == "store" else some_scores(made, model)


def next_commands(made: Path, output: str) -> list[str]:
    """What can be done with it."""
    if output == "hats":
        return [
            f'next: python -c "import lsdb; print(lsdb.open_catalog({str(made)!r}))"',
            f"  or: panel serve dashboard/app.py --args {made} --cone RA DEC RADIUS",
        ]
    return [
        f"next: panel serve dashboard/app.py --args {made}",
        f"  or: python -m train.evaluate {made} REPORT",
    ]
