"""Decoding in a process of its own, with limits of memory and time.

    python -m data.readers.limited_process DECODER OUT PATHS WORDS

Sizes that a file declares are checked before its data is read; this is the second net, for what
the libraries that read it do not check. Where the system has no such limits (Windows), time alone
is limited.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.readers.fits_limits import contained
from data.readers.raw_image import LeftOutError
from data.readers.untrusted_files import DECODERS, Arrays

__all__ = ["decode", "decode_here"]

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 1 << 30  # bytes that decoding may take, above what the libraries themselves do
SECONDS = 20  # of a processor
PATIENCE = 30.0  # seconds in all
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def decode(decoder: str, paths: Sequence[Path], words: Sequence[str]) -> Arrays:
    """Run a decoder of ``DECODERS`` in a process with limits; takes about half a second.

    Args:
        decoder: Its name.
        paths: The files.
        words: What else the decoder takes.

    Raises:
        LeftOutError: The files cannot be read, or not within the limits.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "arrays.npz")
        command = [sys.executable, "-m", "data.readers.limited_process", decoder, str(out)]
        command += [json.dumps([str(path) for path in paths]), json.dumps(list(words))]
        known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(known)}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _too_much() from error
        if done.returncode == 0:
            with np.load(out, allow_pickle=False) as arrays:
                return dict(arrays)
        if -done.returncode in CRASHES:
            msg = "what unpacks it has crashed: the file is damaged"
            raise LeftOutError("file unreadable", msg)
        raise _reported(done.stdout)


def decode_here(decoder: str, paths: Sequence[Path], words: Sequence[str]) -> Arrays:
    """Run a decoder in this process, without limits."""
    return DECODERS[decoder](paths, words)


def _reported(said: bytes) -> LeftOutError:
    """The error that a process has printed; it prints none if it was stopped."""
    try:
        reason, detail = json.loads(said)
    except ValueError:
        return _too_much()
    return LeftOutError(reason, detail)


def _too_much() -> LeftOutError:
    msg = f"it takes more than {MEMORY >> 20} MB of memory or {SECONDS} s to read"
    return LeftOutError("file too large", msg)


def _limit() -> None:
    """Limit this process, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def main(decoder: str, out: str, paths: str, words: str) -> int:
    """Decode, write the arrays, and return the exit status; prints why it cannot."""
    _limit()
    try:
        with contained():
            found = decode_here(decoder, [*map(Path, json.loads(paths))], json.loads(words))
        np.savez(out, allow_pickle=False, **found)
    except LeftOutError as error:
        sys.stdout.write(json.dumps([error.reason, error.detail]))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
