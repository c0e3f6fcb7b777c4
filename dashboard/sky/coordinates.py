"""Places on the sky: as people write them, and which galaxy of a store lies nearest."""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from data.readers.fits_file import unit_vectors
from pcvae.errors import PcvaeError

__all__ = ["Place", "PlaceError", "SkyTree", "apart", "read_place"]

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
DEGREES = re.compile(rf"({NUMBER})\s*(?:d|deg|°)?\s*[,;\s]\s*({NUMBER})\s*(?:d|deg|°)?")
DESIGNATION = re.compile(
    r"(?:[A-Z]+ ?)?J(\d{2})(\d{2})(\d{2}\.?\d*)([+-]\d{2})(\d{2})(\d{2}\.?\d*)"
)
SEXAGESIMAL = re.compile(r"[\d\s.:+\-,;hmsd°'\"]+")
DASHES = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " "})
DASHES |= str.maketrans({"\N{PRIME}": "'", "\N{DOUBLE PRIME}": '"'})


class PlaceError(PcvaeError):
    """A text is meant as a place on the sky, but is none."""


class Place(NamedTuple):
    """Right ascension and declination [deg], ICRS."""

    ra: float
    dec: float

    def __str__(self) -> str:
        return f"RA {self.ra:.5f}° Dec {self.dec:+.5f}°".replace("-", "\N{MINUS SIGN}")


def read_place(text: str) -> Place | None:
    """The place that a text names, in degrees or sexagesimal; None if it is no place.

    Two bare numbers are degrees; with colons, letters or three numbers each, the first is in
    hours. A designation such as J101201.5+021304 is a place too.

    Raises:
        PlaceError: It looks like one, but there is no such place.

    Example:
        >>> read_place("153.006, +2.218")
        Place(ra=153.006, dec=2.218)
        >>> [round(float(one), 4) for one in read_place("10:12:01.5 +02:13:04")]
        [153.0062, 2.2178]
        >>> read_place("NGC 1068") is None
        True
    """
    text = text.strip().translate(DASHES)
    if found := DEGREES.fullmatch(text):
        return _checked(float(found[1]), float(found[2]), text)
    if found := DESIGNATION.fullmatch(text.upper()):
        text = "{}:{}:{} {}:{}:{}".format(*found.groups())
    if not SEXAGESIMAL.fullmatch(text) or len(re.findall(r"\d+", text)) < 4:
        return None
    return _sexagesimal(text.replace(",", " ").replace(";", " "))


def _sexagesimal(text: str) -> Place:
    from astropy.coordinates import SkyCoord

    try:
        found = SkyCoord(text, unit=("hourangle", "deg"))
    except (ValueError, TypeError) as error:
        msg = f"expected a place like 10:12:01.5 +02:13:04 or 153.006 +2.218, found {text!r}"
        raise PlaceError(f"{msg}: {error}") from error
    return _checked(float(found.ra.deg), float(found.dec.deg), text)


def _checked(ra: float, dec: float, text: str) -> Place:
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        msg = f"expected RA in 0 to 360° and Dec in -90 to 90°, found {text!r}"
        raise PlaceError(msg)
    return Place(ra % 360, dec)


def apart(separation: float) -> str:
    """An angle [arcsec] in the unit that suits its size.

    Example:
        >>> apart(7.25), apart(90.0), apart(7200.0)
        ('7.25"', "1.5'", '2.0°')
    """
    if separation < 60:
        return f'{separation:.2f}"'
    return f"{separation / 60:.1f}'" if separation < 3600 else f"{separation / 3600:.1f}°"


class SkyTree:
    """Finds the nearest of many positions on the sky, exactly, by a tree of unit vectors.

    Args:
        ra: Right ascensions (N,) [deg]; NaN where unknown.
        dec: Declinations (N,) [deg].

    Example:
        >>> rows, separations = SkyTree([10.0, 20.0], [0.0, 0.0]).nearest([20.001], [0.0])
        >>> int(rows[0]), round(float(separations[0]), 3)
        (1, 3.6)
    """

    def __init__(self, ra: ArrayLike, dec: ArrayLike) -> None:
        ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
        self.rows = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
        self._tree = cKDTree(unit_vectors(ra[self.rows], dec[self.rows]))

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(
        self, ra: ArrayLike, dec: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The nearest row and its separation [arcsec] of each place (M,) [deg].

        Row -1 at infinity where nothing is known: of a place with NaN, or without any galaxy.
        """
        ra, dec = np.atleast_1d(ra).astype(np.float64), np.atleast_1d(dec).astype(np.float64)
        rows, separations = np.full(len(ra), -1, dtype=np.intp), np.full(len(ra), np.inf)
        known = np.isfinite(ra) & np.isfinite(dec)
        if len(self) and known.any():
            chord, index = self._tree.query(unit_vectors(ra[known], dec[known]))
            rows[known] = self.rows[index]
            separations[known] = np.rad2deg(2 * np.arcsin(np.clip(chord / 2, 0, 1))) * 3600
        return rows, separations
