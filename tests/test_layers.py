"""Data flows one way: a package, a module of the library and a room import what stands before."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = [
    "errors", "interrupts", "lock", "script", "folders", "chunks", "labels", "catalog", "dust",
    "photometry", "cutouts", "stretch_kernels", "fast_stretch", "preprocess", "orientation",
    "dataset", "image_file", "model_config", "towers", "model", "loss", "recipes", "checkpoint",
    "trainer", "mixture", "ood", "encode", "sky_kernels", "sky_stretch", "moments", "neighbours",
    "scan", "lookalikes", "metrics", "calibration", "ranking",
    "classifier", "anomaly", "boundaries", "trials", "trust", "vectors", "mapped", "projections",
    "store_info", "parts", "store", "journal_database", "saved_views", "journal",
    "journal_backup",
    "label_classes",
]  # fmt: skip
PACKAGES = ["pcvae", "data", "train", "dashboard"]
ROOMS = {  # of each package, in order; its commands and its app come after them
    "dashboard": [
        "state", "components", "backend", "plotting", "selection", "sky", "labelling", "galaxy",
        "gallery", "decoder", "diagnostics", "active_learning", "latent_map", "export", "shell",
        "app", "benchmarks",
    ],
    "data": ["readers", "pipeline", "services", "published", "simulation"],
    "train": ["encoding", "search", "evaluation", "report_pages", "projection"],
}  # fmt: skip
VIEWS = sorted((ROOT / "dashboard").rglob("*.py"))
MAX_FILE, MAX_CLASS = 400, 120  # lines, with docstrings
ARROWS = 80  # between rooms of the dashboard, at most
MAX_ANY = 300  # lines with Any in dashboard and data
HEAVY = {"dask", "distributed", "hats", "hats_import", "lsdb"}
FORBIDDEN = {"argparse", "tqdm", "panel", "holoviews", "bokeh", "matplotlib", "requests", "urllib"}


def imported(path):
    """The names of all modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(package, name):
    """The room of a package that a module's dotted name lies in; None outside of it."""
    parts = name.split(".")
    return parts[1] if parts[0] == package and len(parts) > 1 else None


def arrows(package):
    """Each ordered pair of rooms of a package with an import between them."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        room = path.relative_to(ROOT / package).with_suffix("").parts[0]
        used = {room_of(package, name) for name in imported(path)} & set(ROOMS[package])
        found |= {(room, other) for other in used - {room}}
    return found


def test_every_module_has_its_place():
    found = {path.stem for path in (ROOT / "pcvae").glob("*.py")} - {"__init__"}
    assert found == set(LIBRARY)


@pytest.mark.parametrize("module", LIBRARY)
def test_a_module_imports_only_earlier_ones(module):
    names = imported(ROOT / "pcvae" / f"{module}.py")
    used = {name.split(".")[1] for name in names if name.startswith("pcvae.")} & set(LIBRARY)
    assert used <= set(LIBRARY[: LIBRARY.index(module)])


@pytest.mark.parametrize("module", LIBRARY)
def test_the_library_neither_draws_nor_reads_a_command_line(module):
    used = {name.split(".")[0] for name in imported(ROOT / "pcvae" / f"{module}.py")}
    assert not used & FORBIDDEN


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_earlier_ones(package):
    later = set(PACKAGES[PACKAGES.index(package) + 1 :])
    for path in (ROOT / package).rglob("*.py"):
        used = {name.split(".")[0] for name in imported(path)}
        assert not used & later, path.relative_to(ROOT)


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_has_its_place(package):
    rooms = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert rooms <= set(ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_a_room_imports_only_earlier_ones(package):
    order = ROOMS[package]
    upwards = [
        (room, other)
        for room, other in arrows(package)
        if room in order and order.index(other) > order.index(room)
    ]
    assert not upwards


def test_few_arrows_lead_from_room_to_room():
    assert len(arrows("dashboard")) <= ARROWS


def test_no_file_and_no_class_is_long():
    for package in (*PACKAGES, "tests"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            assert text.count("\n") <= MAX_FILE, path.relative_to(ROOT)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    assert lines <= MAX_CLASS, f"{path.relative_to(ROOT)}: {node.name}"


def test_few_types_are_left_open():
    """Lines with ``Any``: ``object`` and the library's own types say more."""
    rooms = [path for package in ("dashboard", "data") for path in (ROOT / package).rglob("*.py")]
    lines = [line for path in rooms for line in path.read_text().splitlines()]
    assert sum(bool(re.search(r"\bAny\b", line)) for line in lines) <= MAX_ANY
    assert not [line for line in lines if "type: ignore" in line]


def test_the_init_files_of_rooms_are_empty():
    for package in PACKAGES:
        for path in (ROOT / package).glob("*/__init__.py"):
            assert not path.read_text(), path.relative_to(ROOT)


def test_nothing_in_the_dashboard_hides_a_package():
    """``panel serve`` puts dashboard/ first on the import path."""
    here = {path.stem for path in (ROOT / "dashboard").iterdir() if path.suffix in ("", ".py")}
    packages = importlib.metadata.packages_distributions()
    hidden = here & {*sys.stdlib_module_names, *packages, *PACKAGES}
    assert not hidden - {"__init__"}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "dashboard").rglob("*.py")), ids=lambda path: path.stem
)
def test_dependencies_name_parameters_of_the_state_before_those_of_its_parts(path):
    """Where ``state.part.name`` comes first, param 2.4 does not watch ``state.name``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "param.depends":
            depths = [arg.value.count(".") for arg in node.args if isinstance(arg, ast.Constant)]
            assert not depths or depths[0] == min(depths), ast.unparse(node)


def views():
    """Each class that has a state, with the names that its docstring says it reads or writes."""
    for path in VIEWS:
        for node in ast.parse(path.read_text()).body:
            text = ast.get_docstring(node) if isinstance(node, ast.ClassDef) else None
            for paragraph in (text or "").split("\n\n"):
                if "Reads" in paragraph or "Writes" in paragraph:
                    yield pytest.param(
                        re.findall(r"``([a-z_.]+)``", paragraph.partition("Reads")[2]),
                        id=f"{path.parent.name}.{node.name}",
                    )


@pytest.mark.parametrize("names", list(views()))
def test_a_docstring_names_parameters_of_the_state_that_exist(names):
    from dashboard.state import State

    state = State()
    for name in names:
        owner = state
        for part in name.split("."):
            assert part in owner.param, name
            owner = getattr(owner, part)


@pytest.mark.parametrize("package", PACKAGES)
def test_what_works_on_many_computers_is_imported_when_it_is_needed(package):
    """They take seconds: only functions import them, and what is for types alone."""
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {str(name).partition(".")[0] for name in names} & HEAVY, path
