"""Neighbours and look-alikes in a HATS catalogue: each partition's best, merged.

The metric is that of one machine: features are whitened by the covariance of all galaxies, which
is merged from the moments of the partitions. Shapes are written with M queries, D features and k
neighbours.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.errors import SettingsError, StoreError
from pcvae.lookalikes import by_seeds
from pcvae.neighbours import block_whitening
from pcvae.store_info import ModelInfo
from train.encoding.earlier import read_earlier
from train.search.partition_map import Step, computed
from train.search.partition_tasks import (
    DENSE,
    NEAR,
    Queries,
    best,
    dense,
    joined_moments,
    moments,
    moments_of,
    named,
    nearest,
)

__all__ = ["CatalogSpace"]


@dataclass(frozen=True)
class CatalogSpace:
    """The latents of a model in a catalogue, as a space to search in.

    Args:
        folder: The catalogue.
        model: The model.
        among: A condition on columns that a galaxy fulfils to be found; empty for none.
        oriented: Whether the latents of the orientation take part.
    """

    folder: Path
    model: ModelInfo
    among: str = ""
    oriented: bool = False

    @staticmethod
    def open(
        folder: Path, model: str = "", *, among: str = "", oriented: bool = False
    ) -> "CatalogSpace":
        """The space of a model, of the only one by default.

        Raises:
            StoreError: It is no catalogue of pcvae, or has no such model.
            SettingsError: The model is too wide, or the condition cannot be read.
        """
        info = _model(folder, model)
        try:
            ast.parse(among or "True", mode="eval")
        except SyntaxError as error:
            msg = f"expected a condition such as 'redshift > 0.2', found {among!r}"
            raise SettingsError(msg) from error
        return CatalogSpace(folder, info, among, oriented)

    def neighbours(self, ids: Sequence[str], count: int) -> pd.DataFrame:
        """The nearest galaxies of each of some, nearest first, never itself.

        Args:
            ids: Theirs.
            count: How many of each.

        Returns:
            Columns ``query``, ``id`` and ``distance``; a galaxy with NaN has no neighbours.

        Raises:
            StoreError: There is none of them.
        """
        queries = self._queries(ids, (), count)
        return self._merged(nearest, queries, NEAR, "query")

    def shared(self, ids: Sequence[str], populations: Sequence[str], count: int) -> pd.DataFrame:
        """Galaxies by how many seeds have them among their nearest, as ``shared_neighbours``.

        Args:
            ids: Of seeds.
            populations: All of which are seeds too.
            count: How many nearest of each seed count; seeds are not among them.

        Returns:
            Columns ``id``, ``seeds`` and ``distance``, best first.
        """
        queries = self._queries(ids, populations, count)._replace(apart=True)
        return by_seeds(self._merged(nearest, queries, NEAR, "query"), "id")

    def dense(self, ids: Sequence[str], populations: Sequence[str], count: int) -> pd.DataFrame:
        """So many galaxies that lie where seeds lie densest, as ``seed_density``.

        Returns:
            Columns ``id``, ``density`` and ``distance``, densest first.
        """
        return self._merged(dense, self._queries(ids, populations, count), DENSE)

    @property
    def columns(self) -> list[str]:
        """The features in the catalogue, D."""
        blocks = self.model.blocks(oriented=self.oriented)
        return [f"{self.model.name}_{name}" for block in blocks for name in block]

    def _queries(self, ids: Sequence[str], populations: Sequence[str], count: int) -> Queries:
        columns = self.columns
        wanted = partial(named, ids=list(ids), populations=list(populations), columns=columns)
        kinds = {"id": "str", **dict.fromkeys(columns, "f8")}
        found = computed(
            self.folder,
            ["id", *columns, *(["population"] if populations else [])],
            Step(wanted, kinds, _concat),
        )
        lost = set(ids) - set(found["id"])
        if lost or not len(found):
            what = f"galaxy {min(lost)}" if lost else f"galaxy of {', '.join(populations)}"
            msg = f"expected {what} in {self.folder}, found none"
            raise StoreError(msg)
        found = found.sort_values("id", ignore_index=True)
        matrix = _whitening(self)
        points = found[columns].to_numpy(np.float64) @ matrix
        return Queries(found["id"].tolist(), points, columns, matrix, self.among, count)

    def _merged(
        self,
        task: Callable[..., pd.DataFrame],
        queries: Queries,
        kinds: dict[str, str],
        by: str = "",
    ) -> pd.DataFrame:
        used = {node.id for node in ast.walk(ast.parse(self.among)) if isinstance(node, ast.Name)}
        merge = partial(best, count=queries.most, by=by)
        return computed(
            self.folder,
            ["id", *self.columns, *sorted(used)],
            Step(partial(task, queries=queries), kinds, merge),
        )


def _model(folder: Path, name: str) -> ModelInfo:
    """The model of that name, or the only one."""
    models = {found.name: found for found in read_earlier(folder, "hats").info.models}
    if name not in models and (name or len(models) > 1):
        msg = f"expected --model to be one of {', '.join(models)}, found {name or 'none'}"
        raise StoreError(msg)
    info = models[name or next(iter(models))]
    if info.wide:
        msg = f"{info.name} has {len(info.latents)} latents: too many to search a catalogue by"
        raise SettingsError(msg)
    return info


def _concat(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)


def _whitening(space: CatalogSpace) -> NDArray[np.float64]:
    """The matrix (D, d) that whitens the features of all galaxies, block by block."""
    columns = space.columns
    kinds = {f"m{place}": "f8" for place in range(1 + len(columns) + len(columns) ** 2)}
    step = Step(partial(moments, columns=columns), kinds, joined_moments)
    sizes = [len(block) for block in space.model.blocks(oriented=space.oriented)]
    return block_whitening(moments_of(computed(space.folder, columns, step)).points(), sizes)
