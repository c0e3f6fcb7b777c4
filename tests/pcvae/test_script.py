"""How a command ends: in one sentence, whatever stops it."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from data import catalogs
from pcvae.errors import SampleError
from pcvae.script import command, run

ROOT = Path(__file__).parents[2]
IMPORTS = """
import os, signal, sys
sys.argv = ["-m"]
import {package}
sys.argv = ["it"]
os.kill(os.getpid(), signal.SIGINT)
print("went on")
"""
WORKERS = """
import os, signal, sys
from data.pipeline.process_pool import ordered_map
from pcvae.script import run
from tests.pcvae.test_script import interrupt_all
run(lambda: list(ordered_map(interrupt_all, range(9), 2)))
"""


def interrupt_all(number):
    """In a worker: press Ctrl-C, which reaches all processes of the terminal."""
    if number == 1:
        os.killpg(0, signal.SIGINT)
    return number


def heed_interrupts():
    """In a child: what began the tests in the background may have had interrupts ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(code, **options):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=heed_interrupts, **options,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("package", ["data", "train"])
def test_an_interrupt_while_a_command_imports_ends_it_in_words(package):
    code, out, words = ended(IMPORTS.format(package=package))
    assert (code, out) == (130, "")
    assert words.strip() == "interrupted: the same command goes on from here"


def test_the_packages_as_libraries_leave_interrupts_alone():
    code = "import signal, data, train; print(signal.getsignal(signal.SIGINT).__name__)"
    assert ended(code)[1].strip() == "default_int_handler"


def test_an_interrupt_ends_the_workers_too_without_a_traceback():
    code, _, words = ended(WORKERS, start_new_session=True)
    assert code == 130
    assert words.strip() == "interrupted: the same command goes on from here"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "no room for a/b .*goes on"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "no room for what is written"),
        (OSError(errno.EROFS, "Read-only file system", "a"), "Read-only file system: a"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "Permission denied: a"),
        (shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]), "no room for b"),
        (MemoryError("Unable to allocate 9 TiB"), "memory is too small for this: Unable to alloc"),
        (MemoryError(), "memory is too small for this. Use fewer --workers"),
        (SampleError("it is gone"), "^error: it is gone$"),
    ],
)
def test_what_stops_a_command_is_one_sentence(error, words):
    def fail():
        raise error

    with pytest.raises(SystemExit, match=words) as ends:
        run(fail)
    assert "\n" not in str(ends.value)


def test_an_option_that_decides_nothing_is_not_recorded():
    assert command("data.x", ["a b", "--break-lock", "--seed", "3"]) == (
        "python -m data.x 'a b' --seed 3"
    )


def test_a_full_disk_leaves_what_was_there_before(tmp_path):
    pd.DataFrame({"id": ["a"], "ra": 1.0, "dec": 2.0}).to_csv(tmp_path / "t.csv", index=False)
    options = ["--only", "none", "--table", str(tmp_path / "t.csv")]
    module = [sys.executable, "-m", "data.catalogs", str(tmp_path / "out"), *options]
    catalogs.main(module[3:])
    before = (tmp_path / "out" / "catalog.parquet").read_bytes()

    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = subprocess.run(
        [*module, "--overwrite"], cwd=ROOT, check=False, capture_output=True, text=True,
        preexec_fn=small, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: the disk has no room")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "out" / "catalog.parquet").read_bytes() == before
    assert not (tmp_path / "out.lock").exists()
