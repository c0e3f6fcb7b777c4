"""Positions on the sky: parsing and formatting."""

import re
from typing import NamedTuple

from pcvae.errors import PcvaeError

__all__ = ["Place", "PlaceError", "apart", "read_place"]

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
DEGREES = re.compile(rf"({NUMBER})\s*(?:d|deg|°)?\s*[,;\s]\s*({NUMBER})\s*(?:d|deg|°)?")
DESIGNATION = re.compile(
    r"(?:[A-Z]+ ?)?J(\d{2})(\d{2})(\d{2}\.?\d*)([+-]\d{2})(\d{2})(\d{2}\.?\d*)"
)
SEXAGESIMAL = re.compile(r"[\d\s.:+\-,;hmsd°'\"]+")
DASHES = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{NO-BREAK SPACE}": " "})
DASHES |= str.maketrans({"\N{PRIME}": "'", "\N{DOUBLE PRIME}": '"'})


class PlaceError(PcvaeError):
    """A text that looks like a position on the sky is not valid."""


class Place(NamedTuple):
    """Right ascension and declination [deg], ICRS."""

    ra: float
    dec: float

    def __str__(self) -> str:
        return f"RA {self.ra:.5f}° Dec {self.dec:+.5f}°".replace("-", "\N{MINUS SIGN}")


def read_place(text: str) -> Place | None:
    """The position that a text holds, in degrees or sexagesimal; None if it holds none.

    Two bare numbers are degrees; with colons, letters or three numbers each, the first is in
    hours. A designation such as J101201.5+021304 is a place too.

    Raises:
        PlaceError: It looks like one, but is not valid.

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
