"""Train a model on a sample.

    python -m train.train data/samples/demo data/runs/demo-physics --model physics

Writes the run folder: settings, weights, stretch, split and a row of metrics an epoch. A second
call of the same command goes on where a killed one stopped; so does ``--resume``, which takes all
other options from the unfinished run.
"""

import argparse
import dataclasses
import json
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pcvae.cutouts import Sample, read_sample
from pcvae.errors import RunError, SettingsError
from pcvae.folders import partial_folder, refuse_existing, replace_folder
from pcvae.labels import LABELS
from pcvae.lock import BREAK_LOCK, hold
from pcvae.script import command, device, run
from train.initial_run import check_init, check_seen, model_from_run
from train.progress_bar import ProgressBar
from train.resumption import begin, is_begun, labelled_sample, resumed_arguments, settings_of

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from pcvae.checkpoint import RunInfo
    from pcvae.dataset import LatentSpace
    from pcvae.model import ConvVAE
    from pcvae.preprocess import Stretch
    from pcvae.recipes import Recipe
    from pcvae.trainer import Best, TrainingData

MAX_NOISE_BLOCKS = 32  # of the sample, 64 galaxies each: enough to know its noise
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}  # Fabric's names
PACKAGES = ("lightning-fabric", "numpy", "torch")
DISPLAY_DROPOUT = 0.5  # of display images, which are few and tell the labels without a core


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add = parser.add_argument
    add("sample", type=Path, help="folder made by a script of data/")
    add("run", type=Path, help="run folder to make; must not exist")
    add("--recipe", default="default", choices=["default", "paper"], help="all other settings")
    add(
        "--model", default="physics", choices=["physics", "vanilla"], help="with or without labels"
    )
    add(
        "--latents",
        type=int,
        help="axes of the latent space, the angle as one; the recipe's by default",
    )
    add("--epochs", type=int, help="passes over the training galaxies; the recipe's by default")
    add("--batch", type=int, help="galaxies a step, over all devices; the recipe's by default")
    add("--lr", type=float, help="peak learning rate; the recipe's by default")
    add(
        "--init",
        metavar="RUN",
        help="a finished run, or decals, to start from: its weights, stretch and axes",
    )
    add(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="another choice of the recipe, such as loss.physics=10; may be repeated",
    )
    add(
        "--labels",
        metavar="STORE_OR_JOURNAL",
        help="people's labels, by the rule of the dashboard: those by name never train",
    )
    add("--seed", type=int, default=0, help="fixes the split, the weights and the batches")
    add("--validation", type=float, default=0.1, help="share that chooses the epoch")
    add("--test", type=float, default=0.1, help="share that is held back; 0 for none")
    add("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"], help="where to run")
    add("--devices", type=int, default=1, help="devices a node")
    add("--nodes", type=int, default=1, help="nodes, each running this same command")
    add(
        "--stream",
        action="store_true",
        help="keep the images in files beside the run, not in memory: for samples larger than it",
    )
    add(
        "--precision",
        default="32",
        choices=list(PRECISIONS),
        help="of a network's arithmetic: 16 (CUDA) or bf16 where that costs no accuracy",
    )
    add("--resume", action="store_true", help="go on with an unfinished RUN and its settings")
    add("--overwrite", action="store_true", help="replace RUN, finished or not")
    add("--break-lock", action="store_true", help=BREAK_LOCK)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Train one model and return its run folder."""
    args = parse_args(argv)
    args.command = command("train.train", argv)
    if args.resume:
        args = resumed_arguments(args)
    from lightning_fabric import Fabric

    fabric = Fabric(
        accelerator=device(args.device),
        devices=args.devices,
        num_nodes=args.nodes,
        strategy="ddp" if args.devices * args.nodes > 1 else "auto",
        precision=_precision(args),
    )
    fabric.launch()
    with hold(args.run, break_lock=args.break_lock) if fabric.is_global_zero else nullcontext():
        return _make(fabric, args)


def _precision(args: argparse.Namespace) -> Any:
    """Fabric's name of the precision.

    Raises:
        SettingsError: The device does not have it.
    """
    if args.precision == "16" and device(args.device) != "cuda":
        msg = "expected --precision 16 on a CUDA device, found none: use bf16, or 32"
        raise SettingsError(msg)
    return PRECISIONS[args.precision]


def _make(fabric: "Fabric", args: argparse.Namespace) -> Path:
    refuse_existing(args.run, RunError, overwrite=args.overwrite)
    sample = labelled_sample(args, read_sample(args.sample))
    settings = json.dumps(settings_of(args, sample), indent=1)
    begun = is_begun(args, settings)
    plan = _plan(args, sample)  # wrong settings are found before anything is on disk
    if fabric.is_global_zero and not begun:
        begin(args, settings)
    fabric.barrier()
    _train(fabric, args, sample, plan)
    fabric.barrier()
    if fabric.is_global_zero:
        print(f"next: python -m train.encode {args.sample} STORE --run {args.model}={args.run}")
    return args.run


class _Plan(NamedTuple):
    recipe: "Recipe"
    space: "LatentSpace"
    stretch: "Stretch"
    model: "ConvVAE"
    split: Any


def _train(fabric: "Fabric", args: argparse.Namespace, sample: Sample, plan: _Plan) -> None:
    from pcvae.trainer import fit

    folder = partial_folder(args.run)
    training_data = _training_data(fabric, args, plan, sample)
    if fabric.is_global_zero:
        counts = {
            item: int((plan.split == item).sum())
            for item in ("train", "validation", "test", "held_out")
        }
        print(f"{args.model} model, recipe {args.recipe}, {fabric.device}; galaxies: {counts}")
        print(f"latents: {', '.join(plan.space.names)} ({plan.space.tied} tied)")
    watcher = ProgressBar(plan.recipe.fit.epochs, quiet=not fabric.is_global_zero)
    best = fit(fabric, plan.model, training_data, plan.recipe, folder, watcher)
    watcher.close()
    if fabric.is_global_zero:
        _finish(args, sample, plan, training_data, best)


def _finish(
    args: argparse.Namespace,
    sample: Sample,
    plan: _Plan,
    training_data: "TrainingData",
    best: "Best",
) -> None:
    """Order the free latents, calibrate the sigmas, and write the run."""
    import pandas as pd

    from pcvae.checkpoint import write_run
    from train.evaluation.free_order import order_free
    from train.evaluation.outliers import ood_score
    from train.evaluation.sigma_calibration import calibrated
    from train.training_images import forget_images

    folder = partial_folder(args.run)
    validation = sample.catalog[plan.split == "validation"]
    plan.model.load_state_dict(best.weights)
    if not args.init:  # else the first run's axes stay
        order_free(plan.model, training_data.validation, plan.space.tied)
    ood, distance = ood_score(plan.model, training_data)
    if plan.recipe.loss.likelihood == "beta_nll":  # else no sigma was asked for
        told = plan.space, plan.recipe.labels, plan.model, training_data.validation, validation
        plan = plan._replace(space=calibrated(*told, ood.excess(distance)))
    info = _info(args, sample, plan, (best.epoch, best.epochs), best.loss)
    write_run(folder, info, plan.model.state_dict(), plan.stretch)
    ood.write(folder)
    forget_images(folder)
    table = pd.DataFrame({"id": sample.catalog["id"], "split": plan.split})
    table.to_parquet(folder / "split.parquet", index=False)
    replace_folder(folder, args.run)
    print(f"{args.run}: epoch {best.epoch + 1} of {best.epochs} kept, loss {best.loss:.4g}")


def _plan(args: argparse.Namespace, sample: Sample) -> _Plan:
    import torch

    from pcvae.anomaly import UNUSED
    from pcvae.dataset import assign_split, latent_space
    from pcvae.model import ConvVAE

    recipe = _recipe(args, sample.info.unit)
    populations, shares = list(sample.catalog["population"]), (args.validation, args.test)
    never = (*sample.info.held_out, *([UNUSED] if args.labels else []))
    split = assign_split(sample.catalog["id"], populations, never, args.seed, shares=shares)
    torch.manual_seed(args.seed)
    if args.init:
        from pcvae.checkpoint import read_run, run_folder

        first = read_run(run_folder(args.init))
        check_init(args, recipe, first, sample)
        check_seen(first, sample.catalog["id"], split)
        return _Plan(recipe, first.info.space, first.stretch, model_from_run(first, recipe), split)
    labels = recipe.labels if args.model == "physics" else None
    axes = recipe.latents if args.latents is None else args.latents
    space = latent_space(sample.catalog[split == "train"], labels, axes)
    if args.model == "physics" and not set(space.names) & {label.name for label in LABELS[1:]}:
        msg = (
            f"expected galaxies with redshift, log_mass or log_sfr in {args.sample} to train a "
            f"physics model, found none: train with --model vanilla, or name the columns that "
            f"have them when the sample is made (data.ingest --columns)"
        )
        raise SettingsError(msg)
    config = dataclasses.replace(
        recipe.model,
        bands=len(sample.info.bands),
        latents=len(space.latents),
        linear=sample.info.unit == "nanomaggy",
        core=(core := _core(recipe, sample)),
        tied=space.tied if core else 0,
    )
    if args.model == "vanilla":
        config = dataclasses.replace(config, sampled=None)
    elif config.sampled is not None:
        config = dataclasses.replace(config, sampled=len(space.latents) - space.tied)
    return _Plan(recipe, space, _stretch(recipe, sample, split), ConvVAE(config), split)


def _recipe(args: argparse.Namespace, unit: str = "nanomaggy") -> "Recipe":
    """The recipe for images in that unit, with what the command line changes."""
    from pcvae.recipes import RECIPES

    recipe = RECIPES[args.recipe]
    if unit != "nanomaggy" and recipe.model.core:
        model = dataclasses.replace(recipe.model, dropout=DISPLAY_DROPOUT)
        recipe = dataclasses.replace(recipe, model=model)
    given = {
        k: getattr(args, k) for k in ("epochs", "batch", "lr") if getattr(args, k) is not None
    }
    for name, value in given.items():
        if value <= 0:
            msg = f"expected --{name} above 0, found {value}"
            raise SettingsError(msg)
    fit = dataclasses.replace(recipe.fit, seed=args.seed, **given)
    recipe = dataclasses.replace(recipe, fit=fit)
    for text in args.set:
        name, _, value = text.partition("=")
        recipe = _changed(recipe, name.split("."), value, text)
    return recipe


def _changed(config: Any, names: Sequence[str], value: str, text: str) -> Any:
    """A copy of a recipe, or of a part of it, with one named setting changed."""
    name, *inner = names
    known = [field.name for field in dataclasses.fields(config) if field.name != "name"]
    now = getattr(config, name) if name in known else None
    if name not in known or dataclasses.is_dataclass(now) != bool(inner):
        msg = f"expected --set to name one of {', '.join(known)}, found {text}"
        raise SettingsError(msg)
    if inner:
        return dataclasses.replace(config, **{name: _changed(now, inner, value, text)})
    try:
        new = json.loads(value)
    except json.JSONDecodeError:
        new = value
    if isinstance(now, str) != isinstance(new, str):
        msg = f"expected a value like {now!r}, found {text}"
        raise SettingsError(msg)
    return dataclasses.replace(config, **{name: tuple(new) if isinstance(new, list) else new})


def _core(recipe: "Recipe", sample: Sample) -> int:
    """Raw pixels of the core; none of display images, whose bright pixels are saturated."""
    return min(recipe.model.core, sample.info.size) if sample.info.unit == "nanomaggy" else 0


def _stretch(recipe: "Recipe", sample: Sample, split: Any) -> "Stretch":
    from tqdm import tqdm

    from pcvae.preprocess import Stretch, mean_maxima, pixel_noise

    bands, core = sample.info.bands, _core(recipe, sample)
    scale: tuple[float, ...] = ()
    noise: tuple[float, ...] = ()
    if sample.info.unit == "nanomaggy":
        blocks = tqdm(sample.blocks(), "stretch", total=-(-len(sample) // 64), leave=False)
        scale = mean_maxima(flux[split[where] == "train"] for where, flux in blocks)
        some = islice(sample.blocks(), MAX_NOISE_BLOCKS) if core else ()
        noise = pixel_noise(flux[split[where] == "train"] for where, flux in some) if core else ()
    order = tuple(range(len(bands)))
    return Stretch(
        bands,
        scale,
        size=recipe.model.size,
        resize=recipe.resize,
        resize_first=recipe.resize_first,
        order=order[::-1] if recipe.red_first else order,
        core=core,
        noise=noise,
    )


def _training_data(
    fabric: "Fabric", args: argparse.Namespace, plan: _Plan, sample: Sample
) -> "TrainingData":
    import numpy as np
    import torch

    from pcvae.dataset import measure_labels
    from pcvae.loss import Targets
    from pcvae.trainer import Galaxies, TrainingData
    from train.training_images import prepared_images

    space = plan.space
    names = space.names[: space.tied]
    measured = measure_labels(sample.catalog, names, plan.recipe.labels)
    mean, scale = np.array(space.mean[: space.tied]), np.array(space.scale[: space.tied])
    truth = torch.tensor((measured.truth - mean) / scale, dtype=torch.float32)
    sigma = torch.tensor(measured.sigma / scale, dtype=torch.float32)
    rows = {item: np.flatnonzero(plan.split == item) for item in ("train", "validation")}
    folder = partial_folder(args.run) if args.stream else None
    images = prepared_images(fabric, plan.stretch, sample, rows, folder)
    galaxies = {
        k: Galaxies(image, Targets(truth[rows[k]], sigma[rows[k]]), core)
        for k, (image, core) in images.items()
    }
    return TrainingData(galaxies["train"], galaxies["validation"], space)


def _info(
    args: argparse.Namespace, sample: Sample, plan: _Plan, epoch: tuple[int, int], loss: float
) -> "RunInfo":
    from pcvae.checkpoint import RunInfo

    return RunInfo(
        kind=args.model,
        recipe=args.recipe,
        settings={
            **settings_of(args, sample),
            "recipe": dataclasses.asdict(plan.recipe),
            **{k: getattr(sample.info, k) for k in ("size", "pixel_scale", "source", "dust")},
        },
        seed=args.seed,
        model=plan.model.config,
        space=plan.space,
        sample=sample.info.name,
        checksum=sample.checksum(),
        epoch=epoch,
        loss=loss,
        packages={name: version(name) for name in PACKAGES},
        commit=_commit(),
        command=args.command,
    )


def _commit() -> str:
    head, here = ["git", "rev-parse", "HEAD"], Path(__file__).parent
    found = subprocess.run(head, cwd=here, capture_output=True, text=True, check=False)
    return found.stdout.strip()


if __name__ == "__main__":
    run(main)
