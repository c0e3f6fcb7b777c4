"""Work shared out to processes, with results in the order of the questions."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

__all__ = ["in_order"]

Q = TypeVar("Q")
A = TypeVar("A")


def in_order(function: Callable[[Q], A], questions: Iterable[Q], workers: int) -> Iterator[A]:
    """Yield ``function`` of each question, computed in ``workers`` processes.

    Questions are asked for only as they are needed, so that they need not fit in memory.

    Args:
        function: A function of a module, so that another process can import it.
        questions: What to call it with.
        workers: With one, everything happens in this process.
    """
    if workers <= 1:
        yield from map(function, questions)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked: deque[Future[A]] = deque()
        for question in questions:
            asked.append(pool.submit(function, question))
            if len(asked) > 2 * workers:
                yield asked.popleft().result()
        while asked:
            yield asked.popleft().result()
