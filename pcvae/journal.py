"""The journal of labels: an append-only record of who labelled which galaxy, and when.

An event labels a galaxy, or undoes an earlier event. The labels are the fold of all events, so
that nothing is lost, everything can be undone, and who said what stays known.
"""

import getpass
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sql
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from pcvae.errors import JournalBusyError, JournalError

__all__ = ["Event", "Journal", "active_events", "fold", "journal_path", "undone_numbers"]

VERSION = 1
LOCK = 0x7063766165  # PostgreSQL's advisory lock that writers take turns by: "pcvae"
PASSING = {"08", "40", "55", "57"}  # connection, rollback, lock held, being shut down
WAIT = 30.0  # seconds that a writer waits for another; SQLite's writes take milliseconds

_TABLES = sql.MetaData()
_SCHEMA = sql.Table("pcvae_schema", _TABLES, sql.Column("version", sql.Integer, nullable=False))
_EVENTS = sql.Table(
    "pcvae_events",
    _TABLES,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("galaxy", sql.String, nullable=False, index=True),
    sql.Column("label", sql.String, nullable=False),
    sql.Column("note", sql.String, nullable=False),
    sql.Column("user", sql.String, nullable=False),
    sql.Column("time", sql.String, nullable=False),
    sql.Column("undoes", sql.Integer, sql.ForeignKey("pcvae_events.number"), nullable=True),
    sqlite_autoincrement=True,
)
_KEYS = sql.Table(
    "pcvae_keys",
    _TABLES,
    sql.Column("key", sql.String, primary_key=True),
    sql.Column("number", sql.Integer, nullable=False),
)
_GUARDS = [
    f"CREATE TRIGGER IF NOT EXISTS pcvae_no_{verb.lower()} BEFORE {verb} ON pcvae_events "
    f"BEGIN SELECT RAISE(ABORT, 'a journal is only added to'); END"
    for verb in ("UPDATE", "DELETE")
]


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
    """

    number: int
    galaxy: str
    label: str
    note: str
    user: str
    time: str
    undoes: int | None = None


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


class Journal:
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
        self._database = _Database(full, wait, wait if opening_wait is None else opening_wait)
        self.address = self._database.address
        self.user = user or getpass.getuser()

    def tag(
        self, galaxy: str, label: str, *, note: str = "", user: str | None = None, key: str = ""
    ) -> Event:
        """Label a galaxy.

        Args:
            galaxy: Its id.
            label: The label, such as ``candidate``; replaces the one that it carries.
            note: Anything else to be kept with it.
            user: Who says so; the journal's user by default.
            key: A name of this call by its caller: called again with it, as after an answer that
                was lost, it adds nothing and returns the same event.
        """
        if not galaxy or not label:
            msg = f"expected a galaxy and a label, found {galaxy!r} and {label!r}"
            raise JournalError(msg)
        with self._database.writing() as connection:
            done = _done_by(connection, key)
            if done:
                return done[0]
            event = _add(connection, Event(0, galaxy, label, note, user or self.user, ""))
            _keep_key(connection, key, event.number)
            return event

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
            rows = _read(connection, sql.select(_EVENTS).where(_EVENTS.c.galaxy == galaxy))
            undone = undone_numbers(rows)
            left = [event for event in rows if event.undoes is None and event.number not in undone]
            meant = [event for event in left if of in (None, event.user)]
            undoing = [self._undo(connection, event, user) for event in reversed(meant)]
            if undoing:
                _keep_key(connection, key, undoing[-1].number)
            return undoing

    def undo(self, number: int, *, user: str | None = None) -> Event:
        """Undo the event of that number; undoing an undoing makes the first stand again.

        Raises:
            JournalError: There is no such event, or it is undone already.
        """
        same = sql.select(_EVENTS.c.galaxy).where(_EVENTS.c.number == number).scalar_subquery()
        query = sql.select(_EVENTS).where(_EVENTS.c.galaxy == same)
        with self._database.writing() as connection:
            known = {event.number: event for event in _read(connection, query)}
            if number not in known:
                msg = f"expected an event of {self.address} to undo, found no number {number}"
                raise JournalError(msg)
            if number in undone_numbers(list(known.values())):
                msg = f"event {number} of {self.address} is undone already"
                raise JournalError(msg)
            return self._undo(connection, known[number], user)

    def events(self) -> list[Event]:
        """All events, oldest first."""
        with self._database.reading() as connection:
            return _read(connection, sql.select(_EVENTS).order_by(_EVENTS.c.number))

    def labels(self) -> dict[str, Event]:
        """The active label of each galaxy that has one; see ``fold``."""
        return fold(self.events())

    def last(self) -> int:
        """The number of the last event, 0 where there is none."""
        with self._database.reading() as connection:
            return connection.scalar(sql.select(sql.func.max(_EVENTS.c.number))) or 0

    def count(self) -> int:
        """How many events there are: it grows with every change.

        The last number need not: PostgreSQL may show a later number before an earlier one.
        """
        with self._database.reading() as connection:
            return connection.scalar(sql.select(sql.func.count()).select_from(_EVENTS)) or 0

    def table(self) -> pd.DataFrame:
        """The active labels, a row a person and galaxy; see ``active_events``.

        Its columns are ``id``, ``label``, ``note``, ``user`` and ``time``.
        """
        names = [field.name for field in fields(Event)]
        kept = ["galaxy", "label", "note", "user", "time"]
        active = [asdict(event) for event in active_events(self.events())]
        return pd.DataFrame(active, columns=names)[kept].rename(columns={"galaxy": "id"})

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _undo(self, connection: sql.Connection, event: Event, user: str | None) -> Event:
        undoing = Event(0, event.galaxy, event.label, "", user or self.user, "", event.number)
        return _add(connection, undoing)


class _Database:
    """The database of a journal: its tables, and transactions on them.

    Args:
        address: As SQLAlchemy writes it.
        wait: How long SQLite waits for a lock [s].
        opening_wait: The same while it is opened [s].

    Raises:
        JournalError: It cannot be opened, or is of another version.
    """

    def __init__(self, address: str, wait: float, opening_wait: float) -> None:
        self.address = _without_password(address)
        try:
            self._engine = _engine(address, opening_wait)
            self._open()
            if opening_wait != wait:
                self._engine.dispose()
                self._engine = _engine(address, wait)
        except (SQLAlchemyError, ImportError) as error:
            raise _trouble("open", self.address, error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _open(self) -> None:
        with self._engine.begin() as connection:
            _lock(connection)
            for table in (_SCHEMA, _EVENTS, _KEYS):
                connection.execute(CreateTable(table, if_not_exists=True))
            if connection.dialect.name == "sqlite":
                for guard in _GUARDS:
                    connection.exec_driver_sql(guard)
            versions = list(connection.scalars(sql.select(_SCHEMA.c.version)))
            if not versions:
                connection.execute(sql.insert(_SCHEMA).values(version=VERSION))
            elif versions != [VERSION]:
                msg = (
                    f"{self.address} holds a version {versions[0]} journal, this pcvae reads "
                    f"version {VERSION}. Install the pcvae that wrote it (its labels can be "
                    f"exported there), or move the journal aside to begin a new one"
                )
                raise JournalError(msg)

    @contextmanager
    def writing(self) -> Iterator[sql.Connection]:
        """A transaction that holds the write lock from its beginning."""
        try:
            with self._engine.begin() as connection:
                _lock(connection)
                yield connection
        except SQLAlchemyError as error:
            raise _trouble("write to", self.address, error) from error

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection that only reads."""
        quiet = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with quiet.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _trouble("read", self.address, error) from error


