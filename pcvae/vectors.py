"""Wide latents in a Parquet file: one column of vectors in place of a column a latent.

Shapes are written with N galaxies and D latents. A file is written and read in parts, so that
memory holds one part beside what is asked for.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["VECTOR", "copy_rows", "read_vectors", "vector_blocks", "vector_table"]

VECTOR = "vector"
NUMBERS = 1 << 23  # of a part: 32 MB


def vector_table(ids: pd.Series, values: NDArray[np.float32]) -> pa.Table:
    """A table of galaxies with their vectors (n, D), and no reconstruction error."""
    flat = pa.array(np.ascontiguousarray(values, np.float32).ravel())
    vectors = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    nothing = pa.array(np.full(len(ids), np.nan, np.float32))
    columns = {"id": pa.array(ids.astype(str)), VECTOR: vectors, "recon_error": nothing}
    return pa.table(columns)


def vector_blocks(path: Path, width: int) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors (n, D) of a file in its order, a part at a time.

    Raises:
        ValueError: They are no vectors of that width.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        kind = file.schema_arrow.field(VECTOR).type
        if kind != pa.list_(pa.float32(), width):
            msg = f"expected vectors of {width} numbers, found {kind}"
            raise ValueError(msg)
        for batch in file.iter_batches(max(NUMBERS // width, 1), columns=[VECTOR]):
            yield batch.column(0).flatten().to_numpy().reshape(-1, width)


def read_vectors(path: Path, width: int) -> NDArray[np.float32]:
    """All vectors (N, D) of a file.

    Raises:
        ValueError: They are no vectors of that width.
    """
    found = np.empty((pq.read_metadata(path).num_rows, width), np.float32)
    done = 0
    for block in vector_blocks(path, width):
        found[done : done + len(block)] = block
        done += len(block)
    return found


def copy_rows(parts: Sequence[Path], path: Path) -> None:
    """Write the rows of several files one after the other to another one."""
    with pq.ParquetWriter(path, pq.read_schema(parts[0])) as writer:
        for part in parts:
            with pq.ParquetFile(part, memory_map=True) as file:
                for batch in file.iter_batches(1 << 14):
                    writer.write_batch(batch)
