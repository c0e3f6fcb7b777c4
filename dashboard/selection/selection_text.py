"""Selections, filters and names as text, for an address that shows them again."""

import math
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

import numpy as np
import shapely

from dashboard.state import Gesture

__all__ = [
    "filters_of",
    "gesture_of",
    "names_of",
    "text_of_filters",
    "text_of_gesture",
    "text_of_names",
]

MAX_CORNERS = 40  # of a line drawn by hand, which is simplified to that many
MAX_FILTERS, MAX_NAMES = 20, 100
KEY = re.compile(r"[\w. -]{1,80}")
DIGITS = 6


def text_of_filters(filters: Mapping[str, tuple[float, float]]) -> str:
    """Ranges by the keys of their quantities; an open end is empty.

    Example:
        >>> text_of_filters({"inferred.redshift": (0.1, math.inf)})
        'inferred.redshift:0.1:'
    """
    return ";".join(f"{key}:{_end(low)}:{_end(high)}" for key, (low, high) in filters.items())


def filters_of(text: str) -> dict[str, tuple[float, float]]:
    """The ranges of a text; those that are none are left out.

    Example:
        >>> filters_of("inferred.redshift:0.1:;nonsense")
        {'inferred.redshift': (0.1, inf)}
    """
    found = {}
    for part in text.split(";")[:MAX_FILTERS]:
        key, _, ends = part.partition(":")
        low, _, high = ends.partition(":")
        try:
            limits = float(low or "-inf"), float(high or "inf")
        except ValueError:
            continue
        if KEY.fullmatch(key) and ":" in ends and limits[0] < limits[1]:
            found[key] = limits
    return found


def text_of_gesture(gesture: Gesture) -> str:
    """A box or lasso: its plane, then its corners, of which a long line keeps the telling ones.

    Example:
        >>> text_of_gesture(Gesture(("m", "x", "y"), ((0, 0), (1, 0), (1, 2))))
        'm,x,y,0,0,1,0,1,2'
    """
    corners = np.array(gesture.corners, np.float64)
    size = np.ptp(corners, axis=0)
    scaled = corners / np.where(size > 0, size, 1)
    kept = np.arange(len(corners))
    for tolerance in np.geomspace(1e-4, 0.3, 12):
        if len(kept) <= MAX_CORNERS:
            break
        line = shapely.simplify(shapely.LineString(scaled), tolerance, preserve_topology=False)
        near = np.asarray(line.coords)[:, None] - scaled[None]
        kept = np.unique(np.abs(near).sum(axis=2).argmin(axis=1))
    numbers = (f"{number:.{DIGITS}g}" for number in corners[kept].ravel())
    return ",".join((*gesture.plane, *numbers))


def gesture_of(text: str) -> Gesture | None:
    """The box or lasso of a text; None if it holds none."""
    model, *rest = text.split(",")
    if len(rest) < 2:
        return None
    x, y, *numbers = rest
    try:
        ends = [float(number) for number in numbers]
    except ValueError:
        return None
    corners = tuple(zip(ends[0::2], ends[1::2], strict=False))
    usable = len(ends) % 2 == 0 and 3 <= len(corners) <= 2 * MAX_CORNERS
    if not usable or not all(map(math.isfinite, ends)):
        return None
    return Gesture((model, x, y), corners)


def _end(value: float) -> str:
    return f"{value:.{DIGITS}g}" if math.isfinite(value) else ""


def text_of_names(names: Iterable[str]) -> str:
    """Names of populations and labels, parted by commas.

    Example:
        >>> text_of_names(["green_pea", "odd, blue"])
        'green_pea,odd%2C%20blue'
    """
    return ",".join(quote(name, safe="") for name in names)


def names_of(text: str) -> list[str]:
    """The names of a text, each once.

    Example:
        >>> names_of("green_pea,odd%2C%20blue,,green_pea")
        ['green_pea', 'odd, blue']
    """
    return list(dict.fromkeys(unquote(part) for part in text.split(",") if part))[:MAX_NAMES]
