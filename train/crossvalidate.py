"""Cross-validate a training on a small sample: every galaxy is tested by a run without it.

    python -m train.crossvalidate data/samples/sdss data/reports/sdss-folds --epochs 60

The galaxies are dealt into folds; for each, a run is trained on the others, and baselines on the
same others. Options that this script does not know go to ``train.train``. A second call of the
same command goes on with the folds that are missing. Writes ``metrics.json``, ``tables.txt`` and
``estimates.parquet``. Galaxies that people labelled as rare (``--labels``) train in no fold; they
get estimates, but do not count in the tables.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pcvae.catalog import FIELD
from pcvae.cutouts import Sample, SampleInfo, read_sample
from pcvae.errors import SettingsError
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run

if TYPE_CHECKING:
    from pcvae.label_classes import Labelled
    from train.evaluation.galaxy_pool import Estimate, Estimates, Pool

TESTED = "tested-fold"  # a population that never trains, for the galaxies of the fold
LABELLED = "labelled"  # the same for those that people labelled as rare, in the other folds


def parse_args(argv: Sequence[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """Read the command line, and what of it is for ``train.train``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("sample", type=Path, help="folder made by a script of data/")
    add("report", type=Path, help="folder to make or to go on with")
    add("--folds", type=int, default=5, help="into how many parts the galaxies are dealt")
    add("--seed", type=int, default=0, help="fixes the folds, the runs and the baselines")
    add(
        "--labels",
        metavar="STORE_OR_JOURNAL",
        help="people's labels, by the rule of the dashboard: those by name never train",
    )
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_known_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Train and test all folds and return the report's folder."""
    args, options = parse_args(argv)
    with hold(args.report, break_lock=args.break_lock):
        return _make(args, options, argv)


