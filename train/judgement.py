"""All that is measured of a store, step by step: what ``metrics.json`` holds."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tqdm import tqdm

from pcvae.cutouts import Sample
from pcvae.labels import LABELS
from pcvae.metrics import score
from train import baselines, rare
from train.pool import Estimates, Pool, estimates

__all__ = ["Judgement", "judge"]


class Judgement:
    """What models and baselines say of a pool, and how well.

    Args:
        pool: The galaxies.
        seed: Fixes all that is random.
        base_rate: The share of rare galaxies for which purity is stated.
        sample: The store's sample, for what needs pixels.
    """

    def __init__(
        self,
        pool: Pool,
        seed: int = 0,
        base_rate: float = rare.BASE_RATE,
        sample: Sample | None = None,
    ) -> None:
        self.pool, self.seed, self.base_rate, self.sample = pool, seed, base_rate, sample
        self.said: dict[str, dict[str, Estimates]] = {"models": {}, "baselines": {}}
        self.searches: dict[str, rare.Search] = {}
        self.metrics: dict[str, Any] = {
            "n": pool.counts(),
            "tested": {"labels": int(pool.test.sum()), "anomaly": int(pool.unseen.sum())},
            "models": {},
            "baselines": {},
            "anomaly": {},
            "reconstruction": {},
            "seconds": {},
            "notes": [],
            "seed": seed,
        }

    def steps(self) -> dict[str, Callable[[], None]]:
        """What there is to do, by name, in its order."""
        return {
            "models": self._models,
            "vanilla_knn": self._neighbours,
            "photometry": self._photometry,
            "labels": self._labels,
            "anomaly": self._anomaly,
            "reconstruction": self._reconstruction,
        }

    def _models(self) -> None:
        for model in self.pool.info.models:
            if model.kind != "vanilla":
                self.said["models"][model.name] = estimates(self.pool, model)

    def _neighbours(self) -> None:
        for model in self.pool.info.models:
            if model.kind == "vanilla":
                values = self.pool.values(model)
                found = baselines.neighbour_estimates(self.pool, values)
                self.said["baselines"][f"{model.name}_knn"] = found

    def _photometry(self) -> None:
        features = baselines.photometry(self.pool)
        if features is None:
            self._note("no aperture fluxes in the catalogue: no photometry baselines")
            return
        for kind in ("gbt", "mlp"):
            found = baselines.by_photometry(self.pool, features, kind, self.seed)
            self.said["baselines"][f"photometry_{kind}"] = found

    def _labels(self) -> None:
        if not self.pool.test.any():
            self._note("no galaxies to test labels on: neither of split test nor new")
        for group, sayers in self.said.items():
            for who, found in sayers.items():
                self.metrics[group][who] = self.label_figures(found, self.pool.test)

    def label_figures(self, found: Estimates, chosen: Any) -> dict[str, dict[str, float]]:
        """The figures of every label on the chosen galaxies; NaN for what is not estimated."""
        figures = {}
        for one in LABELS:
            truth = self.pool.truth(one.name)[chosen]
            nothing = np.full(truth.shape, np.nan)
            value, sigma = (
                (axis[chosen] for axis in found[one.name])
                if one.name in found
                else (nothing, nothing)
            )
            figures[one.name] = score(truth, value, one.name, sigma, self.seed)
        return figures

    def _anomaly(self) -> None:
        self.searches = rare.search(self.pool, self.seed)
        if not self.searches:
            self._note("no rare populations among the tested galaxies: nothing to search for")
        for name, found in self.searches.items():
            self.metrics["anomaly"][name] = rare.summary(found, self.pool, self.base_rate)

    def _reconstruction(self) -> None:
        for model in self.pool.info.models:
            error = self.pool.latents[model.name]["recon_error"].to_numpy(np.float64)
            known = error[self.pool.test & np.isfinite(error)]
            mse = float(known.mean()) if len(known) else np.nan
            self.metrics["reconstruction"][model.name] = {"mse": mse, "n": len(known)}

    def _note(self, text: str) -> None:
        self.metrics["notes"].append(text)


def judge(judgement: Judgement) -> Mapping[str, Any]:
    """Take every step, with a progress bar and its seconds, and return the metrics."""
    steps = judgement.steps()
    with tqdm(steps.items(), desc="evaluate", unit="step") as bar:
        for name, step in bar:
            bar.set_postfix_str(name)
            start = time.perf_counter()
            step()
            judgement.metrics["seconds"][name] = time.perf_counter() - start
    return judgement.metrics
