"""One writer an output: a small file beside it says which process writes it.

The file is made by ``O_EXCL``, which one process alone succeeds with, on network file systems
too; those that lock a region of a file do so on few of them and do not tell who holds it.
"""

import getpass
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock

from pcvae.errors import OutputError

__all__ = ["BREAK_LOCK", "Holder", "hold", "lock_path"]

BREAK_LOCK = "take OUT over from a process of another computer that is no more"
PATIENCE = 1.0  # s in which a process that has made the file writes its 200 bytes


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that writes an output.

    Args:
        host: The name of its computer.
        boot: Which start of that computer, and which numbering of its processes (a container has
            its own); empty if the system does not say.
        pid: Its number.
        began: When it began, as the system counts, as numbers are used again; empty likewise.
        since: When it began to write, in UTC; ISO 8601.
    """

    host: str
    boot: str
    pid: int
    began: str
    since: str

    @staticmethod
    def here() -> "Holder":
        """This process, now."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Holder(socket.gethostname(), _boot(), os.getpid(), _began(os.getpid()), now)

    @property
    def is_of_here(self) -> bool:
        """Whether it is or was a process that this one would see: of this host and boot."""
        return (self.host, self.boot) == (socket.gethostname(), _boot())

    @property
    def is_alive(self) -> bool:
        """Whether a process of this host and boot still runs."""
        return psutil.pid_exists(self.pid) and _began(self.pid) == self.began

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


def lock_path(output: Path) -> Path:
    """Where the lock of an output lies: ``OUTPUT.lock`` beside it.

    Raises:
        OutputError: The output has no name of its own.
    """
    if output.name in ("", ".."):
        msg = f"expected the name of a folder to make, found {str(output)!r}"
        raise OutputError(msg)
    return output.with_name(output.name + ".lock")


@contextmanager
def hold(output: Path, *, break_lock: bool = False) -> Iterator[None]:
    """Hold the lock of an output while it is written; its parent is made if there is none.

    A lock that a dead process of this host and boot has left is taken over.

    Args:
        output: The folder.
        break_lock: Whether one of another host or boot is taken over too.

    Raises:
        OutputError: Another process writes it, or nothing can be written there.
    """
    path, made = lock_path(output), _make_parents(output)
    try:
        holder = _acquire(path, output, break_lock=break_lock)
    except OSError as error:
        _remove_empty(made)
        msg = f"{output} cannot be written: {error.strerror}, {path.parent}"
        raise OutputError(f"{msg}. Choose another place, or make that one writable") from error
    try:
        yield
    finally:
        with suppress(OSError):
            if _read(path) == holder:
                path.unlink()
        _remove_empty(made)


def _make_parents(output: Path) -> list[Path]:
    """Make the folders above an output; those that were not there, the innermost first."""
    absent = [parent for parent in output.parents if not parent.exists()]
    if output.exists() and not output.is_dir():
        msg = f"expected a folder at {output}, found a file: choose another name"
        raise OutputError(msg)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{output} cannot be written: {error.strerror}, {error.filename}"
        raise OutputError(f"{msg}. Choose another place, or make that one writable") from error
    return absent


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _acquire(path: Path, output: Path, *, break_lock: bool) -> Holder:
    mine = Holder.here()
    while True:
        if _create(path, mine):
            return mine
        found = _settled(path)
        if isinstance(found, Holder) and not _is_free(found, break_lock=break_lock):
            raise OutputError(_refusal(output, path, found))
        with _one_at_a_time():
            if path.exists() and _read(path) == found:
                path.unlink()


def _create(path: Path, mine: Holder) -> bool:
    """Whether the file was not there and is now this process's."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    try:
        os.write(file, json.dumps(asdict(mine)).encode())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    return _read(path) == mine  # one that was held up for long may have lost it meanwhile


def _read(path: Path) -> Holder | None:
    """Who holds a lock; None if that is not, or not yet, written there."""
    try:
        holder = Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return holder if isinstance(holder.pid, int) and holder.pid > 0 else None


def _settled(path: Path) -> Holder | None:
    """Who holds a lock, once it is written; None if its writer ended before that."""
    end = time.monotonic() + PATIENCE
    while (found := _read(path)) is None and path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _is_free(found: Holder, *, break_lock: bool) -> bool:
    return not found.is_alive if found.is_of_here else break_lock


def _refusal(output: Path, path: Path, found: Holder) -> str:
    text = f"{output} is being written by {found}"
    if found.is_of_here:
        return f"{text}: wait until that ends, or choose another name"
    return (
        f"{text}, which cannot be seen from here: wait until that ends; if it is no more, "
        f"add --break-lock (or remove {path})"
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Among the processes of this computer, which alone take a lock over from each other."""
    guard = Path(tempfile.gettempdir()) / f"pcvae-{getpass.getuser()}.takeover"
    with FileLock(guard, mode=0o600):
        yield


def _boot() -> str:
    """What tells one start of this computer from another; empty if the system does not say."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _began(pid: int) -> str:
    """When a process began, in ticks since the boot; empty if the system does not say.

    ``dead`` for one that has ended and waits for its parent to notice.
    """
    with suppress(OSError):
        facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "dead" if facts[0] == "Z" else facts[19]
    return ""
