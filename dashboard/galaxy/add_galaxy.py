"""Bring a galaxy that the store has not: upload its image, or fetch it by its place."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, BRING
from dashboard.components.file_input import FileField, Upload, UploadError
from dashboard.galaxy.external_galaxy import (
    NO_NETWORK,
    ExternalGalaxy,
    encode_external,
    has_network,
)
from dashboard.galaxy.image_files import ACCEPTED, read_image_files
from dashboard.galaxy.legacy_cutout import fetch_external_galaxy, host, wanted
from dashboard.sky.coordinates import Place
from pcvae.errors import PcvaeError

if TYPE_CHECKING:
    from dashboard.sky.search import Found

__all__ = ["AddGalaxy", "needed"]

HEADED = {"height": 40, "margin": (10, 5, 0, 5)}


def needed(datastore: DataStore) -> str:
    """What a person may bring, in words."""
    info = datastore.store.info
    if info.unit == "stretched":
        return "A PNG or JPEG picture of one galaxy, in the colours of this store's own images."
    scale = f" at {info.pixel_scale:g}″ a pixel, or finer" if info.pixel_scale else ""
    return (
        f"A FITS cutout with bands {', '.join(info.bands)}, or a file a band chosen together: at "
        f"least {info.size} by {info.size} pixels{scale}. Or a PNG or JPEG picture, roughly."
    )


class AddGalaxy(View):
    """A button in the header, and the panel below it that tells what was found or brought.

    Reads ``row``, ``model`` and ``external`` of the state, and writes ``row`` and ``external``.
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._found: Found | None = None
        self._turn = 0
        self.words = pn.pane.HTML("", stylesheets=[BASE, BRING], sizing_mode="stretch_width")
        self.button = small_button("Upload", "Upload your own galaxy", self.open, **HEADED)
        self.show_nearest = self._button("Show it", "the nearest galaxy", self._show_nearest)
        self.fetch = self._button(
            "Fetch this place", "its cutout, from the Legacy Surveys", self._fetch_found
        )
        says = "Your galaxy: back to the one that you brought, the star on the map"
        again = partial(self.state.param.update, row=None)
        self.back = small_button("Your galaxy", says, again, visible=False, **HEADED)
        self.close = self._button("Close", "what is under way no longer counts", self.shut)
        self.field = FileField(
            label="Choose or drop files",
            uploaded_label="Choose or drop files",
            accept=",".join(ACCEPTED),
            multiple=True,
            variant="outlined",
            sizing_mode="stretch_width",
        )
        self.field.param.watch(lambda _: self._take(), "value")
        self.help = pn.pane.HTML(
            f'<p class="muted">{escape(needed(self.datastore))}</p>', stylesheets=[BASE, BRING]
        )
        buttons = pn.FlexBox(self.show_nearest, self.fetch, self.close)
        self.panel = drawer(
            self.words,
            self.field,
            self.help,
            buttons,
            css_classes=["bring"],
            stylesheets=[BRING],
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(self.button, self.back, self.panel, margin=0)

    def open(self) -> None:
        """Offer the upload, or say why there is none; a second time, close."""
        if self.panel.visible and self.field.visible:
            self.shut()
            return
        network = has_network(self.datastore, self.state.model)
        self._tell("AddGalaxy a galaxy that is not in this store." if network else NO_NETWORK)
        self.field.visible = self.help.visible = network

    def shut(self) -> None:
        """Close the panel; what is still under way no longer counts."""
        self._turn += 1
        self.panel.visible = False

    def tell(self, found: "Found") -> None:
        """Say what was found, and offer to fetch a place that has no galaxy here."""
        self._tell(found.words)
        self._found = found
        self.panel.visible = bool(found.words)
        self.show_nearest.visible = not found.sure and found.row is not None
        self.fetch.visible = found.place is not None and (not found.sure or found.row is None)

    def _take(self) -> None:
        try:
            self.upload(self.field.files())
        except UploadError as error:
            self._fail(error)

    def upload(self, files: list[Upload]) -> None:
        """Take these files for a galaxy."""
        if files:
            names = ", ".join(one.name for one in files)
            self._begin(
                lambda: read_image_files(files, self.datastore.store.info), f"Reading {names} …"
            )

    @param.depends("state.wanted_place", watch=True)
    def _fetch_wanted(self) -> None:
        if self.state.wanted_place is not None:
            self.fetch_place(Place(*self.state.wanted_place))
            self.state.wanted_place = None

    def fetch_place(self, place: Place) -> None:
        """Fetch the galaxy at a place."""
        try:
            asked = wanted(self.datastore)
        except PcvaeError as error:
            self._fail(error)
            return
        like = f"{', '.join(asked.bands)}, {asked.size} pixels of {asked.pixel_scale:g}″"
        words = f"Asking {host()} for {place} ({like}) …"
        self._begin(lambda: fetch_external_galaxy(self.datastore, place), words)

    def _begin(self, make: Callable[[], ExternalGalaxy], words: str) -> None:
        if not has_network(self.datastore, self.state.model):
            self._fail(UploadError(NO_NETWORK))
            return
        self._tell(words, busy=True)
        self._turn += 1
        turn, job = self._turn, self.datastore.workers.requests.submit(make)
        when_done(job, lambda: self._made(job, turn))

    def _made(self, job: "Future[ExternalGalaxy]", turn: int) -> None:
        if turn != self._turn:
            return
        if error := job.exception():
            self._fail(error)
            return
        external, model = job.result(), self.state.model
        codec = self.datastore.model_jobs.codec(model)
        self._tell("Encoding it …", busy=True)
        when_done(codec, lambda: self._encoded(external, model, codec, turn))

    def _encoded(
        self, external: ExternalGalaxy, model: str, codec: "Future[Any]", turn: int
    ) -> None:
        if turn != self._turn:
            return
        try:
            encode_external(self.datastore, codec.result(), model, external)
        except (PcvaeError, RuntimeError, ValueError, OSError) as error:
            self._fail(error)
            return
        self.state.param.update(row=None, external=external)
        self.shut()

    def _fail(self, error: BaseException) -> None:
        self._tell("")
        said = f"Not taken: {error}"
        self.words.object = f'<p class="failed" role="alert">{escape(said)}</p>'
        self.field.visible = self.help.visible = has_network(self.datastore, self.state.model)

    def _tell(self, words: str, *, busy: bool = False) -> None:
        self._found = None
        looks = ' class="busy"' if busy else ""
        self.words.object = f'<p role="status"{looks}>{escape(words)}</p>'
        self.panel.visible = True
        for part in (self.show_nearest, self.fetch, self.field, self.help):
            part.visible = False

    def _show_nearest(self) -> None:
        if self._found is not None and self._found.row is not None:
            self.state.row = self._found.row
        self.shut()

    def _fetch_found(self) -> None:
        if self._found is not None and self._found.place is not None:
            self.fetch_place(self._found.place)

    @param.depends(
        "state.external",
        "state.model",
        "state.row",
        "state.split",
        "state.second.model",
        watch=True,
    )
    def _follow(self) -> None:
        """Have the guest seen by the models of both maps."""
        external = self.state.external
        self.back.visible = external is not None and self.state.row is not None
        for model in {self.state.model, *([self.state.second.model] * self.state.split)}:
            if external and model not in external.seen and has_network(self.datastore, model):
                codec = self.datastore.model_jobs.codec(model)
                when_done(codec, partial(self._seen_again, external, model, codec))

    def _seen_again(self, external: ExternalGalaxy, model: str, codec: "Future[Any]") -> None:
        if not codec.exception():
            encode_external(self.datastore, codec.result(), model, external)
            self.state.param.trigger("external")

    def _button(self, label: str, says: str, call: Callable[[], Any]) -> pmui.Button:
        return small_button(label, f"{label}: {says}", call, visible=label == "Close")
