"""Dask's workers, of this computer or of a scheduler that runs already."""

import argparse
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from pcvae.errors import SettingsError, WorkerError

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = [
    "add_cluster_options",
    "check_cluster_options",
    "connect",
    "in_words",
    "own_peak",
    "peak_memory",
    "quiet",
    "results",
]

Job = TypeVar("Job")
Result = TypeVar("Result")
AHEAD = 3  # tasks a thread that the scheduler knows of: what it and this process keep in memory
AGAIN = 1.0  # s after which workers are counted again
WAIT = 30  # s for a scheduler to answer, and for its first worker


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of working on several processes or computers."""
    add = parser.add_argument_group("on several processes or computers").add_argument
    add(
        "--engine",
        choices=["local", "dask"],
        default="local",
        help="dask: on the workers of --scheduler, or on --workers processes that are started",
    )
    add("--scheduler", metavar="ADDRESS", help="of a Dask scheduler, such as tcp://head:8786")
    add("--workers", type=int, metavar="N", help="processes to start; default: one a core")
    add(
        "--worker-memory",
        default="4GB",
        metavar="SIZE",
        help="at which a worker that was started is ended, and its part made again; default: 4GB",
    )


def check_cluster_options(args: argparse.Namespace) -> None:
    """Refuse options of the engine that is not chosen.

    Raises:
        SettingsError: One is given.
    """
    given = [f"--{name}" for name in ("scheduler", "workers") if getattr(args, name)]
    if given and args.engine != "dask":
        msg = f"expected {given[0]} with --engine dask, found --engine {args.engine}"
        raise SettingsError(msg)
    if len(given) > 1:
        msg = "expected --scheduler or --workers, found both: a scheduler has its workers"
        raise SettingsError(msg)
    if args.workers is not None and args.workers < 1:
        msg = f"expected --workers of at least 1, found {args.workers}"
        raise SettingsError(msg)


@contextmanager
def connect(args: argparse.Namespace) -> Iterator["Client"]:
    """A client of the workers that the options ask for; of ``--engine local`` in this process.

    Args:
        args: With ``add_cluster_options``.

    Raises:
        WorkerError: The scheduler does not answer, or has no worker.
        SettingsError: ``--worker-memory`` is no size.
    """
    from distributed import Client

    with quiet("distributed", logging.CRITICAL), contextlib.ExitStack() as stack:
        if args.scheduler:
            yield stack.enter_context(_join(args.scheduler))
        else:
            yield stack.enter_context(Client(stack.enter_context(_start(args))))


@contextmanager
def quiet(library: str, level: int) -> Iterator[None]:
    """Let a library log what is of this level or above alone; what it says, sentences say here."""
    logger = logging.getLogger(library)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


def _start(args: argparse.Namespace) -> contextlib.AbstractContextManager[object]:
    """Workers with a thread each: processes of this computer, or one in this process."""
    from dask.system import CPU_COUNT
    from dask.utils import parse_bytes
    from distributed import LocalCluster

    try:
        limit = parse_bytes(args.worker_memory)
    except ValueError as error:
        msg = f"expected --worker-memory such as 4GB, found {args.worker_memory!r}"
        raise SettingsError(msg) from error
    apart = args.engine == "dask"
    return LocalCluster(
        n_workers=(args.workers or CPU_COUNT) if apart else 1,
        threads_per_worker=1,
        processes=apart,
        memory_limit=limit if apart else 0,
        host="127.0.0.1" if apart else None,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
    )


def _join(address: str) -> "Client":
    from distributed import Client

    try:
        client = Client(address, timeout=WAIT)
        client.wait_for_workers(1, timeout=WAIT)
    except (OSError, ValueError, TimeoutError) as error:
        msg = (
            f"no Dask scheduler with workers answers at {address}: start one with `dask "
            f"scheduler` and `dask worker {address}`; the same command goes on"
        )
        raise WorkerError(msg) from error
    return client


def results(
    client: "Client", task: Callable[[Job], Result], jobs: Iterable[Job]
) -> Iterator[Result]:
    """The results of a task for each job, in the order in which they come.

    What a worker had in hand when it ended, another one makes again. Workers that come later get
    their share.

    Raises:
        WorkerError: Workers end again and again on one job, or the scheduler has ended.
    """
    from distributed import as_completed

    def submit(count: int) -> "list[Future[Result]]":
        return [client.submit(task, job, pure=False) for job in islice(queue, max(count, 0))]

    queue, room, asked = iter(jobs), _room(client), monotonic()
    with in_words():
        done = as_completed(submit(room))
        for future in done:
            yield future.result()
            if monotonic() - asked >= AGAIN:
                room, asked = _room(client), monotonic()
            done.update(submit(room - done.count()))


def _room(client: "Client") -> int:
    """How many tasks the scheduler is given at once; one where no worker is there yet."""
    return max(AHEAD * sum(client.nthreads().values()), 1)


@contextmanager
def in_words() -> Iterator[None]:
    """Say in a sentence that workers or the scheduler have ended.

    Raises:
        WorkerError: They have.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        msg = (
            "workers ended again and again on the same part: if it was their memory, give them "
            "more (--worker-memory); the same command goes on"
        )
        raise WorkerError(msg) from error
    except (CancelledError, CommClosedError, TimeoutError) as error:
        msg = "the Dask scheduler has ended: start it again; the same command goes on"
        raise WorkerError(msg) from error


def peak_memory(client: "Client") -> int:
    """The most memory [bytes] that a worker which lives had at any time."""
    return max(client.run(own_peak).values(), default=0)


def own_peak() -> int:
    """The most memory [bytes] that this process had at any time.

    Linux counts what the process had that started it in ``ru_maxrss``, but not in ``VmHWM``.
    """
    import re
    import resource
    import sys

    with contextlib.suppress(OSError):
        if found := re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()):
            return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
