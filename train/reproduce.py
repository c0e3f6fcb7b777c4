"""Measure again what train/LOG.md states of recipe ``default``, with the commands it prints.

    python -m train.reproduce data/reports/again --list
    python -m train.reproduce data/reports/again

Simulates the samples, trains, encodes and judges, and prints the figures beside what is wanted of
them. A second call goes on where a killed one stopped; ``--only`` picks steps by their beginning.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pcvae.errors import PcvaeError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import run

EPOCHS = 28  # on 6,000 galaxies
PAPER_EPOCHS = 40  # recipe paper, whose epochs are shorter, then takes longer than recipe default
SPRINT = 1  # epochs of the short run that overtakes recipe paper
PRETRAIN = 40  # epochs on simulated SDSS galaxies
TUNE = ("--epochs", 60, "--lr", 5e-3, "--set", "model.dimming=0.5")  # on a few real ones
RARE = "starburst,post-starburst"
FIELD_SEEDS = range(31, 36)  # of samples of field galaxies that rare ones are searched among
FIELD_SIZE = 20_000  # galaxies of each; its pixels are removed once they are encoded
LABELS = ("redshift", "log_mass", "log_sfr")
CLAIMED = ("orientation", *LABELS)  # labels with an interval


class Step(NamedTuple):
    """A command, and the file or folder that says that it is done."""

    name: str
    script: str
    options: list[str]
    done: Path
    removed: Path | None = None  # what is not needed once it is done

    @property
    def shown(self) -> str:
        """As a person would type it."""
        return " ".join(["python", "-m", self.script, *self.options])


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("out", type=Path, help="folder to make or to go on with; about 12 GB")
    add("--real", type=Path, help="a folder that data.ingest reads: real SDSS galaxies; optional")
    add("--only", default="", help="the steps whose names begin so")
    add("--list", action="store_true", help="print the commands and run nothing")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is missing, print the figures and return them."""
    args = parse_args(argv)
    with nullcontext() if args.list else hold(args.out, break_lock=args.break_lock):
        return _run(args)


def _run(args: argparse.Namespace) -> dict[str, Any]:
    for step in steps(args.out, args.real):
        if not step.name.startswith(args.only):
            continue
        print(f"[{step.name}] {step.shown}", flush=True)
        if not (args.list or step.done.exists()):
            _call(step)
        if step.removed and step.done.exists() and not args.list:
            shutil.rmtree(step.removed, ignore_errors=True)
    if args.list:
        return {}
    found = figures(args.out)
    print(json.dumps(found, indent=1))
    return found


def steps(out: Path, real: Path | None) -> Iterator[Step]:
    """All commands in their order."""
    yield from _simulated(out)
    yield from _judged(out)
    if real:
        yield from _real(out, real)


def figures(out: Path) -> dict[str, Any]:
    """The goals of recipe ``default``, and their figures in the reports so far."""
    found: dict[str, Any] = {}
    report = out / "report" / "metrics.json"
    if report.exists():
        found |= _on_simulated(json.loads(report.read_text()), out)
    for name in ("folds", "folds-plain"):
        report = out / name / "metrics.json"
        if report.exists():
            found[f"4: {name}: R2 and gain over extra-trees"] = _over_trees(report)
    report = out / "report-sdss" / "metrics.json"
    if report.exists():
        found["4: rare"] = _rare(json.loads(report.read_text()))
    return found


def _call(step: Step) -> None:
    step.done.parent.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run([sys.executable, "-m", step.script, *step.options], check=False)
    if ended.returncode or not step.done.exists():
        msg = (
            f"{step.name} ended with status {ended.returncode}; to go on, run again: {step.shown}"
        )
        raise PcvaeError(msg)


def _step(name: str, script: str, done: Path, *options: object) -> Step:
    return Step(name, script, [str(text) for text in options], done)


def _simulate(name: str, out: Path, *options: object) -> Step:
    return _step(f"simulate-{name}", "data.simulate", out / name, out / name, *options)


