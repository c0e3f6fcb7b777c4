"""Views of a store that people have saved by name in its journal, for their team.

A view is what the dashboard's address says after its ``?``. As with labels, rows are only added:
saving a name again replaces its view, removing it adds a row without an address.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sql

from pcvae.errors import JournalError
from pcvae.journal_database import VIEWS, JournalDatabase

__all__ = ["MAX_ADDRESS", "MAX_NAME", "SavedView", "SavedViews"]

MAX_NAME, MAX_ADDRESS = 80, 20_000  # letters


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved view.

    Args:
        number: Its place in the journal, growing.
        name: What it is called.
        address: The query of the dashboard's address, beginning with ``?``; empty for a removal.
        user: Who saved or removed it.
        time: When, in UTC; ISO 8601 with microseconds.
    """

    number: int
    name: str
    address: str
    user: str
    time: str


class SavedViews:
    """The saved views of a journal; ``Journal.views`` opens them.

    Every change is on disk when the method that makes it returns.

    Args:
        database: The journal's database.
        user: Who writes by default.
    """

    def __init__(self, database: JournalDatabase, user: str) -> None:
        self._database, self._user = database, user

    def all(self) -> list[SavedView]:
        """The views that are not removed, the latest first."""
        with self._database.reading() as connection:
            return sorted(_current(connection).values(), key=lambda view: -view.number)

    def save(self, name: str, address: str, *, user: str | None = None) -> SavedView:
        """Save a view; it takes the place of one of this name by the same person.

        Args:
            name: What it is to be called; blanks at its ends and double ones are dropped.
            address: The query of the dashboard's address, beginning with ``?``.
            user: Who saves it; the journal's user by default.

        Raises:
            JournalError: Name or address cannot be taken, or the name is another person's.
        """
        name, user = " ".join(name.split()), user or self._user
        _check(name, address)
        with self._database.writing() as connection:
            taken = _current(connection).get(name)
            if taken is not None and taken.user != user:
                msg = f"{taken.user} has saved a view named {name!r}: choose another name"
                raise JournalError(msg)
            return _add(connection, SavedView(0, name, address, user, ""))

    def remove(self, name: str, *, user: str | None = None) -> SavedView:
        """Remove the view of that name, whoever saved it; returns what was removed.

        Raises:
            JournalError: There is none.
        """
        with self._database.writing() as connection:
            view = _current(connection).get(name)
            if view is None:
                msg = f"there is no saved view named {name!r}: somebody may have removed it"
                raise JournalError(msg)
            _add(connection, SavedView(0, name, "", user or self._user, ""))
            return view


def _check(name: str, address: str) -> None:
    if not 0 < len(name) <= MAX_NAME:
        msg = f"expected a name of 1 to {MAX_NAME} letters for the view, found {len(name)}"
        raise JournalError(msg)
    if not address.startswith("?") or len(address) > MAX_ADDRESS:
        msg = (
            f"expected a view's address that begins with ? and has at most {MAX_ADDRESS:,} "
            f"letters, found {len(address):,} beginning with {address[:10]!r}"
        )
        raise JournalError(msg)


def _current(connection: sql.Connection) -> dict[str, SavedView]:
    """The last row of each name, of those that are not removed."""
    rows = connection.execute(sql.select(VIEWS).order_by(VIEWS.c.number)).mappings()
    last = {row["name"]: SavedView(**row) for row in rows}
    return {name: view for name, view in last.items() if view.address}


def _add(connection: sql.Connection, view: SavedView) -> SavedView:
    row = asdict(view) | {"time": datetime.now(UTC).isoformat(timespec="microseconds")}
    row.pop("number")
    done = connection.execute(sql.insert(VIEWS).values(**row))
    (number,) = done.inserted_primary_key or (0,)
    return SavedView(number=int(number), **row)
