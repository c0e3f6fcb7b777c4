"""Search for a galaxy by its id, or for the nearest one to a position on the sky."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.backend.datastore import DataStore
from dashboard.sky.coordinates import Place, PlaceError, apart, read_place
from pcvae.scan import slices

__all__ = ["REACH", "Found", "find", "suggestions"]


REACH = 5.0  # arcsec; a galaxy farther away than this is another one

PART = 1 << 20  # ids looked at together
MAX_SUGGESTIONS = 8  # ids that are suggested


class Found(NamedTuple):
    """The result of a search.

    Args:
        words: The result in words.
        row: The galaxy; None if there is none.
        place: The position in the text, if it holds one.
        sure: Whether the galaxy is an unambiguous match.
    """

    words: str
    row: int | None = None
    place: Place | None = None
    sure: bool = True


def suggestions(datastore: DataStore, text: str) -> list[str]:
    """At most ``MAX_SUGGESTIONS`` ids that begin with a text, or contain it; case is ignored."""
    ids, text = datastore.store.galaxies["id"], text.strip()
    if not text:
        return []
    for matching in (pc.starts_with, pc.match_substring):
        found: list[str] = []
        for part in slices(0, len(ids), PART):
            some = pa.array(ids[part], pa.large_string())
            found += some.filter(matching(some, text, ignore_case=True)).to_pylist()
            if len(found) >= MAX_SUGGESTIONS:
                break
        datastore.store.release()
        if found:
            return found[:MAX_SUGGESTIONS]
    return []


def find(datastore: DataStore, text: str) -> Found:
    """Search for a text: an id, a position, or part of exactly one id.

    Args:
        datastore: The galaxies; the index of positions is built when first needed.
        text: The text.
    """
    text, trouble = text.strip(), ""
    if not text:
        return Found("")
    if (row := datastore.row_of(text)) is not None:
        return Found("", row)
    try:
        if place := read_place(text):
            return near(datastore, place)
    except PlaceError as error:
        trouble = str(error)
    alike = suggestions(datastore, text)
    if len(alike) == 1:
        words = f"{alike[0]} is the only galaxy whose id has {text!r} in it"
        return Found(words, datastore.row_of(alike[0]))
    if alike:
        some = ", ".join(alike[:4]) + " …" * (len(alike) > 4)
        return Found(f"Several galaxies have {text!r} in their ids: {some}")
    return Found(
        trouble
        or f"No galaxy of this store is called {text!r}, and it is no place such as "
        "153.006 +2.218 or 10:12:01.5 +02:13:04"
    )


def near(datastore: DataStore, place: Place) -> Found:
    """The nearest galaxy to a position, and whether it is near enough to match."""
    rows, separations = datastore.sky().nearest(place.ra, place.dec)
    row, separation = int(rows[0]), float(separations[0])
    if row < 0:
        return Found("No galaxy of this store has a known place on the sky", None, place)
    name = datastore.ids[row]
    if separation <= REACH:
        return Found(f"{name} lies {apart(separation)} from {place}", row, place)
    words = f'No galaxy of this store lies within {REACH:g}" of {place}; the nearest, {name}, is '
    return Found(f"{words}{apart(separation)} away", row, place, sure=False)
