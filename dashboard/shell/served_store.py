"""The store that a server shows, opened once for all sessions of the process."""

from collections.abc import Callable
from pathlib import Path

import panel as pn

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import is_warming
from dashboard.backend.quantities import default_features
from dashboard.shell.store_watch import store_identity
from pcvae.store import read_store
from train.search.catalog_piece import CatalogPiece, made_piece, piece_store

__all__ = ["open_datastore", "opened_datastore", "shared_datastore", "store_folder"]

DEMO = Path(__file__).resolve().parents[2] / "data" / "stores" / "demo"
MAX_PIECES = 8  # of catalogues that are held in memory, those that were opened last


def store_folder(arguments: list[str]) -> Path:
    """The store that the command line names; the demo's if it names none."""
    return Path(arguments[0]) if arguments else DEMO


def open_datastore(folder: Path, piece: CatalogPiece | None = None) -> DataStore:
    """Open a store for all sessions of this process.

    Args:
        folder: The store.
        piece: What it was made of, if it is a piece of a catalogue.

    Raises:
        PcvaeError: It cannot be shown.
    """
    store = read_store(folder)
    for model in store.info.models:
        store.latents(model.name)
        store.projections(model.name)
    default_features(store)
    return DataStore.open(store, piece)


def shared_datastore(folder: Path, piece: CatalogPiece | None = None) -> DataStore:
    """The store in this folder, opened once a process, and again if another took its place.

    Of pieces of a catalogue those that were opened last are kept.

    Raises:
        PcvaeError: It cannot be shown.
    """
    opened: Callable[..., DataStore] = open_datastore
    identity, name = store_identity(folder), f"store {folder}"
    for key in [key for key in pn.state.cache if key[0].startswith(f"{name} ")]:
        if identity is not None and key[0] != f"{name} {identity}":
            pn.state.cache.pop(key, None)
    found = pn.state.as_cached(f"{name} {identity}", opened, folder=folder, piece=piece)
    pieces = [key for key, (kept, _) in pn.state.cache.items() if getattr(kept, "piece", None)]
    for key in pieces[:-MAX_PIECES]:
        pn.state.cache.pop(key, None)
    return found


def opened_datastore(arguments: list[str], piece: CatalogPiece | None) -> DataStore | None:
    """The data store of a session; None while its piece of a catalogue is to be made.

    Args:
        arguments: Of the command line, which name a store where there is no piece.
        piece: What is shown of a catalogue.

    Raises:
        PcvaeError: It cannot be shown.
    """
    if piece is None:
        return shared_datastore(store_folder(arguments))
    store = piece_store(piece) if is_warming() else made_piece(piece)
    return shared_datastore(store.folder, piece) if store else None
