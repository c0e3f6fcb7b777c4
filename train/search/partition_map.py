"""A task for each partition of a HATS catalogue, and what these say, merged."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from pcvae.errors import StoreError
from train.encoding.hats_writer import partitions

__all__ = ["Step", "computed"]

MERGED = 16  # partitions' tables that are merged at once


class Step(NamedTuple):
    """What is asked of each partition.

    Args:
        task: Makes a table of a partition's columns.
        kinds: The columns of that table, by type.
        merge: Makes one such table of several.
    """

    task: Callable[[pd.DataFrame], pd.DataFrame]
    kinds: Mapping[str, str]
    merge: Callable[[Sequence[pd.DataFrame]], pd.DataFrame]


def computed(folder: Path, columns: Sequence[str], step: Step) -> pd.DataFrame:
    """What a catalogue made by pcvae says, by the client's workers; merged in groups.

    Args:
        folder: The catalogue.
        columns: Those that the task needs; no others are read.
        step: The task.

    Raises:
        StoreError: It lacks a column.
    """
    import dask
    import lsdb

    files = partitions(folder.absolute())
    known = set(pq.read_schema(files[0]).names)
    if absent := [name for name in columns if name not in known]:
        msg = f"expected a column {absent[0]!r} in {folder}, found none"
        raise StoreError(msg)
    catalog = lsdb.open_catalog(files[0].parents[3], columns=list(dict.fromkeys(columns)))
    meta = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in step.kinds.items()})
    parts, join = (
        catalog.map_partitions(step.task, meta=meta).to_delayed(),
        dask.delayed(step.merge),
    )
    while len(parts) > 1:
        parts = [join(parts[at : at + MERGED]) for at in range(0, len(parts), MERGED)]
    (found,) = dask.compute(*parts)
    return pd.DataFrame(step.merge([found]))
