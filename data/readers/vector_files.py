"""Vectors of galaxies in npy, npz, Parquet, HDF5, Zarr, or in a folder of Hyrax's results.

Shapes are written with N galaxies and D numbers a vector.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from data.readers.hyrax_results import is_results, read_results
from data.readers.vector_source import VectorSource, as_ids
from pcvae.errors import CatalogError, PcvaeError, SettingsError, brief

__all__ = ["Named", "read_vectors"]

NUMBERS = 1 << 22  # of a block: 16 MB in single precision
IDS = (
    "id", "ids", "id_str", "object_id", "objid", "source_id", "targetid", "desi_targetid",
    "galaxy_id", "dr8_id", "name", "names", "iauname",
)  # fmt: skip
HDF5 = (".h5", ".hdf5", ".hdf")
PARQUET = (".parquet", ".pq")


class Named(NamedTuple):
    """What the command line says of a file; empty or None where it says nothing.

    Args:
        array: The name of the vectors in it.
        ids: The name of the ids in it.
        file: A file with the ids, where they are not in it.
    """

    array: str = ""
    ids: str = ""
    file: Path | None = None


def read_vectors(path: Path, named: Named, scratch: Path) -> VectorSource:
    """The vectors of a file or folder; none is read before its block is asked for.

    Args:
        path: ``.npy``, ``.npz``, ``.parquet`` or a folder of such, ``.h5``, ``.zarr``, or the
            folder that ``hyrax infer`` wrote.
        named: What is called how in it.
        scratch: A folder to unpack a ``.npz`` to.

    Raises:
        CatalogError: It cannot be read, or what holds vectors or ids is not clear.
        SettingsError: What reads it is not installed.
    """
    if not path.exists():
        msg = f"expected vectors in {path}, found no such file or folder"
        raise CatalogError(msg)
    try:
        return _source(path, named, scratch)
    except PcvaeError:
        raise
    except Exception as error:  # each of five formats has errors of its own
        msg = f"{path} cannot be read as vectors: {brief(error)}"
        raise CatalogError(msg) from error


def _source(path: Path, named: Named, scratch: Path) -> VectorSource:
    kind = path.suffix.lower()
    if kind == ".npy":
        return _of_arrays(path, {"": open_memmap(path, mode="r")}, named)
    if kind == ".npz":
        return _of_arrays(path, _unpacked(path, scratch), named)
    if kind in HDF5:
        return _of_arrays(path, _hdf5(path), named)
    if path.is_dir() and ((path / "zarr.json").exists() or kind == ".zarr"):
        return _of_arrays(path, _zarr(path), named)
    if kind in PARQUET or (path.is_dir() and any(path.rglob("*.parquet"))):
        return _parquet(path, named)
    if path.is_dir() and is_results(path):
        return read_results(path)
    msg = f"expected .npy, .npz, .parquet, .h5, .zarr or a folder of Hyrax's results, found {path}"
    raise CatalogError(msg)


def _of_arrays(path: Path, arrays: Mapping[str, Any], named: Named) -> VectorSource:
    """Vectors and ids out of arrays by name, each with ``shape``, ``dtype`` and slices."""
    sizes = {name: array for name, array in arrays.items() if array.ndim >= 2}
    name = _chosen(path, named.array, list(sizes), "vectors", "--array")
    vectors = arrays[name]
    count, width = vectors.shape[0], int(np.prod(vectors.shape[1:]))
    if named.file:
        ids = _ids_of(named.file, named.ids)
    else:
        flat = [k for k, v in arrays.items() if v.ndim == 1 and v.shape[0] == count]
        usual = [k for k in flat if k.rpartition("/")[2].lower() in IDS]
        one = _chosen(path, named.ids, usual or flat, "ids", "--id-column NAME or --ids FILE")
        ids = as_ids(np.asarray(arrays[one][:]), f"{path}: {one}")
    _check_count(path, len(ids), count)

    def blocks() -> Iterator[NDArray[np.generic]]:
        rows = max(NUMBERS // max(width, 1), 1)
        for start in range(0, count, rows):
            yield np.asarray(vectors[start : start + rows])

    return VectorSource(str(path), ids, width, blocks)


def _chosen(path: Path, asked: str, found: list[str], what: str, option: str) -> str:
    """The one that is asked for or the only one."""
    if asked and asked in found:
        return asked
    if not asked and len(found) == 1:
        return found[0]
    names = ", ".join(name or "one without a name" for name in found) or "none"
    msg = f"expected {what} {asked or 'of the galaxies'} in {path}, found {names}: name them by "
    raise CatalogError(f"{msg}{option}")


def _check_count(path: Path, ids: int, vectors: int) -> None:
    if ids != vectors:
        msg = f"expected an id for each of the {vectors} vectors of {path}, found {ids}"
        raise CatalogError(msg)


def _ids_of(path: Path, name: str) -> NDArray[np.str_]:
    """Ids of a file of their own: ``.npy``, text with one a line, or a column of a table."""
    if not path.is_file():
        msg = f"expected ids in {path}, found no such file"
        raise CatalogError(msg)
    if path.suffix == ".npy":
        return as_ids(np.asarray(open_memmap(path, mode="r")), str(path))
    if path.suffix == ".txt":
        lines = (line.strip() for line in path.read_text().splitlines())
        return np.array([line for line in lines if line], dtype=str)
    from pcvae.catalog import read_table

    table = read_table(path)
    usual = [str(column) for column in table if str(column).lower() in IDS]
    column = _chosen(
        path, name, list(map(str, table)) if name else usual, "ids", "--id-column NAME"
    )
    return as_ids(table[column].to_numpy(), str(path))


def _unpacked(path: Path, scratch: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of a ``.npz``, mapped to files that they are unpacked to."""
    found: dict[str, NDArray[np.generic]] = {}
    with zipfile.ZipFile(path) as packed:
        for number, entry in enumerate(packed.infolist()):
            place = scratch / f"{number}.npy"
            with packed.open(entry) as source, place.open("wb") as target:
                copyfileobj(source, target, 1 << 20)
            name = entry.filename.removesuffix(".npy")
            found[name] = open_memmap(place, mode="r")
    return found


