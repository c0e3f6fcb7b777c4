"""Tables that a visitor's own programs fetch, such as TOPCAT: files under names nobody can guess.

They lie on disk, so that each process of a server finds them, and programs on the same machine
can read them without it.
"""

import os
import re
import secrets
import tempfile
import time
from pathlib import Path

from tornado.web import StaticFileHandler

from pcvae.errors import PcvaeError

__all__ = ["PREFIX", "FolderError", "TableFile", "share", "shared_folder", "table_name"]

PREFIX = "tables"  # of their addresses, which are relative to the page's
ADDRESS = re.compile(rf"(?:/.*)?/{PREFIX}/([\w-]{{43}}\.vot)")
KEPT = 3600.0  # seconds that a table can be fetched
MAX_BYTES = 1 << 30  # of all tables together: the oldest go first


class FolderError(PcvaeError):
    """The folder of shared tables is not one that only this user can read."""


class TableFile(StaticFileHandler):
    """Answers a request for a shared table, in parts, to whoever knows its name."""

    def get_content_type(self) -> str:
        """That of a VOTable.

        Reference: https://www.ivoa.net/documents/VOTable/, section 8
        """
        return "application/x-votable+xml"

    def compute_etag(self) -> str | None:
        """None: it would read all of the file in the event loop."""
        return None

    def set_extra_headers(self, path: str) -> None:
        """Let nothing on the way keep it."""
        self.set_header("Cache-Control", "no-store")


def shared_folder() -> Path:
    """The folder of the tables that this user's servers share.

    Raises:
        FolderError: Somebody else's folder is in its place.
    """
    folder = Path(tempfile.gettempdir(), f"pcvae-tables-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        msg = f"expected {folder} to be a folder that only you can read; remove it, then try again"
        raise FolderError(msg)
    return folder


def share(content: bytes) -> Path:
    """Write a table to a file with a new name; old tables are removed.

    Raises:
        FolderError: There is no safe place for it.
    """
    folder = shared_folder()
    path = folder / f"{secrets.token_urlsafe(32)}.vot"
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.rename(path)
    _tidy(folder, newest=path)
    return path


def table_name(request_path: str) -> str | None:
    """The file that a request asks for, by its path; None if it asks for something else.

    Example:
        >>> name = "a" * 43 + ".vot"
        >>> table_name(f"/lab/tables/{name}") == table_name(f"/tables/{name}") == name
        True
        >>> table_name("/tables/../store.json") is None
        True
    """
    found = ADDRESS.fullmatch(request_path)
    return found[1] if found else None


def _tidy(folder: Path, newest: Path) -> None:
    """Remove what is too old, then the oldest until the rest is small enough."""
    facts = {}
    for path in folder.iterdir():
        try:
            facts[path] = path.stat()
        except FileNotFoundError:  # another process was first
            continue
    total, now = 0, time.time()
    for path in sorted(facts, key=lambda path: -facts[path].st_mtime):
        total += facts[path].st_size
        if path != newest and (now - facts[path].st_mtime > KEPT or total > MAX_BYTES):
            path.unlink(missing_ok=True)
