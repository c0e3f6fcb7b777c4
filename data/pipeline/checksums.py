"""Checksums of a sample's input: an unfinished sample is resumed only from the same input."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

__all__ = ["files_digest", "table_digest"]


def table_digest(table: pd.DataFrame) -> str:
    """The SHA-256 of a table's columns and values, in their order."""
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    return hashlib.sha256(repr(list(table.columns)).encode() + rows.tobytes()).hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """The SHA-256 of files' names, sizes and modification times; their content is not read."""
    digest = hashlib.sha256()
    for path in filter(Path.exists, paths):
        facts = path.stat()
        digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
