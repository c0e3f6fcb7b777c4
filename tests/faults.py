"""Kills before each file operation: what a killed writer leaves behind must be mendable."""

import os
import sys
from collections.abc import Callable
from typing import Any

KILLED = 137
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Countdown:
    """An audit hook that ends this process before its n-th file operation."""

    left: int | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.left is None or not _changes_a_file(event, arguments):
            return
        self.left -= 1
        if self.left < 0:
            os._exit(KILLED)


_countdown = _Countdown()
sys.addaudithook(_countdown)


def _changes_a_file(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, mode, flags = arguments
        return not str(path).startswith("/dev/") and bool(flags & _WRITING or "w" in (mode or ""))
    return event in _CHANGES


def killed(work: Callable[[], object], before: int) -> bool:
    """Run ``work`` in a forked process that is killed before a file operation.

    Args:
        work: What is run.
        before: The number of the operation, from 0.

    Returns:
        Whether it was killed; False if it has ended before.
    """
    pid = os.fork()
    if pid == 0:
        _countdown.left = before
        try:
            work()
        except BaseException:  # whatever it is, the parent is told
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the killed process ended with {code}"
    return code == KILLED


def kill_everywhere(work: Callable[[], object], check: Callable[[int], None]) -> int:
    """Kill ``work`` before each of its file operations in turn, and check what is left.

    Args:
        work: What is run; it begins anew each time.
        check: Called after each kill with the number of the operation.

    Returns:
        How many operations there are.
    """
    before = 0
    while killed(work, before):
        check(before)
        before += 1
    return before
