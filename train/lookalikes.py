"""Find neighbours and look-alikes of galaxies in a HATS catalogue, partition by partition.

    python -m train.lookalikes data/catalogs/sky near.parquet --ids 1501p020-17,1501p020-23

The metric is that of the dashboard: all latents but the orientation's, whitened by the covariance
of all galaxies. By default each galaxy gets its ``-k`` nearest; ``--rank`` takes them together as
seeds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pcvae.errors import OutputError, SettingsError
from pcvae.script import run
from train.encoding.cluster import add_cluster_options, check_cluster_options

if TYPE_CHECKING:
    import pandas as pd

    from train.search.catalog_space import CatalogSpace


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("catalog", type=Path, help="HATS catalogue made by train.encode or train.hats")
    add("out", type=Path, help="table to write, .csv or .parquet; must not exist")
    add("--ids", type=lambda text: text.split(","), default=[], help="ID,ID of the galaxies")
    add(
        "--populations",
        type=lambda text: text.split(","),
        default=[],
        help="NAME,NAME: all of these are seeds (with --rank)",
    )
    add("--model", default="", help="whose latents are searched; default: the only one")
    add("-k", type=int, default=10, help="how many neighbours; of density how many galaxies")
    add(
        "--rank",
        choices=["shared", "density"],
        help="look-alikes by the seeds that have them among their -k nearest, or by density",
    )
    add("--among", default="", help="found are those that fulfil this, as 'redshift > 0.2'")
    add("--oriented", action="store_true", help="the orientation takes part")
    add("--overwrite", action="store_true", help="replace OUT")
    add_cluster_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Search, and return the table's path."""
    args = parse_args(argv)
    _check(args)
    from train.encoding.cluster import connect, in_words
    from train.search.catalog_space import CatalogSpace

    options = {"among": args.among, "oriented": args.oriented}
    space = CatalogSpace.open(args.catalog, args.model, **options)
    with connect(args), in_words():
        found = _search(space, args)
    begun = args.out.with_name(args.out.name + ".new")
    if args.out.suffix == ".csv":
        found.to_csv(begun, index=False)
    else:
        found.to_parquet(begun, index=False)
    begun.replace(args.out)
    print(found.head(args.k).to_string(index=False))
    print(f"{args.out}: {len(found)} rows")
    return args.out


def _search(space: "CatalogSpace", args: argparse.Namespace) -> "pd.DataFrame":
    if args.rank == "shared":
        return space.shared(args.ids, args.populations, args.k)
    if args.rank == "density":
        return space.dense(args.ids, args.populations, args.k)
    return space.neighbours(args.ids, args.k)


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        SettingsError: They do not.
        OutputError: The table exists.
    """
    check_cluster_options(args)
    if not args.ids and not (args.rank and args.populations):
        msg = "expected galaxies: --ids ID,ID, or --populations NAME with --rank shared or density"
        raise SettingsError(msg)
    if args.k < 1:
        msg = f"expected -k of at least 1, found {args.k}"
        raise SettingsError(msg)
    if args.out.suffix not in (".csv", ".parquet"):
        msg = f"expected a table .csv or .parquet to write, found {args.out}"
        raise SettingsError(msg)
    if args.out.exists() and not args.overwrite:
        msg = f"{args.out} exists already: choose another name, or replace it with --overwrite"
        raise OutputError(msg)


if __name__ == "__main__":
    run(main)
