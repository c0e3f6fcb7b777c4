"""Add a galaxy that is not in the store: upload its image, or fetch it by its position."""

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.file_input import FileField, Upload, UploadError
from dashboard.components.notices import status_html
from dashboard.galaxy.external_galaxy import NO_NETWORK, has_network
from dashboard.galaxy.external_jobs import ExternalJobs, Status

if TYPE_CHECKING:
    from dashboard.sky.search import Found

__all__ = ["AddGalaxy", "needed"]

HEADED = {"height": 40, "margin": (10, 5, 0, 5)}


def needed(datastore: DataStore) -> str:
    """Which files can be added, in words."""
    info = datastore.store.info
    if info.unit == "stretched":
        return "A PNG or JPEG picture of one galaxy, in the colours of this store's own images."
    scale = f" at {info.pixel_scale:g}″ a pixel, or finer" if info.pixel_scale else ""
    return (
        f"A FITS cutout with bands {', '.join(info.bands)}, or a file a band chosen together: at "
        f"least {info.size} by {info.size} pixels{scale}. Or a PNG or JPEG picture, roughly."
    )


def dust_input() -> pmui.TextInput:
    """The field for the E(B-V) before an uploaded galaxy; empty where that is unknown."""
    return pmui.TextInput(
        label="E(B-V) [mag], if known",
        placeholder="EBV of the header",
        description="Of the Milky Way's dust before your galaxy, which fluxes are corrected for "
        "as the store's are. Give it before you choose the file; without it, EBV of the FITS "
        "header counts.",
        value="",
        size="small",
        width=220,
        visible=False,
    )


def excess_of(text: str) -> float | None:
    """The E(B-V) [mag] that a person wrote; None for nothing.

    Raises:
        UploadError: It is no number.

    Example:
        >>> excess_of(" 0,05 "), excess_of("")
        (0.05, None)
    """
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        msg = f"expected E(B-V) as a number such as 0.05, found {text.strip()[:20]!r}"
        raise UploadError(msg) from error


class AddGalaxy(View):
    """A button in the header, and the panel below it: choice of files, progress, search results.

    Reads ``row``, ``model`` and ``external`` of the state; writes ``row`` and, by its
    ``ExternalJobs``, ``external``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._found: Found | None = None
        self.jobs = ExternalJobs(self._report, datastore=self.datastore, state=self.state)
        self.words = pn.pane.HTML("", stylesheets=[BASE, DROP_DOWN], sizing_mode="stretch_width")
        self.button = small_button("Upload", "Upload your own galaxy", self.open, **HEADED)
        self.show_nearest = self._button("Show it", "the nearest galaxy", self._show_nearest)
        self.fetch = self._button(
            "Fetch this place", "its cutout, from the Legacy Surveys", self._fetch_found
        )
        says = "Your galaxy: back to the one that you added, the star on the map"
        again = partial(self.state.param.update, row=None)
        self.back = small_button("Your galaxy", says, again, visible=False, **HEADED)
        self.close = self._button("Close", "drop what is under way", self.shut)
        self.field = FileField(
            label="Choose or drop files",
            uploaded_label="Choose or drop files",
            multiple=True,
            variant="outlined",
            sizing_mode="stretch_width",
        )
        self.field.param.watch(lambda _: self._take(), "value")
        self.ebv = dust_input()
        self.help = pn.pane.HTML(
            f'<p class="muted">{escape(needed(self.datastore))}</p>', stylesheets=[BASE, DROP_DOWN]
        )
        self.buttons = pn.FlexBox(self.show_nearest, self.fetch, self.close)
        self.offered = [self.show_nearest, self.fetch, self.field, self.help, self.ebv]
        looks = {"css_classes": ["drop-down"], "stylesheets": [DROP_DOWN]}
        self.panel = drawer(self.words, self.ebv, self.field, self.help, self.buttons, **looks)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(self.button, self.back, self.panel, margin=0)

    def open(self) -> None:
        """Offer the upload, or say why there is none; a second time, close."""
        if self.panel.visible and self.field.visible:
            self.shut()
            return
        network = has_network(self.datastore, self.state.model)
        self._tell("Add a galaxy that is not in this store." if network else NO_NETWORK)
        self._offer_upload(offered=network)

    def shut(self) -> None:
        """Close the panel and drop what is under way."""
        self.jobs.cancel()
        self.panel.visible = False

    def tell(self, found: "Found") -> None:
        """Show a search result, and offer to fetch a position that has no galaxy here."""
        self._tell(found.words)
        self._found = found
        self.panel.visible = bool(found.words)
        self.show_nearest.visible = not found.sure and found.row is not None
        self.fetch.visible = found.place is not None and (not found.sure or found.row is None)

    def take(self, files: Sequence[Upload]) -> None:
        """Read these files as the images of a galaxy, and show it."""
        self.panel.visible = True
        try:
            self.jobs.read(files, excess_of(self.ebv.value))
        except UploadError as error:
            self.jobs.fail(error)

    def fail(self, error: UploadError) -> None:
        """Say why files were not taken, with the field to choose others."""
        self.panel.visible = True
        self.jobs.fail(error)

    def _take(self) -> None:
        try:
            if files := self.field.files():
                self.take(files)
        except UploadError as error:
            self.fail(error)

    def _report(self, status: Status) -> None:
        """Show how far a request is; close the panel once its galaxy is shown."""
        if not status.words:
            self.panel.visible = False
            return
        self._tell("" if status.failed else status.words, busy=status.busy)
        if status.failed:
            self.words.object = status_html(status.words, failed=True)
            self._offer_upload(offered=has_network(self.datastore, self.state.model))

    def _offer_upload(self, *, offered: bool) -> None:
        """Show the fields of an upload; that of dust only if the store's fluxes are corrected."""
        self.field.visible = self.help.visible = offered
        self.ebv.visible = offered and self.datastore.store.info.dust == "corrected"

    def _tell(self, words: str, *, busy: bool = False) -> None:
        self._found = None
        self.words.object = status_html(words, busy=busy)
        self.panel.visible = True
        for part in self.offered:
            part.visible = False

    def _show_nearest(self) -> None:
        if self._found is not None and self._found.row is not None:
            self.state.row = self._found.row
        self.shut()

    def _fetch_found(self) -> None:
        if self._found is not None and self._found.place is not None:
            self.jobs.fetch(self._found.place)

    @param.depends("state.external", "state.row", watch=True)
    def _offer_back(self) -> None:
        self.back.visible = self.state.external is not None and self.state.row is not None

    def _button(self, label: str, says: str, call: Callable[[], object]) -> pmui.Button:
        return small_button(label, f"{label}: {says}", call, visible=label == "Close")
