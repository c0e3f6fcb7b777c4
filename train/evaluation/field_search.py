"""The search for rare galaxies among very many of the field.

Shapes are written with n rare galaxies and M of the field.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pcvae.anomaly import FitGalaxies, classes_of, stratified_splits
from pcvae.catalog import FIELD
from pcvae.classifier import Classifier, load_packages
from pcvae.errors import StoreError
from pcvae.ranking import purity
from pcvae.store import PHOTOMETRY, Store
from train.evaluation.galaxy_pool import Pool

__all__ = ["BASE_RATES", "RATES", "FieldMargins", "field_figures", "search_field"]

Floats = NDArray[np.float64]

FOLDS = 5
RATES = (1e-2, 1e-3, 1e-4)  # of false positives in the field
BASE_RATES = (1e-3, 1e-4)  # shares of rare galaxies in a survey
FIRST = (10, 50, 100)  # of a list: what a night of follow-up gets through
SURVEY = 100_000  # galaxies of the survey whose list that is
DRAWS = 200  # of a bootstrap


class FieldMargins(NamedTuple):
    """The margins of held-out galaxies for one rare class, a fold a row of the field.

    Args:
        rare: Of the rare galaxies, each by the classifier that has not seen it, (n,).
        fold: The fold in which each of them was held out, (n,).
        field: Of the field's galaxies by each fold's classifier, (FOLDS, M).
    """

    rare: Floats
    fold: NDArray[np.intp]
    field: Floats

    def places(self) -> Floats:
        """The share of the field's galaxies that lie above each rare galaxy, (n,)."""
        ranked = np.sort(self.field, axis=1)
        above = [
            self.field.shape[1] - np.searchsorted(ranked[k], margin, side="left")
            for margin, k in zip(self.rare, self.fold, strict=True)
        ]
        return np.array(above, dtype=np.float64) / self.field.shape[1]


def search_field(
    pool: Pool, stores: Sequence[Store], seed: int = 0
) -> dict[str, dict[str, FieldMargins]]:
    """Classify the field's galaxies by classifiers of every space, fitted to a pool.

    The spaces are each model's latents, photometry, and both for each model with labels. In each
    of five folds a ``Classifier`` is fitted to four fifths of the pool's unseen galaxies.

    Args:
        pool: The galaxies that the classifiers are fitted to; its rare ones are searched for.
        stores: Field galaxies, encoded by the same runs.
        seed: Fixes folds and classifiers.

    Returns:
        By the space and the rare population.

    Raises:
        StoreError: The stores lack a model, or photometry that the pool has.
    """
    load_packages()
    found = {}
    for name, model, kind in pool.spaces():
        mine = pool.features(model, kind).values[pool.unseen].astype(np.float64)
        field = np.concatenate([_field(store, model, kind) for store in stores])
        known = np.isfinite(field).all(axis=1)
        found[name] = _margins(pool, mine, field[known], seed)
    return found


