"""Work that ends after a callback has returned: its result goes back to the session."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from weakref import WeakMethod

import panel as pn
from bokeh.server.callbacks import TimeoutCallback
from holoviews.plotting.bokeh.callbacks import Callback

__all__ = [
    "Latest",
    "debounce",
    "forget_plots",
    "has_session",
    "is_warming",
    "run_in_ticks",
    "schedule",
    "session_caller",
    "weak_callback",
    "when_done",
]


def when_done(job: "Future[Any]", call: Callable[[], None]) -> None:
    """Call once the job is done: at once if it is, else in a tick of this session.

    Without a session, as in a script, it waits for the job.
    """
    document = pn.state.curdoc
    if job.done() or document is None or document.session_context is None:
        job.exception()
        call()
        return

    waiting = [(document, call)]  # a job that is kept keeps its callbacks, but not sessions

    def enter(_: "Future[Any]") -> None:
        document, call = waiting.pop()
        context = document.session_context
        if context is not None and not context.destroyed:
            document.add_next_tick_callback(call)

    job.add_done_callback(enter)


def session_caller() -> Callable[[Callable[[], None]], None]:
    """A function for other threads that has something called in a tick of this session.

    Once the session has ended it does nothing; without a session, as in a script, it calls at
    once.
    """
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        return lambda call: call()

    def enter(call: Callable[[], None]) -> None:
        context = document.session_context
        if context is not None and not context.destroyed:
            document.add_next_tick_callback(call)

    return enter


def schedule(change: Callable[[], None]) -> None:
    """Change Bokeh's models in this session's turn of the event loop.

    HoloViews calls the subscribers of a stream, such as those of a tap, outside of it.
    """
    pn.state.execute(change, schedule=True)


def has_session() -> bool:
    """Whether this runs in a browser session, not in a script."""
    document = pn.state.curdoc
    return document is not None and document.session_context is not None


def is_warming() -> bool:
    """Whether the server makes the page for itself, before any visitor: ``--warm`` asks for it."""
    document = pn.state.curdoc
    context = None if document is None else document.session_context
    return context is not None and context.server_context is None


def weak_callback(method: Callable[..., object]) -> Callable[..., None]:
    """A bound method as a function that does not keep its owner alive, and is a no-op without it.

    HoloViews keeps the options of plots, such as hooks, for the whole process.
    """
    kept = WeakMethod(method)

    def call(*arguments: Any) -> None:
        there = kept()
        if there is not None:
            there(*arguments)

    return call


def forget_plots() -> None:
    """Let HoloViews forget this session's plots when it ends.

    It registers the callbacks of streams for the whole process, and with them plot and document.
    """
    document = pn.state.curdoc
    if not has_session():
        return

    def forget(_: Any) -> None:
        registered = Callback._callbacks
        for key, callback in list(registered.items()):
            if callback.plot is None or callback.plot.document is document:
                registered.pop(key, None)

    pn.state.on_session_destroyed(forget)


def debounce(call: Callable[[], None], rest: int) -> Callable[[], None]:
    """A debounced function: however often it is called, it calls once, after a pause.

    Without a session, as in a script, it calls at once.

    Args:
        call: The function that is called.
        rest: The pause [ms].
    """
    waiting: list[TimeoutCallback] = []

    def ask() -> None:
        document = pn.state.curdoc
        if document is None or document.session_context is None:
            call()
            return
        while waiting:
            with suppress(ValueError):
                document.remove_timeout_callback(waiting.pop())
        waiting.append(document.add_timeout_callback(call, rest))

    return ask


def run_in_ticks(steps: Iterator[None]) -> None:
    """Run each step in a tick of its own, so that the page stays responsive in between.

    Without a session, as in a script, all steps run at once.
    """
    document = pn.state.curdoc
    if document is None or document.session_context is None:
        for _ in steps:
            pass
        return

    def step() -> None:
        if next(steps, True) is None:
            document.add_next_tick_callback(step)

    document.add_next_tick_callback(step)


class Latest:
    """Runs one job at a time; of those requested meanwhile only the latest is started.

    Args:
        submit: Starts a job, as an executor does.
    """

    def __init__(self, submit: Callable[[Callable[[], object]], "Future[Any]"]) -> None:
        self._submit, self._running = submit, False
        self._next: tuple[Callable[[], object], Callable[[Future[Any]], None]] | None = None

    def ask(self, work: Callable[[], object], show: Callable[["Future[Any]"], None]) -> None:
        """Run the work, then show its result in a tick of this session."""
        self._next = work, show
        if not self._running:
            self._begin()

    def _begin(self) -> None:
        if self._next is None:
            return
        (work, show), self._next = self._next, None
        self._running = True
        job = self._submit(work)
        when_done(job, lambda: self._end(job, show))

    def _end(self, job: "Future[Any]", show: Callable[["Future[Any]"], None]) -> None:
        self._running = False
        self._begin()
        show(job)
