"""The labels of a store's galaxies, as last read from the journal, and the worker that writes."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from dashboard.backend.jobs import has_session
from dashboard.backend.workers import Workers
from pcvae.errors import JournalBusyError, JournalError
from pcvae.journal import Event, Journal, active_events, fold, undone_numbers
from pcvae.label_classes import CANDIDATE
from pcvae.saved_views import SavedView

__all__ = ["CANDIDATE", "JournalCache", "JournalJobs", "LabelTable"]

WAIT = 2.0  # s that a look at a locked journal takes; writes are tried again


class LabelTable(NamedTuple):
    """The content of the journal.

    Args:
        events: The number of its events.
        active: The current label of each person for each galaxy, oldest first.
        labels: The last of those of each galaxy that has any, by its id.
        undone: The numbers of the events that are undone.
        names: All labels that were ever given, in the order in which they first were.
    """

    events: int = 0
    active: tuple[Event, ...] = ()
    labels: Mapping[str, Event] = MappingProxyType({})
    undone: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()


class JournalCache:
    """A journal as it was last read.

    A session's event loop never waits for the database: there ``read`` returns the last content,
    and ``reread``, run in a worker, is what brings news. Elsewhere ``read`` rereads.

    Args:
        journal: The journal; None for no labels.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal, self._said = journal, LabelTable()
        self._tried = self._served = False

    def attach(self, journal: Journal) -> None:
        """Read from this journal from now on."""
        self._journal = journal

    def read(self) -> LabelTable:
        """The journal, read again if it has grown; the last content while it cannot be read."""
        self._served = self._served or has_session()
        if not (self._tried and self._served and _in_event_loop()):
            with suppress(JournalError):
                self.reread()
        return self._said

    def reread(self) -> LabelTable:
        """Read the journal again if it has grown.

        Raises:
            JournalError: It cannot be read.
        """
        self._tried = True
        if self._journal is not None and self._journal.count() != self._said.events:
            events = self._journal.events()
            self._said = LabelTable(
                len(events),
                tuple(active_events(events)),
                MappingProxyType(fold(events)),
                frozenset(undone_numbers(events)),
                tuple(dict.fromkeys(event.label for event in events)),
            )
        return self._said

    def names(self, name: str) -> tuple[str, ...]:
        """All labels that were ever given; read again only if this one is not among them.

        Later ones follow, so that the place of a label stays.
        """
        return self._said.names if name in self._said.names else self.read().names


class JournalJobs:
    """Reads and writes the journal in a worker of its own, outside of the event loop.

    Args:
        journal: The journal; None if there is none yet, with the reason in ``no_journal``.
        no_journal: Why there is none.
        pending: The address of a journal that is locked: the worker opens it later.
        workers: The thread pools of the process.
    """

    def __init__(
        self,
        journal: Journal | None,
        no_journal: str,
        pending: Path | str | None,
        workers: Workers,
    ) -> None:
        self.journal, self.no_journal = journal, no_journal
        self._pending, self._worker = pending, workers.journal
        self.cache = JournalCache(journal)
        self._rereading: Future[LabelTable] | None = None

    @property
    def takes_labels(self) -> bool:
        """Whether there is a journal, or one that is locked and will be opened."""
        return self.journal is not None or self._pending is not None

    def opened(self) -> Journal:
        """The journal; one that was locked before is opened now. For the worker only.

        Raises:
            JournalError: There is none, or it is still locked (``JournalBusyError``).
        """
        if self.journal is None and self._pending is not None:
            try:
                journal = Journal(self._pending, wait=WAIT)
            except JournalError as error:
                self.no_journal = str(error)
                if not isinstance(error, JournalBusyError):
                    self._pending = None
                raise
            self.cache.attach(journal)
            self.journal, self._pending, self.no_journal = journal, None, ""
        if self.journal is None:
            raise JournalError(self.no_journal or "there is no journal of labels")
        return self.journal

    def reread(self) -> "Future[LabelTable]":
        """Read the journal in the worker; fails with ``JournalError``. One at a time."""
        if self._rereading is None or self._rereading.done():
            self._rereading = self._worker.submit(self._reread)
        return self._rereading

    def views(self) -> "Future[list[SavedView]]":
        """Read the saved views in the worker; fails with ``JournalError``."""

        def read() -> list[SavedView]:
            return self.opened().views.all()

        return self._worker.submit(read)

    def write(self, write: Callable[[], object]) -> "Future[Any]":
        """Call what writes to the journal in the worker; the cache then knows of it."""

        def work() -> Any:
            written = write()
            with suppress(JournalError):
                self.cache.reread()
            return written

        return self._worker.submit(work)

    def _reread(self) -> LabelTable:
        self.opened()
        return self.cache.reread()


def _in_event_loop() -> bool:
    """Whether this thread runs an event loop, as a server's does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
