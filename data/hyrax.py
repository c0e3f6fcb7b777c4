"""Make a store of another model's embedding, from Hyrax's results, for our dashboard.

    python -m data.hyrax RESULTS data/stores/hyrax --sample data/samples/mine

RESULTS is the folder that ``hyrax infer`` or ``hyrax umap`` wrote. What is known of the galaxies
comes from a sample, whose pictures are shown, or from a table; they are matched by id. The same as
``data.embeddings``, which takes arrays of other models and galaxies of a store too.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.embeddings import add_galaxy_options, make
from pcvae.script import command, run

if TYPE_CHECKING:
    from data.readers.vector_source import VectorSource

__all__ = ["main", "parse_args"]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("array", metavar="RESULTS", type=Path, help="folder that hyrax infer or umap wrote")
    add("output", metavar="STORE", type=Path, help="store to make; must not exist")
    add("--model", default="hyrax", help="name of the embedding in the store")
    add_galaxy_options(parser)
    parser.set_defaults(store=None, made_by="Hyrax")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Make the store and return its folder."""
    return make(parse_args(argv), command("data.hyrax", argv), _read)


def _read(args: argparse.Namespace, _: Path) -> "VectorSource":
    from data.readers.hyrax_results import read_results

    return read_results(args.array)


if __name__ == "__main__":
    run(main)
