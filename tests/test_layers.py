"""Data flows one way: a module imports only what comes before it."""

import ast
from pathlib import Path

import pytest

ORDER = [
    "errors", "script", "labels", "catalog", "cutouts", "preprocess", "orientation", "dataset",
    "model", "loss", "checkpoint", "trainer", "encode", "neighbours", "metrics", "calibration",
    "ranking", "anomaly", "boundaries", "trials", "store",
    "journal",
]  # fmt: skip
ROOT = Path(__file__).parent.parent
FORBIDDEN = {"argparse", "tqdm", "panel", "holoviews", "bokeh", "matplotlib", "requests", "urllib"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def test_every_module_has_its_place():
    found = {path.stem for path in (ROOT / "pcvae").glob("*.py")} - {"__init__"}
    assert found == set(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_earlier_ones(module):
    names = imported(ROOT / "pcvae" / f"{module}.py")
    used = {name.removeprefix("pcvae.") for name in names if name.startswith("pcvae.")}
    assert used <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", ORDER)
def test_the_library_neither_draws_nor_reads_a_command_line(module):
    used = {name.split(".")[0] for name in imported(ROOT / "pcvae" / f"{module}.py")}
    assert not used & FORBIDDEN


def test_no_module_of_the_dashboard_hides_a_package():
    """``panel serve`` puts dashboard/ first on the import path."""
    assert not {p.stem for p in (ROOT / "dashboard").iterdir()} & {"data", "train", "pcvae"}
