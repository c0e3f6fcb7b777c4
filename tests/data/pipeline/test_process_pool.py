import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from data.pipeline.process_pool import ordered_map

ROOT = Path(__file__).parents[3]
ENDLESS = """
import itertools, os
from data.pipeline.process_pool import ordered_map
if __name__ == "__main__":
    for pid in ordered_map(os.getpgid, itertools.repeat(0), 2, PRELOAD):
        print("working", flush=True)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_questions(workers):
    assert list(ordered_map(abs, range(-9, 0), workers)) == list(range(9, 0, -1))


@pytest.mark.parametrize("preload", [(), ("json",)])
def test_workers_end_with_a_parent_that_is_killed(tmp_path, preload):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS.replace("PRELOAD", repr(preload)))
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=path) as parent:
        assert parent.stdout.readline() == b"working\n"
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
        parent.send_signal(signal.SIGKILL)
        parent.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
