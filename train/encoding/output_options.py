"""The options that say what is made of encoded galaxies."""

import argparse

from pcvae.errors import SettingsError

__all__ = [
    "add_output_options",
    "add_partition_rows",
    "check_output_options",
    "check_partition_rows",
]


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a store and of a catalogue."""
    add = parser.add_argument
    add("--output", choices=["store", "hats"], default="store", help="hats: a HATS catalogue")
    add_partition_rows(parser)
    add("--append", action="store_true", help="add to STORE the galaxies that it does not have")


def add_partition_rows(parser: argparse.ArgumentParser) -> None:
    """Add the option of how large the partitions of a catalogue are."""
    help_text = "galaxies a partition of a HATS catalogue, at most; default: 250000"
    parser.add_argument("--partition-rows", type=int, metavar="N", help=help_text)


def check_output_options(args: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        SettingsError: They do not.
    """
    check_partition_rows(args)
    if args.partition_rows is not None and args.output != "hats":
        msg = f"expected --partition-rows with --output hats, found --output {args.output}"
        raise SettingsError(msg)
    if args.append and args.overwrite:
        msg = "expected --append or --overwrite, found both: one keeps what the other replaces"
        raise SettingsError(msg)


def check_partition_rows(args: argparse.Namespace) -> None:
    """Refuse partitions without galaxies.

    Raises:
        SettingsError: They are.
    """
    if args.partition_rows is not None and args.partition_rows < 1:
        msg = f"expected --partition-rows of at least 1, found {args.partition_rows}"
        raise SettingsError(msg)
