"""The picked galaxy enlarged: image, reconstruction and residual, in colour or in one band."""

import panel as pn
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.backend.stamp_images import channels_of, data_uri, in_band
from dashboard.backend.view import Tab, View
from dashboard.galaxy.external_galaxy import NO_NETWORK, has_network
from dashboard.galaxy.reconstruction import Reconstruction, reconstruction_of
from dashboard.gallery.viewer_dialog import ViewerDialog

__all__ = ["Viewer"]

NO_GALAXY = "Pick a galaxy of the store first: tap the map."
NO_STAMPS = "This store has no stamps."
DECODING = "Decoding …"


class Viewer(View):
    """The picked galaxy in a dialog, which walks along the list that it was opened from.

    Reads ``row``, ``model``, ``band``, ``dark`` and ``progress.loaded`` of the state; writes
    ``row`` and ``band``.

    Args:
        tabs: All tabs by their keys; the shown one is stepped through where the dialog was not
            opened from a row of stamps.
    """

    def __init__(self, tabs: dict[str, Tab], **params: object) -> None:
        super().__init__(**params)
        self._tabs, self._rows = tabs, list[int]()
        calls = (self.open, self.step, self._choose_band)
        self.dialog = ViewerDialog(*calls, sizing_mode="fixed", width=0, height=0, margin=0)

    def __panel__(self) -> pn.viewable.Viewable:
        return self.dialog

    def open(self, row: int | None = None, rows: list[int] | None = None) -> None:
        """Enlarge a galaxy.

        Args:
            row: The galaxy; None for the picked one.
            rows: The list to walk along; none for that of the shown tab.
        """
        size = len(self.datastore)
        self._rows = [one for one in rows or [] if 0 <= one < size]
        if row is not None and 0 <= row < size:
            self.state.row = row
        self.dialog.opened = True
        self._show()

    def step(self, by: int) -> None:
        """Go to the next galaxy of the list (1), or to the previous one (-1), if there is one."""
        if self.state.row not in self._rows:
            self._tabs[self.state.tab].step(by)
            return
        place = self._rows.index(self.state.row) + by
        if 0 <= place < len(self._rows):
            self.state.row = self._rows[place]

    def _choose_band(self, band: str) -> None:
        self.state.band = band

    @param.depends(
        "state.row",
        "state.model",
        "state.band",
        "state.dark",
        "state.progress.loaded",
        watch=True,
    )
    def _show(self) -> None:
        if not self.dialog.opened:
            return
        bands = list(self.state.param.band.objects.values())
        shared = {"bands": bands, "band": self.state.band}
        row = self.state.row
        if row is None:
            self.dialog.param.update(title="No galaxy", pictures={}, words=NO_GALAXY, **shared)
            return
        view, words = self._reconstruction(row)
        name = population_title(self.datastore.populations.names[row])
        title, pictures = f"{self.datastore.ids[row]} · {name}", self._pictures(row, view)
        self.dialog.param.update(title=title, pictures=pictures, words=words, **shared)

    @property
    def _channel(self) -> int | None:
        return channels_of(self.datastore.store.info.bands).get(self.state.band)

    def _pictures(self, row: int, view: Reconstruction | None) -> dict[str, str]:
        """What there is of image, reconstruction and residual, as data URIs."""
        pictures = {}
        stamp = self.datastore.stamp(row)
        if stamp is not None:
            pictures["image"] = data_uri(in_band(stamp, self._channel))
        if view is not None:
            pictures["reconstruction"] = data_uri(view.reconstruction)
            if view.residual is not None:
                pictures["residual"] = data_uri(view.residual.picture)
        return pictures

    def _reconstruction(self, row: int) -> tuple[Reconstruction | None, str]:
        """The reconstruction, and what is said in place of a picture that is missing."""
        model = self.state.model
        if not has_network(self.datastore, model):
            return None, NO_NETWORK
        job = self.datastore.model_jobs.codec(model)
        if not job.done():
            when_done(job, self._show)
            return None, DECODING
        view, why_not = reconstruction_of(
            self.datastore, model, row, dark=self.state.dark, channel=self._channel
        )
        return view, why_not or NO_STAMPS
