"""Large tables whose columns lie in files of their own and are mapped into memory, not read.

A mapped table is a ``DataFrame`` like any other, whose memory is the page cache: only what is
looked at is resident, and ``MappedTable.release`` gives that back. It is derived from a Parquet
file, batch by batch, and made again when that has changed. Shapes are written with N rows.
"""

import hashlib
import json
import logging
import mmap
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pcvae.errors import OutputError, brief
from pcvae.folders import mend_replacement, old_folder, partial_folder, replace_folder
from pcvae.lock import hold, lock_path

__all__ = ["MappedFolder", "MappedTable", "fingerprint", "map_frames", "map_parquet", "plain"]

FORMAT = 1  # of the files: others are made again
BATCH = 1 << 18  # rows that are converted at once
MARKS = 1000  # ids, evenly spaced
FEW = 100  # different texts up to which a column has one byte a row
PATIENCE = 300.0  # s in which another process has written the same: 100 million take a minute
TAIL = 1 << 16  # bytes at the end of a Parquet file, which describe all of it
FACTS = "columns.json"


class MappedTable(NamedTuple):
    """A table and what it is mapped from.

    Args:
        frame: The table, N rows; texts of few kinds are categories.
        maps: The files' maps.
    """

    frame: pd.DataFrame
    maps: tuple[mmap.mmap, ...]

    def release(self) -> None:
        """Let no page be resident; those that are looked at come back from the page cache."""
        for one in self.maps:
            one.madvise(mmap.MADV_DONTNEED)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """A table without categories, as it is written to files.

    Example:
        >>> plain(pd.DataFrame({"a": pd.Categorical(["x", None])}))["a"].dtype == "str"
        True
    """
    kinds = frame.dtypes.items()
    texts = [name for name, kind in kinds if isinstance(kind, pd.CategoricalDtype)]
    return frame.astype(dict.fromkeys(texts, "str"))


class MappedFolder:
    """The mapped tables of a folder, each in a folder of its name.

    Args:
        folder: Where they lie; None for no mapping.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._open: dict[str, MappedTable] = {}

    @property
    def is_used(self) -> bool:
        """Whether tables are mapped."""
        return self._folder is not None

    def open(self, name: str, make: Callable[[Path], MappedTable | None]) -> pd.DataFrame | None:
        """The table of that name, made if need be; None if there is none, or no mapping.

        Where it cannot be written a line in the log says so, and there is none.
        """
        if self._folder is None:
            return None
        try:
            table = make(self._folder / name)
        except (OSError, OutputError) as error:
            words = "%s cannot be mapped, %s: it is read into memory, which takes longer"
            logging.getLogger(__name__).warning(words, self._folder / name, brief(error))
            return None
        pa.default_memory_pool().release_unused()  # else it keeps what was converted
        if table is None:
            return None
        self._open[name] = table
        table.release()
        return table.frame

    def of_file(self, path: Path, ids: pd.Series | None = None) -> pd.DataFrame | None:
        """As ``open``, the table of ``map_parquet``."""
        name = path.stem if ids is None else f"{path.parent.name}.{path.stem}"
        return self.open(name, partial(map_parquet, path, ids=ids))

    def release(self) -> None:
        """Let no page of any table be resident."""
        for table in list(self._open.values()):
            table.release()


class Column(NamedTuple):
    """How a column is written.

    Args:
        name: Its name.
        dtype: Of its numbers, or of a category's codes; empty for texts, by offsets and bytes.
        categories: The texts of a category.
    """

    name: str
    dtype: str
    categories: tuple[str, ...] = ()


def fingerprint(path: Path) -> str:
    """What tells a Parquet file from others: its size and what its end says of the rest."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - TAIL, 0))
        return hashlib.sha256(str(size).encode() + file.read()).hexdigest()


def map_parquet(path: Path, folder: Path, *, ids: pd.Series | None = None) -> MappedTable:
    """The mapped table of a Parquet file; it is made first where it is not there yet.

    Args:
        path: The Parquet file.
        folder: Where the columns lie.
        ids: The ids (N,) that it should have, for a table of numbers: they are compared when it
            is made, and numbers are kept in single precision without them.

    Raises:
        ValueError: The ids are others.
        OSError: It cannot be read or written.
    """
    made_of = fingerprint(path) + _marks(ids)
    if not _is_settled(folder, made_of):
        with pq.ParquetFile(path) as file:
            columns = _columns(file, single=ids is not None)
            batches = file.iter_batches(BATCH)
            _write(_same_ids(batches, ids), folder, columns, made_of)
    found = _read(folder)
    names = pq.read_schema(path).names
    wanted = [name for name in names if ids is None or name != "id"]
    others = [name for name in wanted if name not in found.frame]
    if others:
        read = pd.read_parquet(path, columns=others)
        both = {name: (read if name in others else found.frame)[name] for name in wanted}
        return MappedTable(pd.DataFrame(both, copy=False), found.maps)
    return found


