"""Find a galaxy by its id, or the one nearest to a place on the sky."""

from typing import NamedTuple

from dashboard.backend.datastore import DataStore
from dashboard.sky.coordinates import Place, PlaceError, apart, read_place

__all__ = ["REACH", "Found", "find", "suggestions"]


REACH = 5.0  # arcsec; a galaxy farther away than this is another one


MOST = 8  # ids that are suggested


class Found(NamedTuple):
    """What was found for a text.

    Args:
        words: What is said of it.
        row: The galaxy; None if there is none.
        place: The place that was named, if it was one.
        sure: Whether that galaxy is the one that was meant.
    """

    words: str
    row: int | None = None
    place: Place | None = None
    sure: bool = True


def suggestions(datastore: DataStore, text: str) -> list[str]:
    """At most ``MOST`` ids that begin with a text, or else have it in them, in any case."""
    ids, text = datastore.store.galaxies["id"], text.strip()
    if not text:
        return []
    begin = ids[ids.str.lower().str.startswith(text.lower())]
    found = begin if len(begin) else ids[ids.str.contains(text, case=False, regex=False)]
    return [str(one) for one in found.iloc[:MOST]]


def find(datastore: DataStore, text: str) -> Found:
    """Find what a text means: an id, a place, or part of one single id.

    Args:
        datastore: Where it is looked for; its tree of positions is made when first needed.
        text: What a person typed.
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
    """The galaxy nearest to a place, and whether it is near enough to be what is there."""
    rows, separations = datastore.sky().nearest(place.ra, place.dec)
    row, separation = int(rows[0]), float(separations[0])
    if row < 0:
        return Found("No galaxy of this store has a known place on the sky", None, place)
    name = datastore.ids[row]
    if separation <= REACH:
        return Found(f"{name} lies {apart(separation)} from {place}", row, place)
    words = f'No galaxy of this store lies within {REACH:g}" of {place}; the nearest, {name}, is '
    return Found(f"{words}{apart(separation)} away", row, place, sure=False)
