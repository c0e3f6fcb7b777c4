"""What galaxies are added to: a finished store, or a finished HATS catalogue."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from pcvae.cutouts import Sample
from pcvae.errors import SettingsError, StoreError
from pcvae.folders import mend_replacement, read_facts
from pcvae.store import Store, StoreInfo, read_store
from pcvae.store_info import VERSION
from train.encoding.catalog_tables import OF_HATS
from train.encoding.chosen_rows import ChosenRows
from train.encoding.hats_writer import FACTS, digest, partitions

if TYPE_CHECKING:
    from train.encoding.brick_sample import BrickSample

__all__ = ["Earlier", "EarlierCatalog", "EarlierStore", "read_earlier"]

SAME = ("bands", "unit", "size", "pixel_scale", "dust")  # facts of all galaxies of a store
REMAKE = "python -m train.encode SAMPLE {} --output hats --run physics=RUN"


@dataclass(frozen=True)
class Earlier(ABC):
    """What both are.

    Args:
        folder: Where it lies.
        info: What is known of it as a whole.
    """

    folder: Path
    info: StoreInfo

    @property
    @abstractmethod
    def facts(self) -> Path:
        """The file that is another one when galaxies were added."""

    @abstractmethod
    def known(self, ids: pd.Series) -> NDArray[np.bool_]:
        """Which of these galaxies (n,) it has."""

    def without_known(self, galaxies: "Sample | BrickSample") -> "Sample | BrickSample":
        """The galaxies that it does not have."""
        new = ~self.known(galaxies.catalog["id"])
        if new.all():
            return galaxies
        print(f"{len(new) - int(new.sum())} of {len(new)} galaxies are in {self.folder} already")
        if isinstance(galaxies, Sample):
            return ChosenRows.of(galaxies, np.flatnonzero(new))
        return galaxies.only(new)

    def digest(self) -> str:
        """What tells it from what it becomes."""
        return hashlib.sha256(self.facts.read_bytes()).hexdigest()

    def model(self, name: str) -> Path:
        """Where a model of it lies."""
        return self.folder / "models" / name

    def check(self, models: Mapping[str, Path]) -> None:
        """Refuse other models than it has.

        Raises:
            SettingsError: They are others.
        """
        names = [model.name for model in self.info.models]
        if sorted(models) != sorted(names):
            msg = f"expected a --run for each model of {self.folder} ({', '.join(names)}), found "
            raise SettingsError(f"{msg}{', '.join(models)}")
        for name, run in models.items():
            if digest(run) != digest(self.model(name)):
                msg = f"{self.folder} was encoded by another {name} than {run}: give that run, or "
                raise SettingsError(f"{msg}--run {name}={self.model(name)}, which is its copy")

    def joined(self, info: StoreInfo) -> StoreInfo:
        """What is known of both together.

        Raises:
            SettingsError: The images are of another kind.
        """
        for name in SAME:
            here, there = getattr(info, name), getattr(self.info, name)
            if here != there:
                msg = f"expected galaxies of {name} {there}, as {self.folder} has, found {here}"
                raise SettingsError(f"{msg}: make a store of their own")
        old = self.info
        return replace(
            info,
            sample=_both(old.sample, info.sample, " + "),
            source=_both(old.source, info.source, " "),
            rare=tuple(dict.fromkeys(old.rare + info.rare)),
            hard_negative=tuple(dict.fromkeys(old.hard_negative + info.hard_negative)),
            models=old.models,
            stamp_stretch=old.stamp_stretch,
            command=f"{old.command} && {info.command}",
        )


@dataclass(frozen=True)
class EarlierStore(Earlier):
    """A finished store.

    Args:
        store: The same, opened.
    """

    store: Store

    @property
    def facts(self) -> Path:
        """``store.json``."""
        return self.folder / "store.json"

    def known(self, ids: pd.Series) -> NDArray[np.bool_]:
        """Which of these galaxies (n,) it has."""
        return ids.isin(self.store.galaxies["id"]).to_numpy()


@dataclass(frozen=True)
class EarlierCatalog(Earlier):
    """A finished HATS catalogue, made by pcvae."""

    @property
    def facts(self) -> Path:
        """``pcvae.json``."""
        return self.folder / FACTS

    @property
    def schema(self) -> pa.Schema:
        """Its columns, without those that hats-import makes."""
        fields = ds.dataset(partitions(self.folder)).schema
        return pa.schema([field for field in fields if field.name not in OF_HATS])

    def known(self, ids: pd.Series) -> NDArray[np.bool_]:
        """Which of these galaxies (n,) it has; its ids are read part by part."""
        wanted = pc.field("id").isin(pa.array(ids.astype(str)))
        found = ds.dataset(partitions(self.folder)).to_table(columns=["id"], filter=wanted)
        return ids.isin(found["id"].to_pylist()).to_numpy()


def read_earlier(folder: Path, output: str) -> Earlier:
    """Open what galaxies are added to.

    Args:
        folder: Where it lies.
        output: ``store`` or ``hats``.

    Raises:
        StoreError: There is none.
    """
    mend_replacement(folder)
    if output == "hats":
        remake = REMAKE.format(folder)
        facts = read_facts(folder / FACTS, StoreInfo, VERSION, StoreError, remake)
        return EarlierCatalog(folder, facts)
    store = read_store(folder)
    return EarlierStore(folder, store.info, store)


def _both(old: str, new: str, between: str) -> str:
    return old if new in old else f"{old}{between}{new}"
