"""The documents name only commands and options that exist."""

import re
from pathlib import Path

import pytest

from tests.scripts import ask_for_help

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("data", "train", "dashboard")
    for path in (ROOT / folder).rglob("*.py")
    if "def parse_args" in path.read_text()
)
DOCUMENTS = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*/*.md"))
    if not path.relative_to(ROOT).parts[0].startswith(".") and path.name != "LOG.md"
]
SLOW = ("torch", "lightning_fabric", "kcorrect", "imblearn", "sklearn", "photutils", "panel")


def commands(path):
    """Every ``python -m MODULE ...`` of a document, with its options."""
    text = path.read_text().replace("\\\n", " ")
    for module, rest in re.findall(
        r"python -m ((?:data|train|dashboard)\.[\w.]*\w)([^\n`]*)", text
    ):
        yield module, re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_exists_with_its_options(path):
    for module, options in commands(path):
        assert module in SCRIPTS, f"{path.name} names {module}"
        missing = [option for option in options if option not in ask_for_help(module).text]
        assert not missing, f"{path.name}: {module} has no {missing}"


@pytest.mark.parametrize("module", SCRIPTS)
def test_every_script_is_in_a_document_and_says_how_to_call_it(module):
    assert any(module == named for path in DOCUMENTS for named, _ in commands(path))
    assert f"python -m {module}" in ask_for_help(module).text


@pytest.mark.parametrize("module", SCRIPTS)
def test_help_does_not_wait_for_heavy_packages(module):
    assert ask_for_help(module).modules.isdisjoint(SLOW)


def test_every_make_target_of_the_readme_exists():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"`?make ([a-z][\w-]*)", (ROOT / "README.md").read_text())
    assert named
    assert set(named) <= set(targets)


def test_every_file_of_the_file_map_exists():
    text = (ROOT / "README.md").read_text()
    listed = re.search(r"```\n(pcvae/.*?)```", text, re.DOTALL).group(1)
    folder = ""
    for line in listed.splitlines():
        head = re.match(r"^(\w+/)\s", line)
        folder = head.group(1) if head else folder
        for name in re.findall(r"(?<![\w/])[a-z_]+\.(?:py|md)\b", line):
            assert (ROOT / folder / name).exists(), f"{folder}{name}"


ROOMS = sorted(path.parent for path in (ROOT / "dashboard").glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_the_dashboards_document_names_every_file_of_each_room(room):
    text = (ROOT / "dashboard" / "README.md").read_text()
    (row,) = re.findall(rf"^\| `{room.name}/` \|.*$", text, re.MULTILINE)
    named = set(re.findall(r"`([a-z_]+\.py)`", row))
    assert named == {path.name for path in room.glob("*.py")} - {"__init__.py"}
