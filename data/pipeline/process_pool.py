"""An ordered parallel map over processes."""

import gc
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from threading import Thread, current_thread, main_thread
from typing import TypeVar

from pcvae.errors import WorkerError
from pcvae.interrupts import held_back

__all__ = ["ordered_map"]

Q = TypeVar("Q")
A = TypeVar("A")


def ordered_map(
    function: Callable[[Q], A],
    questions: Iterable[Q],
    workers: int,
    preload: Sequence[str] = (),
) -> Iterator[A]:
    """Yield ``function`` of each task, computed in ``workers`` processes, in order.

    Questions are asked for only as they are needed, so that they need not fit in memory.

    Args:
        function: A function of a module, so that another process can import it.
        questions: What to call it with.
        workers: With one, everything happens in this process.
        preload: Modules that the processes share instead of each having its own in memory.
    """
    if workers <= 1:
        yield from map(function, questions)
        return
    context = get_context("forkserver" if preload and sys.platform == "linux" else "spawn")
    context.set_forkserver_preload(list(preload))
    begin = partial(ProcessPoolExecutor, workers, mp_context=context)
    with begin(initializer=_end_with_parent) as pool, _ended_at_once(pool):
        asked: deque[Future[A]] = deque()
        for question in questions:
            with _uninterrupted():
                asked.append(pool.submit(function, question))
            if len(asked) > workers + 1:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


@contextmanager
def _ended_at_once(pool: ProcessPoolExecutor) -> Iterator[None]:
    """End the workers where something goes wrong, rather than wait for what they are at.

    Raises:
        WorkerError: One of them was ended from outside.
    """
    others = active_children()
    try:
        yield
    except BrokenProcessPool as error:
        msg = "a worker was ended from outside, for want of memory perhaps: use fewer --workers"
        raise WorkerError(f"{msg}; the same command goes on") from error
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in active_children():
            if worker not in others:
                worker.terminate()
        raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Start workers that ignore Ctrl-C, which is for this process to answer."""
    resource_tracker.ensure_running()  # it unblocks the signals when it starts
    if current_thread() is not main_thread():
        yield
        return
    with held_back():
        yield


def _end_with_parent() -> None:
    """End this process when its parent is killed, which cannot end it then."""
    gc.freeze()  # what is shared stays shared: collecting garbage would copy all of it
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()
