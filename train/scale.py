"""Do the arithmetic of 20 billion galaxies on what train.bench has measured.

    python -m train.bench --only bricks --only growth --json bench.json
    python -m train.scale bench.json --plot growth.png

Prints the tables of train/SCALE.md, which are those of train/scale.json.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from pcvae.errors import SettingsError
from pcvae.script import run


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", type=Path, help="figures of train.bench, as --json writes them")
    parser.add_argument("--plot", type=Path, help="draw the growth there, .png, .svg or .pdf")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> str:
    """Print the tables and return them."""
    from train.evaluation.survey_plan import MEMORY, growth, plan

    args = parse_args(argv)
    try:
        figures = json.loads(args.bench.read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{args.bench} cannot be read: {error}. Make it with: "
        command = "python -m train.bench --only bricks --only growth --json FILE"
        raise SettingsError(f"{msg}{command}") from error
    tables = plan(figures)
    print(tables)
    if args.plot:
        from train.report_pages.growth_figure import growth_figure

        growth_figure(growth(figures["growth"]), MEMORY).savefig(args.plot, dpi=150)
    return tables


if __name__ == "__main__":
    run(main)
