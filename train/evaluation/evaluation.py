"""All that is measured of a store, step by step: what ``metrics.json`` holds."""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from tqdm import tqdm

from pcvae.checkpoint import RunInfo
from pcvae.cutouts import Sample
from pcvae.encode import Codec
from pcvae.errors import RunError
from pcvae.labels import LABELS
from pcvae.metrics import r2_gain, score
from pcvae.store import EMBEDDING, Store
from train.evaluation import (
    baselines,
    binned_metrics,
    disentanglement,
    rare_search,
    resnet_baseline,
)
from train.evaluation.aperture_photometry import annular_colours
from train.evaluation.galaxy_pool import Estimates, Pool, estimates
from train.evaluation.model_cost import cost

__all__ = ["Evaluation", "judge"]


class Evaluation:
    """What models and baselines say of a pool, and how well.

    Args:
        pool: The galaxies.
        seed: Fixes all that is random.
        base_rate: The share of rare galaxies for which purity is stated.
        store: The store that is judged, for what needs its networks.
        samples: Where pixels are found, for what needs them.
        resnet_epochs: For how long the supervised ResNet18 learns; 0 leaves it out.
    """

    def __init__(
        self,
        pool: Pool,
        seed: int = 0,
        base_rate: float = rare_search.BASE_RATE,
        store: Store | None = None,
        samples: Sequence[Sample] = (),
        resnet_epochs: int = 0,
    ) -> None:
        self.pool, self.seed, self.base_rate = pool, seed, base_rate
        self.store, self.samples, self.resnet_epochs = store, samples, resnet_epochs
        self.codecs: dict[str, Codec | None] = {}
        self.said: dict[str, dict[str, Estimates]] = {"models": {}, "baselines": {}}
        self.searches: dict[str, rare_search.Search] = {}
        self.metrics: dict[str, Any] = {
            "n": pool.counts(),
            "tested": {"labels": int(pool.test.sum()), "anomaly": int(pool.unseen.sum())},
            "models": {},
            "baselines": {},
            "anomaly": {},
            "anomaly_gains": {},
            "reconstruction": {},
            "gains": {},
            "bins": {},
            "calibration": {},
            "against_truth": {},
            "disentanglement": {},
            "characters": {},
            "cost": {},
            "seconds": {},
            "notes": [],
            "learnt": {},
            "photometry_from": None,
            "seed": seed,
        }

    def steps(self) -> dict[str, Callable[[], None]]:
        """What there is to do, by name, in its order."""
        return {
            "models": self._models,
            "vanilla_knn": self._neighbours,
            "photometry": self._photometry,
            "resnet18": self._resnet,
            "labels": self._labels,
            "gains": self._gains,
            "bins": self._bins,
            "anomaly": self._anomaly,
            "reconstruction": self._reconstruction,
            "disentanglement": self._disentanglement,
            "cost": self._cost,
        }

    def _models(self) -> None:
        for model in self.pool.info.models:
            if found := estimates(self.pool.latents[model.name], self.pool.galaxies):
                self.said["models"][model.name] = found
            codec = self._codec(model.name)
            self.metrics["learnt"][model.name] = {
                "recipe": model.recipe,
                "latents": len(model.latents),
                **(_origin(codec.run.info) if codec else {}),
            }

    def _neighbours(self) -> None:
        for model in self.pool.info.models:
            if model.name not in self.said["models"]:
                values = self.pool.values(model)
                found = baselines.neighbour_estimates(self.pool, values)
                self.said["baselines"][f"{model.name}_knn"] = found

    def _photometry(self) -> None:
        if self.pool.train.sum() < baselines.LEAST:
            self._note(
                f"{self.pool.train.sum()} training galaxies are too few for baselines: give a "
                f"store of the same runs that has them by --train-store"
            )
            return
        features, source = baselines.photometry(self.pool), "aperture fluxes"
        if features is None and self.samples:
            features = annular_colours(self.samples, self.pool.galaxies["id"])
            source = "light in rings"
        if features is None:
            self._note("no aperture fluxes and no --sample: no photometry baselines")
            return
        self.metrics["photometry_from"] = source
        for kind in baselines.KINDS:
            found = baselines.by_photometry(self.pool, features, kind, self.seed)
            self.said["baselines"][f"photometry_{kind}"] = found

    def _resnet(self) -> None:
        if not self.resnet_epochs:
            return
        codec = next(filter(None, (self._codec(one.name) for one in self.pool.info.models)), None)
        if codec is None or not self.samples:
            self._note("the ResNet18 needs --sample and a model whose stretch it can use")
            return
        ids = self.pool.galaxies["id"]
        images = resnet_baseline.images_of(self.samples, ids, codec.run.stretch)
        found = resnet_baseline.by_resnet(self.pool, images, self.resnet_epochs, self.seed)
        self.said["baselines"]["resnet18"] = found

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

    def _gains(self) -> None:
        for model, mine in self.said["models"].items():
            others = {**self.said["models"], **self.said["baselines"]}
            self.metrics["gains"][model] = {
                who: self._gain(mine, theirs) for who, theirs in others.items() if who != model
            }

    def _gain(self, mine: Estimates, theirs: Estimates) -> dict[str, dict[str, float]]:
        figures, test = {}, self.pool.test
        for name in (one.name for one in LABELS if one.name in mine and one.name in theirs):
            truth = self.pool.truth(name)[test]
            ours, others = mine[name].value[test], theirs[name].value[test]
            gain, low, high = r2_gain(truth, ours, others, name, self.seed)
            figures[name] = {"gain": gain, "low": low, "high": high}
        return figures

    def _bins(self) -> None:
        for who, found in [*self.said["models"].items(), *self.said["baselines"].items()]:
            self.metrics["bins"][who] = binned_metrics.binned(self.pool, found)
            self.metrics["calibration"][who] = binned_metrics.calibration(self.pool, found)
            self.metrics["against_truth"][who] = binned_metrics.against_truth(self.pool, found)

    def _anomaly(self) -> None:
        self.searches = rare_search.search(self.pool, self.seed)
        if not self.searches:
            self._note("no rare populations among the tested galaxies: nothing to search for")
        for name, found in self.searches.items():
            self.metrics["anomaly"][name] = rare_search.summary(
                found, self.pool, self.base_rate, self.seed
            )
        counts = [one["normal"] for f in self.metrics["anomaly"].values() for one in f.values()
                  if "normal" in one]  # fmt: skip
        if counts and min(counts) * rare_search.FALSE_POSITIVES < 1:
            self._note(
                f"{min(counts)} normal galaxies are too few for a false-positive rate of 1 %"
            )
        for first, second in combinations(self.searches, 2):
            one, other = self.searches[first], self.searches[second]
            self.metrics["anomaly_gains"][f"{first} over {second}"] = {
                name: rare_search.difference(one, other, name, self.seed)
                for name in one.folds.classes[1:]
                if name in other.folds.classes
            }

    def _reconstruction(self) -> None:
        for model in self.pool.info.models:
            error = self.pool.latents[model.name]["recon_error"].to_numpy(np.float64)
            known = error[self.pool.test & np.isfinite(error)]
            mse = float(known.mean()) if len(known) else np.nan
            self.metrics["reconstruction"][model.name] = {"mse": mse, "n": len(known)}

    def _disentanglement(self) -> None:
        for model in self.pool.info.models:
            figures: dict[str, Any] = {"free": disentanglement.free_latents(model)}
            if model.name in self.said["models"]:
                figures["leaks"] = disentanglement.leaks(self.pool, model)
                for free in figures["free"][:1]:
                    found = binned_metrics.characters(self.pool, model, free)
                    self.metrics["characters"][model.name] = found
            if codec := self._codec(model.name):
                figures["swaps"] = disentanglement.swaps(self.pool, model, codec, self.seed)
            self.metrics["disentanglement"][model.name] = figures

    def _cost(self) -> None:
        for model in self.pool.info.models:
            if self.store and (codec := self._codec(model.name)):
                folder = self.store.model_folder(model.name)
                found = cost(codec, folder, self.pool.info.size, self.seed)
                self.metrics["cost"][model.name] = found

    def _codec(self, name: str) -> Codec | None:
        if self.store and name not in self.codecs:
            self.codecs[name] = None
            try:
                if self.store.model(name).kind == EMBEDDING:
                    self._note(f"{name} was made elsewhere: it has no network that decodes")
                else:
                    self.codecs[name] = Codec.read(self.store.model_folder(name))
            except RunError as error:
                self._note(f"nothing can be decoded by {name}: {str(error).splitlines()[0]}")
        return self.codecs.get(name)

    def _note(self, text: str) -> None:
        self.metrics["notes"].append(text)


def _origin(info: RunInfo) -> dict[str, Any]:
    """What a model learnt from, for how long, and from where it started."""
    return {
        "epochs": info.epoch[1],
        "sample": info.sample,
        "source": info.settings.get("source"),
        "init": info.settings.get("init"),
    }


def judge(judgement: Evaluation) -> Mapping[str, Any]:
    """Take every step, with a progress bar and its seconds, and return the metrics."""
    steps = judgement.steps()
    with tqdm(steps.items(), desc="evaluate", unit="step") as bar:
        for name, step in bar:
            bar.set_postfix_str(name)
            start = time.perf_counter()
            step()
            judgement.metrics["seconds"][name] = time.perf_counter() - start
    return judgement.metrics
