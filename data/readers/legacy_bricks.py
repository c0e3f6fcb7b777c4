"""Cutouts from the Legacy Surveys' coadded bricks on disk: many galaxies from one open brick.

Shapes are written with C bands and H x W pixels.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data.readers.fits_file import ARCSEC, ImageWcs, inspect_headers, read_planes, unit_vectors
from data.readers.raw_image import LeftOutError, RawImage
from pcvae.errors import SampleError

__all__ = ["Brick", "BrickFiles", "BrickSource", "brick_files", "by_brick"]

NAME = re.compile(r"legacysurvey-((\d{4})([mp])(\d{3}))-image-(\w+)\.fits(\.fz|\.gz)?$")
REACH = 0.3  # deg; a brick's corner is 0.19 from its middle, its name rounds by up to 0.1
COLUMN = "brick"

BrickFiles = dict[str, dict[str, Path]]


class BrickSource:
    """Galaxies cut from bricks, one of which is in memory at a time.

    Args:
        folder: Holds ``legacysurvey-BRICK-image-BAND.fits.fz`` at any depth; or the files of each
            brick by band.
        candidates: A row a galaxy, brick after brick, as ``by_brick`` orders them.
        bands: The bands wanted.
    """

    def __init__(
        self, folder: "Path | BrickFiles", candidates: pd.DataFrame, bands: Sequence[str]
    ) -> None:
        self._bands = tuple(bands)
        self._files = brick_files(folder) if isinstance(folder, Path) else folder
        self._names = candidates[COLUMN].to_numpy(str)
        self.bricks = {name: self._files[name] for name in sorted(set(self._names) - {""})}
        used = self.bricks.values()
        self.files = [files[band] for files in used for band in self._bands if band in files]
        self._positions = candidates[["ra", "dec"]].to_numpy(np.float64)
        self._rows = _runs(self._names)
        self._open: Brick | None = None

    def read(self, row: int) -> RawImage:
        """The whole brick, with the place of the row's galaxy on it.

        Raises:
            LeftOutError: There is no brick there, or it lacks a band or cannot be read.
        """
        name = self._names[row]
        if self._open is None or self._open.name != name:
            self._open = None  # the old one's memory is free before the new one is read
            self._open = self.brick(name)
        return self._open.image(row, self._positions[row])

    def brick(self, name: str) -> "Brick":
        """The brick of that name, with the places of the candidates on it; an empty name has none.

        What is wrong with it is said when a galaxy of it is asked for.
        """
        if not name:
            return Brick(name, np.empty((0, 0, 0), np.float32), np.nan, {}, None)
        files = self._files[name]
        try:
            if missing := [band for band in self._bands if band not in files]:
                raise LeftOutError("missing band", f"no {', '.join(missing)} of brick {name}")
            flux, sky = _planes([files[band] for band in self._bands], self._bands)
        except LeftOutError as error:
            return Brick(name, np.empty((0, 0, 0), np.float32), np.nan, {}, error)
        rows = self._rows.get(name, np.array([], np.intp))
        places = dict(zip(rows.tolist(), _places(sky, self._positions[rows]), strict=True))
        return Brick(name, flux, sky.pixel_scale, places, None)


class Brick(NamedTuple):
    """A brick in memory.

    Args:
        name: Such as ``1501p020``.
        flux: Its pixels (C, H, W).
        pixel_scale: Arcsec a pixel.
        places: Of each row on it: x, y [px] and the direction of north [rad].
        trouble: Why there is none of this.
    """

    name: str
    flux: NDArray[np.float32]
    pixel_scale: float
    places: dict[int, tuple[float, float, float]]
    trouble: LeftOutError | None

    def image(self, row: int, position: NDArray[np.float64]) -> RawImage:
        """The whole brick, with the place of the row's galaxy on it.

        Args:
            row: Of the candidates.
            position: Its right ascension and declination [deg].

        Raises:
            LeftOutError: There is no brick there, or it lacks a band or cannot be read.
        """
        if not self.name:
            raise LeftOutError("no brick", "RA {:.5f} Dec {:+.5f}".format(*position))
        if self.trouble is not None:
            raise self.trouble
        x, y, north = self.places[row]
        return RawImage(self.flux, (x, y), self.pixel_scale, north)


def _runs(names: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    """The rows of each name (N,), which stand together: one pass, however many names there are."""
    changes = np.flatnonzero(names[1:] != names[:-1]) + 1
    edges = [0, *changes.tolist(), len(names)] if len(names) else [0]
    return {str(names[start]): np.arange(start, stop) for start, stop in pairwise(edges)}


def brick_files(folder: Path) -> BrickFiles:
    """The files of each brick by band.

    Raises:
        SampleError: The folder has none.
    """
    found: BrickFiles = {}
    for path in sorted(folder.rglob("legacysurvey-*-image-*.fits*")):
        if match := NAME.search(path.name):
            found.setdefault(match[1], {})[match[5]] = path
    if not found:
        msg = f"expected legacysurvey-BRICK-image-BAND.fits.fz in {folder}, found none"
        raise SampleError(msg)
    return found


def by_brick(candidates: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The candidates brick after brick, with the ``brick`` on which each lies farthest inside.

    Bricks overlap by more than a cutout, so that each galaxy is well inside one of them. Those on
    no brick come last, with an empty name.
    """
    files = brick_files(folder)
    positions = candidates[["ra", "dec"]].to_numpy(np.float64)
    known = np.flatnonzero(np.isfinite(positions).all(1))
    tree = cKDTree(unit_vectors(*positions[known].T))
    names, margins = np.full(len(candidates), "", dtype="<U8"), np.zeros(len(candidates))
    middles = unit_vectors(*np.array([_middle(name) for name in files]).T)
    near = tree.query_ball_point(middles, 2 * np.sin(np.deg2rad(REACH) / 2))
    for (name, paths), some in zip(files.items(), near, strict=True):
        sky = _sky(paths) if some else None
        if sky is None:
            continue
        rows = known[some]
        margin = sky.margin(*positions[rows].T)
        better = margin > margins[rows]
        names[rows[better]], margins[rows[better]] = name, margin[better]
    order = np.lexsort((np.arange(len(names)), names, names == ""))
    return candidates.assign(**{COLUMN: names}).iloc[order].reset_index(drop=True)


