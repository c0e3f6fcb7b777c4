"""Vectors of galaxies in files of any kind, read part by part.

Shapes are written with N galaxies and D numbers a vector.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.errors import CatalogError, PcvaeError, brief

__all__ = ["VectorSource", "as_ids", "check_unique", "ordered"]


class VectorSource(NamedTuple):
    """Vectors that are somewhere, and whose they are.

    Args:
        name: Of the file or folder, for messages.
        ids: N ids as text.
        width: The numbers a vector, D; images of features are flattened.
        blocks: Gives the vectors anew at each call, (n, ...) of any number type, in the order of
            the ids.
    """

    name: str
    ids: NDArray[np.str_]
    width: int
    blocks: Callable[[], Iterable[NDArray[np.generic]]]


def as_ids(values: NDArray[np.generic], name: str) -> NDArray[np.str_]:
    """Ids (N,) as text; whole numbers and bytes are taken too.

    Raises:
        CatalogError: They are something else.

    Example:
        >>> as_ids(np.array([b"a", b"b"]), "ids.npy").tolist(), as_ids(np.array([7]), "").tolist()
        (['a', 'b'], ['7'])
    """
    if values.ndim == 1 and values.dtype.kind in "iuU":
        return values.astype(str)
    if values.ndim == 1 and values.dtype.kind in "SO":
        return np.array([v.decode() if isinstance(v, bytes) else str(v) for v in values], str)
    msg = f"expected a text or a whole number a galaxy as ids in {name}, found an array of "
    raise CatalogError(f"{msg}{values.dtype} of shape {values.shape}")


def check_unique(source: VectorSource) -> None:
    """Refuse ids that occur twice.

    Raises:
        CatalogError: One does.
    """
    again, counts = np.unique(source.ids, return_counts=True)
    if (counts > 1).any():
        twice = str(again[counts > 1][0])
        msg = f"ids must be unique: {twice!r} occurs more than once in {source.name}"
        raise CatalogError(msg)


def ordered(source: VectorSource, ids: NDArray[np.str_], found: NDArray[np.float32]) -> None:
    """Put the vector of each of these galaxies into its row of an array, part by part.

    Args:
        source: All vectors.
        ids: The galaxies, M, each of which has one.
        found: Is filled, (M, D); may be mapped to a file.

    Raises:
        CatalogError: A vector is not finite, or there are not N.
    """
    order = np.argsort(ids)
    done, bad = 0, []
    for block in _flat(source):
        mine = source.ids[done : done + len(block)]
        bad += [str(galaxy) for galaxy in mine[~_finite(block)]]
        place = np.minimum(np.searchsorted(ids, mine, sorter=order), len(ids) - 1)
        rows = order[place]
        there = ids[rows] == mine
        found[rows[there]] = block[there]
        done += len(block)
    if done != len(source.ids):
        msg = f"expected a vector for each of {len(source.ids)} ids in {source.name}, found {done}"
        raise CatalogError(msg)
    if bad:
        msg = f"expected finite vectors in {source.name}, found {len(bad)} of {done} that are "
        raise CatalogError(f"{msg}not, the first of {bad[0]!r}. Leave those galaxies out")


def _flat(source: VectorSource) -> Iterator[NDArray[np.generic]]:
    """The blocks, each (n, D)."""
    try:
        for block in source.blocks():
            if block.dtype.kind not in "fiub" or block.size != len(block) * source.width:
                msg = f"expected {source.width} numbers a galaxy in {source.name}, found "
                raise CatalogError(f"{msg}{block.dtype} of shape {block.shape[1:]}")
            yield block.reshape(len(block), source.width)
    except PcvaeError:
        raise
    except Exception as error:  # each format has errors of its own
        msg = f"{source.name} cannot be read as vectors: {brief(error)}"
        raise CatalogError(msg) from error


def _finite(block: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which vectors are finite, in single precision too."""
    with np.errstate(over="ignore"):
        return np.asarray(np.isfinite(block.astype(np.float32)).all(axis=1))
