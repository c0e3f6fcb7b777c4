"""The populations of a store: which galaxies they are, their marks, colours and names."""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import NamedTuple, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.journal_cache import CANDIDATE, JournalCache
from pcvae.scan import slices
from pcvae.store import Store

__all__ = ["Marker", "Names", "Populations", "colour_of", "marker_of", "population_title"]


MANY = 1 << 20  # galaxies that are counted at once
FIELD = {True: "#5c6f91", False: "#8794a8"}


class Marker(NamedTuple):
    """The marker of a population: distinct by shape as well as by colour.

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
_MORE_COLOURS = (  # dark, light; of further populations, whose shapes come round again
    ("#9d8cff", "#5b45c9"),
    ("#d9a066", "#7a4b16"),
    ("#b6e35a", "#557a00"),
    ("#ff5fa8", "#c2186b"),
    ("#7f9cf5", "#2f4bb0"),
    ("#a3b18a", "#5f6f4a"),
)
_COLOURS = (*((marker.dark, marker.light) for marker in _OTHERS), *_MORE_COLOURS)


def marker_of(population: str, others: list[str]) -> Marker:
    """The marker of a population; those without one of their own get the remaining ones.

    Twelve have colours of their own; of more, colour and shape together tell them apart.

    Args:
        population: Its name.
        others: All populations that are marked, in a fixed order.
    """
    if population in _OWN:
        return _OWN[population]
    rest = [name for name in others if name not in _OWN]
    place = rest.index(population) if population in rest else len(rest)
    colours = _COLOURS[(place + place // len(_COLOURS)) % len(_COLOURS)]
    return Marker(_OTHERS[place % len(_OTHERS)].shape, *colours)


def colour_of(population: str, others: list[str], *, dark: bool) -> str:
    """The colour of a population; the ordinary galaxies' is quiet."""
    if population == "field":
        return FIELD[dark]
    marker = marker_of(population, [name for name in others if name != "field"])
    return marker.dark if dark else marker.light


def population_title(name: str) -> str:
    """The name of a population for display.

    Example:
        >>> population_title("green_pea"), population_title("post-starburst")
        ('Green Pea', 'Post-starburst')
    """
    words = name.replace("_", " ")
    return words.title() if name in _OWN else words[:1].upper() + words[1:]


class Names:
    """The population of each galaxy, looked up when it is asked for.

    Args:
        listed: All populations.
        codes: Each galaxy's, (N,), as an index into them; -1 for none.

    Example:
        >>> Names(["field", "green_pea"], np.array([1, 0, -1]))[0]
        'green_pea'
    """

    def __init__(self, listed: Sequence[str], codes: NDArray[np.integer]) -> None:
        self._listed, self._codes = np.array([*listed, None], object), codes

    @overload
    def __getitem__(self, rows: int) -> str: ...

    @overload
    def __getitem__(self, rows: NDArray[np.intp] | slice) -> NDArray[np.object_]: ...

    def __getitem__(self, rows: int | NDArray[np.intp] | slice) -> str | NDArray[np.object_]:
        found: str | NDArray[np.object_] = self._listed[self._codes[rows]]
        return found


class Populations:
    """The population of each galaxy, and the marker of each population and label.

    Args:
        store: The store.
        journal: Whose labels have marks of their own.
    """

    def __init__(self, store: Store, journal: JournalCache) -> None:
        self._store, self._journal = store, journal
        self._kept = cache(self._members)

    @cached_property
    def all(self) -> list[str]:
        """All populations, the largest first."""
        column = self._store.galaxies["population"]
        parts = [column[part].value_counts() for part in slices(0, len(column), MANY)]
        counts = pd.concat(parts) if parts else column.value_counts()
        counts = counts.groupby(level=0, observed=True, sort=False).sum()
        return list(counts[counts > 0].sort_values(ascending=False, kind="stable").index)

    @cached_property
    def codes(self) -> NDArray[np.integer]:
        """Each galaxy's population as an index into ``all``, (N,)."""
        column = self._store.galaxies["population"]
        if not isinstance(column.dtype, pd.CategoricalDtype):
            return pd.Categorical(column, categories=self.all).codes
        there = column.cat.categories
        place = [self.all.index(name) if name in self.all else -1 for name in there]
        return np.array([*place, -1], np.int8)[column.cat.codes.to_numpy()]

    @cached_property
    def counts(self) -> list[int]:
        """The number of galaxies of each of ``all``."""
        parts = slices(0, len(self.codes))
        each = [np.bincount(self.codes[part] + 1, minlength=len(self.all) + 1) for part in parts]
        counts: list[int] = np.sum(each, axis=0)[1:].tolist() if each else []
        return counts

    @cached_property
    def names(self) -> "Names":
        """The galaxies' populations, by row."""
        return Names(self.all, self.codes)

    @cached_property
    def marked(self) -> list[str]:
        """The rare populations that the store has galaxies of."""
        return [name for name in self._store.info.rare if len(self.members(name))]

    @cached_property
    def normal(self) -> NDArray[np.bool_]:
        """Which galaxies are of no rare population, (N,)."""
        rare = [name in self._store.info.rare for name in (*self.all, None)]
        return ~np.array(rare)[self.codes]

    @cached_property
    def first(self) -> int:
        """The galaxy that is shown before one is picked: the first rare one, if there is any."""
        rare = np.flatnonzero(~self.normal)
        return int(rare[0]) if len(rare) else 0

    def colour(self, name: str, *, dark: bool) -> str:
        """The colour of a population or a label, the same wherever it is shown."""
        return colour_of(name, self._all_drawn(name), dark=dark)

    def shape(self, name: str) -> str:
        """The shape of the marks of a population or a label."""
        return marker_of(name, self._all_drawn(name)).shape

    def members(self, name: str) -> NDArray[np.intp]:
        """The rows of the galaxies of a population; kept ready unless it is that of most."""
        most = self.all[:1] == [name]
        return self._members(name) if most else self._kept(name)

    def _members(self, name: str) -> NDArray[np.intp]:
        if name not in self.all:
            return np.array([], np.intp)
        return np.flatnonzero(self.codes == self.all.index(name))

    def _all_drawn(self, name: str) -> list[str]:
        """All that have markers: populations, then labels in the order of their first use."""
        if name == "field" or name in self._drawn:
            return self._drawn
        labels = (CANDIDATE, *self._journal.names(name))
        return [
            *self._drawn,
            *(label for label in dict.fromkeys(labels) if label not in self._drawn),
        ]

    @cached_property
    def _drawn(self) -> list[str]:
        """All populations in the order in which they get their marks: the rare ones first."""
        marked = [name for name in self.marked if name != "field"]
        return marked + [name for name in self.all if name not in (*marked, "field")]
