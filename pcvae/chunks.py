"""Zarr arrays that list their chunks, so that a lost or truncated one is found at opening.

By itself Zarr reads a chunk that is not there as zeros. Ours write every chunk, each with a
CRC-32C that is compared when it is read, and keep the size of each among their attributes.
"""

import math
import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.array_spec import ArrayConfigParams

__all__ = ["create_chunked", "damage", "open_chunked", "seal"]

LIST = "chunk_bytes"  # the attribute with the size of each chunk, in the order of their keys
ALL: ArrayConfigParams = {"write_empty_chunks": True}
ABSENT = -1


def create_chunked(
    path: Path, shape: Sequence[int], chunks: Sequence[int], dtype: str, *, compress: bool
) -> zarr.Array[Any]:
    """Make an array in place of what is there; its chunks are listed once it is sealed."""
    codecs = [ZstdCodec(), Crc32cCodec()] if compress else [Crc32cCodec()]
    return zarr.create_array(
        path,
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype=dtype,
        compressors=codecs,
        config=ALL,
        overwrite=True,
    )


def open_chunked(path: Path) -> zarr.Array[Any]:
    """Open an array to write its chunks."""
    return zarr.open_array(path, mode="r+").with_config(ALL)


def seal(path: Path) -> list[str]:
    """Add the list of its chunks to a finished array; the keys of those that are not there.

    What killed writers have left of chunks that they began is removed.
    """
    for begun in path.rglob("*.partial"):
        begun.unlink()
    array = zarr.open_array(path, mode="r+")
    sizes = _sizes(path, array)
    absent = [key for key, size in sizes.items() if size == ABSENT]
    if not absent:
        array.update_attributes({LIST: list(sizes.values())})
    return absent


def damage(path: Path, array: zarr.Array[Any]) -> str:
    """The first chunk that is not as it was written, in words; empty if all are.

    Looks at the size of each: 70 ms for the 15,625 chunks of a million galaxies. Arrays of an
    earlier version have no list. Their chunks must be there, and uncompressed ones of full size;
    whether a compressed one is whole shows only when it is read.
    """
    sizes = _sizes(path, array)
    listed = array.attrs.get(LIST)
    if listed is None:
        return _damage_unlisted(array, sizes)
    if not isinstance(listed, list) or len(listed) != len(sizes):
        return "its list of chunks is not that of its shape"
    for (key, size), expected in zip(sizes.items(), listed, strict=True):
        if size != expected:
            return f"expected {expected} bytes in its chunk {key}, found {_found(size)}"
    return ""


def _damage_unlisted(array: zarr.Array[Any], sizes: dict[str, int]) -> str:
    full = math.prod(array.chunks) * array.dtype.itemsize
    for key, size in sizes.items():
        if size == ABSENT:
            return (
                f"its chunk {key} is missing (an earlier version left out chunks of zeros, and "
                f"whether this is one cannot be known)"
            )
        if size == 0 or (not array.compressors and size != full):
            return f"expected {full} bytes in its chunk {key}, found {_found(size)}"
    return ""


def _found(size: int) -> str:
    return "no such file" if size == ABSENT else str(size)


def _sizes(path: Path, array: zarr.Array[Any]) -> dict[str, int]:
    """The bytes of each chunk by its key, ``ABSENT`` for none; in the order of their keys."""
    counts = [-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True)]
    name = array.metadata.encode_chunk_key
    keys = (name(place) for place in product(*map(range, counts)))
    return {key: _size(f"{path}/{key}") for key in keys}


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 -- three times as fast as a Path's
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
