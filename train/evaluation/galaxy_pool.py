"""The galaxies of an evaluation: training and test rows, and the latents of every model.

Shapes are written with N galaxies and D latents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.anomaly import UNUSED
from pcvae.errors import StoreError
from pcvae.journal import Event
from pcvae.label_classes import labelled
from pcvae.labels import LABELS
from pcvae.photometry import photometric_features
from pcvae.store import (
    BOTH,
    EMBEDDING,
    LATENTS,
    PHOTOMETRY,
    ModelInfo,
    SearchFeatures,
    Store,
    StoreInfo,
    search_features,
)

__all__ = ["Estimate", "Estimates", "Pool", "estimates", "gather", "with_labels"]

Mask = NDArray[np.bool_]


class Estimate(NamedTuple):
    """Estimates of a label: values and 1-sigma errors, each (N,); NaN for none."""

    value: NDArray[np.float64]
    sigma: NDArray[np.float64]


Estimates = Mapping[str, Estimate]
"""By the label's name."""


@dataclass(frozen=True)
class Pool:
    """Galaxies with their latents, and masks (N,) of their splits.

    Args:
        info: What is known of the store that is judged.
        galaxies: The catalogue, N rows; ``row`` is the row in that store, -1 for another's.
        latents: The latents' table of each model, N rows.
        train: Normal galaxies that models and baselines learn from.
        validation: Normal galaxies that settings are chosen on.
        test: Normal galaxies that judge the labels.
        unseen: All galaxies, rare ones too, that judge the search for rare ones.
    """

    info: StoreInfo
    galaxies: pd.DataFrame
    latents: Mapping[str, pd.DataFrame]
    train: Mask
    validation: Mask
    test: Mask
    unseen: Mask

    def __len__(self) -> int:
        return len(self.galaxies)

    def truth(self, name: str) -> NDArray[np.float64]:
        """The catalogue's values of a label, (N,)."""
        return self.galaxies[name].to_numpy(np.float64)

    def values(self, model: ModelInfo) -> NDArray[np.floating]:
        """The latents (N, D) of a model; in single precision if they are many."""
        kind = np.float32 if model.wide else np.float64
        return self.latents[model.name][model.names].to_numpy(kind)

    @cached_property
    def photometry(self) -> pd.DataFrame | None:
        """Colours, magnitude, size and shape, N rows; None if no unseen galaxy has them all."""
        table = photometric_features(self.galaxies, self.info.bands)
        known = table is not None and table[self.unseen].notna().all(axis=1).any()
        return table if known else None

    def features(self, model: str, kind: str) -> SearchFeatures:
        """The features that rare galaxies are searched by, as of ``Store.features``.

        Raises:
            StoreError: The catalogue has no photometry.
        """
        (info,) = (info for info in self.info.models if info.name == model)
        return search_features(info, self.latents[model], self.photometry, kind)

    def spaces(self) -> list[tuple[str, str, str]]:
        """The spaces to search in: each one's name, its model and its kind of features.

        They are the latents of each model and, where the catalogue has it, photometry, and that
        beside the latents of each model with labels, or that was made elsewhere.
        """
        models = [(model.name, model.name, LATENTS) for model in self.info.models]
        if self.photometry is None or not models:
            return models
        kinds = "physics", EMBEDDING
        tied = [model.name for model in self.info.models if model.kind in kinds]
        both = [(f"{name} + {PHOTOMETRY}", name, BOTH) for name in tied]
        return [*models, (PHOTOMETRY, models[0][1], PHOTOMETRY), *both]

    def counts(self) -> dict[str, int]:
        """How many galaxies each split has."""
        splits = self.galaxies["split"].value_counts()
        known = ("train", "validation", "test", "held_out")
        more = sorted(set(splits.index) - set(known))
        return {name: int(splits.get(name, 0)) for name in (*known, *more)}


def gather(store: Store, train_store: Store | None = None) -> Pool:
    """Pool a store's galaxies, those of training from another store if one is given.

    The normal galaxies that no run was fitted to are tested on: those of the test split, and those
    that no run ever saw (``new``).

    Raises:
        StoreError: The other store lacks a model, or has other latents for it.
    """
    models = {model.name: store.all_latents(model.name) for model in store.info.models}
    galaxies = store.galaxies.assign(row=np.arange(len(store)))
    if train_store is not None:
        _check_models(store, train_store)
        mine = ~galaxies["split"].isin(["train", "validation"]).to_numpy()
        theirs = train_store.galaxies["split"].isin(["train", "validation"]).to_numpy()
        learning = train_store.galaxies[theirs].assign(row=-1)
        galaxies = pd.concat([galaxies[mine], learning], ignore_index=True)
        others = {name: train_store.all_latents(name)[theirs] for name in models}
        models = {
            name: pd.concat([table[mine], others[name]], ignore_index=True)
            for name, table in models.items()
        }
    return _pool(store.info, galaxies, models)


def with_labels(pool: Pool, events: Sequence[Event]) -> tuple[Pool, list[str]]:
    """The pool with people's labels as populations, and notes of what they did.

    Labelled galaxies that models were fitted to are not searched for.

    Args:
        pool: The galaxies.
        events: The active labels; see ``pcvae.label_classes.read_labels``.
    """
    if not events:
        return pool, []
    galaxies = pool.galaxies
    found = labelled(list(galaxies["id"]), list(galaxies["population"]), pool.info.rare, events)
    galaxies = galaxies.assign(population=found.populations)
    labelled_pool = _pool(replace(pool.info, rare=found.rare), galaxies, pool.latents)
    lost = int((galaxies["population"].isin(found.rare) & ~labelled_pool.unseen).sum())
    more = f"; {lost} rare ones were seen in training and are not searched for" if lost else ""
    return labelled_pool, [found.message + more]


def _pool(info: StoreInfo, galaxies: pd.DataFrame, models: Mapping[str, pd.DataFrame]) -> Pool:
    held_out = (*info.rare, *info.hard_negative, UNUSED)
    split = galaxies["split"]
    normal = ~galaxies["population"].isin(held_out).to_numpy()
    masks = {name: normal & split.eq(name).to_numpy() for name in ("train", "validation")}
    used = galaxies["population"].ne(UNUSED).to_numpy()
    unseen = used & split.isin(["test", "new", "held_out"]).to_numpy()
    return Pool(info, galaxies, models, **masks, test=normal & unseen, unseen=unseen)


def estimates(latents: pd.DataFrame, galaxies: pd.DataFrame) -> dict[str, Estimate]:
    """The estimates of a physics model, by label.

    A model's sigma is that of the galaxy's property; what is judged is how far a catalogue's
    value may lie from it, so the catalogue's own error is added in quadrature, where it has one.

    Args:
        latents: The model's table, N rows.
        galaxies: The catalogue, N rows.
    """
    found = {}
    for label in LABELS:
        if label.name in latents:
            error = np.nan_to_num(galaxies[label.error].to_numpy(np.float64))
            sigma = np.hypot(latents[f"{label.name}_sigma"].to_numpy(np.float64), error)
            found[label.name] = Estimate(latents[label.name].to_numpy(np.float64), sigma)
    return found


def _check_models(store: Store, train_store: Store) -> None:
    for model in store.info.models:
        found = {item.name: item.names for item in train_store.info.models}.get(model.name)
        if found != model.names:
            msg = (
                f"expected model {model.name} with latents {', '.join(model.names)} in "
                f"{train_store.folder}, found {found and ', '.join(found)}: encode both samples "
                f"with the same runs"
            )
            raise StoreError(msg)
