"""The journal of labels: an append-only record of who labelled which galaxy, and when.

An event labels a galaxy, or undoes an earlier event. The labels are the fold of all events, so
that nothing is lost, everything can be undone, and who said what stays known.
"""

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sql

from pcvae.errors import JournalError
from pcvae.journal_database import EVENTS, KEYS, WAIT, JournalDatabase
from pcvae.saved_views import SavedViews

__all__ = ["Event", "Given", "Journal", "active_events", "fold", "journal_path", "undone_numbers"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal.

    Args:
        number: Its place in the journal, growing.
        galaxy: The id of the galaxy.
        label: What it was called; of an undoing event, what was undone.
        note: Anything else that was said.
        user: Who said it.
        time: When, in UTC; ISO 8601 with microseconds.
        undoes: The number of the event that this one undoes; None for a label.
        score: The score beside a name; empty for none, and where the score is the label.
    """

    number: int
    galaxy: str
    label: str
    note: str
    user: str
    time: str
    undoes: int | None = None
    score: str = ""


class Given(NamedTuple):
    """A label that is given to a galaxy, with what is said beside it; as of an ``Event``."""

    galaxy: str
    label: str
    note: str = ""
    score: str = ""


def journal_path(store: Path) -> Path:
    """Where the journal of a store lies by default: ``STORE.journal.sqlite`` beside it."""
    store = store.resolve()
    return store.with_name(f"{store.name}.journal.sqlite")


def fold(events: Iterable[Event]) -> dict[str, Event]:
    """The label that each galaxy carries: its last event that nothing undoes.

    An undone undoing does not count, so what it undid is active again. Galaxies without an
    active label are not in the result; the others come in the order of their labels.

    Example:
        >>> said = Event(1, "a", "candidate", "", "ana", "2026-01-01T00:00:00+00:00")
        >>> undone = Event(2, "a", "candidate", "", "ben", "2026-01-02T00:00:00+00:00", undoes=1)
        >>> list(fold([said])), list(fold([said, undone]))
        (['a'], [])
    """
    labels: dict[str, Event] = {}
    for event in active_events(events):
        labels.pop(event.galaxy, None)
        labels[event.galaxy] = event
    return labels


def active_events(events: Iterable[Event]) -> list[Event]:
    """The last label of each person for each galaxy that is not undone, oldest first.

    Example:
        >>> ana = Event(1, "a", "merger", "", "ana", "2026-01-01T00:00:00+00:00")
        >>> ben = Event(2, "a", "artefact", "", "ben", "2026-01-02T00:00:00+00:00")
        >>> [event.label for event in active_events([ana, ben])]
        ['merger', 'artefact']
    """
    listed = sorted(events, key=lambda event: event.number)
    undone = undone_numbers(listed)
    last = {
        (event.galaxy, event.user): event
        for event in listed
        if event.undoes is None and event.number not in undone
    }
    return sorted(last.values(), key=lambda event: event.number)


def undone_numbers(events: Iterable[Event]) -> set[int]:
    """The numbers of the events that an active event undoes."""
    numbers: set[int] = set()
    for event in sorted(events, key=lambda event: event.number, reverse=True):
        if event.undoes is not None and event.number not in numbers:
            numbers.add(event.undoes)
    return numbers


class JournalReader:
    """What a journal says; ``Journal`` opens it."""

    _database: JournalDatabase

    def events(self) -> list[Event]:
        """All events, oldest first."""
        with self._database.reading() as connection:
            return _read(connection, sql.select(EVENTS).order_by(EVENTS.c.number))

    def labels(self) -> dict[str, Event]:
        """The active label of each galaxy that has one; see ``fold``."""
        return fold(self.events())

    def count(self) -> int:
        """How many events there are: it grows with every change.

        The last number need not: PostgreSQL may show a later number before an earlier one.
        """
        with self._database.reading() as connection:
            return connection.scalar(sql.select(sql.func.count()).select_from(EVENTS)) or 0

    def table(self) -> pd.DataFrame:
        """The active labels, a row a person and galaxy; see ``active_events``.

        Its columns are ``id``, ``label``, ``score`` (where there is one beside the label),
        ``note``, ``user`` and ``time``.
        """
        names = [field.name for field in fields(Event)]
        kept = ["galaxy", "label", "score", "note", "user", "time"]
        active = [asdict(event) for event in active_events(self.events())]
        return pd.DataFrame(active, columns=names)[kept].rename(columns={"galaxy": "id"})

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


class Journal(JournalReader):
    """A journal in a SQLite file or another database, opened and made if it is not there.

    Every event is on disk when the method that adds it returns. Several processes may write at
    once.

    Args:
        address: A file for SQLite, or the address of a database as SQLAlchemy writes it, such as
            ``postgresql+psycopg://host/labels``; no message shows a password that is in it.
        user: Who writes; the user of the operating system by default.
        wait: How long SQLite waits for another process that holds its lock [s].
        opening_wait: The same while the journal is opened [s]; ``wait`` by default.

    Raises:
        JournalError: It cannot be opened, or is of another version; as ``JournalBusyError``
            here and from every method where the database is locked or does not answer.

    Attributes:
        views: The views that people have saved by name.
    """

    def __init__(
        self,
        address: Path | str,
        user: str | None = None,
        *,
        wait: float = WAIT,
        opening_wait: float | None = None,
    ) -> None:
        full = f"sqlite:///{address}" if isinstance(address, Path) else address
        opening = wait if opening_wait is None else opening_wait
        self._database = JournalDatabase(full, wait, opening)
        self.address = self._database.address
        self.user = user or getpass.getuser()
        self.views = SavedViews(self._database, self.user)

    def tag(
        self,
        galaxy: str,
        label: str,
        *,
        note: str = "",
        score: str = "",
        user: str | None = None,
        key: str = "",
    ) -> Event:
        """Label a galaxy.

        Args:
            galaxy: Its id.
            label: The label, such as ``candidate``; replaces the one that it carries.
            note: Anything else to be kept with it.
            score: A score beside a name.
            user: Who says so; the journal's user by default.
            key: A name of this call by its caller: called again with it, as after an answer that
                was lost, it adds nothing and returns the same event.
        """
        return self.tag_all([Given(galaxy, label, note, score)], user=user, key=key)[0]

    def tag_all(
        self, labels: Sequence[Given], *, user: str | None = None, key: str = ""
    ) -> list[Event]:
        """Label several galaxies, all or none of them.

        Args:
            labels: The galaxy and label of each, with note and score.
            user: Who says so; the journal's user by default.
            key: As for ``tag``; a call that is repeated returns the last event of the first.
        """
        if not labels or not all(one.galaxy and one.label for one in labels):
            msg = f"expected a galaxy and a label of each, found {labels[:3]!r}"
            raise JournalError(msg)
        with self._database.writing() as connection:
            done = _done_by(connection, key)
            if done:
                return done
            events = [_tag(connection, one, user or self.user) for one in labels]
            _keep_key(connection, key, events[-1].number)
            return events

    def untag(
        self, galaxy: str, *, of: str | None = None, user: str | None = None, key: str = ""
    ) -> list[Event]:
        """Undo every active event of a galaxy; returns the undoing events, newest label first.

        Args:
            galaxy: Its id.
            of: Whose labels; everybody's by default.
            user: Who says so; the journal's user by default.
            key: As for ``tag``; a call that is repeated returns the last event of the first.
        """
        with self._database.writing() as connection:
            done = _done_by(connection, key)
            if done:
                return done
            meant = _active_labels(connection, galaxy, of)
            undoing = [_undo(connection, event, user or self.user) for event in reversed(meant)]
            if undoing:
                _keep_key(connection, key, undoing[-1].number)
            return undoing

    def undo(self, number: int, *, user: str | None = None) -> Event:
        """Undo the event of that number; undoing an undoing makes the first stand again.

        Raises:
            JournalError: There is no such event, or it is undone already.
        """
        with self._database.writing() as connection:
            event = _active_event(connection, number, self.address)
            return _undo(connection, event, user or self.user)


def _tag(connection: sql.Connection, given: Given, user: str) -> Event:
    galaxy, label, note, score = given
    return _add(connection, Event(0, galaxy, label, note, user, "", score=score))


def _add(connection: sql.Connection, event: Event) -> Event:
    row = asdict(event) | {"time": datetime.now(UTC).isoformat(timespec="microseconds")}
    row.pop("number")
    done = connection.execute(sql.insert(EVENTS).values(**row))
    (number,) = done.inserted_primary_key or (0,)
    return Event(number=int(number), **row)


def _active_labels(connection: sql.Connection, galaxy: str, user: str | None) -> list[Event]:
    """The labels of a galaxy that nothing undoes, of one person or of all, oldest first."""
    events = _read(connection, sql.select(EVENTS).where(EVENTS.c.galaxy == galaxy))
    undone = undone_numbers(events)
    labels = [event for event in events if event.undoes is None and event.number not in undone]
    return [event for event in labels if user in (None, event.user)]


def _active_event(connection: sql.Connection, number: int, address: str) -> Event:
    """The event of that number.

    Raises:
        JournalError: There is none, or it is undone.
    """
    same = sql.select(EVENTS.c.galaxy).where(EVENTS.c.number == number).scalar_subquery()
    query = sql.select(EVENTS).where(EVENTS.c.galaxy == same)
    known = {event.number: event for event in _read(connection, query)}
    if number not in known:
        msg = f"expected an event of {address} to undo, found no number {number}"
        raise JournalError(msg)
    if number in undone_numbers(list(known.values())):
        msg = f"event {number} of {address} is undone already"
        raise JournalError(msg)
    return known[number]


def _undo(connection: sql.Connection, event: Event, user: str) -> Event:
    return _add(connection, Event(0, event.galaxy, event.label, "", user, "", event.number))


def _done_by(connection: sql.Connection, key: str) -> list[Event]:
    """The event that a call of this key added, if there was one."""
    if not key:
        return []
    number = sql.select(KEYS.c.number).where(KEYS.c.key == key).scalar_subquery()
    return _read(connection, sql.select(EVENTS).where(EVENTS.c.number == number))


def _keep_key(connection: sql.Connection, key: str, number: int) -> None:
    if key:
        connection.execute(sql.insert(KEYS).values(key=key, number=number))


def _read(connection: sql.Connection, query: "sql.Select[Any]") -> list[Event]:
    return [Event(**row) for row in connection.execute(query).mappings()]
