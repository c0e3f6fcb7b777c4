"""Kills before each file operation: what a killed writer leaves behind must be mendable.

    python -m tests.faults NAME FOLDER

Runs the scenario NAME of ``SCENARIOS``: a writer is killed before its first file operation, before
its second, and so on; after each kill the same command must end in the uninterrupted result.
Prints how many kills there were. A process of its own forks faster than that of the tests.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLED = 137
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Countdown:
    """An audit hook that ends this process before its n-th file operation."""

    left: int | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.left is None or not _changes_a_file(event, arguments):
            return
        self.left -= 1
        if self.left < 0:
            os._exit(KILLED)


_countdown = _Countdown()


def _changes_a_file(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        path, mode, flags = arguments
        return not str(path).startswith("/dev/") and bool(flags & _WRITING or "w" in (mode or ""))
    return event in _CHANGES


def killed(work: Callable[[], object], before: int) -> bool:
    """Run ``work`` in a forked process that is killed before a file operation.

    Args:
        work: What is run.
        before: The number of the operation, from 0.

    Returns:
        Whether it was killed; False if it has ended before.
    """
    pid = os.fork()
    if pid == 0:
        _countdown.left = before
        try:
            work()
        except BaseException as error:  # whatever it is, the parent is told
            _countdown.left = None
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the killed process ended with {code}"
    return code == KILLED


def kill_everywhere(work: Callable[[], object], check: Callable[[], None]) -> int:
    """Kill ``work`` before each of its file operations in turn, and check what is left.

    Args:
        work: What is run.
        check: Called after each kill; must end in the state that the next kill begins with.

    Returns:
        How many operations there are.
    """
    before = 0
    while killed(work, before):
        check()
        before += 1
    return before


def survived(
    folder: Path,
    write: Callable[[], object],
    holds: Callable[[], list[int]],
    wanted: list[int],
    write_old: Callable[[], object] | None,
) -> int:
    """Kill a writer of a folder everywhere; after each kill the same command must mend it.

    Args:
        folder: What is written.
        write: The command.
        holds: The rows in the folder, each of which must be whole.
        wanted: The rows that the command writes.
        write_old: Writes what is there before, of row 0 alone; None for nothing.

    Returns:
        How many kills there were.
    """

    def begin() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if write_old is not None:
            write_old()

    def check() -> None:
        if folder.exists():
            assert holds() in ([0], wanted)
        if write_old is not None or not folder.exists():
            write()
        assert holds() == wanted
        begin()

    begin()
    kills = kill_everywhere(write, check)
    assert holds() == wanted
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return kills


def sample_writer(folder: Path, *, keep: Callable[[int], object], replaced: bool) -> int:
    """``pcvae.cutouts.SampleWriter``, with candidates that are left out, or over a sample."""
    from pcvae.cutouts import PART, SampleWriter
    from tests.pcvae.test_cutouts import INFO, fill, holds

    rows = PART + 7
    wanted = [row for row in range(rows) if keep(row)]

    def write() -> None:
        fill(SampleWriter(folder, INFO, rows, {}, overwrite=replaced), keep)

    def write_old() -> None:
        fill(SampleWriter(folder, INFO, 1, {"old": 1}))

    return survived(folder, write, lambda: holds(folder), wanted, write_old if replaced else None)


def store_writer(folder: Path, *, replaced: bool) -> int:
    """``pcvae.store.StoreWriter``: two parts of a model, stamps, and the model's own files."""
    import numpy as np
    import pandas as pd

    from pcvae.labels import Latent
    from pcvae.store import ModelInfo, StoreInfo, StoreWriter, read_store

    model = ModelInfo("m", "vanilla", "paper", (Latent("a", "A"),))
    info = StoreInfo(
        "s", "made up", ("g", "r", "z"), 0.262, 4, "nanomaggy", (), (), (model,), {}, "", ""
    )

    def fill(rows: int, settings: dict[str, int]) -> None:
        writer = StoreWriter(folder, settings, overwrite=replaced)
        ids = [f"g{row}" for row in range(rows)]
        for start in range(0, rows, 64):
            end = min(start + 64, rows)
            if not writer.has_part("m", start):
                stamps = np.arange(start, end, dtype=np.uint8).reshape(-1, 1, 1, 1)
                writer.write_stamps(start, np.broadcast_to(stamps, (end - start, 4, 4, 3)), rows)
                values = np.arange(start, end, dtype=float)
                table = pd.DataFrame({"id": ids[start:end], "a": values, "a_sigma": values})
                writer.write_part("m", start, table)
        files = Path(__file__).parent / "earlier_version" / "store" / "models" / "physics"
        writer.finish(info, pd.DataFrame({"id": ids, "split": "test"}), {"m": files})

    def holds() -> list[int]:
        store = read_store(folder)
        rows = [int(value) for value in store.latents("m")["a"]]
        assert list(store.stamps[:, 3, 3, 2]) == rows
        assert list(store.galaxies["id"]) == [f"g{row}" for row in rows]
        assert (store.model_folder("m") / "run.json").exists()
        return rows

    def write_old() -> None:
        fill(1, {"old": 1})

    old = write_old if replaced else None
    return survived(folder, lambda: fill(71, {}), holds, list(range(71)), old)


SCENARIOS: dict[str, Callable[[Path], int]] = {
    "store": lambda folder: store_writer(folder, replaced=False),
    "store-replaced": lambda folder: store_writer(folder, replaced=True),
    "sample": lambda folder: sample_writer(folder, keep=lambda _: True, replaced=False),
    "sample-with-gaps": lambda folder: sample_writer(
        folder, keep=lambda row: row % 3, replaced=False
    ),
    "sample-replaced": lambda folder: sample_writer(
        folder, keep=lambda row: row % 3, replaced=True
    ),
}


def main(name: str, folder: str) -> None:
    """Run a scenario."""
    sys.addaudithook(_countdown)
    sys.stdout.write(f"{SCENARIOS[name](Path(folder) / 's')} kills\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
