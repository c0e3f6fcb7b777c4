"""The tab that shows all galaxies on the sky."""

from concurrent.futures import wait

import numpy as np
import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import schedule, when_done
from dashboard.backend.plane import Plane
from dashboard.backend.quantities import Quantity
from dashboard.backend.view import Tab
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.selection.filter_chips import FocusChips
from dashboard.sky.projection import Sky, sky_of
from dashboard.sky.sky_figure import SkyFigure
from dashboard.sky.survey_images import SurveyImages

__all__ = ["SkyMap", "places_note", "sky_plane"]

WAIT = 0.1  # seconds that the page may stand still for the first view
RA, DEC = Quantity("sky.ra", "Right ascension", "deg"), Quantity("sky.dec", "Declination", "deg")
NOTE = style(__file__, "sky_map.css")
NO_PLACES = '<div class="nothing">No galaxy of this store has a position on the sky.</div>'


def sky_plane(datastore: DataStore) -> tuple[Sky, Plane]:
    """The projected positions of all galaxies of a store."""
    galaxies = datastore.store.galaxies
    sky = sky_of(galaxies["ra"].to_numpy(np.float64), galaxies["dec"].to_numpy(np.float64))
    datastore.store.release()
    return sky, Plane(RA, DEC, sky.points, sky.limits)


def places_note(datastore: DataStore, sky: Sky) -> str:
    """A line above the sky: galaxies without a position, simulated positions, orientation."""
    missing = len(datastore) - sky.placed
    parts = [f"{missing:,} of {len(datastore):,} have no place"] if missing else []
    if "simulated" in datastore.store.info.source.lower():
        parts.append("simulated places")
    return " · ".join([*parts, "east is to the left"])


class SkyMap(Tab):
    """All galaxies on the sky, projected when the tab is first opened.

    Its survey images lie over the map while they are opened. The figure is part of the page while
    the tab is shown, from a tick after its opening: Bokeh lays out a tab before its figures are
    rendered, which fails with ``TypeError: ... 'top_panel'`` for one that is there already.

    Reads ``tab`` of the state and the inputs of ``SkyFigure``; writes nothing itself.
    """

    key, title = "sky", "Sky"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.map: SkyFigure | None = None
        self.content: pn.viewable.ServableMixin | None = None  # the figure, or why there is none
        self.chips = FocusChips(datastore=self.datastore, state=self.state)
        self.note = pn.pane.HTML("", stylesheets=[BASE, NOTE], margin=(0, 6))
        self.images = SurveyImages(datastore=self.datastore, state=self.state)
        self.body = pn.Column(sizing_mode="stretch_both", margin=(0, 8))
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        images = self.images
        above = pn.Row(self.chips, self.note, images.bar, height=34, margin=(1, 8, 0, 8))
        looks = {"sizing_mode": "stretch_both", "margin": 0}
        over = (images, images.words)
        below = pn.Column(self.body, *over, styles={"position": "relative"}, **looks)
        return pn.Column(above, below, **looks)

    @param.depends(
        "state.tab",
        "state.model",
        "state.colour",
        "state.dark",
        "state.progress.scores_arrived",
        "state.features",
        "state.queue.training_labels",
        "state.selection.focus",
        watch=True,
    )
    def _show(self) -> None:
        if self.state.tab != self.key:
            self.body.objects = []
            return
        if self.map is not None:
            self.map.redraw()
            self._place_later()
            return
        job = self.datastore.once(sky_plane)
        wait([job], timeout=WAIT)
        if not job.done():
            self.note.object = '<div class="note">Projecting the sky …</div>'
            when_done(job, self._show)
            return
        sky, plane = job.result()
        self.map = SkyFigure(sky, plane, datastore=self.datastore, state=self.state)
        self.note.object = f'<div class="note">{places_note(self.datastore, sky)}</div>'
        nothing = pn.pane.HTML(NO_PLACES, stylesheets=[BASE, NOTE], sizing_mode="stretch_width")
        self.content = pn.panel(self.map) if sky.placed else nothing
        self._place_later()

    def _place_later(self) -> None:
        if self.state.progress.loaded:
            schedule(self._place)
        else:  # the page is rendered as a whole
            self._place()

    def _place(self) -> None:
        """Show the figure, if the tab still is."""
        if self.state.tab == self.key and self.content and not self.body.objects:
            self.body.objects = [self.content]
