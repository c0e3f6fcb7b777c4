"""The SVM of the chosen axes: asked for in one place, shown by several views."""

from concurrent.futures import Future
from typing import Any

from dashboard.backend.datastore import Source
from dashboard.backend.jobs import when_done
from dashboard.state import Axes, State

__all__ = ["fit_when_asked", "wanted_fit"]


def wanted_fit(source: Source, state: State, axes: Axes) -> "Future[Any] | None":
    """The fit for a map's axes, done or under way; None if no boundaries are wanted."""
    if not (state.boundaries and state.loaded and (source.marked or state.taught)):
        return None
    plane = source.plane(axes.model, axes.x, axes.y)
    return source.boundaries(axes.model, plane.x.column, plane.y.column, state.taught)


def fit_when_asked(source: Source, state: State) -> None:
    """Begin each fit that comes to be wanted, and count it in ``fitted`` when it has arrived.

    To be called before the views are made: then they see a fit as under way only if they will
    be told of its end.
    """

    def ask(*_: Any) -> None:
        for axes in state.maps:
            job = wanted_fit(source, state, axes)
            if job is not None and not job.done():
                when_done(job, lambda: state.param.update(fitted=state.fitted + 1))

    state.param.watch(ask, ["model", "x", "y", "boundaries", "loaded", "split", "taught"])
    state.second.param.watch(ask, ["model", "x", "y"])
