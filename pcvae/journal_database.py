"""The database of a journal: its tables, its write lock, and what its errors mean.

SQLite in a file of one's own or PostgreSQL for a team, by SQLAlchemy.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from pcvae.errors import JournalBusyError, JournalError

__all__ = ["EVENTS", "KEYS", "VIEWS", "WAIT", "JournalDatabase"]

VERSION = 1
LOCK = 0x7063766165  # PostgreSQL's advisory lock that writers take turns by: "pcvae"
PASSING = {"08", "40", "55", "57"}  # connection, rollback, lock held, being shut down
WAIT = 30.0  # seconds that a writer waits for another; SQLite's writes take milliseconds

_TABLES = sql.MetaData()
_SCHEMA = sql.Table("pcvae_schema", _TABLES, sql.Column("version", sql.Integer, nullable=False))
EVENTS = sql.Table(
    "pcvae_events",
    _TABLES,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("galaxy", sql.String, nullable=False, index=True),
    sql.Column("label", sql.String, nullable=False),
    sql.Column("note", sql.String, nullable=False),
    sql.Column("user", sql.String, nullable=False),
    sql.Column("time", sql.String, nullable=False),
    sql.Column("undoes", sql.Integer, sql.ForeignKey("pcvae_events.number"), nullable=True),
    sql.Column("score", sql.String, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
KEYS = sql.Table(
    "pcvae_keys",
    _TABLES,
    sql.Column("key", sql.String, primary_key=True),
    sql.Column("number", sql.Integer, nullable=False),
)
VIEWS = sql.Table(  # came later: an earlier journal gets it when it is opened
    "pcvae_views",
    _TABLES,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("name", sql.String, nullable=False),
    sql.Column("address", sql.String, nullable=False),
    sql.Column("user", sql.String, nullable=False),
    sql.Column("time", sql.String, nullable=False),
    sqlite_autoincrement=True,
)
_GUARDS = [
    f"CREATE TRIGGER IF NOT EXISTS pcvae_no_{verb.lower()}{suffix} BEFORE {verb} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, 'a journal is only added to'); END"
    for table, suffix in (("pcvae_events", ""), ("pcvae_views", "_of_views"))
    for verb in ("UPDATE", "DELETE")
]


class JournalDatabase:
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
        except (SQLAlchemyError, ImportError, UnicodeError) as error:
            raise _trouble("open", self.address, error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _open(self) -> None:
        _refuse_foreign(self.address)
        with self._engine.begin() as connection:
            _lock(connection)
            for table in (_SCHEMA, EVENTS, KEYS, VIEWS):
                connection.execute(CreateTable(table, if_not_exists=True))
            _add_score(connection)
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
        except (SQLAlchemyError, UnicodeError) as error:
            raise _trouble("write to", self.address, error) from error

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection that only reads."""
        quiet = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with quiet.connect() as connection:
                yield connection
        except (SQLAlchemyError, UnicodeError) as error:
            raise _trouble("read", self.address, error) from error


def _add_score(connection: sql.Connection) -> None:
    """Add the column of scores to a journal of an earlier pcvae, which can still use it then."""
    there = {column["name"] for column in sql.inspect(connection).get_columns(EVENTS.name)}
    if "score" not in there:
        words = f"ALTER TABLE {EVENTS.name} ADD COLUMN score VARCHAR DEFAULT '' NOT NULL"
        connection.exec_driver_sql(words)


def _refuse_foreign(address: str) -> None:
    """Refuse a SQLite file of somebody else's before anything in it is changed."""
    url = sql.make_url(address)
    if url.get_backend_name() != "sqlite" or not url.database or not Path(url.database).is_file():
        return
    query, there = "SELECT name FROM sqlite_master WHERE type = 'table'", list[str]()
    with suppress(sqlite3.Error):  # a lock, or no database: opening it says so
        path = f"{Path(url.database).resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(path, timeout=0, uri=True)) as file:
            file.text_factory = partial(str, encoding="utf-8", errors="replace")
            there = [name for (name,) in file.execute(query)]
    if there and _SCHEMA.name not in there:
        msg = (
            f"{address} is a database of something else, with a table {there[0]!r}: expected a "
            f"journal of labels, or a name that is not taken yet"
        )
        raise JournalError(msg)


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
