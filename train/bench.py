"""Time each step beside a plain form of the published code, in one run.

    python -m train.bench --only encode --json bench.json

Rounds of both forms alternate, so that a busy machine slows both; figures are medians.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pcvae.script import run

ROUNDS = 5
SIZE = 128  # pixels of the raw cutouts


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", choices=list(STEPS), action="append", help="this step alone; may be repeated")
    add("--json", type=Path, help="write the figures there too")
    add(
        "--galaxies", type=int, default=2000, help="galaxies an epoch, and of the neighbour search"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Time the steps, print their figures and return them."""
    args = parse_args(argv)
    figures = {}
    for name in args.only or [step for step in STEPS if step != "growth"]:
        figures[name] = STEPS[name](args.galaxies)
        shown = ", ".join(f"{key} {value:.4g}" for key, value in figures[name].items())
        print(f"{name}: {shown}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def simulate(_: int) -> dict[str, float]:
    """Milliseconds a galaxy and core that a simulated sample costs, measured and written."""
    import data.simulate as script

    few, many = 64, 320
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        # The first call reads the spectra, which later ones find in memory.
        for number, count in enumerate((few, few, many)):
            given = [f"{folder}/{number}", "--galaxies", str(count), "--workers", "1"]
            given += ["--red-spirals", "0", "--green-peas", "0", "--hard-negatives", "0"]
            began = time.perf_counter()
            script.main(given)
            seconds.append(time.perf_counter() - began)
    first, again, long = seconds
    return {"ms_per_galaxy": 1e3 * (long - again) / (many - few), "start_seconds": first - again}


def encode(_: int) -> dict[str, float]:
    """Microseconds a galaxy on one core, from raw pixels to latents with their errors.

    The published loop takes the same network through the same stretch and resize, but a galaxy
    at a time, with numpy's arcsinh and tanh and a full forward pass at batch 1: its authors get
    latents so. For equal work stand beside it the same loop without its decoder, and both with.
    """
    import torch

    from pcvae.encode import Codec

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    paper, default = (Codec(_run(name)) for name in ("paper", "default"))
    flux = _flux(256)
    seconds = _alternate(
        lambda: paper.encode(flux, decode=False),
        lambda: _published_encode(paper.run.model, paper.run.stretch, flux),
        lambda: _published_encode(paper.run.model.encode, paper.run.stretch, flux),
        lambda: paper.encode(flux),
        lambda: default.encode(flux, decode=False),
        lambda: default.encode(flux),
    )
    torch.set_num_threads(threads)
    ours, theirs, theirs_alone, decoded, newer, newer_decoded = (
        1e6 * number / len(flux) for number in seconds
    )
    return {
        "microseconds_per_galaxy": ours,
        "published_loop_microseconds_per_galaxy": theirs,
        "ratio_to_published_loop": theirs / ours,
        "ratio_with_the_encoder_alone_in_both": theirs_alone / ours,
        "ratio_with_the_decoder_in_both": theirs / decoded,
        "with_reconstruction_microseconds_per_galaxy": decoded,
        "default_recipe_ratio_to_published_loop": theirs / newer,
        "default_recipe_microseconds_per_galaxy": newer,
        "default_recipe_with_reconstruction_microseconds_per_galaxy": newer_decoded,
    }


def train(galaxies: int) -> dict[str, float]:
    """Seconds an epoch, with all cores: both recipes, and the published loop of recipe paper."""
    loops = {name: _epoch(name, galaxies) for name in ("paper", "default")}
    ours, newer, theirs = _alternate(
        loops["paper"], loops["default"], _published_epoch(galaxies), rounds=3
    )
    return {
        "galaxies": galaxies,
        "seconds_per_epoch": ours,
        "published_loop_seconds_per_epoch": theirs,
        "ratio_to_published_loop": theirs / ours,
        "default_recipe_seconds_per_epoch": newer,
    }


def neighbours(galaxies: int) -> dict[str, float]:
    """Microseconds a galaxy to find its 10 nearest; the published code's ball tree beside it."""
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    from pcvae.neighbours import Neighbours

    values = np.random.default_rng(0).normal(size=(50 * galaxies, 5))
    tree = Neighbours(values, whiten=False)
    ball = NearestNeighbors(n_neighbors=11, algorithm="ball_tree").fit(values)
    rows = np.arange(500)
    ours, theirs = _alternate(
        lambda: tree.query(rows, 10), lambda: [ball.kneighbors(values[[row]]) for row in rows]
    )
    return {
        "galaxies": len(values),
        "microseconds_per_query": 1e6 * ours / len(rows),
        "published_loop_microseconds_per_query": 1e6 * theirs / len(rows),
        "ratio_to_published_loop": theirs / ours,
    }


def bricks(_: int) -> dict[str, float]:
    """Microseconds a galaxy and core from a coadded brick on disk to a store, with its parts.

    The brick, of noise, is packed as those of the Legacy Surveys; galaxies lie all over it. What
    is measured is said of 9,000 and of 69,000 on it; 20 billion are that rate times their number.
    """
    import torch

    from pcvae.encode import Codec
    from train.evaluation.brick_speed import brick_figures

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    figures = brick_figures({name: Codec(_run(name)) for name in ("paper", "default")})
    torch.set_num_threads(threads)
    return figures


def stream(galaxies: int) -> dict[str, float]:
    """Seconds an epoch with images in files beside those in memory, and the memory of each."""
    from pcvae.recipes import RECIPES
    from train.evaluation.stream_speed import stream_figures

    return stream_figures(RECIPES["default"], galaxies)


def growth(_: int) -> dict[str, float]:
    """Seconds, peak memory and bytes from bricks to a HATS catalogue, for 1,000 to a million.

    Minutes and 1 GB of disk, so that ``--only growth`` alone measures it; for ``train.scale``.
    """
    from train.evaluation.growth import growth_figures

    return growth_figures(_run("paper"))


STEPS: dict[str, Callable[[int], dict[str, float]]] = {
    "simulate": simulate,
    "train": train,
    "encode": encode,
    "neighbours": neighbours,
    "bricks": bricks,
    "stream": stream,
    "growth": growth,
}


def _alternate(*calls: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The median seconds of each call, after one that warms up."""
    seconds: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for call, taken in zip(calls, seconds, strict=True):
            began = time.perf_counter()
            call()
            if turn:
                taken.append(time.perf_counter() - began)
    return [statistics.median(taken) for taken in seconds]


def _flux(count: int) -> Any:
    import numpy as np

    return np.random.default_rng(0).gamma(0.3, 0.3, (count, 3, SIZE, SIZE)).astype(np.float32)


def _run(recipe: str) -> Any:
    """A run of the recipe with the weights it begins with, which cost what trained ones do."""
    import dataclasses

    from pcvae.checkpoint import Run, RunInfo
    from pcvae.dataset import LatentSpace
    from pcvae.labels import Latent
    from pcvae.model import ConvVAE
    from pcvae.preprocess import Stretch
    from pcvae.recipes import RECIPES

    chosen = RECIPES[recipe]
    axes = tuple(Latent(f"latent_{i}", "") for i in range(chosen.model.latents))
    space = LatentSpace(axes, (0.0,) * len(axes), (1.0,) * len(axes), 4)
    order = (2, 1, 0) if chosen.red_first else (0, 1, 2)
    stretch = Stretch(
        ("g", "r", "z"), (1.0, 1.0, 1.0), chosen.model.size, 10.0,
        chosen.resize, chosen.resize_first, order, chosen.model.core, (0.01, 0.02, 0.04),
    )  # fmt: skip
    facts = {"kind": "physics", "recipe": recipe, "model": chosen.model, "space": space}
    facts["settings"] = {"size": SIZE, "pixel_scale": 0.262}
    empty: dict[str, Any] = {item.name: None for item in dataclasses.fields(RunInfo)}
    return Run(Path(), RunInfo(**empty | facts), ConvVAE(chosen.model).eval(), stretch)


def _published_encode(network: Callable[[Any], object], stretch: Any, flux: Any) -> None:
    import numpy as np
    import torch
    from torch.nn.functional import interpolate

    scale = np.array(stretch.scale)[:, None, None]
    with torch.no_grad():
        for raw in flux:
            image = np.tanh(np.arcsinh(10 * raw / scale))[::-1].copy()
            tensor = torch.tensor(image, dtype=torch.float32)[None]
            network(interpolate(tensor, size=stretch.size, mode="bicubic"))


def _galaxies(recipe: str, count: int) -> Any:
    import torch

    from pcvae.loss import Targets
    from pcvae.recipes import RECIPES
    from pcvae.trainer import Galaxies

    size, core = RECIPES[recipe].model.size, RECIPES[recipe].model.core
    labels = torch.randn(count, 4), torch.ones(count, 4)
    images = torch.rand(count, 3, size, size), torch.rand(count, 3, core, core)
    return Galaxies(images[0], Targets(*labels), images[1])


def _epoch(recipe: str, count: int) -> Callable[[], object]:
    """One epoch of our loop, validation of a tenth and everything on disk included."""
    from dataclasses import replace

    from lightning_fabric import Fabric

    from pcvae.dataset import LatentSpace
    from pcvae.model import ConvVAE
    from pcvae.recipes import RECIPES
    from pcvae.trainer import TrainingData, fit

    nothing = LatentSpace((), (), (), 0)
    chosen = RECIPES[recipe]
    once = replace(chosen, fit=replace(chosen.fit, epochs=1))
    training_data = TrainingData(_galaxies(recipe, count), _galaxies(recipe, count // 8), nothing)
    fabric = Fabric(accelerator="auto", devices=1)

    def epoch() -> None:
        with tempfile.TemporaryDirectory() as folder:
            fit(fabric, ConvVAE(chosen.model), training_data, once, Path(folder), _Silent())

    return epoch


def _published_epoch(count: int) -> Callable[[], object]:
    """One epoch of a plain loop: a loader that stacks galaxies, the default memory layout."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from pcvae.loss import LossConfig, Targets, objective
    from pcvae.model import ConvVAE
    from pcvae.recipes import RECIPES

    learn, check = _galaxies("paper", count), _galaxies("paper", count // 8)
    network = ConvVAE(RECIPES["paper"].model)
    adam = torch.optim.Adam(network.parameters(), lr=5e-6)

    def loader(galaxies: Any) -> Any:
        return DataLoader(TensorDataset(galaxies.image, *galaxies.targets), 128, shuffle=True)

    def score(image: Any, truth: Any, sigma: Any) -> Any:
        return objective(image, network(image), Targets(truth, sigma), LossConfig()).total

    def epoch() -> None:
        network.train()
        for batch in loader(learn):
            adam.zero_grad()
            score(*batch).backward()
            adam.step()
        network.eval()
        with torch.no_grad():
            for batch in loader(check):
                score(*batch).item()

    return epoch


class _Silent:
    def step(self, terms: dict[str, float]) -> None:
        """Say nothing."""

    def epoch(self, row: dict[str, float]) -> None:
        """Say nothing."""


if __name__ == "__main__":
    run(main)
