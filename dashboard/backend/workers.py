"""The thread pools of a process: slow work runs in one of them, never in the event loop."""

from concurrent.futures import ThreadPoolExecutor

__all__ = ["Workers"]


class Workers:
    """Thread pools, parted so that quick work never waits for slow work.

    ``slow`` fits and ranks; ``quick`` is never behind a fit; ``index`` builds neighbour indices,
    which others wait for; ``requests`` are uploads, downloads and exports of one person;
    ``decoder``, ``evaluation`` and ``journal`` do one thing at a time.
    """

    def __init__(self) -> None:
        self.slow = ThreadPoolExecutor(2, thread_name_prefix="slow")
        self.quick = ThreadPoolExecutor(2, thread_name_prefix="quick")
        self.index = ThreadPoolExecutor(1, thread_name_prefix="index")
        self.requests = ThreadPoolExecutor(4, thread_name_prefix="request")
        self.decoder = ThreadPoolExecutor(1, thread_name_prefix="decoder")
        self.evaluation = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self.journal = ThreadPoolExecutor(1, thread_name_prefix="journal")
