"""Galaxies from one array file, ``images.npz``, with rows in the catalogue's order.

Shapes are written with N galaxies, C bands and S x S pixels.
"""

import math
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.readers.raw_image import LeftOutError, RawImage
from pcvae.errors import SettingsError, ShapeError, brief

__all__ = ["COLOURS", "ArraySource", "as_shown"]

COLOURS = ("blue", "green", "red")  # what the planes of a colour picture are, if nothing is said
MAX_RATIO = 500  # of bytes to packed ones; images with noise have less than ten
SMALL = 1 << 28  # bytes that are read whatever they hold
UNREADABLE = (  # what numpy and zipfile raise for files that are no arrays, or broken ones
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError),
    *(RuntimeError, SyntaxError, AttributeError, BadZipFile, zlib.error),
)
SCALE_COLUMNS = ("pixel_scale", "pixscale")  # arcsec


class ArraySource:
    """Float ``images`` (N, C, S, S) in nanomaggies, or colour pictures (N, S, S, 3) of uint8.

    Float rows grow upwards, as in FITS. A colour picture has its first row at the top, as
    screens do, and its channels red first; it is turned over, and its channels reversed.

    Args:
        path: The file. ``ids`` and ``bands``, if it has them, must agree with what else is said.
        catalog: A row a galaxy, in the order of the images; ``pixel_scale`` may say each one's.
        bands: The bands in the order of the planes, bluest first; None takes the file's.
        pixel_scale: The scale of the images [arcsec] where the catalogue has none.

    Raises:
        ShapeError: The array is not as described.
        SettingsError: The bands are not known, or the file contradicts the catalogue.
    """

    def __init__(
        self,
        path: Path,
        catalog: pd.DataFrame,
        bands: tuple[str, ...] | None,
        pixel_scale: float | None,
    ) -> None:
        self.files, arrays = [path], _load(path)
        self._images = _images(path, arrays)
        _same_galaxies(path, len(self._images), arrays.get("ids"), catalog)
        display = self._images.dtype == np.uint8
        self.unit = "stretched" if display else "nanomaggy"
        self.size = int(self._images.shape[2])
        self.bands = self._bands(path, arrays.get("bands"), bands)
        self._scales = _scales(catalog, pixel_scale)
        known = self._scales[np.isfinite(self._scales)]
        self.pixel_scale = pixel_scale or (float(np.median(known)) if len(known) else None)

    def read(self, row: int) -> RawImage:
        """The picture of a row of the catalogue."""
        middle = ((self.size - 1) / 2,) * 2
        scale = float(self._scales[row])
        known = scale if np.isfinite(scale) else None
        image = self._images[row]
        if self.unit == "nanomaggy":
            return RawImage(np.asarray(image, np.float32), middle, known)
        return as_shown(np.asarray(image), known)

    def _bands(
        self, path: Path, stored: NDArray[np.generic] | None, wanted: tuple[str, ...] | None
    ) -> tuple[str, ...]:
        planes = 3 if self.unit == "stretched" else self._images.shape[1]
        named = tuple(map(str, np.ravel(stored))) if stored is not None else None
        if wanted and named and wanted != named:
            msg = f"{path} names its bands {','.join(named)}, --bands says {','.join(wanted)}"
            raise SettingsError(msg)
        bands = wanted or named or (COLOURS if self.unit == "stretched" else None)
        if bands is None:
            msg = f"{path} does not name its {planes} bands: pass for example --bands g,r,z"
            raise SettingsError(msg)
        if len(bands) != planes:
            msg = f"expected {planes} bands for the planes of {path}, found {','.join(bands)}"
            raise SettingsError(f"{msg}. Pass them all with --bands, bluest first")
        return bands


def as_shown(image: NDArray[np.generic], pixel_scale: float | None) -> RawImage:
    """A colour picture (S, S, 3) of uint8, first row at the top and red first, as a picture.

    Raises:
        LeftOutError: It is blank.
    """
    if np.ptp(image) == 0:
        raise LeftOutError("blank picture", f"every pixel is {image.flat[0]}")
    planes = np.moveaxis(image[::-1, :, ::-1], 2, 0).astype(np.float32) / np.float32(255)
    middle = (image.shape[0] - 1) / 2
    return RawImage(planes, (middle, middle), pixel_scale, display=True)


def _load(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        _check_sizes(path)
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            return {key: file[key] for key in ("images", "ids", "bands") if key in file}
    except UNREADABLE as error:
        msg = f"expected arrays of numbers in {path}, which cannot be read: {brief(error)}"
        raise ShapeError(msg) from error


def _check_sizes(path: Path) -> None:
    """Refuse arrays that are not of the size that they declare, before they are allocated."""
    with ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0
                if version != (1, 0):
                    read = np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
                declared, held = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
            if declared != held:
                msg = f"{member.filename} declares {declared:,} bytes {shape}, it has {held:,}"
                raise ValueError(msg)
            if member.file_size > max(MAX_RATIO * member.compress_size, SMALL):
                msg = f"{member.filename} is of {member.file_size:,} bytes, nearly all the same"
                raise ValueError(msg)


def _images(path: Path, arrays: dict[str, NDArray[np.generic]]) -> NDArray[np.generic]:
    if "images" not in arrays:
        msg = f"expected an array 'images' in {path}, found {', '.join(arrays) or 'none'}"
        raise ShapeError(msg)
    images = arrays["images"]
    shape = images.shape
    colour = images.dtype == np.uint8 and len(shape) == 4 and shape[3] == 3
    planes = np.issubdtype(images.dtype, np.floating) and len(shape) == 4
    square = len(shape) == 4 and (shape[1] == shape[2] if colour else shape[2] == shape[3])
    if not square or not (colour or planes) or 0 in shape[1:]:
        msg = (
            f"expected images in {path} of shape (N, C, S, S), floats in nanomaggies, or "
            f"(N, S, S, 3), uint8 colour; found {shape} of {images.dtype}"
        )
        raise ShapeError(msg)
    return images


def _same_galaxies(
    path: Path, count: int, ids: NDArray[np.generic] | None, catalog: pd.DataFrame
) -> None:
    if count != len(catalog):
        msg = f"expected an image a row: {path} has {count} and the catalogue {len(catalog)} rows"
        raise ShapeError(msg)
    if ids is None:
        return
    if ids.shape != (count,):
        msg = f"expected an id an image, ({count},), in {path}, found ids of shape {ids.shape}"
        raise ShapeError(msg)
    for row, (image, listed) in enumerate(zip(ids, catalog["id"], strict=True)):
        if str(image) != str(listed):
            msg = f"image {row} of {path} is of {image}, row {row} of the catalogue is {listed}"
            raise SettingsError(f"{msg}: bring them into one order")


def _scales(catalog: pd.DataFrame, pixel_scale: float | None) -> NDArray[np.float64]:
    scales = np.full(len(catalog), np.nan if pixel_scale is None else pixel_scale)
    for name in SCALE_COLUMNS:
        if name in catalog:
            column = pd.to_numeric(catalog[name], errors="coerce").to_numpy(np.float64)
            return np.where(np.isfinite(column), column, scales)
    return scales