def field_figures(
    found: Mapping[str, Mapping[str, FieldMargins]], seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Recall at false-positive rates, purity and precision, with 95 % intervals; and gains.

    The intervals are of rare and field galaxies drawn with replacement.
    Purity is at the threshold of each false-positive rate, for each share of rare galaxies.
    Precision is what the first galaxies of a list of 100,000 would hold. Gains in recall over
    photometry are of the same galaxies drawn with replacement.
    """
    places = {
        space: {name: margins.places() for name, margins in populations.items()}
        for space, populations in found.items()
    }
    sizes = {
        name: margins.field.shape[1]
        for populations in found.values()
        for name, margins in populations.items()
    }
    return {
        space: {
            name: _figures(place, sizes[name], seed)
            | {"gain": _gain(place, places.get(PHOTOMETRY, {}).get(name), space, seed)}
            for name, place in populations.items()
        }
        for space, populations in places.items()
    }


def _field(store: Store, model: str, kind: str) -> Floats:
    if model not in {info.name for info in store.info.models}:
        msg = f"expected model {model} in {store.folder}: encode the field by the same runs"
        raise StoreError(msg)
    field = (store.galaxies["population"] == FIELD).to_numpy()
    return store.features(model, kind).values[field].astype(np.float64)


def _margins(pool: Pool, values: Floats, field: Floats, seed: int) -> dict[str, FieldMargins]:
    classes = classes_of(pool.galaxies["population"][pool.unseen], pool.info.rare)
    fitting = FitGalaxies.of(values, classes, seed)
    if len(fitting.names) < 2:
        return {}
    table, codes = values[fitting.rows], fitting.codes
    own = np.zeros((len(codes), len(fitting.names) - 1))
    fold, told = np.zeros(len(codes), np.intp), []
    for k, held in enumerate(stratified_splits(codes, seed, 1, FOLDS)):
        classifier = Classifier.fit(table[~held], codes[~held], seed)
        own[held], fold[held] = classifier.margins(table[held]), k
        told.append(classifier.margins(field))
    by_class = np.moveaxis(np.array(told, dtype=np.float64), 2, 0)
    return {
        name: FieldMargins(own[codes == code, code - 1], fold[codes == code], by_class[code - 1])
        for code, name in enumerate(fitting.names)
        if code
    }


def _figures(places: Floats, size: int, seed: int) -> dict[str, Any]:
    """The figures of one population whose galaxies have these places in a field of that size."""
    figures: dict[str, Any] = {"n": len(places), "field": size}
    drawn = [places, *_redrawn(places, size, seed)]
    for rate in (rate for rate in RATES if rate * size >= 1):
        recalls = [float((places <= rate).mean()) for places in drawn]
        figures[f"recall_at_{rate:g}"] = _ends(recalls)
        for base in BASE_RATES:
            shares = [purity(recall, rate, base) for recall in recalls]
            figures[f"purity_at_{rate:g}_of_{base:g}"] = _ends(shares)
    for base in BASE_RATES:
        for first in FIRST:
            shares = [precision(places, first, base) for places in drawn]
            figures[f"precision_of_{first}_at_{base:g}"] = _ends(shares)
    return figures


def precision(places: Floats, first: int, base_rate: float, survey: int = SURVEY) -> float:
    r"""The share of rare galaxies expected among the first of a survey's ranked list.

    Down to the place :math:`q` of a threshold the list holds :math:`N b\, R(q)` rare galaxies,
    with R the recall, and :math:`N (1 - b)\, q` of the field; the list is cut where that is
    ``first`` galaxies.

    Args:
        places: The share of the field above each rare galaxy, (n,).
        first: How many galaxies of the list are looked at.
        base_rate: The share b of rare galaxies.
        survey: The number N of galaxies.

    Example:
        >>> precision(np.zeros(10), 10, 0.001), round(precision(np.full(10, 0.001), 100, 0.001), 2)
        (1.0, 0.0)
    """
    ranked = np.sort(places)
    rare = survey * base_rate * np.arange(1, len(ranked) + 1) / len(ranked)
    field = survey * (1 - base_rate) * ranked
    total = rare + field
    cut = int(np.searchsorted(total, first))
    before = rare[cut - 1] if cut else 0.0
    if cut == len(ranked):
        return float(min(before / first, 1.0))
    # Between two rare galaxies the list holds those of the field; at one, a step of rare ones.
    room = first - (before + field[cut])
    return float((before + max(room, 0.0)) / first)


def _redrawn(places: Floats, size: int, seed: int) -> Iterator[Floats]:
    """The places of rare galaxies drawn with replacement, in a field that is drawn anew too.

    The number of field galaxies between two places of n is a Poisson number about what it is.
    """
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        drawn = np.sort(rng.choice(places, len(places)))
        between = np.diff(drawn * size, prepend=0.0)
        yield np.cumsum(rng.poisson(between)) / size


def _ends(values: Sequence[float]) -> dict[str, float]:
    """The first value, and the 95 % interval of the others, which were drawn."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return {"value": values[0], "low": float(low), "high": float(high)}


def _gain(mine: Floats, theirs: Floats | None, space: str, seed: int) -> dict[str, Any]:
    """The gain in recall over photometry at each rate, paired by the rare galaxies."""
    if theirs is None or space == PHOTOMETRY or len(mine) != len(theirs):
        return {}
    rng = np.random.default_rng(seed)
    rows = [rng.integers(len(mine), size=len(mine)) for _ in range(DRAWS)]
    gains = {}
    for rate in RATES:
        apart = (mine <= rate).astype(np.float64) - (theirs <= rate)
        low, high = np.percentile([apart[drawn].mean() for drawn in rows], [2.5, 97.5])
        gains[f"{rate:g}"] = {"gain": apart.mean(), "low": float(low), "high": float(high)}
    return gains