def _make(args: argparse.Namespace, options: list[str], argv: Sequence[str] | None) -> Path:
    sample = read_sample(args.sample)
    _check(args, options, sample)
    labels = _labels(args.labels, sample)
    begun = [command("train.crossvalidate", argv), sample.checksum()]
    _begin(args.report, json.dumps(begun + ([labels.digest] if labels else [])))
    from train.evaluate import plain
    from train.evaluation.evaluation import Evaluation
    from train.report_pages.text_tables import text as tables

    fold = np.random.default_rng(args.seed).permutation(len(sample)) % args.folds
    never = _never(sample, labels)
    pool = _pool(sample, never)
    evaluation = Evaluation(pool, args.seed)
    evaluation.metrics["notes"] += [labels.message] if labels else []
    evaluation.metrics["folds"] = args.folds
    estimates: dict[str, dict[str, Estimates]] = {
        "models": {"physics": _by_models(args, options, sample, fold, never)},
        "baselines": _by_baselines(sample, pool, fold, args.seed),
    }
    evaluation.estimates.update(estimates)
    for name in ("labels", "gains", "bins"):
        evaluation.steps()[name]()
    metrics = plain(evaluation.metrics) | {"command": command("train.crossvalidate", argv)}
    (args.report / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (args.report / "tables.txt").write_text(tables(metrics) + "\n")
    _table(sample, fold, estimates["models"]["physics"]).to_parquet(
        args.report / "estimates.parquet", index=False
    )
    print(tables(metrics))
    print(f"\n{args.report}: metrics.json, tables.txt, estimates.parquet")
    return args.report


def _check(args: argparse.Namespace, options: Sequence[str], sample: Sample) -> None:
    """Raise settings errors before anything is written."""
    from pcvae.checkpoint import read_run, run_folder
    from train import train
    from train.initial_run import check_seen

    wanted = train.parse_args([str(args.sample), str(args.report), *options])
    if wanted.model == "vanilla":
        msg = "expected a physics model, found --model vanilla: it estimates no labels"
        raise SettingsError(msg)
    most = len(sample) // 2
    if not 2 <= args.folds <= most:
        msg = f"expected 2 to {most} --folds for {len(sample)} galaxies, found {args.folds}"
        raise SettingsError(msg)
    if wanted.init:
        tested = np.full(len(sample), "held_out")
        check_seen(read_run(run_folder(wanted.init)), sample.catalog["id"], tested)


def _begin(report: Path, text: str) -> None:
    report.mkdir(parents=True, exist_ok=True)
    settings = report / "command.json"
    if settings.exists() and settings.read_text() != text:
        begun = f"{report} was begun with another command or other labels, see {settings}"
        msg = f"{begun}: choose another name"
        raise SettingsError(msg)
    settings.write_text(text)


def _by_models(
    args: argparse.Namespace,
    options: list[str],
    sample: Sample,
    fold: NDArray[np.intp],
    never: NDArray[np.bool_],
) -> dict[str, "Estimate"]:
    from train import train
    from train.evaluation.galaxy_pool import estimates

    parts = []
    for number in range(args.folds):
        folder = args.report / f"fold-{number}"
        print(f"fold {number + 1} of {args.folds}")
        if not (folder / "run").exists():
            _write_fold(sample, fold == number, never, folder / "sample")
            paths = [str(folder / "sample"), str(folder / "run")]
            resume = (folder / "run.partial").exists() and ["--resume"]
            train.main(
                [*paths, "--seed", str(args.seed), "--test", "0", *options, *(resume or [])]
            )
        parts.append(_encoded(folder / "run", sample, np.flatnonzero(fold == number)))
    table = pd.concat(parts).sort_index()
    return estimates(table, sample.catalog)


def _write_fold(
    sample: Sample, tested: NDArray[np.bool_], never: NDArray[np.bool_], folder: Path
) -> None:
    """A sample that differs in its catalogue only: the fold's galaxies never train."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    catalog = sample.catalog.assign(
        population=np.select([tested, never], [TESTED, LABELLED], FIELD)
    )
    info = replace(sample.info, rare=(), hard_negative=(TESTED, LABELLED))
    catalog.to_parquet(folder / "catalog.parquet", index=False)
    (folder / "sample.json").write_text(json.dumps(asdict(info), indent=1) + "\n")
    (folder / "cutouts.zarr").symlink_to((sample.folder / "cutouts.zarr").resolve())


def _encoded(folder: Path, sample: Sample, rows: NDArray[np.intp]) -> pd.DataFrame:
    from pcvae.encode import Codec, latent_table

    codec = Codec.read(folder)
    parts = []
    for where, flux in sample.blocks():
        chosen = rows[(rows >= where.start) & (rows < where.stop)]
        if len(chosen):
            encoded = codec.encode(flux[chosen - where.start], decode=False)
            parts.append(latent_table(encoded, codec.space).set_index(chosen))
    return pd.concat(parts)


def _labels(address: str | None, sample: Sample) -> "Labelled | None":
    from pcvae.label_classes import labelled, read_labels

    if not address:
        return None
    catalog = sample.catalog
    named = list(catalog["id"]), list(catalog["population"]), sample.info.rare
    found = labelled(*named, read_labels(address))
    print(found.message)
    return found


def _never(sample: Sample, labels: "Labelled | None") -> NDArray[np.bool_]:
    """Which galaxies train in no fold: those that a label made rare, or left out; (N,)."""
    from pcvae.anomaly import UNUSED

    if labels is None:
        return np.zeros(len(sample), dtype=bool)
    now = np.array(labels.populations, dtype=object)
    changed = now != sample.catalog["population"].to_numpy(object)
    return changed & np.isin(now, [*labels.rare, UNUSED])


def _pool(sample: Sample, never: NDArray[np.bool_]) -> "Pool":
    from train.evaluation.galaxy_pool import Pool

    nobody = np.zeros(len(sample), dtype=bool)
    split = np.where(never, "held_out", "test")
    galaxies = sample.catalog.assign(row=np.arange(len(sample)), split=split)
    return Pool(_info(sample.info), galaxies, {}, nobody, nobody, ~never, ~nobody)


def _info(info: SampleInfo) -> Any:
    from pcvae.store import StoreInfo

    facts = {name: getattr(info, name) for name in ("bands", "pixel_scale", "size", "unit")}
    return StoreInfo(
        sample=info.name, source=info.source, **facts, rare=(), hard_negative=(), models=(),
        stamp_stretch=None, created=info.created, command=info.command,
    )  # fmt: skip


def _by_baselines(
    sample: Sample, pool: "Pool", fold: NDArray[np.intp], seed: int
) -> dict[str, "Estimates"]:
    """Estimates of each fold by baselines fitted to the others.

    The sigma of a fold is the standard deviation of the errors of the other folds, none of which
    was estimated by what had learnt from it.
    """
    from tqdm import tqdm

    from pcvae.metrics import errors
    from train.evaluation.aperture_photometry import annular_colours
    from train.evaluation.baselines import KINDS, by_photometry, photometry
    from train.evaluation.galaxy_pool import Estimate

    features = photometry(replace(pool, train=pool.test))
    if features is None:
        features = annular_colours([sample], sample.catalog["id"])
    estimates: dict[str, dict[str, Estimate]] = {f"photometry_{kind}": {} for kind in KINDS}
    steps = [(kind, number) for kind in KINDS for number in np.unique(fold)]
    for kind, number in tqdm(steps, desc="baselines", unit="fit"):
        held = fold == number
        found = by_photometry(replace(pool, train=~held & pool.test), features, kind, seed)
        for name, figures in found.items():
            nothing = Estimate(*np.full((2, len(pool)), np.nan))
            value, _ = estimates[f"photometry_{kind}"].setdefault(name, nothing)
            value[held] = figures.value[held]
    for found in estimates.values():
        for name, (value, sigma) in found.items():
            error = np.where(pool.test, errors(pool.truth(name), value, name), np.nan)
            for number in np.unique(fold):
                sigma[fold == number] = np.nanstd(error[fold != number])
    return dict(estimates)


def _table(sample: Sample, fold: NDArray[np.intp], found: "Estimates") -> pd.DataFrame:
    columns: dict[str, Any] = {"id": sample.catalog["id"], "fold": fold}
    for name, figures in found.items():
        columns |= {name: figures.value, f"{name}_sigma": figures.sigma}
    return pd.DataFrame(columns)


if __name__ == "__main__":
    run(main)
