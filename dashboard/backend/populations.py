"""The marks, colours and names of populations."""

from typing import NamedTuple

__all__ = ["Marker", "colour_of", "marker_of", "population_title"]


FIELD = {True: "#5c6f91", False: "#8794a8"}


class Marker(NamedTuple):
    """How a population is marked: legible by shape as well as by colour.

    Args:
        shape: Bokeh's name of the shape.
        dark: Its colour on dark ground.
        light: Its colour on light ground.
    """

    shape: str
    dark: str
    light: str


_OWN = {
    "green_pea": Marker("circle", "#4ade80", "#0a8a3c"),
    "red_spiral": Marker("diamond", "#ff6f5e", "#c62a1c"),
}


_OTHERS = (
    Marker("square", "#56b4e9", "#0072b2"),
    Marker("triangle", "#e69f00", "#9a6a00"),
    Marker("inverted_triangle", "#d58fc0", "#a3478a"),
    Marker("hex", "#f0e442", "#7d7500"),
    Marker("star", "#3fd0c9", "#00807a"),
    Marker("plus", "#c0c8d8", "#4b5566"),
)


def marker_of(population: str, others: list[str]) -> Marker:
    """The marker of a population; those without one of their own share out the rest.

    Args:
        population: Its name.
        others: All populations that are marked, in a fixed order.
    """
    if population in _OWN:
        return _OWN[population]
    rest = [name for name in others if name not in _OWN]
    place = rest.index(population) if population in rest else len(rest)
    return _OTHERS[place % len(_OTHERS)]


def colour_of(population: str, others: list[str], *, dark: bool) -> str:
    """The colour of a population; the ordinary galaxies' is quiet."""
    if population == "field":
        return FIELD[dark]
    marker = marker_of(population, [name for name in others if name != "field"])
    return marker.dark if dark else marker.light


def population_title(name: str) -> str:
    """A population as people write it.

    Example:
        >>> population_title("green_pea"), population_title("post-starburst")
        ('Green Pea', 'Post-starburst')
    """
    words = name.replace("_", " ")
    return words.title() if name in _OWN else words[:1].upper() + words[1:]
