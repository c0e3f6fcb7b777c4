"""Hyrax's result folders: an id and a vector a galaxy, in either of its two formats."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.readers.vector_source import VectorSource
from pcvae.errors import CatalogError, SettingsError

__all__ = ["is_results", "read_results"]

LANCE = Path("lance_db") / "results.lance"


def is_results(folder: Path) -> bool:
    """Whether a folder looks like one of Hyrax's."""
    return (folder / LANCE).exists() or bool(_batches(folder))


def read_results(folder: Path) -> VectorSource:
    """What Hyrax's verbs ``infer`` or ``umap`` wrote.

    Raises:
        CatalogError: It is no result folder, or it is broken.
        SettingsError: The reader of Lance is not installed.
    """
    if (folder / LANCE).exists():
        return _lance(folder / LANCE)
    files = _batches(folder)
    if not files:
        msg = f"expected batch_0.npy, ... or {LANCE} in {folder}, found neither"
        raise CatalogError(f"{msg}. It is the folder that hyrax infer or hyrax umap printed")
    try:
        parts = [_mapped(path) for path in files]
        ids = np.concatenate([part["id"].astype(str) for part in parts])
        width = int(np.prod(parts[0]["tensor"].shape[1:]))
    except (OSError, ValueError, IndexError, EOFError) as error:
        msg = f"expected arrays of 'id' and 'tensor' in {folder}, which cannot be read: {error}"
        raise CatalogError(msg) from error
    return VectorSource(
        str(folder), ids, width, lambda: (np.asarray(_mapped(path)["tensor"]) for path in files)
    )


def _batches(folder: Path) -> list[Path]:
    """``batch_0.npy``, ``batch_1.npy``, ...: structured arrays of ``id`` and ``tensor``."""
    files = [path for path in folder.glob("batch_*.npy") if path.stem[6:].isdigit()]
    return sorted(files, key=lambda path: int(path.stem[6:]))


def _mapped(path: Path) -> NDArray[np.void]:
    found: NDArray[np.void] = np.load(path, mmap_mode="r", allow_pickle=False)
    return found


def _lance(table: Path) -> VectorSource:
    """A table of ``object_id`` and ``data``, a list of one length."""
    try:
        import lance
    except ImportError as error:
        msg = f"{table} needs pylance: pip install -e '.[hyrax]'"
        raise SettingsError(msg) from error
    try:
        found = lance.dataset(str(table))
        column = found.to_table(columns=["object_id"])["object_id"]
        width = len(found.head(1, columns=["data"])["data"][0])
    except (OSError, ValueError, KeyError) as error:
        msg = f"{table} cannot be read as Hyrax's results: {error}"
        raise CatalogError(msg) from error

    def blocks() -> Iterator[NDArray[np.generic]]:
        for batch in found.to_batches(columns=["data"]):
            yield batch.column(0).flatten().to_numpy().reshape(batch.num_rows, -1)

    return VectorSource(str(table), np.array(column.to_pylist(), dtype=str), width, blocks)
