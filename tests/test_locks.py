"""Every command with an output refuses one that another process writes."""

import json
import os
from dataclasses import asdict, replace
from importlib import import_module

import pytest

from pcvae.errors import OutputError
from pcvae.lock import Holder, _began, lock_path

COMMANDS = {  # each with its arguments before the output
    "data.simulate": [],
    "data.ingest": ["IN"],
    "data.cutouts": ["IN"],
    "data.catalogs": [],
    "data.orientation": [],
    "data.hyrax": ["IN"],
    "train.train": ["SAMPLE"],
    "train.encode": ["--run", "physics=decals", "SAMPLE"],
    "train.hats": ["STORE"],
    "train.evaluate": ["STORE"],
    "train.crossvalidate": ["SAMPLE"],
    "train.ablate": ["SAMPLE"],
    "train.reproduce": [],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_command_refuses_an_output_that_another_process_writes(tmp_path, name, elsewhere):
    parent = os.getppid()
    holder = replace(Holder.here(), pid=parent, began=_began(parent))
    if elsewhere:
        holder = replace(holder, host="node7")
    lock_path(tmp_path / "out").write_text(json.dumps(asdict(holder)))
    words = rf"out is being written by process {parent} on .+ since 20"
    argv = [*COMMANDS[name], str(tmp_path / "out")]
    main = import_module(name).main
    with pytest.raises(OutputError, match=words) as refused:
        main(argv)
    assert ("--break-lock" in str(refused.value)) is elsewhere
    assert [path.name for path in tmp_path.iterdir()] == ["out.lock"]
    if not elsewhere:
        with pytest.raises(OutputError, match=words):
            main([*argv, "--break-lock"])