def _simulated(out: Path) -> Iterator[Step]:
    none = ("--red-spirals", 0, "--green-peas", 0)
    some = ("--red-spirals", 300, "--green-peas", 300)
    yield _simulate("train6k", out, "--galaxies", 6000, *none, "--seed", 1)
    yield _simulate("test4k", out, "--galaxies", 4000, *some, "--seed", 2)
    for recipe, model in (("default", "physics"), ("default", "vanilla"), ("paper", "physics")):
        epochs = PAPER_EPOCHS if recipe == "paper" else EPOCHS
        chosen = ("--recipe", recipe, "--model", model, "--epochs", epochs)
        yield _train(f"{recipe}-{model}", out, "train6k", *chosen)
    yield _train("sprint", out, "train6k", "--epochs", SPRINT)


def _train(name: str, out: Path, sample: str, *options: object) -> Step:
    done = out / "runs" / name
    return _step(f"train-{name}", "train.train", done, out / sample, done, *options)


def _judged(out: Path) -> Iterator[Step]:
    runs = out / "runs"
    given = [
        *("--run", f"physics={runs / 'default-physics'}"),
        *("--run", f"vanilla={runs / 'default-vanilla'}"),
        *("--run", f"paper={runs / 'paper-physics'}"),
        *("--run", f"sprint={runs / 'sprint'}"),
    ]
    for sample in ("train6k", "test4k"):
        store = out / "stores" / sample
        yield _step(f"encode-{sample}", "train.encode", store, out / sample, store, *given)
    stores = (out / "stores" / "test4k", out / "report", "--train-store", out / "stores/train6k")
    pixels = ("--cnn", "--sample", out / "train6k", "--sample", out / "test4k")
    fields = [out / "stores" / f"field-{seed}" for seed in FIELD_SEEDS]
    for seed, store in zip(FIELD_SEEDS, fields, strict=True):
        yield from _field(out, seed, store, given)
    searched = [item for store in fields for item in ("--field", store)]
    yield _step("evaluate", "train.evaluate", out / "report", *stores, *pixels, *searched)


def _field(out: Path, seed: int, store: Path, runs: Sequence[str]) -> Iterator[Step]:
    """Simulate field galaxies, encode them, and keep their latents only."""
    sample = out / f"field-{seed}"
    none = ("--red-spirals", 0, "--green-peas", 0, "--hard-negatives", 0)
    options = (sample, "--galaxies", FIELD_SIZE, *none, "--seed", seed)
    done = store if store.exists() else sample
    yield _step(f"simulate-field-{seed}", "data.simulate", done, *options)
    step = _step(f"encode-field-{seed}", "train.encode", store, sample, store, *runs)
    yield step._replace(options=[*step.options, "--no-stamps"], removed=sample)


def _real(out: Path, real: Path) -> Iterator[Step]:
    bands = ("--bands", "g,r,i", "--pixel-scale", 0.25)
    rare = ("--population-column", "category", "--rare", RARE)
    sdss = out / "sdss"
    yield _step("sdss-ingest", "data.ingest", sdss, real, sdss, *bands, *rare)
    none = ("--red-spirals", 0, "--green-peas", 0, "--hard-negatives", 0)
    survey = ("--survey", "sdss", "--colour", "--seed", 3)
    yield _simulate("sdss-like", out, "--galaxies", 3000, *none, *survey)
    yield _train("sdss-like", out, "sdss-like", "--epochs", PRETRAIN)
    folds, init = out / "folds", ("--init", out / "runs" / "sdss-like")
    given = (sdss, folds, *init, *TUNE)
    yield _step("sdss-folds", "train.crossvalidate", folds / "metrics.json", *given)
    plain = out / "folds-plain"
    done = plain / "metrics.json"
    yield _step("sdss-folds-plain", "train.crossvalidate", done, sdss, plain, "--epochs", 60)
    yield _train("sdss-physics", out, "sdss", *init, *TUNE)
    yield _train("sdss-vanilla", out, "sdss", "--model", "vanilla", "--epochs", 60)
    store, runs = out / "stores" / "sdss", out / "runs"
    two = [f"{kind}={runs / f'sdss-{kind}'}" for kind in ("physics", "vanilla")]
    named = ("--run", two[0], "--run", two[1])
    yield _step("sdss-encode", "train.encode", store, sdss, store, *named)
    report = out / "report-sdss"
    yield _step("sdss-evaluate", "train.evaluate", report, store, report, "--sample", sdss)


