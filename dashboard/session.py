"""Work that ends after a callback has returned, brought back into the session that asked."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import panel as pn

__all__ = ["when_done"]


def when_done(job: "Future[Any]", call: Callable[[], None]) -> None:
    """Call once the job is done: at once if it is, else in this session's own turn.

    Without a session, as in a script, it waits for the job.
    """
    document = pn.state.curdoc
    if job.done() or document is None or document.session_context is None:
        job.exception()
        call()
        return

    def enter(_: "Future[Any]") -> None:
        if not getattr(document.session_context, "destroyed", False):
            document.add_next_tick_callback(call)

    job.add_done_callback(enter)
