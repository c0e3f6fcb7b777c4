"""Kills before each file operation: what a killed writer leaves behind must be mendable.

    python -m tests.faults                      # the table of tests/FAULTS.md: ten minutes
    python -m tests.faults run encode           # some scenarios of it
    python -m tests.faults run --every 9        # a ninth of the kills

A writer is killed before its first file operation, before its second, and so on; after each kill
what lies under its name must be whole, and the same command must end in the uninterrupted result
or in one sentence. A process of its own forks faster than that of the tests.
"""

import argparse
import os
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pcvae.errors import PcvaeError

KILLED = 137
SAME, WORDS, LOST = "same result", "a sentence", "lost"
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Scenario(NamedTuple):
    """A writer of a folder.

    Args:
        output: The folder.
        write: The command; called again after a kill.
        state: What the folder holds, comparable; raises if that is not whole.
        write_old: Writes what is there before; None for nothing.
    """

    output: Path
    write: Callable[[], object]
    state: Callable[[], object]
    write_old: Callable[[], object] | None = None


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
        except BaseException:  # whatever it is, the parent is told
            _countdown.left = None
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the killed process ended with {code}"
    return code == KILLED


def survey(scenario: Scenario, every: int = 1) -> Counter[str]:
    """Kill a writer before each of its file operations in turn, and count what became of it.

    Args:
        scenario: The writer.
        every: Only every so many-th operation, from the third on.
    """
    _begin(scenario)
    old = scenario.state() if scenario.write_old else None
    scenario.write()
    wanted = scenario.state()
    _begin(scenario)
    found: Counter[str] = Counter()
    before = 2 if every > 1 else 0
    while killed(scenario.write, before):
        found[_outcome(scenario, old, wanted, f"kill {before}")] += 1
        _begin(scenario)
        before += every
    return found


def _begin(scenario: Scenario) -> None:
    shutil.rmtree(scenario.output.parent, ignore_errors=True)
    scenario.output.parent.mkdir(parents=True)
    if scenario.write_old:
        scenario.write_old()


def _outcome(scenario: Scenario, old: object, wanted: object, name: str) -> str:
    """What the same command makes of what a killed one has left."""
    try:
        if scenario.output.exists():
            assert scenario.state() in (old, wanted), "what lies under the name is not whole"
        try:
            scenario.write()
        except PcvaeError as error:
            if not (scenario.output.exists() and scenario.state() == wanted):
                return WORDS if "\n" not in str(error) else LOST
        assert scenario.state() == wanted, "the result is another one"
        left = [path.name for path in scenario.output.parent.iterdir()]
        assert left == [scenario.output.name], f"files are left behind: {left}"
    except Exception:
        sys.stderr.write(f"{name}: {traceback.format_exc()}\n")
        return LOST
    return SAME


@contextmanager
def quiet() -> Iterator[None]:
    """Send what commands print to nowhere, in forked processes too."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def main() -> None:
    """Run scenarios and print their table."""
    os.environ["OMP_NUM_THREADS"] = "1"  # a forked process waits for ever for its parent's threads
    from tests.fault_scenarios import SCENARIOS

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--every", type=int, default=1, help="only every so many-th kill")
    args = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"
    sys.addaudithook(_countdown)
    _say(f"| writer | kills | {SAME} | {WORDS} | {LOST} |\n| --- | --- | --- | --- | --- |")
    total: Counter[str] = Counter()
    for name in args.names or SCENARIOS:
        with TemporaryDirectory() as folder, quiet():
            found = SCENARIOS[name](Path(folder), args.every)
        _say(_row(name, found))
        total += found
    _say(_row("together", total))
    sys.exit(total[LOST] > 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _row(name: str, found: Counter[str]) -> str:
    counts = " | ".join(str(found[outcome]) for outcome in (SAME, WORDS, LOST))
    return f"| {name} | {found.total()} | {counts} |"


if __name__ == "__main__":
    from tests import faults  # the module that the scenarios import, with the hook of this process

    faults.main()
