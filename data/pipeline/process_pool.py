"""An ordered parallel map over processes."""

import gc
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

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
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        asked: deque[Future[A]] = deque()
        for question in questions:
            asked.append(pool.submit(function, question))
            if len(asked) > workers + 1:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()


def _end_with_parent() -> None:
    """End this process when its parent is killed, which cannot end it then."""
    gc.freeze()  # what is shared stays shared: collecting garbage would copy all of it
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()