def _middle(name: str) -> tuple[float, float]:
    """About where a brick is [deg], from its name of tenths of degrees."""
    sign = -1 if name[4] == "m" else 1
    return int(name[:4]) / 10, sign * int(name[5:]) / 10


def _sky(paths: dict[str, Path]) -> ImageWcs | None:
    found = (inspect_headers(path) for path in paths.values())
    return next((header.sky for header in found if header is not None and header.sky), None)


def _planes(files: Sequence[Path], bands: Sequence[str]) -> tuple[NDArray[np.float32], ImageWcs]:
    """The planes (C, H, W) and where they are, reading one after the other."""
    flux, first = np.empty((0, 0, 0), np.float32), None
    for index, (path, band) in enumerate(zip(files, bands, strict=True)):
        planes, sky = read_planes(path, [band])
        if band not in planes or sky is None:
            raise LeftOutError("file unreadable", f"{path.name}: no image of {band} with a WCS")
        if first is None:
            first, flux = sky, np.empty((len(bands), *planes[band].shape), np.float32)
        if planes[band].shape != flux.shape[1:]:
            msg = f"{path.name}: {planes[band].shape}, others {flux.shape[1:]}"
            raise LeftOutError("bands of different size", msg)
        flux[index] = planes[band]
    if first is None:
        raise LeftOutError("missing band", "no band was asked for")
    return flux, first


def _places(sky: ImageWcs, positions: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    """Place [px] and direction of north [rad] at each position (n, 2) [deg]."""
    ra, dec = positions.T
    x, y = sky.pixels(ra, dec)
    above_x, above_y = sky.pixels(ra, dec + ARCSEC)
    north = np.arctan2(above_y - y, above_x - x)
    return list(zip(x.tolist(), y.tolist(), north.tolist(), strict=True))
