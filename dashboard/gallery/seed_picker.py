"""Seeds of look-alikes, and the metric in which galaxies are compared."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.galaxy.external_galaxy import near_shown, shown_external, shown_metric
from dashboard.state import Metric, State
from pcvae.label_classes import parts_of
from pcvae.store import BOTH, PHOTOMETRY

__all__ = ["LABEL", "SELECTION", "Seeds", "metric_words", "near_rows", "seed_choices", "seeds_of"]

SELECTION, LABEL = (
    "selection:",
    "label:",
)  # how a choice that is no population begins


class Seeds(NamedTuple):
    """The galaxies whose look-alikes are listed.

    Args:
        rows: Their rows.
        among: Which galaxies may be found, (N,): the ordinary ones for a rare population, as in
            the paper; else all that are no seeds.
        singular: The name of one seed.
        found: The name of the others, in the plural.
    """

    rows: NDArray[np.intp]
    among: NDArray[np.bool_]
    singular: str
    found: str


def seed_choices(datastore: DataStore) -> dict[str, str]:
    """The titles and keys of all kinds of seeds: populations, the selection, people's labels."""
    others = [
        name
        for name in datastore.populations.all
        if name not in (*datastore.populations.marked, "field")
    ]
    listed = {population_title(name): name for name in (*datastore.populations.marked, *others)}
    labels = sorted(
        {label for event in datastore.label_table.labels.values() for label in parts_of(event)}
    )
    return (
        listed
        | {"The selection": SELECTION}
        | {f"Labelled {name}": LABEL + name for name in labels}
    )


def seeds_of(datastore: DataStore, state: State) -> Seeds:
    """The chosen seeds."""
    name = state.seeds
    if name == SELECTION:
        rows = (
            np.flatnonzero(state.selection.focus)
            if state.selection.focus is not None
            else np.array([], np.intp)
        )
        return _others(datastore, rows, "selected galaxy")
    if name.startswith(LABEL):
        label = name.removeprefix(LABEL)
        ids = [
            galaxy
            for galaxy, event in datastore.label_table.labels.items()
            if label in parts_of(event)
        ]
        rows = datastore.rows_of(ids)
        rows = np.sort(rows[rows >= 0])
        return _others(datastore, rows, f"galaxy labelled {label}")
    rows = datastore.populations.members(name)
    if name in datastore.populations.marked:
        return Seeds(
            rows, datastore.populations.normal, population_title(name), "ordinary galaxies"
        )
    return _others(datastore, rows, population_title(name))


def metric_words(metric: Metric, model: str) -> str:
    """The metric in words.

    Example:
        >>> metric_words(Metric(), "physics")
        'by the latents of physics, whitened, whatever the orientation'
        >>> metric_words(Metric(whiten=False, features="photometry"), "physics")
        'by photometry, in raw units'
    """
    scale = "whitened" if metric.whiten else "in raw units"
    if metric.features == PHOTOMETRY:
        return f"by photometry, {scale}"
    more = " and photometry" if metric.features == BOTH else ""
    turned = f"{'with the' if metric.oriented else 'whatever the'} orientation"
    return f"by the latents of {model}{more}, {scale}, {turned}"


def near_rows(datastore: DataStore, state: State, again: Callable[[], None]) -> NDArray[np.intp]:
    """The neighbours of the picked or external galaxy, nearest first; none until computed.

    Args:
        datastore: The galaxies.
        state: The picked galaxy, the model, the number of neighbours and the metric.
        again: Called when they have been computed.
    """
    if state.row is None and shown_external(state, state.model) is None:
        return np.array([], np.intp)
    job = datastore.neighbours.ready(state.model, state.row, state.k, shown_metric(state))
    if not job.done() and state.progress.loaded:
        when_done(job, again)
    if not job.done() or job.exception():
        return np.array([], np.intp)
    return near_shown(datastore, state)["row"].to_numpy(np.intp)


def _others(datastore: DataStore, rows: NDArray[np.intp], singular: str) -> Seeds:
    among = np.ones(len(datastore), bool)
    among[rows] = False
    return Seeds(rows, among, singular, "other galaxies")
