"""A run on disk: all settings, the weights, the stretch, the split and the metrics."""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from pcvae.dataset import LatentSpace
from pcvae.errors import RunError, SettingsError, brief
from pcvae.folders import read_facts, write_facts
from pcvae.model import ConvVAE, ModelConfig
from pcvae.preprocess import Stretch

__all__ = ["Run", "RunInfo", "read_run", "read_state", "run_folder", "write_run", "write_state"]

VERSION = 1
RETRAIN = "python -m train.train SAMPLE {}"
UNFIT = ArithmeticError, IndexError, MemoryError, TypeError, ValueError, SettingsError
SHIPPED = Path(__file__).parent / "pretrained"


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The settings and metadata of a run; ``run.json``.

    Args:
        kind: ``physics`` or ``vanilla``.
        recipe: The name of the recipe.
        settings: Every setting of the recipe and the command line.
        seed: Fixes the split, the weights and the batches.
        model: The sizes of the network.
        space: The axes of the latent space.
        sample: The sample's name.
        checksum: The sample's checksum.
        epoch: The epoch whose weights were kept, and how many there were.
        loss: The validation loss of that epoch.
        packages: Versions of what the numbers hang on.
        commit: The git commit; empty outside a checkout.
        command: The command that made it.
        created: When, in UTC; ISO 8601.
    """

    kind: str
    recipe: str
    settings: dict[str, Any]
    seed: int
    model: ModelConfig
    space: LatentSpace
    sample: str
    checksum: str
    epoch: tuple[int, int]
    loss: float
    packages: dict[str, str]
    commit: str
    command: str
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    version: int = VERSION


@dataclass(frozen=True)
class Run:
    """A finished run, opened for reading.

    Args:
        folder: Where it lies.
        info: All that it was made with.
        model: The network with its weights, in evaluation mode.
        stretch: How raw pixels become its images.
    """

    folder: Path
    info: RunInfo
    model: ConvVAE
    stretch: Stretch

    def split(self, ids: pd.Series) -> NDArray[np.str_]:
        """The split of these galaxies in this run; ``new`` where it never saw one.

        Raises:
            RunError: ``split.parquet`` is missing or broken.
        """
        path = self.folder / "split.parquet"
        try:
            table = pd.read_parquet(path, columns=["id", "split"]).set_index("id")["split"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"{path} cannot be read: {brief(error)}. Train again: "
            raise RunError(msg + RETRAIN.format(self.folder)) from error
        return ids.map(table).fillna("new").to_numpy("<U10")


def run_folder(run: str | Path) -> Path:
    """The folder of a run, or of the model of that name that comes with pcvae (``decals``)."""
    folder = Path(run)
    shipped = SHIPPED / folder
    named = len(folder.parts) == 1 and (shipped / "run.json").exists()
    return shipped if named and not folder.exists() else folder


def write_run(
    folder: Path,
    info: RunInfo,
    weights: Mapping[str, Tensor],
    stretch: Stretch,
) -> None:
    """Write the model, its settings and its metadata into ``folder``."""
    packed = save({name: value.contiguous() for name, value in weights.items()})
    (folder / "model.safetensors").write_bytes(packed)  # save_file hides it from other people
    stretch.write(folder)
    write_facts(folder / "run.json", asdict(info))


def read_run(folder: Path) -> Run:
    """Open the run in ``folder``.

    Raises:
        RunError: It is missing, unfinished, broken or of another version.
    """
    retrain = RETRAIN.format(folder)
    info = read_facts(folder / "run.json", RunInfo, VERSION, RunError, retrain)
    try:
        model = ConvVAE(info.model)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, RuntimeError, SafetensorError, *UNFIT) as error:
        msg = f"the weights in {folder} do not fit its run.json: {brief(error)}. Train again: "
        raise RunError(msg + retrain) from error
    model.eval()
    return Run(folder, info, model, Stretch.read(folder))


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``last.ckpt``, from which training goes on; a kill leaves the old or the new one."""
    begun, packed = folder / "last.ckpt.new", io.BytesIO()
    torch.save(dict(state), packed)
    begun.write_bytes(packed.getbuffer())  # torch does not say that a disk is full
    begun.replace(folder / "last.ckpt")


def read_state(folder: Path) -> dict[str, Any] | None:
    """Read ``last.ckpt``, tensors and plain values only; None if there is none.

    Raises:
        RunError: It is broken.
    """
    path = folder / "last.ckpt"
    if not path.exists():
        return None
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, EOFError, RuntimeError, UnpicklingError, *UNFIT) as error:
        msg = f"{path} cannot be read: {brief(error)}. Begin again with --overwrite"
        raise RunError(msg) from error
