"""Folders that appear under their name when they are complete, and their JSON metadata."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import ValidationError

from pcvae.errors import PcvaeError, brief

__all__ = [
    "convert",
    "goes_on",
    "mend_replacement",
    "old_folder",
    "partial_folder",
    "read_facts",
    "refuse_existing",
    "replace_folder",
    "write_facts",
    "write_text",
]

Facts = TypeVar("Facts")
MAX_DIGITS = 18  # of an integer of 64 bits


def partial_folder(folder: Path) -> Path:
    """The folder that a writer of ``folder`` fills until it is complete."""
    return folder.with_name(folder.name + ".partial")


def old_folder(folder: Path) -> Path:
    """Where ``replace_folder`` keeps the folder that was there, until the new one is."""
    return folder.with_name(folder.name + ".old")


def refuse_existing(result: Path, error: type[PcvaeError], *, overwrite: bool) -> None:
    """Refuse to write over a finished folder or file unless that is asked for.

    Args:
        result: What a writer is to make.
        error: What is raised if it is there.
        overwrite: It is to be replaced.
    """
    if result.exists() and not overwrite:
        msg = f"{result} exists already: choose another name, or replace it with --overwrite"
        raise error(msg)


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
    if path.exists() and path.read_bytes() == settings.encode():
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
    old = old_folder(folder)
    if old.exists():
        shutil.rmtree(old)
    if folder.exists():
        folder.rename(old)
    made.rename(folder)
    if old.exists():
        shutil.rmtree(old)
    return folder


def mend_replacement(folder: Path) -> None:
    """Bring back the old folder, or remove it, if ``replace_folder`` was killed in between."""
    old = old_folder(folder)
    if old.exists() and folder.exists():
        shutil.rmtree(old)
    elif old.exists():
        old.rename(folder)


def read_facts(
    path: Path, kind: type[Facts], version: int, error: type[PcvaeError], remake: str
) -> Facts:
    """Read a versioned JSON file whose schema is a dataclass; keys it does not have are ignored.

    Args:
        path: The file; its folder is the thing it describes.
        kind: The dataclass, whose annotations say which keys and types there are.
        version: The version that is understood.
        error: What to raise when it is missing, broken or of another version.
        remake: The command that makes the thing again.
    """
    facts = _read_json(path, error, remake)
    if not isinstance(facts, dict) or facts.get("version") != version:
        found = facts.get("version") if isinstance(facts, dict) else None
        msg = (
            f"{path.parent} is of version {str(found)[:20]}, this pcvae reads version {version}. "
            f"Make it again with: {remake}"
        )
        raise error(msg)
    try:
        return convert(facts, kind)
    except (ValidationError, ValueError, TypeError, OverflowError, PcvaeError) as broken:
        msg = (
            f"{path} is not what this pcvae writes: {brief(broken)}. Make it again with: {remake}"
        )
        raise error(msg) from broken


def convert(facts: object, kind: type[Facts]) -> Facts:
    """A dataclass, and those in it, from what JSON keeps of it; lists become its tuples.

    Raises:
        msgspec.ValidationError: A key is missing, or a value is of another type.

    Example:
        >>> from pcvae.labels import Latent
        >>> convert({"name": "a", "title": "A"}, Latent)
        Latent(name='a', title='A', unit='')
    """
    return msgspec.convert(facts, kind)


def _read_json(path: Path, error: type[PcvaeError], remake: str) -> object:
    try:
        return json.loads(path.read_bytes(), parse_int=_integer)
    except (FileNotFoundError, NotADirectoryError) as absent:
        begun = partial_folder(path.parent).exists()
        hint = "It was begun but not finished; the same command goes on. " if begun else ""
        msg = f"expected {path.name} in {path.parent}, found none. {hint}Make it with: {remake}"
        raise error(msg) from absent
    except OSError as broken:
        msg = f"{path} cannot be read: {broken.strerror}"
        raise error(msg) from broken
    except (ValueError, RecursionError) as broken:
        msg = f"{path} is not JSON: {brief(broken)}. Make it again with: {remake}"
        raise error(msg) from broken


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        msg = f"expected numbers of at most {MAX_DIGITS} digits, found one of {len(digits)}"
        raise ValueError(msg)
    return int(digits)


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a JSON file, which appears under its name when it is complete."""
    write_text(path, json.dumps(facts, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, which appears under its name when it is complete."""
    begun = path.with_name(path.name + ".new")
    begun.write_text(text)
    begun.replace(path)
