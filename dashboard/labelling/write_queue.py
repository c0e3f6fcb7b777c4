"""The writes of a session to the journal: in order, in a worker, retried while it is locked."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import panel as pn

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import has_session, when_done
from dashboard.components.notices import report
from dashboard.state import State
from pcvae.errors import JournalBusyError

__all__ = ["Act", "WriteQueue", "writes_of"]

Act = Generator[Callable[[], object], Any, bool]  # yields what writes, is sent what that returned
RETRY = 1000  # ms before a write is tried again


class WriteQueue:
    """Acts on the journal, one after the other.

    An act is a generator: it runs in the event loop, and each function that it yields is called
    in the journal's worker. A write to a locked database is tried again for as long as the
    session lasts, and later acts wait for it; any other error is raised in the act.

    Args:
        datastore: Whose journal is written to.
        state: The session, whose notices say what is not yet saved.

    Attributes:
        key: The browser's name of the act under way; empty for none.
        acknowledge: Is told the keys of acts that have ended.
    """

    def __init__(self, datastore: DataStore, state: State) -> None:
        self._datastore, self._state = datastore, state
        self._waiting: deque[tuple[Act, str]] = deque()
        self._act: Act | None = None
        self._pressed = self.key = ""
        self.acknowledge: Callable[[str], None] = lambda _: None
        self._succeeded = True

    def press(self, key: str, call: Callable[[], object]) -> None:
        """Call what labels; ``acknowledge`` gets the key once all is written, or has failed.

        Args:
            key: The browser's name of what was pressed; the journal takes each once.
            call: What calls ``do`` once or not at all.
        """
        self._pressed = key
        try:
            call()
        finally:
            if self._pressed:  # nothing was to be written
                self.acknowledge(key)
            self._pressed = ""

    def do(self, act: Act) -> bool:
        """Begin an act, or queue it behind those under way.

        Returns:
            False if it has ended without success, as it can only without a session.
        """
        self._succeeded = True
        self._waiting.append((act, self._pressed))
        self._pressed = ""
        self._begin()
        return self._succeeded

    def _begin(self) -> None:
        if self._act is None and self._waiting:
            self._act, self.key = self._waiting.popleft()
            self._advance(self._act, None)

    def _advance(self, act: Act, job: "Future[Any] | None") -> None:
        """Run an act to its next write, with the outcome of the last one."""
        try:
            error = None if job is None else job.exception()
            sent = None if job is None or error else job.result()
            write = act.throw(error) if error else act.send(sent)
        except StopIteration as end:
            self._end(succeeded=bool(end.value))
        except BaseException:
            self._end(succeeded=False)
            raise
        else:
            self._try(act, write)

    def _end(self, *, succeeded: bool) -> None:
        self._act, self._succeeded = None, succeeded
        if self.key:
            self.acknowledge(self.key)
            self.key = ""
        self._begin()

    def _try(self, act: Act, write: Callable[[], object]) -> None:
        job = self._datastore.journal_jobs.write(write)
        when_done(job, lambda: self._arrived(act, write, job))

    def _arrived(self, act: Act, write: Callable[[], object], job: "Future[Any]") -> None:
        error, document = job.exception(), pn.state.curdoc
        if document is None or not has_session() or not isinstance(error, JournalBusyError):
            self._advance(act, job)
            return
        count = 1 + len(self._waiting)
        kept = "1 label waits" if count == 1 else f"{count} labels wait"
        words = f"Not saved yet, {kept} and will be tried again: {error}"
        report(self._state, "saving", words, repeated=True)
        document.add_timeout_callback(lambda: self._try(act, write), RETRY)


def writes_of(datastore: DataStore, state: State) -> WriteQueue:
    """The queue of a session."""
    if state.progress.writes is None:
        state.progress.writes = WriteQueue(datastore, state)
    queue: WriteQueue = state.progress.writes
    return queue