def _marks(ids: pd.Series | None) -> str:
    """What tells ids from others: a thousand of them."""
    some = [] if ids is None else ids.iloc[:: max(len(ids) // MARKS, 1)].tolist()
    return hashlib.sha256("\n".join(some).encode()).hexdigest()


def map_frames(frames: Iterable[pd.DataFrame], folder: Path, made_of: str) -> MappedTable | None:
    """The mapped table of numbers that come in parts; they are made only where it is not there.

    None if no part comes.

    Raises:
        OSError: It cannot be written.
    """
    if not _is_settled(folder, made_of):
        parts = iter(frames)
        first = next(parts, None)
        if first is None:
            return None
        columns = [Column(str(name), first[name].to_numpy().dtype.str) for name in first]
        batches = (pa.RecordBatch.from_pandas(part) for part in _chained(first, parts))
        _write(batches, folder, columns, made_of)
    return _read(folder)


def _chained(first: pd.DataFrame, rest: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    yield first
    yield from rest


def _is_current(folder: Path, made_of: str) -> bool:
    """Whether the columns are there, whole, and made of that."""
    try:
        facts = json.loads((folder / FACTS).read_text())
        if (facts["format"], facts["made_of"]) != (FORMAT, made_of):
            return False
        found = {name: (folder / name).stat().st_size for name in facts["bytes"]}
    except (OSError, ValueError, KeyError):
        return False
    return bool(found == facts["bytes"])


def _is_settled(folder: Path, made_of: str) -> bool:
    """As ``_is_current``, of which what was left by a process killed at its end is removed."""
    current = _is_current(folder, made_of)
    if current and (lock_path(folder).exists() or old_folder(folder).exists()):
        with suppress(OutputError), hold(folder):
            mend_replacement(folder)
    return current


def _same_ids(
    batches: Iterable[pa.RecordBatch], ids: pd.Series | None
) -> Iterator[pa.RecordBatch]:
    """Pass batches on as long as their ids are these."""
    start = 0
    for batch in batches:
        if ids is not None:
            part = pa.array(ids.iloc[start : start + len(batch)], pa.large_string())
            if not batch.column("id").cast(pa.large_string()).equals(part):
                msg = f"expected the ids of the galaxies, found others from row {start:,} on"
                raise ValueError(msg)
        yield batch
        start += len(batch)
    if ids is not None and start != len(ids):
        msg = f"expected {len(ids):,} rows, found {start:,}"
        raise ValueError(msg)


def _columns(file: pq.ParquetFile, *, single: bool) -> list[Column]:
    """How each column is written; those of other kinds, or texts with gaps, are not."""
    schema = file.schema_arrow
    kinds, found = _texts(file), []
    for field in schema:
        whole = pa.types.is_integer(field.type) and not _has_nulls(file, field.name)
        if whole or pa.types.is_floating(field.type):
            dtype = "<f4" if single else np.dtype(field.type.to_pandas_dtype()).str
            found.append(Column(field.name, dtype))
        elif field.name in kinds and not (single and field.name == "id"):
            categories = kinds[field.name]
            found.append(Column(field.name, "|i1" if categories else "", categories))
    return found


def _has_nulls(file: pq.ParquetFile, name: str) -> bool:
    batches = file.iter_batches(BATCH, columns=[name])
    return any(batch.column(0).null_count for batch in batches)


def _texts(file: pq.ParquetFile) -> dict[str, tuple[str, ...]]:
    """The categories of each column of texts; none of one with too many, or for ids."""
    text = pa.types.is_string, pa.types.is_large_string
    schema = file.schema_arrow
    names = [field.name for field in schema if any(is_text(field.type) for is_text in text)]
    seen: dict[str, dict[str, None]] = {name: {} for name in names if name != "id"}
    gaps = set()
    for batch in file.iter_batches(BATCH, columns=names):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if column.null_count:
                gaps.add(name)
            if name in seen and len(seen[name]) <= FEW:
                seen[name] |= dict.fromkeys(pc.unique(column.drop_null()).to_pylist())
    few = {name: tuple(sorted(texts)) for name, texts in seen.items() if len(texts) <= FEW}
    return {name: few.get(name, ()) for name in names if few.get(name) or name not in gaps}


def _write(
    batches: Iterable[pa.RecordBatch], folder: Path, columns: Sequence[Column], made_of: str
) -> None:
    """Write columns to a new folder, which takes the place of the former."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _held(folder):
        work = partial_folder(folder)
        mend_replacement(folder)
        shutil.rmtree(work, ignore_errors=True)  # what a killed process has left
        if _is_current(folder, made_of):  # another process was first
            return
        try:
            work.mkdir()
            facts = {"format": FORMAT, "made_of": made_of, **_fill(work, batches, columns)}
            (work / FACTS).write_text(json.dumps(facts, indent=1) + "\n")
            replace_folder(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _fill(
    work: Path, batches: Iterable[pa.RecordBatch], columns: Sequence[Column]
) -> dict[str, object]:
    """Write the files of columns; what is told of them."""
    rows = 0
    with ExitStack() as stack:
        files = {path: stack.enter_context(path.open("wb")) for path in _paths(work, columns)}
        for batch in batches:
            for place, column in enumerate(columns):
                _append(files, work, place, column, batch.column(column.name))
            rows += len(batch)
    sizes = {path.name: path.stat().st_size for path in files}
    return {"rows": rows, "columns": [column._asdict() for column in columns], "bytes": sizes}


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """As ``hold``, once another process that writes the same has ended."""
    end = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold(folder))
                break
            except OutputError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield


def _paths(folder: Path, columns: Sequence[Column]) -> list[Path]:
    return [
        folder / f"{place}.{part}"
        for place, column in enumerate(columns)
        for part in (("values",) if column.dtype else ("offsets", "utf8"))
    ]


def _append(
    files: Mapping[Path, IO[bytes]], work: Path, place: int, column: Column, values: pa.Array
) -> None:
    if column.dtype:
        files[work / f"{place}.values"].write(_numbers(column, values).data)
        return
    offsets, utf8 = files[work / f"{place}.offsets"], files[work / f"{place}.utf8"]
    texts = values.cast(pa.large_string())
    ends = np.frombuffer(texts.buffers()[1], "<i8")[texts.offset :][: len(texts) + 1]
    begun = utf8.tell()
    if not begun:
        offsets.write(np.zeros(1, "<i8").data)
    utf8.write(memoryview(texts.buffers()[2] or b"")[ends[0] : ends[-1]])
    offsets.write((ends[1:] - ends[0] + begun).data)


def _numbers(column: Column, values: pa.Array) -> NDArray[np.generic]:
    if column.categories:
        codes = pc.index_in(values, value_set=pa.array(column.categories, values.type))
        return np.asarray(codes.fill_null(-1), column.dtype)
    return np.ascontiguousarray(values.to_numpy(zero_copy_only=False), column.dtype)


def _read(folder: Path) -> MappedTable:
    """Map the columns of a folder."""
    facts = json.loads((folder / FACTS).read_text())
    columns = [Column(**listed) for listed in facts["columns"]]
    maps = {path: _mapped(path) for path in _paths(folder, columns)}
    series: dict[str, object] = {}
    for place, column in enumerate(columns):
        if column.dtype:
            values = np.frombuffer(maps[folder / f"{place}.values"], column.dtype)
            series[column.name] = _categorical(column, values) if column.categories else values
        else:
            ends, utf8 = (maps[folder / f"{place}.{part}"] for part in ("offsets", "utf8"))
            series[column.name] = _strings(facts["rows"], ends, utf8)
    frame = pd.DataFrame(series, index=pd.RangeIndex(facts["rows"]), copy=False)
    return MappedTable(frame, tuple(maps.values()))


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _categorical(column: Column, codes: NDArray[np.int8]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(codes, pd.Index(column.categories), validate=False)


def _strings(rows: int, ends: mmap.mmap, utf8: mmap.mmap) -> pd.api.extensions.ExtensionArray:
    texts = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(utf8))
    kind = pd.StringDtype("pyarrow", na_value=np.nan)
    return pa.chunked_array([texts]).to_pandas(types_mapper=lambda _: kind).array