def _hdf5(path: Path) -> dict[str, Any]:
    """The datasets of a file and its groups, by their path."""
    try:
        import h5py
    except ImportError as error:
        msg = f"{path} needs h5py: pip install 'pcvae[survey]'"
        raise SettingsError(msg) from error
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    h5py.File(path, "r").visititems(visit)
    return found


def _zarr(path: Path) -> dict[str, Any]:
    """The array, or the arrays of a group and its groups, by their path."""
    import zarr

    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        return {"": opened}
    return {name: item for name, item in opened.members(None) if isinstance(item, zarr.Array)}


def _parquet(path: Path, named: Named) -> VectorSource:
    """A column of lists of one length; or columns whose names differ by a number alone."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    opened = ds.dataset(path, format="parquet")
    groups = {f.name: [f.name] for f in opened.schema if _is_list(f.type)}
    if not groups:
        plain = [f.name for f in opened.schema if pa.types.is_floating(f.type)]
        groups = _numbered(plain)
    columns = groups[_chosen(path, named.array, list(groups), "vectors", "--array")]
    if named.file:
        ids = _ids_of(named.file, named.ids)
    else:
        others = [f.name for f in opened.schema if f.name not in columns]
        usual = [name for name in others if name.lower() in IDS]
        name = _chosen(path, named.ids, others if named.ids else usual, "ids", "--id-column NAME")
        ids = as_ids(opened.to_table(columns=[name])[name].to_numpy(), f"{path}: {name}")
    _check_count(path, len(ids), opened.count_rows())
    width = len(columns)
    if width == 1 and len(ids):
        width = _numbers(opened.head(1, columns=columns)[0].combine_chunks()).size
    rows = max(NUMBERS // max(width, 1), 1)
    return VectorSource(str(path), ids, width, partial(_parquet_blocks, opened, columns, rows))


def _numbered(columns: Sequence[str]) -> dict[str, list[str]]:
    """Columns by what their names have before a number at the end; groups of one do not count.

    Example:
        >>> _numbered(["ra", "dec", "f_0", "f_1"])
        {'f_': ['f_0', 'f_1']}
    """
    groups: dict[str, list[str]] = {}
    for name in columns:
        if name[-1:].isdigit():
            groups.setdefault(name.rstrip("0123456789"), []).append(name)
    return {start: names for start, names in groups.items() if len(names) > 1}


def _parquet_blocks(opened: Any, columns: list[str], rows: int) -> Iterator[NDArray[np.generic]]:
    for batch in opened.to_batches(columns=columns, batch_size=rows, batch_readahead=1):
        if batch.num_rows and len(columns) > 1:
            yield np.column_stack([c.to_numpy(zero_copy_only=False) for c in batch.columns])
        elif batch.num_rows:
            yield _numbers(batch.column(0)).reshape(batch.num_rows, -1)


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    known = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return any(check(kind) for check in known)


def _numbers(lists: Any) -> NDArray[np.generic]:
    """The numbers of lists, and of lists in them, one after the other.

    Raises:
        CatalogError: They are not of one length.
    """
    import pyarrow.compute as pc

    while _is_list(lists.type):
        lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
        if len(lengths) > 1 or None in lengths:
            some = ", ".join("none" if n is None else str(n) for n in lengths[:5])
            msg = f"expected vectors of one length, found lists of {some} numbers"
            raise CatalogError(msg)
        lists = lists.flatten()
    found: NDArray[np.generic] = lists.to_numpy(zero_copy_only=False)
    return found
