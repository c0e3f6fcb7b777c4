"""What a partition of a catalogue says of a search: its moments, its best; and how these merge.

Shapes are written with n galaxies of a partition, M queries, D features and k neighbours.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.lookalikes import seed_density
from pcvae.moments import Moments
from pcvae.neighbours import Neighbours

__all__ = [
    "DENSE",
    "NEAR",
    "Queries",
    "best",
    "dense",
    "joined_moments",
    "moments",
    "moments_of",
    "named",
    "nearest",
]

Floats = NDArray[np.float64]

NEAR = {"query": "str", "id": "str", "distance": "f8"}  # columns of what is found, by type
DENSE = {"id": "str", "density": "f8", "distance": "f8"}


class Queries(NamedTuple):
    """What is looked for: M galaxies, in whitened features.

    Args:
        ids: Theirs.
        points: (M, D).
        columns: The features in the catalogue.
        matrix: That whitens them, (D, d).
        among: A condition on columns that a galaxy fulfils to be found; empty for none.
        most: How many are wanted, k.
        apart: Whether none of them is found by another.
    """

    ids: Sequence[str]
    points: Floats
    columns: Sequence[str]
    matrix: Floats
    among: str
    most: int
    apart: bool = False


def moments(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The moments of a partition's features in one row; galaxies with NaN do not count."""
    found = Moments.of(_values(frame, columns))
    flat = np.concatenate([[found.number], found.mean, found.scatter.ravel()])
    return pd.DataFrame(flat[None], columns=[f"m{place}" for place in range(len(flat))])


def moments_of(table: pd.DataFrame) -> Moments:
    """The moments that a row of ``moments`` holds: 1 + D + D^2 numbers."""
    flat = table.iloc[0].to_numpy(np.float64)
    axes = int((np.sqrt(4 * len(flat) - 3) - 1) / 2)
    return Moments(int(flat[0]), flat[1 : axes + 1], flat[axes + 1 :].reshape(axes, axes))


def joined_moments(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The moments of several partitions in one row."""
    total = reduce(Moments.joined, map(moments_of, tables))
    flat = np.concatenate([[total.number], total.mean, total.scatter.ravel()])
    return pd.DataFrame(flat[None], columns=list(tables[0]))


def named(
    frame: pd.DataFrame, ids: Sequence[str], populations: Sequence[str], columns: Sequence[str]
) -> pd.DataFrame:
    """The features of a partition's galaxies with these ids or of these populations."""
    wanted = _text(frame, "id").isin(ids)
    if populations:
        wanted |= _text(frame, "population").isin(populations)
    some = frame[wanted.to_numpy()]
    return _frame(
        {"id": _text(some, "id"), **dict(zip(columns, _values(some, columns).T, strict=True))}
    )


def nearest(frame: pd.DataFrame, queries: Queries) -> pd.DataFrame:
    """The k nearest galaxies of each query in a partition, never itself; columns of ``NEAR``."""
    some = _among(frame, queries.among)
    if queries.apart:
        some = some[~_text(some, "id").isin(queries.ids).to_numpy()]
    ids = _text(some, "id").to_numpy(object)
    points = _values(some, queries.columns) @ queries.matrix
    if not len(some):
        return _frame({name: pd.Series(dtype=kind) for name, kind in NEAR.items()})
    rows, distances = Neighbours(points, whiten=False).query(queries.points, queries.most + 1)
    there = rows >= 0
    table = pd.DataFrame(
        {
            "query": np.repeat(np.array(queries.ids, object), there.sum(axis=1)),
            "id": ids[rows[there]],
            "distance": distances[there],
        }
    )
    return _frame(best([table[table["query"] != table["id"]]], queries.most, "query"))


def dense(frame: pd.DataFrame, queries: Queries) -> pd.DataFrame:
    """The galaxies of a partition that lie where seeds lie densest; columns of ``DENSE``."""
    some = _among(frame, queries.among)
    some = some[~_text(some, "id").isin(queries.ids).to_numpy()]
    points = _values(some, queries.columns) @ queries.matrix
    both = np.concatenate([points, queries.points])
    rows = np.arange(len(both))
    seeds = rows >= len(points)
    found = seed_density(Neighbours(both, whiten=False), seeds, ~seeds, queries.most)
    found["id"] = _text(some, "id").to_numpy(object)[found["row"].to_numpy(int)]
    return _frame(found[list(DENSE)])


def best(tables: Sequence[pd.DataFrame], count: int, by: str = "") -> pd.DataFrame:
    """The best of several tables, nearest or densest first; so many of each value of ``by``."""
    table = pd.concat(tables, ignore_index=True)
    first = ("density", False) if "density" in table else ("distance", True)
    columns, upwards = [first[0], "id"], [first[1], True]
    if not by:
        return table.sort_values(columns, ascending=upwards, ignore_index=True).head(count)
    table = table.sort_values([by, *columns], ascending=[True, *upwards], ignore_index=True)
    return table[(table.groupby(by).cumcount() < count).to_numpy()].reset_index(drop=True)


def _among(frame: pd.DataFrame, condition: str) -> pd.DataFrame:
    return frame.query(condition) if condition else frame


def _values(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    values = [frame[name].to_numpy(np.float64, na_value=np.nan) for name in columns]
    return np.stack(values, axis=1) if columns else np.empty((len(frame), 0))


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name].astype("str").reset_index(drop=True)


def _frame(columns: "Mapping[str, object] | pd.DataFrame") -> pd.DataFrame:
    """A table whose texts have pandas' own type, as ``NEAR`` and ``DENSE`` say."""
    table = pd.DataFrame(columns).reset_index(drop=True)
    texts = {name: "str" for name in ("query", "id") if name in table}
    return table.astype(texts)
