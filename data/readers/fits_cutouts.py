"""Galaxies from FITS cutouts: a file of several bands, or a file a band, in one folder.

Shapes are written with C bands and H x W pixels.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from data.readers.fits_file import (
    FitsFile,
    ImageWcs,
    inspect_headers,
    read_planes,
    stem,
    unit_vectors,
)
from data.readers.raw_image import LeftOutError, RawImage
from pcvae.errors import SettingsError

__all__ = ["FitsSource", "fits_files"]

SUFFIXES = (".fits", ".fit", ".fits.fz", ".fits.gz")
PAPER_SIZE = 128  # px
LOOKED_AT = 32  # files, to find out which scale and bands the others will have
REACH = 0.1  # deg; a picture farther away than this shows something else

T = TypeVar("T", bound=Hashable)


class FitsSource:
    """FITS files matched to a catalogue.

    A row's file is the one its column ``file`` names, or else ``ID.fits`` (in one folder a band
    if need be), or ``ID_BAND.fits`` (also with ``-`` or ``.``), or else the one whose middle is
    nearest to the row's position. The galaxy is at its position by the file's WCS; without a
    position or a WCS, in the middle.

    Args:
        folder: Where the files are.
        catalog: A row a galaxy: ``id``, and ``file`` or ``ra``, ``dec`` [deg] as needed.
        bands: The bands wanted; None takes those most files have.
        pixel_scale: The scale wanted [arcsec]; None takes the one most files have.

    Raises:
        SettingsError: The bands cannot be told from the headers.
    """

    unit = "nanomaggy"
    size = PAPER_SIZE

    def __init__(
        self,
        folder: Path,
        catalog: pd.DataFrame,
        bands: tuple[str, ...] | None,
        pixel_scale: float | None,
    ) -> None:
        self._folder, self._catalog = folder, catalog
        self._files: dict[str, list[Path]] = {}
        for path in fits_files(folder):
            self._files.setdefault(stem(path), []).append(path)
        self.files = [path for some in self._files.values() for path in some]
        first = _known(self.files[:LOOKED_AT])
        cubes = _most_common(header.bands for header in first if len(header.bands) > 1)
        if bands is None and cubes is None:
            msg = f"the files in {folder} do not name several bands: pass --bands g,r,z"
            raise SettingsError(msg)
        self.bands = bands or cubes or ()
        scales = [round(header.sky.pixel_scale, 3) for header in first if header.sky]
        self.pixel_scale = pixel_scale or _most_common(scales)

    def read(self, row: int) -> RawImage:
        """The picture of a row of the catalogue.

        Raises:
            LeftOutError: There is none, it cannot be read, or a band is missing.
        """
        galaxy = self._catalog.iloc[row]
        planes: dict[str, NDArray[np.float32]] = {}
        sky = None
        for path in self._paths(galaxy):
            found, its_sky = read_planes(path, self.bands)
            planes, sky = found | planes, sky or its_sky
            if planes.keys() >= set(self.bands):
                break
        if missing := [band for band in self.bands if band not in planes]:
            msg = f"no {', '.join(missing)}, found {', '.join(sorted(planes)) or 'none'}"
            raise LeftOutError("missing band", msg)
        shapes = {planes[band].shape for band in self.bands}
        if len(shapes) > 1:
            raise LeftOutError("bands of different size", str(sorted(shapes)))
        flux = np.stack([planes[band] for band in self.bands])
        return _place(flux, sky, float(galaxy["ra"]), float(galaxy["dec"]))

    def _paths(self, galaxy: pd.Series) -> Sequence[Path]:
        named = galaxy.get("file")
        if isinstance(named, str) and named:
            path = self._folder / named
            if paths := [path] if path.is_file() else self._files.get(named, []):
                return paths
            raise LeftOutError("no file", f"expected {named}")
        name = str(galaxy["id"])
        if name in self._files:
            return self._files[name]
        each = [f"{name}{mark}{band}" for band in self.bands for mark in "_-."]
        if paths := [path for name in each for path in self._files.get(name, [])]:
            return paths
        return self._nearest(name, float(galaxy["ra"]), float(galaxy["dec"]))

    def _nearest(self, name: str, ra: float, dec: float) -> Sequence[Path]:
        if not np.isfinite([ra, dec]).all():
            raise LeftOutError("no file", f"none is called {name}, and it has no position")
        paths = []
        for tree, files in self._by_bands:
            distance, nearest = tree.query(unit_vectors([ra], [dec])[0])
            if distance <= np.deg2rad(REACH):
                paths.append(files[int(nearest)])
        if not paths:
            msg = f"none is called {name}, or within {REACH} deg of {ra:.5f} {dec:+.5f}"
            raise LeftOutError("no file", msg)
        return paths

    @cached_property
    def _by_bands(self) -> list[tuple[cKDTree, list[Path]]]:
        """The files' middles on the unit sphere, a tree a set of bands, most bands first."""
        groups: dict[tuple[str, ...], list[FitsFile]] = {}
        for file in _known(self.files):
            groups.setdefault(file.bands, []).append(file)
        trees = []
        for _, files in sorted(groups.items(), key=lambda pair: -len(pair[0])):
            placed = [(file.path, file.sky) for file in files if file.sky]
            if placed:
                middles = zip(*(sky.middle for _, sky in placed), strict=True)
                trees.append((cKDTree(unit_vectors(*middles)), [path for path, _ in placed]))
        return trees


def fits_files(folder: Path) -> list[Path]:
    """All FITS files in the folder and below but for a catalogue, by name."""
    files = [path for path in sorted(folder.rglob("*")) if path.name.endswith(SUFFIXES)]
    return [path for path in files if stem(path) != "catalog"]


def _known(paths: Iterable[Path]) -> list[FitsFile]:
    """The headers of the files that have any."""
    return [found for path in paths if (found := inspect_headers(path)) is not None]


def _most_common(values: Iterable[T]) -> T | None:
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else None


def _place(flux: NDArray[np.float32], sky: ImageWcs | None, ra: float, dec: float) -> RawImage:
    """The position of the galaxy on the image."""
    middle = ((flux.shape[2] - 1) / 2, (flux.shape[1] - 1) / 2)
    if sky is None:
        return RawImage(flux, middle)
    centre = sky.pixel(ra, dec) if np.isfinite([ra, dec]).all() else middle
    if not np.isfinite(centre).all():
        raise LeftOutError("position outside the picture", f"{ra:.5f} {dec:+.5f}")
    return RawImage(flux, centre, sky.pixel_scale, sky.north_angle)
