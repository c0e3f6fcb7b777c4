"""What scripts say when they are asked for help, and what they import for it.

    python -m tests.scripts

Reads a module a line; each is called with ``--help`` in a process forked from this one, which has
imported little, and answered by a line of JSON: null where that failed.
"""

import importlib
import io
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Asked", "ask_for_help"]

ROOT = Path(__file__).parents[1]


class Asked(NamedTuple):
    """What a script printed, and the modules that importing it has brought in."""

    text: str
    modules: frozenset[str]


@cache
def ask_for_help(module: str) -> Asked:
    """Call a module with ``--help``."""
    server = _server()
    assert server.stdin
    assert server.stdout
    server.stdin.write(f"{module}\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    assert answer is not None, f"python -m {module} --help failed"
    return Asked(answer["text"], frozenset(answer["modules"]))


@cache
def _server() -> "subprocess.Popen[str]":
    """The process that forks; it ends with this one, whose end of the pipe is closed then."""
    call = [sys.executable, "-m", "tests.scripts"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(call, cwd=ROOT, text=True, **pipes)


def main() -> None:
    """Answer until the input ends."""
    import numpy  # noqa: F401  # what most scripts begin with
    import pandas  # noqa: F401

    for line in sys.stdin:
        here, there = os.pipe()
        if os.fork() == 0:
            with os.fdopen(there, "w") as answer:
                answer.write(json.dumps(_call(line.strip())))
            os._exit(0)
        os.close(there)
        with os.fdopen(here) as answer:
            sys.stdout.write(f"{answer.read() or 'null'}\n")
        sys.stdout.flush()
        os.wait()


def _call(module: str) -> dict[str, str | list[str]]:
    """Import a module, then run it as ``python -m`` does."""
    importlib.import_module(module)
    modules = sorted(sys.modules)
    sys.argv = [module, "--help"]
    with redirect_stdout(io.StringIO()) as said, suppress(SystemExit):
        del sys.modules[module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    return {"text": said.getvalue(), "modules": modules}


if __name__ == "__main__":
    main()
