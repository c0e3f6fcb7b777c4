"""The steps of an evaluation, whose results ``metrics.json`` holds."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from pcvae.checkpoint import RunInfo
from pcvae.cutouts import Sample
from pcvae.encode import Codec
from pcvae.errors import RunError
from pcvae.labels import LABELS
from pcvae.metrics import r2_gain, score
from pcvae.store import EMBEDDING, ModelInfo, Store
from train.evaluation import (
    baselines,
    binned_metrics,
    cnn_baseline,
    disentanglement,
    few_shot,
    field_search,
    rare_search,
)
from train.evaluation.aperture_photometry import annular_colours
from train.evaluation.galaxy_pool import Estimates, Pool, estimates
from train.evaluation.model_cost import cost

__all__ = ["STEPS", "Evaluation", "Inputs", "evaluate"]

MEASURED = (
    "models",
    "baselines",
    "anomaly",
    "anomaly_gains",
    "few_shot_gains",
    "field",
    "few_shot",
    "reconstruction",
    "gains",
    "bins",
    "calibration",
    "against_truth",
    "disentanglement",
    "characters",
    "cost",
    "seconds",
)
"""The tables of ``metrics.json``."""


class Inputs(NamedTuple):
    """What an evaluation reads beside its pool.

    Args:
        store: The store that is evaluated, for steps that need its networks.
        samples: The samples with the pixels of the galaxies, for steps that need them.
        field: Stores of very many field galaxies that rare ones are searched among.
    """

    store: Store | None = None
    samples: Sequence[Sample] = ()
    field: Sequence[Store] = ()


class Evaluation:
    """The estimates of models and baselines for a pool, and what is measured of them.

    Args:
        pool: The galaxies.
        seed: Fixes all that is random.
        base_rate: The share of rare galaxies for which purity is stated.
        inputs: What steps read beside the pool.
        cnn: Whether a plain CNN is trained on the pixels as a baseline, which takes minutes.
    """

    def __init__(
        self,
        pool: Pool,
        seed: int = 0,
        base_rate: float = rare_search.BASE_RATE,
        inputs: Inputs = Inputs(),  # noqa: B008 - it is never changed
        *,
        cnn: bool = False,
    ) -> None:
        self.pool, self.seed, self.base_rate = pool, seed, base_rate
        self.store, self.samples, self.field = inputs
        self.cnn = cnn
        self.codecs: dict[str, Codec | None] = {}
        self.estimates: dict[str, dict[str, Estimates]] = {"models": {}, "baselines": {}}
        self.searches: dict[str, rare_search.Search] = {}
        tested = {"labels": int(pool.test.sum()), "anomaly": int(pool.unseen.sum())}
        self.metrics: dict[str, Any] = {
            "n": pool.counts(),
            "tested": tested,
            **{name: {} for name in MEASURED},
            "notes": [],
            "learnt": {},
            "photometry_from": None,
            "seed": seed,
        }

    def steps(self) -> dict[str, Callable[[], None]]:
        """All steps, by name, in their order."""
        return {name: partial(step, self) for name, step in STEPS.items()}

    def label_figures(self, found: Estimates, chosen: Any) -> dict[str, dict[str, float]]:
        """The figures of every label on the chosen galaxies; NaN for what is not estimated."""
        figures = {}
        for label in LABELS:
            truth = self.pool.truth(label.name)[chosen]
            value = sigma = np.full(truth.shape, np.nan)
            if label.name in found:
                value, sigma = (axis[chosen] for axis in found[label.name])
            figures[label.name] = score(truth, value, label.name, sigma, self.seed)
        return figures

    def codec(self, name: str) -> Codec | None:
        """The network of a model; None, with a note, if it cannot be read."""
        if self.store and name not in self.codecs:
            self.codecs[name] = None
            try:
                if self.store.model(name).kind == EMBEDDING:
                    self.note(f"{name} was made elsewhere: it has no network that decodes")
                else:
                    self.codecs[name] = Codec.read(self.store.model_folder(name))
            except RunError as error:
                self.note(f"nothing can be decoded by {name}: {str(error).splitlines()[0]}")
        return self.codecs.get(name)

    def note(self, text: str) -> None:
        """Add a note that the report shows."""
        self.metrics["notes"].append(text)


def read_estimates(evaluation: Evaluation) -> None:
    """The estimates of the models that have tied latents, and what each model was trained on."""
    for model in evaluation.pool.info.models:
        if found := estimates(evaluation.pool.latents[model.name], evaluation.pool.galaxies):
            evaluation.estimates["models"][model.name] = found
        codec = evaluation.codec(model.name)
        evaluation.metrics["learnt"][model.name] = {
            "recipe": model.recipe,
            "latents": len(model.latents),
            **(_origin(codec.run.info) if codec else {}),
        }


def estimate_by_neighbours(evaluation: Evaluation) -> None:
    """Baseline: labels by nearest neighbours in the latents of models without tied ones.

    Beside an embedding made elsewhere in those of all models, so that one question is asked of
    each.
    """
    models = evaluation.pool.info.models
    all_of_them = any(model.kind == EMBEDDING for model in models)
    for model in models:
        if all_of_them or model.name not in evaluation.estimates["models"]:
            values = evaluation.pool.values(model)
            found = baselines.neighbour_estimates(evaluation.pool, values)
            evaluation.estimates["baselines"][f"{model.name}_knn"] = found


def estimate_by_photometry(evaluation: Evaluation) -> None:
    """Baseline: labels by photometry."""
    if evaluation.pool.train.sum() < baselines.MIN_TRAINING:
        evaluation.note(
            f"{evaluation.pool.train.sum()} training galaxies are too few for baselines: give a "
            f"store of the same runs that has them by --train-store"
        )
        return
    features, source = baselines.photometry(evaluation.pool), "aperture fluxes"
    if features is None and evaluation.samples:
        features = annular_colours(evaluation.samples, evaluation.pool.galaxies["id"])
        source = "light in rings"
    if features is None:
        evaluation.note("no aperture fluxes and no --sample: no photometry baselines")
        return
    evaluation.metrics["photometry_from"] = source
    for kind in baselines.KINDS:
        found = baselines.by_photometry(evaluation.pool, features, kind, evaluation.seed)
        evaluation.estimates["baselines"][f"photometry_{kind}"] = found


def estimate_by_cnn(evaluation: Evaluation) -> None:
    """Baseline: labels by a plain CNN on the pixels."""
    if not evaluation.cnn:
        return
    if not evaluation.samples:
        evaluation.note("the CNN needs --sample, with the pixels of training and test galaxies")
        return
    pool = evaluation.pool
    images = cnn_baseline.central_pixels(evaluation.samples, pool.galaxies["id"], pool.train)
    evaluation.estimates["baselines"]["cnn"] = cnn_baseline.by_cnn(pool, images, evaluation.seed)


def measure_labels(evaluation: Evaluation) -> None:
    """The figures of every label, for all models and baselines."""
    if not evaluation.pool.test.any():
        evaluation.note("no galaxies to test labels on: neither of split test nor new")
    for group, sayers in evaluation.estimates.items():
        for who, found in sayers.items():
            evaluation.metrics[group][who] = evaluation.label_figures(found, evaluation.pool.test)


def measure_gains(evaluation: Evaluation) -> None:
    """Differences of R2 between each model and everything else, with intervals.

    Of an embedding made elsewhere the neighbours' estimates are compared.
    """
    others = {**evaluation.estimates["models"], **evaluation.estimates["baselines"]}
    made = [m.name for m in evaluation.pool.info.models if m.kind == EMBEDDING]
    embedded = {f"{name}_knn": others.get(f"{name}_knn", {}) for name in made}
    for model, mine in {**evaluation.estimates["models"], **embedded}.items():
        evaluation.metrics["gains"][model] = {
            who: _gain(evaluation, mine, theirs) for who, theirs in others.items() if who != model
        }


def measure_bins(evaluation: Evaluation) -> None:
    """Figures in bins of redshift and brightness, coverage of the sigmas, bias against truth."""
    for who, found in [
        *evaluation.estimates["models"].items(),
        *evaluation.estimates["baselines"].items(),
    ]:
        evaluation.metrics["bins"][who] = binned_metrics.binned(evaluation.pool, found)
        evaluation.metrics["calibration"][who] = binned_metrics.calibration(evaluation.pool, found)
        evaluation.metrics["against_truth"][who] = binned_metrics.against_truth(
            evaluation.pool, found
        )


def measure_search(evaluation: Evaluation) -> None:
    """The search for rare populations in every feature space, and differences between spaces."""
    evaluation.searches = rare_search.search(evaluation.pool, evaluation.seed)
    if not evaluation.searches:
        evaluation.note("no rare populations among the tested galaxies: nothing to search for")
    for name, found in evaluation.searches.items():
        evaluation.metrics["anomaly"][name] = rare_search.search_figures(
            found, evaluation.pool, evaluation.base_rate, evaluation.seed
        )
    counts = [row["normal"] for table in evaluation.metrics["anomaly"].values()
              for row in table.values() if "normal" in row]  # fmt: skip
    if counts and min(counts) * rare_search.FALSE_POSITIVES < 1:
        evaluation.note(
            f"{min(counts)} normal galaxies are too few for a false-positive rate of 1 %"
        )
    for first, second in rare_search.compared(evaluation.searches):
        better, worse = evaluation.searches[first], evaluation.searches[second]
        evaluation.metrics["anomaly_gains"][f"{first} over {second}"] = {
            name: rare_search.recall_gain(better, worse, name, evaluation.seed)
            for name in better.folds.classes[1:]
            if name in worse.folds.classes
        }


def measure_few_shot(evaluation: Evaluation) -> None:
    """The search for rare populations by a few examples, in every feature space."""
    drawn = few_shot.draw_others(evaluation.pool, evaluation.seed)
    evaluation.metrics["few_shot"] = few_shot.beside_photometry(drawn)
    for first, second in judged_beside(evaluation.pool.info.models):
        found = few_shot.gain_of(drawn, first, second)
        evaluation.metrics["few_shot_gains"][f"{first} over {second}"] = found


def judged_beside(models: Sequence[ModelInfo]) -> list[tuple[str, str]]:
    """The pairs of an embedding made elsewhere and each other model."""
    others = [model.name for model in models if model.kind != EMBEDDING]
    made = [model.name for model in models if model.kind == EMBEDDING]
    return [*product(others, made), *combinations(made, 2)]


def measure_field(evaluation: Evaluation) -> None:
    """The search for rare populations among very many galaxies of the field."""
    if evaluation.field:
        found = field_search.search_field(evaluation.pool, evaluation.field, evaluation.seed)
        evaluation.metrics["field"] = field_search.field_figures(found, evaluation.seed)


def measure_reconstruction(evaluation: Evaluation) -> None:
    """The mean squared reconstruction error on the test galaxies."""
    for model in evaluation.pool.info.models:
        error = evaluation.pool.latents[model.name]["recon_error"].to_numpy(np.float64)
        known = error[evaluation.pool.test & np.isfinite(error)]
        mse = float(known.mean()) if len(known) else np.nan
        evaluation.metrics["reconstruction"][model.name] = {"mse": mse, "n": len(known)}


def measure_disentanglement(evaluation: Evaluation) -> None:
    """How independent the latents are of each other, and what the free ones show."""
    for model in evaluation.pool.info.models:
        free = [] if model.kind == EMBEDDING else disentanglement.free_latents(model)
        figures: dict[str, Any] = {"free": free}
        if model.name in evaluation.estimates["models"]:
            figures["leaks"] = disentanglement.leaks(evaluation.pool, model)
            for free in figures["free"][:1]:
                found = binned_metrics.characters(evaluation.pool, model, free)
                evaluation.metrics["characters"][model.name] = found
        if codec := evaluation.codec(model.name):
            figures["swaps"] = disentanglement.swaps(
                evaluation.pool, model, codec, evaluation.seed
            )
        evaluation.metrics["disentanglement"][model.name] = figures


def measure_cost(evaluation: Evaluation) -> None:
    """Time and memory of encoding and decoding."""
    for model in evaluation.pool.info.models:
        if evaluation.store and (codec := evaluation.codec(model.name)):
            folder = evaluation.store.model_folder(model.name)
            found = cost(codec, folder, evaluation.pool.info.size, evaluation.seed)
            evaluation.metrics["cost"][model.name] = found


def _gain(
    evaluation: Evaluation, mine: Estimates, theirs: Estimates
) -> dict[str, dict[str, float]]:
    figures, test = {}, evaluation.pool.test
    for name in (label.name for label in LABELS if label.name in mine and label.name in theirs):
        truth = evaluation.pool.truth(name)[test]
        ours, others = mine[name].value[test], theirs[name].value[test]
        gain, low, high = r2_gain(truth, ours, others, name, evaluation.seed)
        figures[name] = {"gain": gain, "low": low, "high": high}
    return figures


STEPS: dict[str, Callable[[Evaluation], None]] = {
    "models": read_estimates,
    "vanilla_knn": estimate_by_neighbours,
    "photometry": estimate_by_photometry,
    "cnn": estimate_by_cnn,
    "labels": measure_labels,
    "gains": measure_gains,
    "bins": measure_bins,
    "anomaly": measure_search,
    "few_shot": measure_few_shot,
    "field": measure_field,
    "reconstruction": measure_reconstruction,
    "disentanglement": measure_disentanglement,
    "cost": measure_cost,
}
"""What is done to an evaluation, by name, in its order."""


def _origin(info: RunInfo) -> dict[str, Any]:
    """What a model learnt from, for how long, and from where it started."""
    return {
        "epochs": info.epoch[1],
        "sample": info.sample,
        "source": info.settings.get("source"),
        "init": info.settings.get("init"),
    }


def evaluate(evaluation: Evaluation) -> Mapping[str, Any]:
    """Take every step, with a progress bar and its seconds, and return the metrics."""
    steps = evaluation.steps()
    with tqdm(steps.items(), desc="evaluate", unit="step") as bar:
        for name, step in bar:
            bar.set_postfix_str(name)
            start = time.perf_counter()
            step()
            evaluation.metrics["seconds"][name] = time.perf_counter() - start
    return evaluation.metrics
