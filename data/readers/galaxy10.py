"""Galaxy10 DECaLS: 17,736 colour pictures in ten classes, in one HDF5 file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.npz_arrays import as_shown
from data.readers.raw_image import RawImage
from pcvae.errors import SettingsError, ShapeError

__all__ = ["CLASSES", "Galaxy10Source", "galaxy10_file", "open_galaxy10"]

# In the order of the file's numbers, as its makers list them (astroNN documentation).
CLASSES = (
    *("disturbed", "merging", "round_smooth", "in_between_smooth", "cigar_smooth"),
    *("barred_spiral", "tight_spiral", "loose_spiral", "edge_on_no_bulge", "edge_on_bulge"),
)
COLUMNS = ("ra", "dec", "redshift", "pxscale")


class Galaxy10Source:
    """The pictures, read from disk as they are needed.

    Args:
        path: The file.
        images: Its dataset (N, S, S, 3) of uint8, first row at the top, red (z) first.
        scales: Arcsec a pixel of each.
    """

    unit = "stretched"
    bands = ("g", "r", "z")

    def __init__(self, path: Path, images: Any, scales: NDArray[np.float64]) -> None:
        self.files, self._images, self._scales = [path], images, scales
        self.size = int(images.shape[1])
        known = scales[np.isfinite(scales)]
        self.pixel_scale = round(float(np.median(known)), 4) if len(known) else None

    def read(self, row: int) -> RawImage:
        """The picture of a row."""
        image = np.asarray(self._images[row])
        scale = float(self._scales[row])
        return as_shown(image, scale if np.isfinite(scale) else None)


def galaxy10_file(place: Path) -> Path | None:
    """The HDF5 file that a place is, or that lies in it; None if there is none."""
    if place.is_file():
        return place if place.suffix in (".h5", ".hdf5") else None
    found = sorted(place.glob("Galaxy10*.h5"))
    return found[0] if found else None


def open_galaxy10(path: Path) -> tuple[pd.DataFrame, Galaxy10Source]:
    """The table, with each galaxy's ``category``, and the pictures.

    Raises:
        ShapeError: The file is not as described.
        SettingsError: The reader of HDF5 is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        msg = f"{path.name} needs h5py: pip install -e '.[survey]'"
        raise SettingsError(msg) from error
    try:
        file = h5py.File(path)
        images, classes = file["images"], np.asarray(file["ans"])
    except (OSError, KeyError) as error:
        msg = f"expected datasets 'images' and 'ans' in {path}: {error}"
        raise ShapeError(msg) from error
    shape = images.shape
    colour = len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3 and images.dtype == "u1"
    if not colour or len(classes) != shape[0] or classes.max(initial=0) >= len(CLASSES):
        msg = (
            f"expected images (N, S, S, 3) of uint8 and N classes below {len(CLASSES)} in {path}, "
            f"found {shape} of {images.dtype} and {len(classes)} classes"
        )
        raise ShapeError(msg)
    table = pd.DataFrame({name: np.asarray(file[name]) for name in COLUMNS if name in file})
    table.insert(0, "id", [f"galaxy10_{row:05d}" for row in range(len(classes))])
    table["survey"] = "Galaxy10 DECaLS"
    table["category"] = np.array(CLASSES)[classes.astype(int)]
    scales = table.pop("pxscale") if "pxscale" in table else pd.Series(np.nan, table.index)
    return table, Galaxy10Source(path, images, np.asarray(scales, np.float64))
