"""Evaluate the models of a store: labels, baselines, rare galaxies.

    python -m train.evaluate data/stores/demo data/reports/demo

Writes ``metrics.json``, ``tables.txt`` and the page ``report.html`` into the report folder.
Labels are judged on normal galaxies of the test split; rare galaxies are looked for among those
of the test split and all that never train. Where a store has no test split, galaxies that no run
ever saw (``new``) are tested, and ``--train-store`` names a store with those that the baselines
learn from.
"""

import argparse
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pcvae.cutouts import read_sample
from pcvae.errors import SettingsError
from pcvae.folders import partial_folder, refuse_existing, replace_folder
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, run


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by python -m train.encode")
    add("report", type=Path, help="folder to make; must not exist")
    add(
        "--sample",
        type=Path,
        action="append",
        default=[],
        help="a sample with the pixels that baselines may need; may be repeated",
    )
    add("--cnn", action="store_true", help="a plain CNN as a baseline, minutes; needs --sample")
    add("--resnet-epochs", type=int, default=0, help=argparse.SUPPRESS)  # what --cnn was before
    add("--train-store", type=Path, help="a store of the same runs with the training galaxies")
    add(
        "--field",
        type=Path,
        action="append",
        default=[],
        help="a store of very many field galaxies, by the same runs, that rare ones are searched "
        "among; may be repeated",
    )
    add(
        "--labels",
        metavar="STORE_OR_JOURNAL",
        help="people's labels, by the rule of the dashboard: those by name are rare populations",
    )
    add("--base-rate", type=float, default=0.001, help="share of rare galaxies purity is for")
    add("--seed", type=int, default=0, help="fixes splits, SMOTE, baselines and bootstraps")
    add("--overwrite", action="store_true", help="replace REPORT")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Evaluate one store and return the report's folder."""
    args = parse_args(argv)
    with hold(args.report, break_lock=args.break_lock):
        return _make(args, argv)


def _make(args: argparse.Namespace, argv: Sequence[str] | None) -> Path:
    _check(args)
    from pcvae.label_classes import read_labels
    from pcvae.store import read_store
    from train.evaluation.evaluation import Evaluation, Inputs, evaluate
    from train.evaluation.galaxy_pool import gather, with_labels
    from train.report_pages.html_page import page
    from train.report_pages.sections import chapters
    from train.report_pages.text_tables import text

    store = read_store(args.store)
    train_store = read_store(args.train_store) if args.train_store else None
    samples = [read_sample(folder) for folder in args.sample]
    events = read_labels(args.labels) if args.labels else []
    pool, said = with_labels(gather(store, train_store), events)
    inputs = Inputs(store, samples, [read_store(folder) for folder in args.field])
    evaluation = Evaluation(
        pool, args.seed, args.base_rate, inputs, cnn=args.cnn or args.resnet_epochs > 0
    )
    evaluation.metrics["notes"] += said
    evaluation.metrics["train_source"] = train_store.info.source if train_store else None
    metrics = plain(evaluate(evaluation)) | {"command": command("train.evaluate", argv)}
    work = _begin(args.report)
    (work / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (work / "tables.txt").write_text(text(metrics) + "\n")
    sections = list(chapters(evaluation, metrics))
    (work / "report.html").write_text(page(metrics, store.info, sections))
    replace_folder(work, args.report)
    print(text(metrics))
    print(f"\n{args.report}: metrics.json, tables.txt, report.html")
    print(f"next: panel serve dashboard/app.py --args {args.store}")
    return args.report


def plain(value: Any) -> Any:
    """The same for JSON: NaN and infinity become None, numpy's numbers Python's.

    Example:
        >>> plain({"r2": float("nan"), "n": 3})
        {'r2': None, 'n': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check(args: argparse.Namespace) -> None:
    refuse_existing(args.report, SettingsError, overwrite=args.overwrite)
    if args.report.exists() and not (args.report / "metrics.json").exists():
        msg = f"expected a report in {args.report}, found no metrics.json: not replaced"
        raise SettingsError(msg)
    if not 0 < args.base_rate < 1:
        msg = f"expected --base-rate between 0 and 1, found {args.base_rate}"
        raise SettingsError(msg)


def _begin(report: Path) -> Path:
    work = partial_folder(report)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return work


if __name__ == "__main__":
    run(main)
