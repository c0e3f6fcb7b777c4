"""The options of encoding from coadded bricks."""

import argparse
from pathlib import Path

from data.pipeline.options import add_dust_options, pairs
from pcvae.errors import SettingsError

__all__ = ["add_brick_options", "check_options"]


def add_brick_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of encoding from bricks."""
    add = parser.add_argument_group("from coadded bricks, without a sample").add_argument
    add("--bricks", type=Path, help="folder of legacysurvey-BRICK-image-BAND.fits.fz files")
    add("--catalog", type=Path, help="their galaxies: table, folder with catalog.*, or HATS")
    add("--columns", type=pairs, default={}, help="ours=yours: ra=RAJ2000,dec=DEJ2000")
    add("--population-column", help="column of the populations; default: population")
    add("--survey", help="for galaxies whose row does not say")
    add_dust_options(parser)


def check_options(args: argparse.Namespace) -> None:
    """Refuse bricks without a catalogue, or one without the other.

    Raises:
        SettingsError: One of both is missing.
    """
    if bool(args.bricks) != bool(args.catalog):
        given, absent = ("--bricks", "--catalog") if args.bricks else ("--catalog", "--bricks")
        msg = f"expected --bricks FOLDER and --catalog TABLE together, found {given} alone"
        raise SettingsError(f"{msg}: add {absent}")
