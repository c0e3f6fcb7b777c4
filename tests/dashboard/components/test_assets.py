"""JavaScript and style sheets in files of their own."""

import re
from pathlib import Path

import pytest
from panel.custom import JSComponent

import dashboard.app
from dashboard.components.assets import script

DASHBOARD = Path(dashboard.app.__file__).parent
ASSETS = sorted([*DASHBOARD.rglob("*.js"), *DASHBOARD.rglob("*.css")])
PAGE = [path for path in DASHBOARD.rglob("*.py") if path.parent.name != "benchmarks"]
SHARED = {"dom.js", "acknowledged.js"}


def components(base=JSComponent):
    for found in base.__subclasses__():
        if found.__module__.startswith("dashboard."):
            yield found
        yield from components(found)


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_every_file_is_read_by_one_module_beside_it_or_shared(path):
    if path.name in SHARED:
        users = [
            other for other in DASHBOARD.rglob("*.js") if f"/{path.name}'" in other.read_text()
        ]
        assert len(users) > 1
        return
    readers = [p for p in path.parent.glob("*.py") if f'"{path.name}"' in p.read_text()]
    assert len(readers) == 1


@pytest.mark.parametrize("path", PAGE, ids=lambda path: path.stem)
def test_no_python_holds_javascript_or_style_sheets(path):
    text = path.read_text()
    assert not re.search(
        r"=> \{|\bconst \w+ =|\blet \w+ =|^[.:]\w[^\n]*\{[^}\n]*;", text, re.MULTILINE
    )


def test_a_component_is_one_module_with_its_helpers():
    found = [one for one in components() if one._esm]
    assert len(found) > 10
    for component in found:
        assert "export function render(" in component._esm
        assert "import {" not in component._esm


def test_helpers_take_the_place_of_their_import(tmp_path):
    (tmp_path / "dom.js").write_text("export const add = () => 1\n")
    (tmp_path / "part.js").write_text(
        "import { add } from './dom.js'\n\nexport function render() {}\n"
    )
    module = tmp_path / "part.py"
    assert (
        script(str(module), "part.js") == "const add = () => 1\n\n\nexport function render() {}\n"
    )
