"""Ctrl-C: ends a command in words, also while it imports and while workers start.

Imported before anything else by a command, so it imports little.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["INTERRUPTED", "end_in_words", "held_back", "raise_interrupts"]

INTERRUPTED = "\ninterrupted: the same command goes on from here"
STATUS = 130  # of a command that Ctrl-C ended


def end_in_words() -> None:
    """Have Ctrl-C end this process at once, while it only imports and has nothing to put away.

    As an exception it would come out of some imports as another one.
    """
    signal.signal(signal.SIGINT, _end)


def raise_interrupts() -> None:
    """Have Ctrl-C raise ``KeyboardInterrupt`` again, if ``end_in_words`` was called."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back, to raise it at the end; processes that are started in between ignore it.

    They inherit the mask of blocked signals, so that none prints a traceback while it imports.
    For the main thread, which alone is interrupted.
    """
    seen: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, usual)
        if seen:
            raise KeyboardInterrupt


def _end(*_: object) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{INTERRUPTED}\n".encode())
    os._exit(STATUS)
