"""The options that several makers of samples share."""

import argparse
from pathlib import Path
from typing import NamedTuple

from pcvae.lock import BREAK_LOCK

__all__ = ["DustOptions", "add_dust_options", "add_sample_options", "numbers", "pairs", "words"]


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


class DustOptions(NamedTuple):
    """What the command line says of dust: as the options of those names."""

    dust: str
    dust_maps: Path | None
    extinction: dict[str, float]
    camera: str

    @classmethod
    def of(cls, args: argparse.Namespace) -> "DustOptions":
        """Those of a command line with ``add_dust_options``."""
        return cls(args.dust, args.dust_maps, args.extinction, args.camera)


def add_dust_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the Milky Way's dust."""
    add = parser.add_argument
    add(
        "--dust",
        choices=("correct", "leave", "corrected"),
        default="correct",
        help="correct fluxes where E(B-V) is known, the column ebv; or leave them; or they come "
        "corrected",
    )
    add(
        "--dust-maps",
        type=Path,
        help="folder of the SFD maps, as the package dustmaps fetches them, for galaxies "
        "without ebv",
    )
    add("--extinction", type=numbers, default={}, help="A/E(B-V) of bands: g=3.214,r=2.165")
    add("--camera", choices=("decam", "sdss"), default="decam", help="whose extinction else")


def words(text: str) -> tuple[str, ...]:
    """Words from a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def numbers(text: str) -> dict[str, float]:
    """Numbers by name from a list such as ``g=3.214,r=2.165``."""
    try:
        return {name: float(number) for name, number in pairs(text).items()}
    except ValueError as error:
        msg = f"expected name=number, separated by commas, found {text!r}"
        raise argparse.ArgumentTypeError(msg) from error


def pairs(text: str) -> dict[str, str]:
    """Pairs from a list such as ``ours=yours,ra=RA``."""
    found = [word.split("=") for word in words(text)]
    if not all(len(pair) == 2 and all(pair) for pair in found):
        msg = f"expected ours=yours, separated by commas, found {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return dict(found)
