"""Reading of the next part while one is encoded."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

Key = TypeVar("Key")
Found = TypeVar("Found")


def read_ahead(read: Callable[[Key], Found], keys: Sequence[Key]) -> Iterator[tuple[Key, Found]]:
    """Each key with what is read for it; the next is read while the caller works on this one."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        jobs = (reader.submit(read, key) for key in keys)
        ahead = next(jobs, None)
        for key in keys:
            now, ahead = ahead, next(jobs, None)
            if now is not None:
                yield key, now.result()
