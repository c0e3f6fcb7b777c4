"""Colourings of the map: values, painting and legend."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import TrainingLabels, probability_choices
from dashboard.backend.datastore import DataStore
from dashboard.backend.neighbour_index import MOVED_AMONG
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import ANOMALY, MOVED, PROBABILITY, colours_of
from dashboard.backend.typography import MINUS
from dashboard.plotting.colour_maps import colour_map
from dashboard.plotting.raster import Canvas, paint_categories, paint_density, paint_mean
from dashboard.state import DENSITY, POPULATION, Space, State

__all__ = ["Colouring", "choices", "chosen_colouring", "colouring"]

Paint = Callable[[pd.DataFrame, Canvas], NDArray[np.uint8]]


class Colouring(NamedTuple):
    """One way to colour the map.

    Args:
        title: The quantity that is shown.
        values: Its values, (N,); None where only positions count.
        paint: Paints points, which carry those values, on a canvas.
        ends: The labels of both ends of the gradient; none for categories.
        gradient: The colours of the legend, ``#rrggbb`` each.
        categories: The category of each colour, where there is no gradient.
        limits: The values at both ends of the gradient; None where it shows no values.
    """

    title: str
    values: NDArray[Any] | None
    paint: Paint
    ends: tuple[str, ...] = ()
    gradient: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None


def choices(
    datastore: DataStore, model: str, training_labels: TrainingLabels = ()
) -> dict[str, str]:
    """The titles and keys of all that can colour a map of that model."""
    quantities = colours_of(datastore.store, model)
    listed = {quantity.title: quantity.key for quantity in quantities}
    first = {"Density": DENSITY, "Population": POPULATION, "Anomaly score": ANOMALY}
    moved = {f"Moved from {name}": f"{MOVED}{name}" for name in datastore.models if name != model}
    classes = probability_choices(datastore.populations.marked, training_labels)
    return first | classes | listed | moved


def colouring(
    datastore: DataStore,
    space: Space,
    key: str,
    *,
    dark: bool,
    training_labels: TrainingLabels = (),
) -> Colouring:
    """The colouring of that key; the density if the space's model has no such quantity."""
    model = space.model
    if key == POPULATION:
        return _by_population(datastore, dark=dark)
    if key == ANOMALY or key.startswith(PROBABILITY):
        return _by_classifier(datastore, space, training_labels, key, dark=dark)
    if key.startswith(MOVED):
        return _by_moved(datastore, model, key.removeprefix(MOVED), dark=dark)
    quantity = {item.key: item for item in colours_of(datastore.store, model)}.get(key)
    if quantity is None:
        return _by_density("Galaxies", dark=dark)
    limits = datastore.columns.limits(model, quantity)
    kind = "cyclic" if quantity.cyclic else "difference" if quantity.signed else "value"
    paint = partial(paint_mean, limits=limits, dark=dark, kind=kind)
    gradient = _hexes(kind, dark=dark)
    ends = tuple(f"{end:.3g}".replace("-", MINUS) for end in limits)
    values = datastore.columns.values(model, quantity)
    return Colouring(quantity.axis, values, paint, ends, gradient, limits=limits)


def chosen_colouring(datastore: DataStore, state: State) -> Colouring:
    """The colouring that a session has chosen."""
    labels = state.queue.training_labels
    space = Space(state.model, state.features)  # of a frozen state too
    return colouring(datastore, space, state.colour, dark=state.dark, training_labels=labels)


def _by_density(title: str, *, dark: bool) -> Colouring:
    paint, gradient = partial(paint_density, dark=dark), _hexes("density", dark=dark)
    return Colouring(title, None, paint, ("few", "many"), gradient)


def _by_classifier(
    datastore: DataStore,
    space: Space,
    training_labels: TrainingLabels,
    key: str,
    *,
    dark: bool,
) -> Colouring:
    """By the anomaly score or a class's probability; by density until that is computed."""
    name = key.removeprefix(PROBABILITY)
    title = "Anomaly score" if key == ANOMALY else f"P({population_title(name)})"
    learnt = datastore.classifier_jobs.learnt(space, training_labels)
    if learnt is None:
        return _by_density(f"{title} is being computed; galaxies", dark=dark)
    values = learnt.score if key == ANOMALY else learnt.of_class(name)
    if not np.isfinite(values).any():
        what = "No class is" if key == ANOMALY else f"{population_title(name)} is not"
        return _by_density(f"{what} large enough for the classifier; galaxies", dark=dark)
    limits, gradient = (0.0, 1.0), _hexes("value", dark=dark)
    paint = partial(paint_mean, limits=limits, dark=dark)
    return Colouring(title, values, paint, ("0", "1"), gradient, limits=limits)


def _by_moved(datastore: DataStore, model: str, other: str, *, dark: bool) -> Colouring:
    """By how far galaxies moved from another model; by density until that is computed."""
    if other not in datastore.models or other == model:
        return _by_density("Galaxies", dark=dark)
    job = datastore.neighbours.moved(model, other)
    if not job.done():
        return _by_density(f"Comparing with {other}; galaxies", dark=dark)
    if job.exception():
        return _by_density(f"No comparison with {other} ({job.exception()}); galaxies", dark=dark)
    limits, title = (0.0, 1.0), f"Share of the {MOVED_AMONG} nearest that differ from {other}'s"
    paint = partial(paint_mean, limits=limits, dark=dark)
    gradient = _hexes("value", dark=dark)
    return Colouring(title, job.result(), paint, ("0", "1"), gradient, limits=limits)


def _by_population(datastore: DataStore, *, dark: bool) -> Colouring:
    names = datastore.populations.all
    colours = tuple(datastore.populations.colour(name, dark=dark) for name in names)
    titles = tuple(population_title(name) for name in names)
    paint = partial(paint_categories, colours=colours)
    return Colouring("Population", datastore.populations.codes, paint, (), colours, titles)


def _hexes(kind: str, *, dark: bool) -> tuple[str, ...]:
    table = (colour_map(kind, dark)[:: 255 // 5] * 255 + 0.5).astype(int)
    return tuple("#{:02x}{:02x}{:02x}".format(*row) for row in table)
