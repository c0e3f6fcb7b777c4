"""What scripts say when they are asked for help, and what they import for it."""

import importlib
import io
import multiprocessing
import runpy
import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from multiprocessing.connection import Connection
from typing import NamedTuple

__all__ = ["Asked", "ask_for_help"]


class Asked(NamedTuple):
    """What a script printed, and the modules that importing it has brought in."""

    text: str
    modules: frozenset[str]


@cache
def ask_for_help(module: str) -> Asked:
    """Call a module with ``--help``, in a process forked from one that has imported little."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "pandas"])  # what most begin with
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(module, there))
    process.start()
    there.close()
    asked: Asked = here.recv()
    process.join()
    return asked


def _call(module: str, pipe: Connection) -> None:
    """Import a module, then run it as ``python -m`` does."""
    importlib.import_module(module)
    modules = frozenset(sys.modules)
    sys.argv = [module, "--help"]
    with redirect_stdout(io.StringIO()) as said, suppress(SystemExit):
        del sys.modules[module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    pipe.send(Asked(said.getvalue(), modules))
