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
        ahead = None
        for index, _ in enumerate(keys):
            job = ahead or reader.submit(read, keys[index])
            following = keys[index + 1 : index + 2]
            ahead = reader.submit(read, following[0]) if following else None
            yield keys[index], job.result()
