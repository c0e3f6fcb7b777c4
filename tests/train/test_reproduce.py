import importlib
import shlex
from pathlib import Path

import pytest

from train import reproduce


def given():
    return list(reproduce.steps(Path("out"), Path("real")))


@pytest.mark.parametrize("step", given(), ids=lambda step: step.name)
def test_every_command_is_one_that_its_script_takes(step):
    """What is printed can be typed: python -m SCRIPT and options that it knows."""
    _, _, script, *options = shlex.split(step.shown)
    taken = importlib.import_module(script).parse_args(options)
    known = taken[0] if isinstance(taken, tuple) else taken  # the rest is for another script
    assert options[0] in map(str, vars(known).values())


def test_every_input_is_made_before_it_is_needed():
    made = set()
    for step in given():
        needed = [one.split("=")[-1] for one in step.options if "out/" in one]
        made |= {str(step.done), str(step.done.parent)}
        assert set(needed) <= made


def test_a_list_runs_nothing(tmp_path, capsys):
    assert reproduce.main([str(tmp_path / "out"), "--list"]) == {}
    assert "python -m train.evaluate" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_a_step_that_is_done_is_not_run_again(tmp_path):
    (tmp_path / "train6k").mkdir()
    assert reproduce.main([str(tmp_path), "--only", "simulate-train6k"]) == {}
