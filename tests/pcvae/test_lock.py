"""One writer an output, whoever else is about."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pcvae.errors import OutputError
from pcvae.lock import Holder, hold, lock_path

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from pcvae.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of ``tmp_path/out``."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def leave(output, **facts):
    """A lock that was left behind."""
    left = dataclasses.asdict(Holder.here()) | facts
    lock_path(output).write_text(json.dumps(left))


@pytest.mark.parametrize("break_lock", [False, True])
def test_the_second_process_says_who_writes_and_writes_nothing(tmp_path, other, break_lock):
    words = rf"out is being written by process {other.pid} on .+ since 20\d\d-.*: wait until"
    with pytest.raises(OutputError, match=words), hold(tmp_path / "out", break_lock=break_lock):
        pass
    assert lock_path(tmp_path / "out").exists()
    other.communicate()
    with hold(tmp_path / "out"):
        assert lock_path(tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, other):
    other.kill()
    other.wait()
    assert lock_path(tmp_path / "out").exists()
    with hold(tmp_path / "out"):
        assert f'"pid": {os.getpid()}' in lock_path(tmp_path / "out").read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_number_that_another_process_has_by_now_is_no_writer(tmp_path, other):
    leave(tmp_path / "mine", pid=other.pid, began="1")
    with hold(tmp_path / "mine"):
        assert f'"pid": {os.getpid()}' in lock_path(tmp_path / "mine").read_text()
    assert not lock_path(tmp_path / "mine").exists()


@pytest.mark.parametrize("facts", [{"host": "elsewhere"}, {"boot": "an earlier one"}])
def test_the_lock_of_another_host_or_boot_is_named_and_broken_only_when_asked(tmp_path, facts):
    leave(tmp_path / "out", pid=1234, **facts)
    words = r"by process 1234 on .+, which cannot be seen from here: .*add --break-lock"
    with pytest.raises(OutputError, match=words), hold(tmp_path / "out"):
        pass
    with hold(tmp_path / "out", break_lock=True):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"pid": 3}', "\0" * 99, "[" * 100_000],
    ids=["empty", "a list", "keys missing", "zeros", "nested"],
)
def test_a_lock_whose_writer_was_killed_before_it_was_written_is_taken_over(
    tmp_path, monkeypatch, text
):
    monkeypatch.setattr("pcvae.lock.PATIENCE", 0.05)
    lock_path(tmp_path / "out").write_text(text)
    with hold(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_begin_at_once_over_a_dead_lock_one_alone_writes(tmp_path):
    leave(tmp_path / "out", began="1")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    begun = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(5)]
    end = time.monotonic() + 60
    while sum(process.poll() is None for process in begun) > 1 and time.monotonic() < end:
        time.sleep(0.05)
    said = [process.communicate() for process in begun]
    assert sum(out == "held\n" for out, _ in said) == 1
    assert sum("is being written by process" in words for _, words in said) == 4


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_an_output_without_a_name_is_refused(name):
    with pytest.raises(OutputError, match="expected the name of a folder"), hold(Path(name)):
        pass


def test_parents_are_made_and_those_that_stay_empty_do_not_stay(tmp_path):
    with hold(tmp_path / "a" / "b" / "out"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with hold(tmp_path / "a" / "b" / "out"):
        (tmp_path / "a" / "b" / "out").mkdir()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["out"]


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match=r"file"), hold(output):
            pass
    assert (tmp_path / "file").read_text() == ""
    with pytest.raises(OutputError, match="cannot be written"), hold(Path("/proc/none/out")):
        pass
