"""The latents of galaxies in parts, in the unfinished folder of a store or a catalogue.

Several processes may write at once: each part is a file of its own, which appears under its name
when it is complete, so that a part that two of them make is there once.
"""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pcvae.errors import StoreError
from pcvae.folders import goes_on, partial_folder, refuse_existing, write_text

__all__ = ["PartWriter", "part_path", "write_table"]


class PartWriter(ABC):
    """Fills ``FOLDER.partial`` with parts.

    Args:
        folder: What is to be made of them; must not exist unless ``overwrite``.
        settings: All that decides the content; the same settings resume, others refuse.
        overwrite: Replace what is finished and forget what was begun with other settings.
        append: What is finished is there, and part of what is to be made.

    Raises:
        StoreError: The folder exists, or was begun with other settings.
    """

    first = 0  # row of the first galaxy of the parts in what is made of them

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        *,
        overwrite: bool = False,
        append: bool = False,
    ) -> None:
        self.folder, self.work, self.append = folder, partial_folder(folder), append
        refuse_existing(folder, StoreError, overwrite=overwrite or append)
        text = json.dumps(settings, indent=1, sort_keys=True, default=str)
        if not goes_on(self.work, text, StoreError, overwrite=overwrite):
            shutil.rmtree(self.work, ignore_errors=True)
            (self.work / "parts").mkdir(parents=True)
            write_text(self.work / "settings.json", text)

    @property
    @abstractmethod
    def is_joined(self) -> bool:
        """Whether all parts are in what is made of them, so that none is needed any more."""

    def has_part(self, model: str, start: int) -> bool:
        """Whether the part of a model that begins at row ``start`` is on disk."""
        return self.is_joined or part_path(self.work, model, start).exists()

    def write_part(self, model: str, start: int, table: "pd.DataFrame | pa.Table") -> None:
        """Put the latents of the rows from ``start`` on disk.

        Those of a wide model are a table as of ``pcvae.vectors``.
        """
        path = part_path(self.work, model, start)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(path, table)

    def parts(self, model: str) -> list[Path]:
        """The parts of a model in the order of their rows."""
        return sorted((self.work / "parts" / model).glob("*.parquet"))


def part_path(work: Path, model: str, start: int) -> Path:
    """Where the part of a model that begins at row ``start`` lies in an unfinished folder."""
    return work / "parts" / model / f"{start:012d}.parquet"


def write_table(path: Path, table: "pd.DataFrame | pa.Table") -> None:
    """Write a table, which appears under its name when it is complete, whoever else writes it."""
    begun = path.with_name(f"{path.stem}.{uuid4().hex}.new")
    if isinstance(table, pa.Table):
        pq.write_table(table, begun)
    else:
        table.to_parquet(begun, index=False)
    begun.replace(path)
