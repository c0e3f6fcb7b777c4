"""Measure orientation, shape, size and fluxes of a sample's galaxies again.

    python -m data.orientation data/samples/demo --workers 2

Writes the columns ``orientation``, ``axis_ratio``, ``r50``, ``orientation_flag`` and ``flux_BAND``
of the sample's catalogue. The makers of samples do this themselves.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import run

__all__ = ["main", "parse_args"]


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from pcvae.orientation import BOX, PAPER_BOX

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("sample", type=Path, help="sample to measure; its catalogue is replaced")
    add("--workers", type=int, default=1, help="processes that measure")
    add(
        "--box",
        type=int,
        default=BOX,
        help=f"px of the background's boxes; the paper: {PAPER_BOX}",
    )
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Measure all galaxies of the sample, replace its catalogue, return its folder."""
    args = parse_args(argv)
    with hold(args.sample, break_lock=args.break_lock):
        return _measure(args)


def _measure(args: argparse.Namespace) -> Path:
    from tqdm import tqdm

    from data.pipeline.process_pool import ordered_map
    from pcvae.cutouts import read_sample
    from pcvae.orientation import describe_flag, measure_block

    sample = read_sample(args.sample)
    info = sample.info
    measure = partial(measure_block, bands=info.bands, unit=info.unit, box=args.box)
    blocks = (flux for _, flux in sample.blocks())
    tables = []
    with tqdm(total=len(sample), unit="galaxy", desc="measure") as bar:
        for table in ordered_map(measure, blocks, args.workers):
            tables.append(table)
            bar.update(len(table))
    found = pd.concat(tables, ignore_index=True)
    sample.replace_catalog(sample.catalog.assign(**found))
    for flag, count in found["orientation_flag"].value_counts().items():
        print(f"{count:8d} {describe_flag(int(str(flag))) or 'without a flag'}")
    return args.sample


if __name__ == "__main__":
    run(main)
