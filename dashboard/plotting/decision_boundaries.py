"""The decision boundaries of a linear SVM as thin lines and a faint fill."""

from concurrent.futures import Future
from typing import Any

import contourpy
import numpy as np
import param
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import Follower
from dashboard.state import Axes, State
from pcvae.anomaly import NORMAL
from pcvae.boundaries import Boundaries

__all__ = ["BoundaryFits", "fill", "outline", "shown_boundaries", "wanted_fit"]

SOFT, STAIR = 2.0, 0.7  # cells: blur, and what a line may move, to take the stairs out of it
FILL = 0.08  # opacity
COARSE = 2  # cells a pixel of the fill


def outline(boundaries: Boundaries, name: str) -> list[NDArray[np.float64]]:
    """The border of a class's region as lines (n, 2); none if it has no region."""
    if name not in boundaries.classes:
        return []
    mask = boundaries.region == boundaries.classes.index(name)
    soft = gaussian_filter(mask.astype(np.float64), SOFT, mode="nearest")
    stairs = contourpy.contour_generator(z=soft).lines(0.5)
    cell = [boundaries.x[1] - boundaries.x[0], boundaries.y[1] - boundaries.y[0]]
    corner = [boundaries.x[0], boundaries.y[0]]
    straight = [
        shapely.get_coordinates(shapely.LineString(stair).simplify(STAIR)) for stair in stairs
    ]
    return [line * cell + corner for line in straight]


def fill(boundaries: Boundaries, colours: dict[str, str]) -> NDArray[np.uint8]:
    """The regions of the rare classes in their colours, (ny, nx, 4) with row 0 at the bottom.

    Args:
        boundaries: The regions.
        colours: The colour ``#rrggbb`` of each class but ``normal``.
    """
    table = np.zeros((len(boundaries.classes) or 1, 4))
    for index, name in enumerate(boundaries.classes):
        if name != NORMAL and name in colours:
            rgb = [int(colours[name][i : i + 2], 16) / 255 for i in (1, 3, 5)]
            table[index] = [*rgb, FILL]
    return (table[boundaries.region[::COARSE, ::COARSE]] * 255 + 0.5).astype(np.uint8)


def wanted_fit(datastore: DataStore, state: State, axes: Axes) -> "Future[Any] | None":
    """The fit for a map's axes, done or under way; None if no boundaries are shown."""
    if not (
        state.boundaries
        and state.progress.loaded
        and (datastore.populations.marked or state.queue.training_labels)
    ):
        return None
    plane = datastore.columns.plane(axes.model, axes.x, axes.y)
    return datastore.boundaries(
        axes.model, plane.x.column, plane.y.column, state.queue.training_labels
    )


def shown_boundaries(datastore: DataStore, state: State, axes: Axes) -> Boundaries | None:
    """The SVM's regions on a map if they are chosen and fitted."""
    job = wanted_fit(datastore, state, axes)
    return None if job is None else datastore.result(job)


class BoundaryFits(Follower):
    """Starts each fit that a map needs, and counts those that have arrived.

    To be made before the views, so that they are told of the end of every fit that they see
    running.
    """

    @param.depends(
        "state.model",
        "state.x",
        "state.y",
        "state.boundaries",
        "state.split",
        "state.queue.training_labels",
        "state.progress.loaded",
        "state.second.model",
        "state.second.x",
        "state.second.y",
        watch=True,
    )
    def _fit(self) -> None:
        for axes in self.state.maps:
            job = wanted_fit(self.datastore, self.state, axes)
            if job is not None and not job.done():
                when_done(job, self._arrive)

    def _arrive(self) -> None:
        self.state.progress.boundaries_arrived += 1
