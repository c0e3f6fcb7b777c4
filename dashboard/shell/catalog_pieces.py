"""Which store the command line and the address name: a folder, or a piece of a HATS catalogue.

A piece is made into a store by one worker of the process, one after the other.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn

import panel as pn

from pcvae.errors import PcvaeError, SettingsError, StoreError, brief
from pcvae.store import Store
from train.encoding.hats_writer import FACTS
from train.search.catalog_piece import CatalogPiece, Piece, piece_store

__all__ = [
    "PieceJob",
    "asked_piece",
    "cone_text",
    "named_piece",
    "piece_job",
    "read_cone",
    "served_piece",
]

MAX_WAITING = 10  # pieces that are asked for before one of them is there
PROPERTIES = ("collection.properties", "hats.properties")  # of a catalogue of anybody


class Arguments(argparse.ArgumentParser):
    """Raises what is wrong instead of ending the server."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong.

        Raises:
            SettingsError: Always.
        """
        msg = f"{message}: panel serve dashboard/app.py --args CATALOG --cone RA DEC RADIUS"
        raise SettingsError(msg)


def named_piece(arguments: Sequence[str]) -> CatalogPiece | None:
    """The piece of a catalogue that the command line names; None where it names a store.

    Raises:
        SettingsError: It cannot be read, or asks for a piece of a store.
    """
    parser = Arguments(prog="--args", add_help=False)
    parser.add_argument("catalog", nargs="?", type=Path)
    parser.add_argument("--cone", nargs=3, type=float)
    parser.add_argument("--healpix", nargs="+", type=int, default=())
    parser.add_argument("--query", default="")
    args = parser.parse_args(list(arguments))
    wanted = bool(args.cone or args.healpix or args.query)
    is_catalog = args.catalog is not None and _is_catalog(args.catalog)
    if not is_catalog:
        if wanted:
            what = args.catalog or "the demo's store"
            msg = f"expected a HATS catalogue to show a piece of, found {what}"
            raise SettingsError(f"{msg}: make one with: python -m train.hats STORE CATALOG")
        return None
    cone = tuple(args.cone) if args.cone else None
    return CatalogPiece(args.catalog, Piece(cone, tuple(args.healpix), args.query))


def _is_catalog(folder: Path) -> bool:
    return any((folder / name).exists() for name in (FACTS, *PROPERTIES))


def asked_piece(named: CatalogPiece, address: Mapping[str, str]) -> CatalogPiece:
    """The piece that an address asks for (``cone=RA,DEC,RADIUS``), else that of the command line.

    Its condition is that of the command line, never one of an address: pandas evaluates it.

    Raises:
        SettingsError: The address asks for none that can be.
    """
    if "cone" not in address:
        return named
    return named._replace(piece=Piece(read_cone(address["cone"]), query=named.piece.query))


def read_cone(text: str) -> tuple[float, float, float]:
    """A cone from its text.

    Raises:
        SettingsError: It is none.

    Example:
        >>> read_cone("150.1,2.2,0.5")
        (150.1, 2.2, 0.5)
    """
    try:
        ra, dec, radius = map(float, text.split(","))
    except ValueError as error:
        msg = f"expected a cone RA,DEC,RADIUS in degrees, found {text[:40]!r}"
        raise SettingsError(msg) from error
    return ra, dec, radius


def cone_text(piece: Piece) -> str:
    """The cone of a piece as ``read_cone`` reads it; empty without one."""
    return ",".join(f"{number:.10g}" for number in piece.cone or ())


class PieceJob(NamedTuple):
    """A piece that is made into a store, and how far that is."""

    store: "Future[Store]"
    steps: list[str]

    @property
    def step(self) -> str:
        """How far it is, in words."""
        return self.steps[-1] if self.steps else "waiting for other pieces"

    @property
    def failure(self) -> str:
        """Why it failed, as a sentence; empty while it runs and once it is there."""
        error = self.store.exception() if self.store.done() else None
        if isinstance(error, ModuleNotFoundError):
            return f"a HATS catalogue needs {error.name}: pip install -e '.[scale]'"
        if error is None or isinstance(error, PcvaeError):
            return str(error or "")
        return f"the piece cannot be made: {brief(error)}"


class _Jobs:
    """The jobs of a process; one that has ended is begun anew when it is asked for again."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="piece")
        self._jobs: dict[CatalogPiece, PieceJob] = {}

    def job(self, of: CatalogPiece) -> PieceJob:
        # what was made may be gone, or the catalogue new
        self._jobs = {piece: job for piece, job in self._jobs.items() if not job.store.done()}
        if of not in self._jobs:
            if len(self._jobs) >= MAX_WAITING:
                return _refused(
                    f"{MAX_WAITING} other pieces are to be made first: ask again later"
                )
            steps: list[str] = []
            job = PieceJob(self._worker.submit(piece_store, of, steps.append), steps)
            self._jobs[of] = job
        return self._jobs[of]


def _refused(why: str) -> PieceJob:
    """A job that has failed."""
    store: Future[Store] = Future()
    store.set_exception(StoreError(why))
    return PieceJob(store, [])


def piece_job(of: CatalogPiece) -> PieceJob:
    """The job that makes a piece, begun by now."""
    jobs: _Jobs = pn.state.as_cached("jobs of pieces", _Jobs)
    return jobs.job(of)


def served_piece(arguments: Sequence[str]) -> CatalogPiece | None:
    """The piece that this session is to show; None where it is a store.

    Raises:
        SettingsError: The command line or the address cannot be read.
    """
    given = pn.state.session_args
    address = {name: values[-1].decode(errors="replace") for name, values in given.items()}
    named = named_piece(arguments)
    return asked_piece(named, address) if named else None
