"""Train recipe ``default`` with one setting changed at a time; compare on validation galaxies.

    python -m train.ablate data/samples/demo data/reports/ablation --epochs 24

Prints a table for ``train/LOG.md``: 1:1 R2 of the validation galaxies, in brackets what the change
brings (paired bootstrap, 95 %). A second call of the same command goes on where a killed one
stopped.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcvae.cutouts import Sample, read_sample
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import run

LABELS = ("redshift", "log_mass", "log_sfr")
ELONGATED = 0.7  # the axis ratio below which an orientation is asked for

CHANGES: dict[str, tuple[str, ...]] = {
    "default": (),
    "no core": ("model.core=0",),
    "core of 64 px": ("model.core=64",),
    "no magnitudes": ("model.magnitudes=false", "model.apertures=[]", "model.colours=false"),
    "magnitudes not decoded": ("model.magnitudes=false",),
    "no colours": ("model.colours=false",),
    "no dropout": ("model.dropout=0",),
    "dropout 0.2": ("model.dropout=0.2",),
    "decoder enlarges bilinearly": ("model.transposed=false",),
    "all latents drawn": ("model.sampled=null",),
    "orientation as the angle": ("labels.angle=phi",),
    "squared pulls, physics 1": ("loss.likelihood=chi2", "loss.physics=1"),
    "likelihood unweighted, beta 0": ("loss.beta=0",),
    "physics 10": ("loss.physics=10",),
    "physics 100": ("loss.physics=100",),
    "prior 1": ("loss.prior=1",),
    "no augmentation": ("fit.augment=false",),
    "constant rate 5e-4": ("fit.warmup=null", "fit.lr=5e-4"),
    "no running mean": ("fit.ema=0",),
    "no weight decay": ("fit.weight_decay=0",),
    "resized after the stretch, bicubic": ("resize=bicubic", "resize_first=false"),
}
"""What is set otherwise than in the recipe, by the name in the table."""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("sample", type=Path, help="folder made by a script of data/")
    add("out", type=Path, help="folder for the runs, to make or to go on with")
    add("--epochs", type=int, default=24, help="of every run")
    add("--seed", type=int, default=0, help="of every run")
    add("--only", nargs="*", choices=list(CHANGES), help="these changes, beside none")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Train what is missing, print the table and return its rows."""
    args = parse_args(argv)
    with hold(args.out, break_lock=args.break_lock):
        return _make(args)


def _make(args: argparse.Namespace) -> list[dict[str, Any]]:
    from train import train

    sample = read_sample(args.sample)
    rows: list[dict[str, Any]] = []
    for number, (name, settings) in enumerate(CHANGES.items()):
        if args.only is not None and settings and name not in args.only:
            continue
        folder = args.out / f"{number:02d}"
        if not folder.exists():
            told = [part for text in settings for part in ("--set", text)]
            common = ["--epochs", str(args.epochs), "--seed", str(args.seed)]
            train.main([str(args.sample), str(folder), *common, *told])
        rows.append({"name": name, **_judged(folder, sample)})
    print(_table(rows))
    return rows


def _judged(folder: Path, sample: Sample) -> dict[str, Any]:
    """The table of the run's estimates of its validation galaxies, and their catalogue."""
    import pandas as pd

    from pcvae.encode import Codec

    codec = Codec.read(folder)
    chosen = codec.run.split(sample.catalog["id"]) == "validation"
    parts = [codec.table(flux[chosen[where]]) for where, flux in sample.blocks()]
    seconds = float(pd.read_csv(folder / "metrics.csv")["seconds"].sum())
    found = pd.concat(parts, ignore_index=True)
    return {"found": found, "catalog": sample.catalog[chosen], "seconds": seconds}


def _table(rows: Sequence[dict[str, Any]]) -> str:
    head = ("", *LABELS, "covered by 90 %", "orientation [deg]", "image MSE", "seconds")
    lines = [head, ("---",) * len(head), *(_row(item, rows[0]) for item in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(item: dict[str, Any], first: dict[str, Any]) -> tuple[str, ...]:
    from pcvae.metrics import coverage, errors, r2, r2_gain

    found, catalog = item["found"], item["catalog"]
    cells, covered = [item["name"]], []
    for name in LABELS:
        truth = catalog[name].to_numpy(float)
        cell = f"{r2(truth, found[name]):.3f}"
        if item is not first:
            _, low, high = r2_gain(truth, found[name], first["found"][name])
            cell += f" ({low:+.3f} to {high:+.3f})"
        sigma = np.hypot(found[f"{name}_sigma"], np.nan_to_num(catalog[f"{name}_err"]))
        covered.append(f"{coverage(found[name] - truth, sigma, 0.9):.2f}")
        cells.append(cell)
    apart = errors(catalog["orientation"], found["orientation"], "orientation")
    long = (catalog["axis_ratio"] < ELONGATED) & (catalog["orientation_flag"].fillna(0) == 0)
    turned = np.degrees(np.nanmedian(np.abs(apart[long])))
    cells += [" ".join(covered), f"{turned:.1f}", f"{found['recon_error'].mean():.4f}"]
    return (*cells, f"{item['seconds']:.0f}")


if __name__ == "__main__":
    run(main)
