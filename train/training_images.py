"""The images that a network is trained on: in memory, or in files beside the run.

Shapes are written with N galaxies, C bands and S x S network pixels.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import torch
from tqdm import tqdm

from pcvae.cutouts import PART, Sample
from pcvae.errors import SettingsError
from pcvae.image_file import ImageFile

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from pcvae.preprocess import Stretch

    Images = torch.Tensor | ImageFile

__all__ = ["FOLDER", "forget_images", "prepared_images"]

FOLDER = "images"  # in the unfinished run: the files
Rows = Mapping[str, np.ndarray[Any, np.dtype[np.intp]]]


def prepared_images(
    fabric: "Fabric", stretch: "Stretch", sample: Sample, rows: Rows, folder: Path | None
) -> Mapping[str, tuple["Images", "Images"]]:
    """The network's images (n, C, S, S) and cores of the rows of each split.

    Args:
        fabric: Launched; of its processes one writes files, which all of them must see.
        stretch: Makes them of the cutouts.
        sample: The galaxies, N of them, read chunk by chunk once.
        rows: Of each split, rising.
        folder: The unfinished run, to keep them in files there; None to keep them in memory.

    Raises:
        SettingsError: They do not fit into the memory that is free.
    """
    shapes = _shapes(stretch, rows)
    if folder is None:
        nodes = getattr(fabric.strategy, "num_nodes", 1)
        _check_memory(shapes, fabric.world_size // nodes)
        found = {name: tuple(map(torch.empty, pair)) for name, pair in shapes.items()}
        _fill(found, stretch, sample, rows, quiet=not fabric.is_global_zero)
        return {name: (image, core) for name, (image, core) in found.items()}
    where = folder / FOLDER
    files = _files(where, shapes)
    if fabric.is_global_zero and not all(
        file.is_whole() for pair in files.values() for file in pair
    ):
        begun = where.with_name(f"{FOLDER}.new")
        shutil.rmtree(begun, ignore_errors=True)
        shutil.rmtree(where, ignore_errors=True)
        begun.mkdir()
        fresh = _files(begun, shapes)
        for file in (file for pair in fresh.values() for file in pair):
            file.make_room()
        _fill(fresh, stretch, sample, rows, quiet=False)
        begun.rename(where)
    fabric.barrier()
    return files


def forget_images(folder: Path) -> None:
    """Remove the files from an unfinished run."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _shapes(stretch: "Stretch", rows: Rows) -> dict[str, tuple[Sequence[int], Sequence[int]]]:
    bands, size, core = len(stretch.bands), stretch.size, stretch.core
    return {
        name: ((len(some), bands, size, size), (len(some), bands, core, core))
        for name, some in rows.items()
    }


def _files(
    folder: Path, shapes: Mapping[str, tuple[Sequence[int], Sequence[int]]]
) -> dict[str, tuple[ImageFile, ImageFile]]:
    return {
        name: (
            ImageFile(folder / f"{name}.f4", image),
            ImageFile(folder / f"{name}-core.f4", core),
        )
        for name, (image, core) in shapes.items()
    }


def _check_memory(shapes: Mapping[str, Sequence[Sequence[int]]], processes: int) -> None:
    """Refuse images that are larger than the free memory, those of all processes of a node."""
    pixels = sum(int(np.prod(shape)) for pair in shapes.values() for shape in pair)
    needed, free = 4 * pixels * processes, psutil.virtual_memory().available
    if needed > free:
        msg = f"expected images that fit into the free memory of {free / 1e9:.1f} GB, found "
        raise SettingsError(
            f"{msg}{needed / 1e9:.1f} GB: add --stream, which reads them from disk"
        )


def _fill(
    found: Mapping[str, tuple["Images", ...]],
    stretch: "Stretch",
    sample: Sample,
    rows: Rows,
    *,
    quiet: bool,
) -> None:
    total = -(-len(sample) // PART)
    for where, flux in tqdm(sample.blocks(), "images", total=total, leave=False, disable=quiet):
        for name, of in rows.items():
            first, last = np.searchsorted(of, [where.start, where.stop])
            if last > first:
                chosen = torch.as_tensor(flux[of[first:last] - where.start])
                image, core = found[name]
                image[first:last] = stretch(chosen)
                core[first:last] = stretch.cut_core(chosen)
