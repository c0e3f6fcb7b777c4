"""Baselines: photometry and nearest neighbours, trained on the same galaxies.

Shapes are written with N galaxies, C bands, F features and k neighbours.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pcvae.catalog import flux_columns
from pcvae.labels import LABELS, wrap_angle
from pcvae.metrics import errors
from pcvae.neighbours import MAX_WHITENED, Neighbours
from pcvae.photometry import asinh_magnitudes, softening
from train.evaluation.galaxy_pool import Estimate, Pool

__all__ = ["KINDS", "by_photometry", "neighbour_estimates", "photometry"]

MIN_TRAINING = 30  # galaxies with a label that a baseline needs
MAX_TRAINING = (
    50_000  # training galaxies that are enough for photometry: more take minutes a baseline
)
CHOICES = (5, 10, 20, 40)  # numbers of neighbours, of which the validation split chooses
WITHOUT_SHAPE = ("orientation",)  # labels of which total fluxes say nothing

Floats = NDArray[np.float64]


def photometry(pool: Pool) -> Floats | None:
    """Asinh magnitudes and their colours, (N, F); None where the catalogue has no fluxes."""
    names = flux_columns(pool.info.bands)
    known = [name for name in names if name in pool.galaxies]
    if not known or len(known) < len(names):
        return None
    flux = pool.galaxies[names].to_numpy(np.float64)
    if np.isfinite(flux[pool.train]).all(axis=1).sum() < MIN_TRAINING:
        return None
    magnitudes = asinh_magnitudes(flux, softening(pool.galaxies[pool.train], pool.info.bands))
    return np.column_stack([magnitudes, -np.diff(magnitudes, axis=1)])


def by_photometry(pool: Pool, features: Floats, kind: str, seed: int) -> dict[str, Estimate]:
    """Estimate the labels from features, with one sigma for all from the validation split.

    At most 50,000 training galaxies are learnt from.

    Args:
        pool: The galaxies.
        features: (N, F); galaxies without any are told nothing.
        kind: One of ``KINDS``: gradient-boosted trees, a network with two hidden layers, or
            extremely randomised trees, which do best on few galaxies.
        seed: Fixes the networks' weights and what the trees draw.
    """
    found, seen = {}, np.isfinite(features).any(axis=1)
    for label in LABELS:
        truth = pool.truth(label.name)
        known = pool.train & np.isfinite(truth) & seen
        if label.name in WITHOUT_SHAPE or known.sum() < MIN_TRAINING:
            continue
        rows = np.flatnonzero(known)
        rows = np.random.default_rng(seed).permutation(rows)[:MAX_TRAINING]
        value = KINDS[kind](features[rows], truth[rows], seed)(features)
        value[~seen] = np.nan
        sigma = _residual(truth, value, pool)
        found[label.name] = Estimate(value, np.full(len(pool), sigma))
    return found


def neighbour_estimates(pool: Pool, values: NDArray[np.floating]) -> dict[str, Estimate]:
    """Estimate each label as its mean over the nearest training galaxies in a latent space.

    The latents are whitened, or of a wide embedding measured in each of three usual ways
    (``_geometries``); these and the number of neighbours are those of least error on the
    validation split; sigma is their standard deviation. Orientations are averaged as doubled
    angles.

    Args:
        pool: The galaxies.
        values: Their latents, (N, D).
    """
    spaces = [Neighbours(space) for space in _geometries(values)]
    wanted = np.flatnonzero(pool.test | pool.validation)
    found = {}
    for label in LABELS:
        truth = pool.truth(label.name)
        known = pool.train & np.isfinite(truth)
        if known.sum() < MIN_TRAINING:
            continue
        found_rows = [near.query(wanted, max(CHOICES), known)[0] for near in spaces]
        tries = [
            _mean(truth, rows[:, :k], label.name)
            for rows in found_rows
            for k in CHOICES
            if k <= rows.shape[1]
        ]
        if tries:
            chosen = min(
                tries, key=lambda t: _validation_error(t, truth, wanted, pool, label.name)
            )
            value, sigma = np.full((2, len(pool)), np.nan)
            value[wanted], sigma[wanted] = chosen
            found[label.name] = Estimate(value, sigma)
    return found


def _geometries(values: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """The latents; of a wide embedding also with unit variances, and of unit length.

    Angles between vectors are what contrastive models are trained by.
    """
    if values.shape[1] <= MAX_WHITENED:
        return [values]
    known = np.isfinite(values).all(axis=1)
    spread = values[known].std(axis=0) if known.any() else np.ones(values.shape[1])
    length = np.linalg.norm(values, axis=1, keepdims=True)
    single = np.float32(1)
    return [
        values,
        values / np.where(spread > 0, spread, single),
        values / np.where(length > 0, length, single),
    ]


def _trees(features: Floats, truth: Floats, seed: int) -> Callable[[Floats], Floats]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=600, early_stopping=True, n_iter_no_change=20,
        random_state=seed,
    )  # fmt: skip
    return trees.fit(features, truth).predict


def _network(features: Floats, truth: Floats, seed: int) -> Callable[[Floats], Floats]:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    network = MLPRegressor(
        hidden_layer_sizes=(64, 64), alpha=1e-3, max_iter=2000, early_stopping=True,
        n_iter_no_change=30, random_state=seed,
    )  # fmt: skip
    scaled = TransformedTargetRegressor(network, transformer=StandardScaler())
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), scaled).fit(features, truth).predict


def _random_trees(features: Floats, truth: Floats, seed: int) -> Callable[[Floats], Floats]:
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    trees = ExtraTreesRegressor(300, min_samples_leaf=2, max_features=0.4, random_state=seed)
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, trees).fit(features, truth).predict


KINDS = {"gbt": _trees, "mlp": _network, "extra_trees": _random_trees}
"""How to learn a label from features, by the name in ``photometry_NAME``."""


def _residual(truth: Floats, value: Floats, pool: Pool) -> float:
    known = pool.validation & np.isfinite(truth) & np.isfinite(value)
    return float((value - truth)[known].std()) if known.sum() > 1 else np.nan


def _mean(truth: Floats, rows: NDArray[np.intp], name: str) -> tuple[Floats, Floats]:
    labels = np.where(rows >= 0, truth[rows], np.nan)
    empty = np.isnan(labels).all(axis=1)
    labels[empty] = 0.0
    if name == "orientation":
        mean = wrap_angle(np.angle(np.nansum(np.exp(2j * labels), axis=1)) / 2)
    else:
        mean = np.nanmean(labels, axis=1)
    apart = errors(np.broadcast_to(mean[:, None], labels.shape), labels, name)
    spread = np.sqrt(np.nanmean(np.square(apart), axis=1))
    return np.where(empty, np.nan, mean), np.where(empty, np.nan, spread)


def _validation_error(
    tried: tuple[Floats, Floats], truth: Floats, wanted: NDArray[np.intp], pool: Pool, name: str
) -> float:
    squares = np.square(errors(truth[wanted], tried[0], name))[pool.validation[wanted]]
    known = squares[np.isfinite(squares)]
    return float(known.mean()) if len(known) else 0.0
