"""Writers that are killed before their file operations lose nothing.

A few kills of each; ``python -m tests.faults`` has them all, in the table of ``FAULTS.md``.
"""

import re
import subprocess
import sys
from pathlib import Path

from tests.fault_scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
EVERY = 37
QUICK = [name for name in SCENARIOS if name != "report-replaced"]  # takes 13 s, like "report"


def rows(text):
    """The numbers of each row of a table of faults."""
    found = re.findall(r"^\| ([\w-]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    return {name: [int(number) for number in numbers] for name, *numbers in found}


def test_a_kill_before_a_file_operation_loses_nothing():
    command = [sys.executable, "-m", "tests.faults", *QUICK, "--every", str(EVERY)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = rows(done.stdout)
    assert done.returncode == 0, done.stderr
    assert set(found) == {*QUICK, "together"}
    for name, (kills, same, words, lost) in found.items():
        assert kills == same + words > 0, name
        assert lost == 0, name


def test_the_documented_table_has_all_writers_and_no_loss():
    found = rows((ROOT / "tests" / "FAULTS.md").read_text())
    assert set(found) == {*SCENARIOS, "together"}
    assert all(lost == 0 for *_, lost in found.values())
