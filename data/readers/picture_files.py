"""Galaxies from a folder of JPEG or PNG pictures, a file each.

Shapes are written with H x W pixels.
"""

import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from PIL.Image import DecompressionBombError

from data.readers.npz_arrays import COLOURS, as_shown
from data.readers.raw_image import LeftOutError, RawImage
from pcvae.errors import SettingsError, brief

__all__ = ["KINDS", "UNREADABLE", "PictureSource", "picture_files"]

SUFFIXES = (".jpg", ".jpeg", ".png")
SAMPLED = 32  # files whose size is read, to find out which one the others will have
MAX_SIDE = 8192  # px
KINDS = ("PNG", "JPEG")
UNREADABLE = (  # what PIL raises for files that are no picture, or broken ones
    *(OSError, EOFError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(SyntaxError, MemoryError, RuntimeError, DecompressionBombError, struct.error, zlib.error),
)


class PictureSource:
    """Colour pictures as a browser shows them, matched to a catalogue.

    A row's file is the one its column ``file`` names, else the one that is called like its id.

    Args:
        folder: Where the files are, or folders of them.
        catalog: A row a galaxy: ``id``, and ``file`` as needed.
        bands: What blue, green and red show; None for those names.
        pixel_scale: The scale of the pictures [arcsec], if known.

    Raises:
        SettingsError: There are not three bands.
    """

    unit = "stretched"

    def __init__(
        self,
        folder: Path,
        catalog: pd.DataFrame,
        bands: tuple[str, ...] | None,
        pixel_scale: float | None,
    ) -> None:
        self._folder, self._catalog = folder, catalog
        self.files = picture_files(folder)
        self._named = {path.stem: path for path in reversed(self.files)}
        self.bands, self.pixel_scale = bands or COLOURS, pixel_scale
        if len(self.bands) != len(COLOURS):
            msg = f"expected three --bands for colour pictures, bluest first; found {bands}"
            raise SettingsError(msg)
        sides = Counter(min(_size(path)) for path in self.files[:SAMPLED])
        self.size = sides.most_common(1)[0][0]

    def read(self, row: int) -> RawImage:
        """The picture of a row of the catalogue.

        Raises:
            LeftOutError: There is none, or it cannot be read.
        """
        from PIL import Image

        path = self._path(self._catalog.iloc[row])
        try:
            with Image.open(path, formats=KINDS) as picture:
                if max(picture.size) > MAX_SIDE:
                    raise LeftOutError("picture too large", f"{path.name}: {picture.size} px")
                pixels = np.asarray(picture.convert("RGB"))
        except UNREADABLE as error:
            raise LeftOutError("file unreadable", f"{path.name}: {brief(error)}") from error
        height, width = pixels.shape[:2]
        return as_shown(pixels, None)._replace(centre=((width - 1) / 2, (height - 1) / 2))

    def _path(self, galaxy: pd.Series) -> Path:
        named = galaxy.get("file")
        if isinstance(named, str) and named:
            path = (self._folder / named).resolve()
            if path.is_file() and path.is_relative_to(self._folder.resolve()):
                return path
            raise LeftOutError("no file", f"expected {named}")
        if (name := str(galaxy["id"])) in self._named:
            return self._named[name]
        raise LeftOutError("no file", f"none is called {name}.jpg or .png")


def picture_files(folder: Path) -> list[Path]:
    """All JPEG and PNG files in the folder and below, by name."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(path, formats=KINDS) as picture:
            return picture.size
    except UNREADABLE:
        return (0, 0)
