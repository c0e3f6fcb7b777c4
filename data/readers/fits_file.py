"""One FITS file: planes by band, and their position on the sky.

Shapes are written with H x W pixels.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS, FITSFixedWarning, NoConvergence, WcsError
from numpy.typing import ArrayLike, NDArray

from data.readers.fits_limits import checked
from data.readers.raw_image import LeftOutError
from data.readers.units import to_nanomaggies
from pcvae.errors import brief

__all__ = [
    "BROKEN",
    "FitsFile",
    "ImageWcs",
    "inspect_headers",
    "opened",
    "read_ebv",
    "read_planes",
    "stem",
    "unit_vectors",
    "wcs_of",
]

LEGACY_SCALE = 0.262  # arcsec a pixel of the Legacy Surveys' coadds
NOT_IMAGES = ("invvar", "ivar", "weight", "variance", "error", "mask", "psf")
BROKEN = (Exception,)  # astropy and cfitsio have errors of many kinds, some of them private
ARCSEC = 1 / 3600  # deg


class ImageWcs:
    """The WCS of an image.

    Args:
        wcs: Its celestial coordinates.
        shape: Its height and width [px].
    """

    def __init__(self, wcs: WCS, shape: tuple[int, int]) -> None:
        self._wcs, self._shape = wcs, shape
        self.pixel_scale = float(np.sqrt(wcs.proj_plane_pixel_area().to_value("arcsec2")))

    @property
    def middle(self) -> tuple[float, float]:
        """Right ascension and declination of the middle [deg]."""
        height, width = self._shape
        ra, dec = self._wcs.pixel_to_world_values((width - 1) / 2, (height - 1) / 2)
        return float(ra), float(dec)

    @property
    def north_angle(self) -> float:
        """Direction of north in the middle [rad], counter-clockwise from +x."""
        ra, dec = self.middle
        (x0, y0), (x1, y1) = self.pixel(ra, dec), self.pixel(ra, dec + ARCSEC)
        return float(np.arctan2(y1 - y0, x1 - x0))

    def pixel(self, ra: float, dec: float) -> tuple[float, float]:
        """Where a position [deg] is: x, y [px], counted from zero; NaN if nowhere."""
        x, y = self.pixels(np.array([ra]), np.array([dec]))
        return float(x[0]), float(y[0])

    def pixels(
        self, ra: NDArray[np.float64], dec: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where positions (n,) [deg] are: x, y (n,) [px], counted from zero; NaN if nowhere."""
        try:
            x, y = self._wcs.world_to_pixel_values(ra, dec)
        except (NoConvergence, WcsError):
            return np.full(len(ra), np.nan), np.full(len(ra), np.nan)
        return np.asarray(x), np.asarray(y)

    def margin(self, ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far inside positions (n,) [deg] are [px]; below zero outside, or if nowhere."""
        height, width = self._shape
        x, y = self.pixels(ra, dec)
        return np.nan_to_num(np.minimum.reduce([x, y, width - 1 - x, height - 1 - y]), nan=-1.0)


class FitsFile(NamedTuple):
    """The bands of a file by its headers, empty if unnamed, and its WCS if known."""

    path: Path
    bands: tuple[str, ...]
    sky: ImageWcs | None


def stem(path: Path) -> str:
    """The file's name without ``.fits`` and what follows."""
    return re.sub(r"\.fits?(\.fz|\.gz)?$", "", path.name)


def unit_vectors(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Points on the unit sphere (n, 3) from degrees (n,)."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)


def inspect_headers(path: Path) -> FitsFile | None:
    """Read the headers only; None if they cannot be read."""
    try:
        with opened(path) as hdus:
            headers = [hdu.header for hdu in hdus if _is_image(hdu)]
            bands = [band for header in headers for band in _bands(header, path, ())]
            return FitsFile(path, tuple(bands), wcs_of(headers[0]))
    except BROKEN:
        return None


def read_planes(
    path: Path, wanted: Sequence[str]
) -> tuple[dict[str, NDArray[np.float32]], ImageWcs | None]:
    """The planes (H, W) by band [nanomaggy a pixel], and where they are.

    A cutout of the Legacy Surveys' service on other pixels than the coadds' own keeps the values
    that those would have; they are brought to the pixels they are on.

    Args:
        path: The file.
        wanted: The bands looked for; names a cube's planes if its header does not.

    Raises:
        LeftOutError: The file is truncated or otherwise unreadable, or its unit is no flux.
    """
    planes: dict[str, NDArray[np.float32]] = {}
    sky = None
    try:
        with opened(path) as hdus:
            for hdu in filter(_is_image, hdus):
                sky = sky or wcs_of(hdu.header)
                bands = _bands(hdu.header, path, wanted)
                cube = np.asarray(hdu.data, dtype=np.float32)
                cube = cube.reshape(-1, *cube.shape[-2:])
                if (set(wanted) - set(planes)) & set(bands):
                    cube = cube * _factor(hdu.header, path, sky)
                planes = dict(zip(bands, cube, strict=False)) | planes
    except LeftOutError:
        raise
    except BROKEN as error:
        raise LeftOutError("file unreadable", f"{path.name}: {brief(error)}") from error
    return planes, sky


def read_ebv(path: Path) -> float:
    """E(B-V) [mag] of the galaxy, the first card ``EBV`` of a file's headers; NaN for none."""
    with opened(path) as hdus:
        stated = [hdu.header["EBV"] for hdu in hdus if "EBV" in hdu.header]
    try:
        return float(stated[0]) if stated else np.nan
    except (TypeError, ValueError):
        return np.nan


@contextmanager
def opened(path: Path | BinaryIO) -> Iterator[Any]:
    """Open a FITS file of sound sizes without the warnings that say nothing new."""
    with warnings.catch_warnings():
        # What is missing shows when pixels are read; a header that was mended is sound.
        warnings.filterwarnings("ignore", ".*truncated", AstropyUserWarning)
        warnings.simplefilter("ignore", FITSFixedWarning)
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        with checked(path) as file, fits.open(file, memmap=False) as hdus:
            yield hdus


def _is_image(hdu: Any) -> bool:
    kind = f"{hdu.header.get('IMAGETYP', '')} {hdu.name}".lower()
    return bool(hdu.is_image and hdu.header.get("NAXIS", 0) >= 2) and not any(
        word in kind for word in NOT_IMAGES
    )


def _bands(header: fits.Header, path: Path, wanted: Sequence[str]) -> tuple[str, ...]:
    """The bands of a plane or a cube: by the header, else its name and folder, else as wanted."""
    count = int(header.get("NAXIS3", 1))
    each = [str(header[f"BAND{i}"]).strip() for i in range(count) if f"BAND{i}" in header]
    text = str(header.get("BANDS", header.get("BAND", ""))).strip()
    if not text and str(header.get("FILTER", "")).strip() in wanted:
        text = str(header["FILTER"]).strip()
    parts = re.split(r"[\s,]+", text) if re.search(r"[\s,]", text) or count == 1 else list(text)
    for found in (each, [part for part in parts if part]):
        if len(found) == count:
            return tuple(found)
    if count == 1:
        ends = (re.split(r"[_.-]", stem(path))[-1], path.parent.name)
        return next(((end,) for end in ends if end in wanted), ())
    return tuple(wanted) if len(wanted) == count else ()


def wcs_of(header: fits.Header) -> ImageWcs | None:
    """The WCS of a header; None if it has none."""
    wcs = WCS(header)
    if not wcs.has_celestial:
        return None
    wcs = wcs if wcs.naxis == 2 else wcs.celestial
    return ImageWcs(wcs, (int(header["NAXIS2"]), int(header["NAXIS1"])))


def _factor(header: fits.Header, path: Path, sky: ImageWcs | None) -> float:
    """The factor from the file's values to nanomaggies a pixel."""
    unit = str(header.get("BUNIT", "")).strip()
    factor = to_nanomaggies(unit)
    if factor is None:
        msg = f"{path.name}: BUNIT is {unit!r}, expected nanomaggy or a flux density such as nJy"
        raise LeftOutError("other unit", msg)
    served = {"SURVEY", "VERSION", "BANDS"} <= set(header)
    return factor * ((sky.pixel_scale / LEGACY_SCALE) ** 2 if served and sky else 1.0)