def _add(connection: sql.Connection, event: Event) -> Event:
    row = asdict(event) | {"time": datetime.now(UTC).isoformat(timespec="microseconds")}
    row.pop("number")
    done = connection.execute(sql.insert(_EVENTS).values(**row))
    (number,) = done.inserted_primary_key or (0,)
    return Event(number=int(number), **row)


def _done_by(connection: sql.Connection, key: str) -> list[Event]:
    """The event that a call of this key added, if there was one."""
    if not key:
        return []
    number = sql.select(_KEYS.c.number).where(_KEYS.c.key == key).scalar_subquery()
    return _read(connection, sql.select(_EVENTS).where(_EVENTS.c.number == number))


def _keep_key(connection: sql.Connection, key: str, number: int) -> None:
    if key:
        connection.execute(sql.insert(_KEYS).values(key=key, number=number))


def _engine(address: str, wait: float) -> sql.Engine:
    engine = sql.create_engine(address)
    if engine.dialect.name == "sqlite":
        sql.event.listen(engine, "connect", partial(_prepare_sqlite, wait))
    return engine


def _prepare_sqlite(wait: float, connection: Any, _record: Any) -> None:
    """Readers beside a writer (WAL), patience, and commits that survive a power cut."""
    connection.isolation_level = None
    for setting in (
        f"busy_timeout = {wait * 1000:.0f}",
        "journal_mode = WAL",
        "synchronous = FULL",
    ):
        connection.execute(f"PRAGMA {setting}")


def _lock(connection: sql.Connection) -> None:
    """Take the write lock before the first read, so that what was read still holds."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _without_password(address: str) -> str:
    try:
        return sql.make_url(address).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "whose address cannot be read"


def _read(connection: sql.Connection, query: "sql.Select[Any]") -> list[Event]:
    return [Event(**row) for row in connection.execute(query).mappings()]


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help: a lock, or a server that does not answer.

    A file that may not be written or a full disk stays so until somebody sees to it. SQLite's
    codes: https://sqlite.org/rescode.html (the low byte is the kind); PostgreSQL's: appendix A
    of its manual (the first two letters are the class).
    """
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in PASSING


def _trouble(verb: str, address: str, error: Exception) -> JournalError:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    kind = JournalBusyError if _may_pass(error) else JournalError
    if getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return kind(f"cannot {verb} the journal {address}: {reason} by another process")
    return kind(
        f"cannot {verb} the journal {address}: {reason}. Expected a SQLite file that may be "
        f"written, or the address of a database that answers"
    )
