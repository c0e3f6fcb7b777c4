"""Write a finished store as a HATS catalogue, which LSDB opens.

    python -m train.hats data/stores/demo data/catalogs/demo

``python -m train.encode ... --output hats`` makes one without a store in between. A second call of
the same command goes on where a killed one stopped.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run
from train.encoding.cluster import add_cluster_options, check_cluster_options
from train.encoding.output_options import add_partition_rows, check_partition_rows


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by train.encode or data.embeddings")
    add("catalog", type=Path, help="catalogue to make; must not exist")
    add_partition_rows(parser)
    add("--overwrite", action="store_true", help="replace CATALOG, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    add_cluster_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Write one catalogue and return its folder."""
    args = parse_args(argv)
    check_cluster_options(args)
    check_partition_rows(args)
    with hold(args.catalog, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    from pcvae.mapped import plain
    from pcvae.store import read_store
    from train.encoding.catalog_tables import check_places, store_parts
    from train.encoding.cluster import connect
    from train.encoding.hats_writer import PARTITION_ROWS, Content, HatsWriter
    from train.encoding.outputs import next_commands

    store = read_store(args.store)
    galaxies = plain(store.galaxies)
    check_places(galaxies)
    names = [model.name for model in store.info.models]
    digest = hashlib.sha256((store.folder / "store.json").read_bytes()).hexdigest()
    rows = args.partition_rows or PARTITION_ROWS
    settings = {"store": digest, "partition_rows": rows}
    writer = HatsWriter(args.catalog, settings, overwrite=args.overwrite)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = Content(
        replace(store.info, created=now, command=command("train.hats", argv)),
        {name: store.model_folder(name) for name in names},
        store_parts(galaxies, {name: store.latents_path(name) for name in names}),
    )
    with connect(args) as client:
        made = writer.finish(content, client, partition_rows=rows)
    print(f"{made}: HATS catalogue of {len(store)} galaxies, models {', '.join(names)}")
    print(*next_commands(made, "hats"), sep="\n")
    return made


if __name__ == "__main__":
    run(main)
