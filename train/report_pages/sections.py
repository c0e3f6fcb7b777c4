"""The sections of the report: figures, tables and how to read them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from train.evaluation.disentanglement import free_latents
from train.evaluation.evaluation import Evaluation
from train.report_pages import galaxy_figures, metric_figures
from train.report_pages.html_page import Section
from train.report_pages.text_tables import number, verdict

__all__ = ["chapters"]

PART_FIGURES = ("n", "r2", "nmad", "bias", "coverage68", "coverage90", "crps")


def chapters(evaluation: Evaluation, metrics: Mapping[str, Any]) -> Iterator[Section]:
    """Yield the sections in their order; what a store cannot show is left out."""
    yield _labels(evaluation)
    yield _calibration(metrics)
    yield _parts(metrics)
    yield _truth(metrics)
    yield _spaces(evaluation)
    yield _characters(metrics)
    if evaluation.searches:
        yield _rare(evaluation, metrics)
    yield _look_alikes(evaluation)
    yield _networks(evaluation, metrics)


def _labels(evaluation: Evaluation) -> Section:
    section = Section(
        "Fig. 1: catalogue and inferred values",
        "Bars are the catalogue's errors and the model's own sigmas, of many galaxies a typical "
        "one in the corner; the line is 1:1.",
    )
    for who, found in evaluation.estimates["models"].items():
        section.figure(
            metric_figures.label_figure(evaluation.pool, found, who), f"labels by {who}"
        )
    return section


def _calibration(metrics: Mapping[str, Any]) -> Section:
    section = Section(
        "Calibration",
        "Sigmas that mean what they say reach the coverage they claim, and have a flat PIT "
        "histogram. Photometry has one sigma for all galaxies, from the validation split.",
    )
    section.figure(metric_figures.calibration_figure(metrics), "calibration")
    return section


def _parts(metrics: Mapping[str, Any]) -> Section:
    section = Section(
        "By redshift, magnitude and population",
        "Redshift and magnitude bins hold a quarter of the tested galaxies each; magnitudes are "
        "of the middle band. Within a bin of little spread R2 says little; its scatter, bias and "
        "coverage do.",
    )
    for who in metrics["models"]:
        rows = [
            [label, kind, title, *(number(part[key]) for key in PART_FIGURES)]
            for label, kinds in metrics["bins"][who].items()
            for kind, parts in kinds.items()
            for title, part in parts.items()
            if part["n"]
        ]
        section.table(["label", "by", "part", *PART_FIGURES], rows, folded=f"{who}: all parts")
    section.say("Redshifts of each population (the paper's Green Peas come out too near):")
    rows = [
        [who, name, *(number(item[key]) for key in PART_FIGURES)]
        for who, labels in metrics["bins"].items()
        for name, item in labels.get("redshift", {}).get("population", {}).items()
        if who in metrics["models"] and item["n"]
    ]
    section.table(["", "population", *PART_FIGURES], rows)
    return section


def _truth(metrics: Mapping[str, Any]) -> Section:
    section = Section(
        "Attenuation",
        "The slope of the estimates against the labels: 1 for none. In simulations also against "
        "the truth, which the labels measure with errors.",
    )
    keys = ("attenuation", "attenuation_true", "bias_true", "r2_true")
    rows = [
        [who, label, *(number(item.get(key)) for key in keys)]
        for who, labels in metrics["against_truth"].items()
        for label, item in labels.items()
        if item["attenuation"] is not None
    ]
    section.table(["", "label", *keys], rows)
    return section


def _spaces(evaluation: Evaluation) -> Section:
    section = Section(
        "Fig. 2: the latent spaces",
        "Shaded are the regions of two-dimensional linear SVMs, which SMOTE has balanced: they "
        "claim far more galaxies than are rare.",
    )
    pool = evaluation.pool
    for model in (model for model in pool.info.models if not model.wide):
        drawn = metric_figures.projection_figure(pool, model, evaluation.seed, boundaries=True)
        section.figure(drawn, f"latent space of {model.name}")
    for model in pool.info.models:
        free = free_latents(model)
        if model.name in evaluation.estimates["models"] and free:
            section.figure(
                metric_figures.plane_figure(pool, model, free[0]), f"planes of {model.name}"
            )
    return section


def _characters(metrics: Mapping[str, Any]) -> Section:
    section = Section(
        "Compact, extended, quenched",
        "Medians of every population: half-light radius [px], free latent, specific "
        "star-formation rate [log 1/yr]; and the inferred share below the green valley.",
    )
    for model, populations in metrics["characters"].items():
        rows = [[name, *map(number, figures.values())] for name, figures in populations.items()]
        keys: list[str] = list(next(iter(populations.values()), {}))
        section.table([model, *(key.replace("_", " ") for key in keys)], rows)
    return section


def _rare(evaluation: Evaluation, metrics: Mapping[str, Any]) -> Section:
    section = Section(
        "The search for rare galaxies",
        "Row-normalised confusion matrices, and recall against false-positive rate (a line a "
        "repeat). The dotted line is a false-positive rate of 1 %.",
    )
    found = evaluation.searches
    section.figure(metric_figures.curve_figure(found, evaluation.pool.info.rare), "recall curves")
    section.figure(metric_figures.confusion_figure(found), "confusion matrices")
    rows = [
        [who, name, *(number(figures[key]) for key in ("gain", "low", "high")), verdict(figures)]
        for who, names in metrics["anomaly_gains"].items()
        for name, figures in names.items()
    ]
    section.say("Gain in recall at a 1 % false-positive rate, with its paired 95 % interval:")
    section.table(["", "population", "gain", "low", "high", "verdict"], rows)
    return section


def _look_alikes(evaluation: Evaluation) -> Section:
    section = Section(
        "Fig. 3: look-alikes",
        "Ranked by the number of rare galaxies that have one among their 10 nearest.",
    )
    if evaluation.store:
        for model in evaluation.pool.info.models:
            drawn = galaxy_figures.look_alike_figure(evaluation.pool, evaluation.store, model)
            section.figure(drawn, f"look-alikes in {model.name}")
    return section


def _networks(evaluation: Evaluation, metrics: Mapping[str, Any]) -> Section:
    section = Section("The networks")
    pool, store = evaluation.pool, evaluation.store
    known = [
        [model, number(figures["mse"]), str(figures["n"])]
        for model, figures in metrics["reconstruction"].items()
        if figures["n"]
    ]
    section.table(["reconstruction of tested galaxies", "mean squared error", "n"], known)
    codecs = [
        (model, codec)
        for model in pool.info.models
        if (codec := evaluation.codecs.get(model.name))
    ]
    if store is None or not codecs:
        return section
    drawn = galaxy_figures.reconstruction_figure(pool, store, codecs, evaluation.seed)
    section.figure(drawn, "galaxies and their reconstructions")
    for model, codec in codecs:
        section.say(f"What each latent of {model.name} paints:")
        section.figure(galaxy_figures.traversal_figure(pool, store, model, codec), model.name)
    _meanings(section, metrics)
    histories = {model.name: store.model_folder(model.name) / "metrics.csv" for model, _ in codecs}
    tables = {name: pd.read_csv(path) for name, path in histories.items() if path.exists()}
    if tables:
        section.figure(metric_figures.loss_figure(tables), "loss curves")
    return section


def _meanings(section: Section, metrics: Mapping[str, Any]) -> None:
    found = metrics["disentanglement"]
    section.say("How much swapping a latent between galaxies changes the decoded picture:")
    for model, figures in found.items():
        changes = figures.get("swaps") or {}
        if changes:
            section.table([model, *changes], [["change", *map(number, changes.values())]])
    section.say("With which R2 the free latent alone tells each label (0 for no leak):")
    for model, figures in found.items():
        told = figures.get("leaks") or {}
        if told:
            section.table([model, *told], [["R2", *map(number, told.values())]])
