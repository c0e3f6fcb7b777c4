"""The figures of a model in parts: by redshift, magnitude and population, and against truth."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pcvae.labels import LABELS
from pcvae.metrics import attenuation, bias, coverage, errors, pit, r2, score
from pcvae.store import ModelInfo
from train.evaluation.galaxy_pool import Estimates, Pool

__all__ = ["LEVELS", "against_truth", "binned", "calibration", "characters", "parts"]

BINS = 4
LEVELS = tuple(round(level, 2) for level in np.arange(0.05, 1.0, 0.05))
PIT_BINS = 10
KEPT = ("n", "r2", "nmad", "bias", "mad", "outlier_rate", "crps", "coverage68", "coverage90")

GREEN_VALLEY = -11.8  # its lower edge in log sSFR [1/yr]: Salim (2014), Serb. Astron. J. 189, 1

Mask = NDArray[np.bool_]


def binned(pool: Pool, found: Estimates) -> dict[str, dict[str, dict[str, Any]]]:
    """The figures of each label by redshift, magnitude and population.

    Redshift and magnitude bins hold a quarter of the tested galaxies each; magnitudes are those
    of the middle band's aperture flux. Populations are tested on all their unseen galaxies.
    """
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for label in LABELS:
        if label.name in found:
            by: dict[str, dict[str, Any]] = {"redshift": {}, "magnitude": {}, "population": {}}
            for kind, title, mask in parts(pool):
                value, sigma = (axis[mask] for axis in found[label.name])
                all_of_it = score(pool.truth(label.name)[mask], value, label.name, sigma, draws=0)
                by[kind][title] = {key: all_of_it[key] for key in KEPT}
            figures[label.name] = by
    return figures


def parts(pool: Pool) -> Iterator[tuple[str, str, Mask]]:
    """Yield the kind, the title and the mask (N,) of every part."""
    yield from _quarters("redshift", pool.truth("redshift"), pool.test)
    band = pool.info.bands[len(pool.info.bands) // 2]
    if f"flux_{band}" in pool.galaxies:
        flux = pool.galaxies[f"flux_{band}"].to_numpy(np.float64)
        known = np.where(flux > 0, flux, np.nan)
        yield from _quarters("magnitude", 22.5 - 2.5 * np.log10(known), pool.test)
    population = pool.galaxies["population"].to_numpy()
    for name in sorted(set(population[pool.unseen])):
        yield "population", str(name), pool.unseen & (population == name)


def _quarters(
    kind: str, values: NDArray[np.float64], among: Mask
) -> Iterator[tuple[str, str, Mask]]:
    known = values[among & np.isfinite(values)]
    if len(known) < 2 * BINS:
        return
    edges = np.quantile(known, np.linspace(0, 1, BINS + 1))
    for low, high in pairwise(edges):
        inside = (values >= low) & ((values < high) | (high == edges[-1]) & (values <= high))
        yield kind, f"{low:.2f} to {high:.2f}", among & inside


def calibration(pool: Pool, found: Estimates) -> dict[str, dict[str, list[float]]]:
    """Of each label: claimed and reached coverage, and the PIT histogram's shares."""
    figures = {}
    for label in LABELS:
        if label.name in found:
            value, sigma = (axis[pool.test] for axis in found[label.name])
            plain = errors(pool.truth(label.name)[pool.test], value, label.name)
            counts, _ = np.histogram(pit(plain, sigma), bins=PIT_BINS, range=(0, 1))
            figures[label.name] = {
                "levels": list(LEVELS),
                "coverage": [coverage(plain, sigma, level) for level in LEVELS],
                "pit": (counts / max(counts.sum(), 1)).tolist(),
            }
    return figures


def against_truth(pool: Pool, found: Estimates) -> dict[str, dict[str, float]]:
    """The slope against the catalogue, and slope, bias and R2 against a simulation's truth."""
    figures = {}
    for label in LABELS[1:]:
        if label.name not in found:
            continue
        value = found[label.name].value[pool.test]
        figures[label.name] = {
            "attenuation": attenuation(pool.truth(label.name)[pool.test], value)
        }
        if f"{label.name}_true" in pool.galaxies:
            true = pool.truth(f"{label.name}_true")[pool.test]
            figures[label.name] |= {
                "attenuation_true": attenuation(true, value),
                "bias_true": bias(value - true),
                "r2_true": r2(true, value),
            }
    return figures


def characters(pool: Pool, model: ModelInfo, free: str) -> dict[str, dict[str, float]]:
    """What the paper says of rare galaxies, in figures: medians of every population.

    The radius [px], the free latent, the catalogue's and the inferred specific star-formation
    rate [log 1/yr], and which share of the inferred ones lies below the green valley; NaN where
    the model infers no such thing.
    """
    table = pool.latents[model.name]
    radius = pool.galaxies.reindex(columns=["r50"])["r50"].to_numpy(np.float64)
    specific = pool.truth("log_sfr") - pool.truth("log_mass")
    both = table.reindex(columns=["log_mass", "log_sfr"]).to_numpy(np.float64)
    inferred = both[:, 1] - both[:, 0]
    figures = {}
    for kind, name, mask in parts(pool):
        if kind == "population":
            figures[name] = {
                "n": int(mask.sum()),
                "r50": _median(radius[mask]),
                "free": _median(table[free].to_numpy(np.float64)[mask]),
                "log_ssfr": _median(specific[mask]),
                "log_ssfr_inferred": _median(inferred[mask]),
                "below_green_valley": _share_below(inferred[mask], GREEN_VALLEY),
            }
    return figures


def _share_below(values: NDArray[np.float64], limit: float) -> float:
    known = values[np.isfinite(values)]
    return float((known < limit).mean()) if len(known) else np.nan


def _median(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan
