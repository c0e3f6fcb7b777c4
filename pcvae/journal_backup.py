"""Copies of a journal in a SQLite file, made while others write to it, and brought back."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from pcvae.errors import JournalError
from pcvae.journal_database import EVENTS, VERSION

__all__ = ["copy_journal"]


def copy_journal(source: Path, target: Path) -> int:
    """Copy a journal with all labels acknowledged before the call; returns its number of events.

    The copy appears under its name when it is whole and on disk.

    Args:
        source: A journal, or a copy of one; others may write to it meanwhile.
        target: The file to make, in a folder that exists.

    Raises:
        JournalError: The source is no journal or is damaged, or the target exists already.
    """
    if not source.is_file():
        msg = f"expected a journal in a file, found none at {source}"
        raise JournalError(msg)
    for suffix in ("", "-wal"):
        taken = target.with_name(target.name + suffix)
        if taken.exists():
            msg = f"{taken} exists: end the servers that use it and move it aside, or name another"
            raise JournalError(msg)
    begun = target.with_name(f"{target.name}.new")
    try:
        begun.unlink(missing_ok=True)
        count = _copy(source, begun)
        begun.rename(target)
    except (sqlite3.Error, OSError) as error:
        msg = f"cannot copy the journal {source} to {target}: {error}"
        raise JournalError(msg) from error
    finally:
        begun.unlink(missing_ok=True)
    return count


def _copy(source: Path, begun: Path) -> int:
    address = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as old:
        _check_version(old, source)
        with closing(sqlite3.connect(begun)) as new:
            old.backup(new)
            (found,) = new.execute("PRAGMA integrity_check").fetchone()
            if found != "ok":
                msg = f"{source} is damaged, no copy is made: {found.splitlines()[0]}"
                raise JournalError(msg)
            counted = f"SELECT count(*) FROM {EVENTS.name}"  # nosec B608: a name of ours
            (count,) = new.execute(counted).fetchone()
    with begun.open("rb") as file:
        os.fsync(file.fileno())
    return int(count)


def _check_version(journal: sqlite3.Connection, path: Path) -> None:
    try:
        versions = journal.execute("SELECT version FROM pcvae_schema").fetchall()
    except sqlite3.DatabaseError as error:
        msg = f"expected a journal of labels, found something else at {path}: {error}"
        raise JournalError(msg) from error
    if versions != [(VERSION,)]:
        msg = f"expected a journal of version {VERSION} at {path}, found {versions}"
        raise JournalError(msg)
