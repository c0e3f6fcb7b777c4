"""Whether the store that is shown is still the one in its place."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.components.notices import report
from dashboard.state import State

__all__ = ["Identity", "StoreWatch", "store_identity"]


class Identity(NamedTuple):
    """What tells a store from another one in its place: its ``store.json`` on the disk."""

    inode: int
    changed: int  # ns
    size: int


def store_identity(folder: Path) -> Identity | None:
    """The identity of the store in a folder; None where there is none."""
    try:
        found = folder.joinpath("store.json").stat()
    except OSError:
        return None
    return Identity(found.st_ino, found.st_mtime_ns, found.st_size)


class StoreWatch:
    """Says when the store was moved away, and calls when another has taken its place.

    Args:
        datastore: The store that is shown.
        state: The session, for the notice.
        on_replaced: Opens the page again.
    """

    def __init__(
        self, datastore: DataStore, state: State, on_replaced: Callable[[], None]
    ) -> None:
        self._datastore, self._state, self._on_replaced = datastore, state, on_replaced
        self._looking: Future[Any] | None = None
        self._shown = store_identity(datastore.store.folder)

    def look(self) -> None:
        """Look in a worker, one at a time, and report."""
        if self._looking is None or self._looking.done():
            job = self._datastore.soon(store_identity, self._datastore.store.folder)
            self._looking = job
            when_done(job, lambda: self._report(job))

    def _report(self, job: "Future[Any]") -> None:
        found = self._datastore.result(job)
        if found == self._shown:
            report(self._state, "store")
        elif found is None:
            words = (
                f"The store {self._datastore.store.folder} was moved away: some of it cannot be "
                f"read until it is back or another is in its place"
            )
            report(self._state, "store", words, repeated=True)
        else:
            report(self._state, "store", "The store was replaced: the page opens the new one")
            self._on_replaced()
