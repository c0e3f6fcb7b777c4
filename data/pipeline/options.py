"""The options that several makers of samples share."""

import argparse
from pathlib import Path

from pcvae.lock import BREAK_LOCK

__all__ = ["add_sample_options", "pairs", "words"]


def add_sample_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of reading a catalogue and of naming the sample."""
    add = parser.add_argument
    add("output", metavar="OUT", type=Path, help="sample to make; must not exist")
    add("--name", help="of the sample; default: the name of OUT")
    add("--survey", help="for galaxies whose row does not say")
    add("--columns", type=pairs, default={}, help="ours=yours: log_mass=lgm_tot_p50,ra=RA")
    add("--population-column", help="column of the populations; default: population, else 'field'")
    add("--rare", type=words, help="populations looked for, which never train")
    add("--hard-negative", type=words, default=(), help="populations like them; never train")
    add("--workers", type=int, default=1, help="processes that measure")
    add("--overwrite", action="store_true", help="replace OUT, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)


def words(text: str) -> tuple[str, ...]:
    """Words from a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def pairs(text: str) -> dict[str, str]:
    """Pairs from a list such as ``ours=yours,ra=RA``."""
    found = [word.split("=") for word in words(text)]
    if not all(len(pair) == 2 and all(pair) for pair in found):
        msg = f"expected ours=yours, separated by commas, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return dict(found)
