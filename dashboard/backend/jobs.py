"""Work that ends after a callback has returned, brought back into the session that asked."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from weakref import WeakMethod

import panel as pn
from holoviews.plotting.bokeh.callbacks import Callback

__all__ = [
    "Latest",
    "debounce",
    "forget_plots",
    "has_session",
    "is_warming",
    "run_in_ticks",
    "schedule",
    "weak_callback",
    "when_done",
]


def when_done(job: "Future[Any]", call: Callable[[], None]) -> None:
    """Call once the job is done: at once if it is, else in this session's own turn.

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


def weak_callback(method: Callable[..., Any]) -> Callable[..., None]:
    """A bound method as a function that does not keep its owner alive, and then does nothing.

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
        for key, one in list(registered.items()):
            if one.plot is None or one.plot.document is document:
                registered.pop(key, None)

    pn.state.on_session_destroyed(forget)


def debounce(call: Callable[[], None], rest: int) -> Callable[[], None]:
    """A function that, called however often, calls once after a rest in this session.

    Without a session, as in a script, it calls at once.

    Args:
        call: What is to be called.
        rest: How long it must not have been asked for, in ms.
    """
    waiting: list[Any] = []

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
    """Take each step in a turn of its own, so that the page shows it and listens in between.

    Without a session, as in a script, it takes them all.
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
    """One job at a time; of those asked for in the meantime only the latest is begun.

    Args:
        submit: Begins a job, as an executor does.
    """

    def __init__(self, submit: Callable[[Callable[[], Any]], "Future[Any]"]) -> None:
        self._submit, self._running = submit, False
        self._next: tuple[Callable[[], Any], Callable[[Future[Any]], None]] | None = None

    def ask(self, work: Callable[[], Any], show: Callable[["Future[Any]"], None]) -> None:
        """Do the work, then show it in this session's turn."""
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
