"""The labels of a store's galaxies, as last read from the journal."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from dashboard.backend.jobs import has_session
from pcvae.errors import JournalError
from pcvae.journal import Event, Journal, active_events, fold, undone_numbers
from pcvae.label_classes import CANDIDATE

__all__ = ["CANDIDATE", "JournalCache", "LabelTable"]


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


def _in_event_loop() -> bool:
    """Whether this thread runs an event loop, as a server's does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
