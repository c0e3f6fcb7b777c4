"""Hyrax's result folders: an id and a vector a galaxy, in either of its two formats.

Shapes are written with N galaxies and D numbers a vector.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.errors import CatalogError, SettingsError

__all__ = ["Embedding", "read_embedding"]

MAX_WIDTH = 64  # numbers a vector; more axes than this are no space that a person can look at
LANCE = Path("lance_db") / "results.lance"


class Embedding(NamedTuple):
    """Vectors of galaxies.

    Args:
        ids: N ids as text.
        values: (N, D); images of features are flattened.
    """

    ids: NDArray[np.str_]
    values: NDArray[np.float64]


def read_embedding(folder: Path) -> Embedding:
    """Read what Hyrax's verbs ``infer`` or ``umap`` wrote.

    Raises:
        CatalogError: It is no result folder, it is broken, an id occurs twice, or a
            vector is not finite.
        SettingsError: The vectors are too long, or the reader of Lance is not installed.
    """
    if (folder / LANCE).exists():
        ids, values = _lance(folder / LANCE)
    else:
        ids, values = _batches(folder)
    values = values.reshape(len(ids), -1)
    if values.shape[1] > MAX_WIDTH:
        msg = f"expected at most {MAX_WIDTH} numbers a galaxy in {folder}, found {values.shape[1]}"
        raise SettingsError(f"{msg}. Make fewer of them with Hyrax's verb umap")
    again, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        msg = (
            f"ids must be unique: {str(again[counts > 1][0])!r} occurs more than once in {folder}"
        )
        raise CatalogError(msg)
    _refuse_infinite(folder, ids, values)
    return Embedding(ids, values.astype(np.float64))


def _refuse_infinite(folder: Path, ids: NDArray[np.str_], values: NDArray[np.generic]) -> None:
    bad = np.flatnonzero(~np.isfinite(values.astype(np.float64)).all(axis=1))
    if len(bad):
        msg = f"expected finite vectors in {folder}, found {len(bad)} of {len(ids)} that are not, "
        raise CatalogError(f"{msg}the first of {str(ids[bad[0]])!r}. Leave those galaxies out")


def _batches(folder: Path) -> tuple[NDArray[np.str_], NDArray[np.generic]]:
    """Structured arrays of ``id`` and ``tensor``, ``batch_0.npy``, ``batch_1.npy``, ..."""
    files = [path for path in folder.glob("batch_*.npy") if path.stem[6:].isdigit()]
    if not files:
        msg = f"expected batch_0.npy, ... or {LANCE} in {folder}, found neither"
        raise CatalogError(f"{msg}. It is the folder that hyrax infer or hyrax umap printed")
    try:
        parts = [np.load(path, allow_pickle=False) for path in sorted(files, key=_number)]
        ids = np.concatenate([part["id"].astype(str) for part in parts])
        return ids, np.concatenate([part["tensor"] for part in parts])
    except (OSError, ValueError, IndexError, EOFError) as error:
        msg = f"expected arrays of 'id' and 'tensor' in {folder}, which cannot be read: {error}"
        raise CatalogError(msg) from error


def _number(path: Path) -> int:
    return int(path.stem[6:])


def _lance(table: Path) -> tuple[NDArray[np.str_], NDArray[np.generic]]:
    """A table of ``object_id`` and ``data``, a list of one length."""
    try:
        import lance
    except ImportError as error:
        msg = f"{table} needs pylance: pip install -e '.[hyrax]'"
        raise SettingsError(msg) from error
    try:
        found = lance.dataset(str(table)).to_table(columns=["object_id", "data"])
        ids = np.array(found["object_id"].to_pylist(), dtype=str)
        return ids, np.array(found["data"].to_pylist(), dtype=np.float64)
    except (OSError, ValueError, KeyError) as error:
        msg = f"{table} cannot be read as Hyrax's results: {error}"
        raise CatalogError(msg) from error
