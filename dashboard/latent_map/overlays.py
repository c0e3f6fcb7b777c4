"""Glyphs over the galaxies of a latent map: regions, marks, labels, rings, a gesture's outline."""

from typing import TYPE_CHECKING, Any

import param

from dashboard.backend.jobs import schedule
from dashboard.backend.plane import Plane
from dashboard.backend.view import Follower
from dashboard.galaxy.external_galaxy import place_on
from dashboard.gallery.seed_picker import near_rows
from dashboard.labelling.labels import own_marks
from dashboard.plotting.decision_boundaries import shown_boundaries
from dashboard.plotting.layers import LabelMarks, Marks, Regions
from dashboard.plotting.markers import Rings
from dashboard.selection.box_lasso import BoxLasso
from dashboard.state import Axes

__all__ = ["Overlays"]

PLANE = ("axes.model", "axes.x", "axes.y", "state.dark")  # inputs of all layers


class Overlays(Follower):
    """The glyphs of a map; each kind is drawn again when one of its inputs changes.

    Reads the axes and ``model``, ``boundaries``, ``dark``, ``hidden``, ``row``, ``external``,
    ``k``, ``whiten``, ``oriented``, ``features``, ``selection``, ``queue.training_labels`` and
    ``progress`` of the state; writes nothing.

    Args:
        figure: The Bokeh figure that they are added to.
        gestures: Draws the outline of a box or lasso.
        params: The datastore, the state and the axes of the map.
    """

    if TYPE_CHECKING:
        axes: Axes
    else:
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, figure: Any, gestures: BoxLasso, **params: object) -> None:
        super().__init__(**params)
        self.regions, self.marks = Regions(figure, self.datastore), Marks(figure, self.datastore)
        self.labels, self.rings = LabelMarks(figure, self.datastore), Rings(figure)
        self._gestures = gestures
        gestures.begin(figure)
        for draw in (self._regions, self._marks, self._labels, self._rings, gestures.trace):
            draw()

    @property
    def plane(self) -> Plane:
        """The plane that is shown."""
        return self.datastore.columns.plane(*self.axes.plane)

    @param.depends(
        *PLANE,
        "state.boundaries",
        "state.progress.boundaries_arrived",
        "state.progress.loaded",
        "state.queue.training_labels",
        watch=True,
    )
    def _redraw_regions(self) -> None:
        schedule(self._regions)

    @param.depends(*PLANE, "state.hidden", "state.selection.focus", watch=True)
    def _redraw_marks(self) -> None:
        schedule(self._marks)

    @param.depends(*PLANE, "state.hidden", "state.progress.journal_events", watch=True)
    def _redraw_labels(self) -> None:
        schedule(self._labels)

    @param.depends(
        *PLANE,
        "state.model",
        "state.row",
        "state.external",
        "state.k",
        "state.whiten",
        "state.oriented",
        "state.features",
        watch=True,
    )
    def _redraw_rings(self) -> None:
        schedule(self._rings)

    @param.depends("state.selection.reason_rows", watch=True)
    def _ring_seeds(self) -> None:
        schedule(self._rings)

    @param.depends(*PLANE, "state.selection.gesture", watch=True)
    def _redraw_gesture(self) -> None:
        schedule(self._gestures.trace)

    def _regions(self) -> None:
        """Draw the SVM's regions if they are chosen and fitted."""
        found = shown_boundaries(self.datastore, self.state, self.axes)
        self.regions.show(found, dark=self.state.dark)

    def _marks(self) -> None:
        self.marks.hide(self.state.hidden)
        self.marks.show(self.plane.points, self.state.selection.focus, dark=self.state.dark)

    def _labels(self) -> None:
        marks = [mark for mark in own_marks(self.datastore) if mark[1] not in self.state.hidden]
        self.labels.show(self.plane.points, marks, dark=self.state.dark)

    def _rings(self) -> None:
        """Ring the picked galaxy, its neighbours and a told reason's seeds; star the external."""
        row, plane = self.state.row, self.plane
        near = near_rows(self.datastore, self.state, self._rings)
        picked = plane.points.iloc[[] if row is None else [row]]
        axes = (self.axes.model, plane.x.column, plane.y.column)
        external = place_on(self.state.external, *axes)
        seeds = plane.points.iloc[list(self.state.selection.reason_rows)]
        self.rings.show(picked, plane.points.iloc[near], external, seeds, dark=self.state.dark)
