"""Folders that appear under their name when they are complete, and their JSON metadata."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pcvae.errors import PcvaeError

__all__ = [
    "goes_on",
    "partial_folder",
    "read_facts",
    "replace_folder",
    "tuples",
    "write_facts",
]


def partial_folder(folder: Path) -> Path:
    """The folder that a writer of ``folder`` fills until it is complete."""
    return folder.with_name(folder.name + ".partial")


def goes_on(
    work: Path,
    settings: str,
    error: type[PcvaeError],
    *,
    overwrite: bool,
    finish: str = "run the same command to finish it",
) -> bool:
    """Whether a writer goes on in its unfinished folder: it was begun with the same settings.

    Args:
        work: The ``partial_folder``.
        settings: What its ``settings.json`` says if it is the same work.
        error: What is raised if it is other work.
        overwrite: It is to be replaced instead.
        finish: How other work can be finished.
    """
    path = work / "settings.json"
    if path.exists() and path.read_text() == settings:
        return True
    if path.exists() and not overwrite:
        msg = f"{work} was begun with other settings or other input ({path})"
        raise error(f"{msg}: {finish}, or --overwrite it")
    return False


def replace_folder(made: Path, folder: Path) -> Path:
    """Move a finished folder into place, where there may be another one, which is removed.

    A kill between any two operations leaves the old folder, none or the new one under the name,
    each of them whole; the next call removes what is left of the old one.
    """
    old = folder.with_name(folder.name + ".old")
    if old.exists():
        shutil.rmtree(old)
    if folder.exists():
        folder.rename(old)
    made.rename(folder)
    if old.exists():
        shutil.rmtree(old)
    return folder


def read_facts(path: Path, version: int, error: type[PcvaeError], remake: str) -> dict[str, Any]:
    """Read a versioned JSON file, its lists as tuples.

    Args:
        path: The file; its folder is the thing it describes.
        version: The version that is understood.
        error: What to raise when it is missing, broken or of another version.
        remake: The command that makes the thing again.
    """
    if not path.exists():
        begun = partial_folder(path.parent).exists()
        hint = "It was begun but not finished; the same command goes on. " if begun else ""
        msg = f"expected {path.name} in {path.parent}, found none. {hint}Make it with: {remake}"
        raise error(msg)
    try:
        facts = json.loads(path.read_text())
    except json.JSONDecodeError as broken:
        msg = f"{path} is not JSON: {broken}. Make it again with: {remake}"
        raise error(msg) from broken
    if not isinstance(facts, dict) or facts.get("version") != version:
        found = facts.get("version") if isinstance(facts, dict) else None
        msg = (
            f"{path.parent} is of version {found}, this pcvae reads version {version}. "
            f"Make it again with: {remake}"
        )
        raise error(msg)
    return tuples(facts)


def tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with their lists as tuples, as frozen dataclasses hold them."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a JSON file, which appears under its name when it is complete."""
    begun = path.with_name(path.name + ".new")
    begun.write_text(json.dumps(facts, indent=1) + "\n")
    begun.replace(path)
