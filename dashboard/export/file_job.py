"""A file that is being made in a worker, for one session: its progress, its end, cancelling."""

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

import panel as pn
from panel.io.callbacks import PeriodicCallback

from dashboard.backend.classifier_jobs import Job
from dashboard.backend.jobs import has_session, schedule, when_done
from dashboard.export.files import File, Maker

__all__ = ["FileJob"]

TICK = 300  # ms between two looks at the progress


class FileJob:
    """Makes one file at a time outside of the event loop; it ends with its session.

    Args:
        worker: What makes it.
        tell: Is told of the progress in words.
        done: Takes the file; or None with the reason, which is empty if it was cancelled.
    """

    def __init__(
        self,
        worker: ThreadPoolExecutor,
        tell: Callable[[str], None],
        done: Callable[[File | None, str], None],
    ) -> None:
        self._worker, self._tell, self._done = worker, tell, done
        self._job: Job | None = None
        self._ticking: list[PeriodicCallback] = []
        if has_session():
            pn.state.on_session_destroyed(lambda _: self.cancel())

    @property
    def running(self) -> bool:
        """Whether a file is being made."""
        return self._job is not None

    def start(self, make: Maker) -> None:
        """Make a file."""
        self._job = job = Job(lambda job: make(job.tell), self._worker)
        self._report()
        if has_session():
            self._ticking.append(pn.state.add_periodic_callback(self._report, TICK))
        # in a tick of its own: what starts and ends in one tick may never reach the browser
        schedule(lambda: when_done(job.future, lambda: self._end(job)))

    def cancel(self) -> None:
        """Give up the file that is being made, at the next step of its maker."""
        if self._job is not None:
            self._job.stop()

    def _report(self) -> None:
        job = self._job
        if job is not None and not job.future.done():
            self._tell(f"{job.words}, {100 * job.share:.0f} %" if job.share else "…")

    def _end(self, job: Job) -> None:
        self._job = None
        while self._ticking:
            self._ticking.pop().stop()
        error = CancelledError() if job.future.cancelled() else job.future.exception()
        if error is None:
            self._done(job.future.result(), "")
        else:
            cancelled = isinstance(error, CancelledError)
            self._done(None, "" if cancelled else str(error) or type(error).__name__)