def _on_simulated(metrics: dict[str, Any], out: Path) -> dict[str, Any]:
    ours, gains = metrics["models"]["physics"], metrics["gains"]["physics"]
    mse = {name: figures["mse"] for name, figures in metrics["reconstruction"].items()}
    return {
        "1: R2": {label: _rounded(ours[label]["r2"]) for label in LABELS},
        "1: gain over gradient boosting; wanted 0.03, 0.03, 0.10": {
            label: _interval(gains["photometry_gbt"][label], "gain") for label in LABELS
        },
        "1: gain over a plain CNN; wanted -0.005 at least": {
            label: _interval(gains["cnn"][label], "gain") for label in LABELS if "cnn" in gains
        },
        "1: r2_linear of redshift": {
            name: _rounded(metrics["models"][name]["redshift"]["r2_linear"])
            for name in ("physics", "paper", "sprint")
        },
        "1: seconds of training": {
            name: _seconds(out / "runs" / name)
            for name in ("default-physics", "paper-physics", "sprint")
        },
        "1: share of recipe paper's seconds that sprint takes; wanted below 0.05": _rounded(
            _seconds(out / "runs" / "sprint") / _seconds(out / "runs" / "paper-physics")
        ),
        "2: coverage of 90 % intervals; wanted 0.88 to 0.92": {
            item: _rounded(ours[item]["coverage90"]) for item in CLAIMED
        },
        "2: the same in bins of redshift; wanted 0.85 to 0.95": _by_redshift(metrics),
        "3: mean squared error of the images": mse,
        "3: orientation, median error [deg], axis ratio below 0.7": _orientation(out),
        "5: rare": _rare(metrics),
    }


def _by_redshift(metrics: dict[str, Any]) -> dict[str, list[float]]:
    table = metrics["bins"]["physics"]
    return {
        item: [_rounded(part["coverage90"]) for part in table[item]["redshift"].values()]
        for item in CLAIMED
    }


def _orientation(out: Path) -> dict[str, float]:
    """Among field galaxies whose measurement carries no flag."""
    from pcvae.labels import angle_difference
    from pcvae.store import read_store

    store = read_store(out / "stores" / "test4k")
    galaxies = store.galaxies
    good = (galaxies["population"] == "field") & (galaxies["axis_ratio"] < 0.7)
    good &= galaxies["orientation_flag"] == 0
    found = {}
    for model in ("physics", "paper"):
        angle = store.latents(model)["orientation"].to_numpy()
        apart = angle_difference(angle, galaxies["orientation"].to_numpy())[good]
        found[model] = round(float(np.degrees(np.nanmedian(np.abs(apart)))), 2)
    return found


def _rare(metrics: dict[str, Any]) -> dict[str, Any]:
    keys = ("n", "recall", "false_positive_rate", "recall_at_fpr_0.01", "average_precision")
    return {
        model: {
            name: {key: figures.get(key) for key in keys} for name, figures in populations.items()
        }
        for model, populations in metrics["anomaly"].items()
    }


def _over_trees(report: Path) -> dict[str, Any]:
    metrics = json.loads(report.read_text())
    gains = metrics["gains"]["physics"]["photometry_extra_trees"]
    return {
        label: {"r2": _rounded(metrics["models"]["physics"][label]["r2"])}
        | {"gain": _interval(gains[label], "gain")}
        for label in LABELS
    }


def _interval(item: dict[str, float], name: str) -> list[float]:
    return [_rounded(item[key]) for key in (name, "low", "high")]


def _rounded(value: float | None) -> float:
    return round(float("nan") if value is None else value, 3)


def _seconds(folder: Path) -> float:
    return round(float(pd.read_csv(folder / "metrics.csv")["seconds"].sum()), 1)


if __name__ == "__main__":
    run(main)
