"""Writers that are killed before each of their file operations lose nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import SCENARIOS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_before_any_file_operation_loses_nothing(name, tmp_path):
    command = [sys.executable, "-m", "tests.faults", name, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 20
