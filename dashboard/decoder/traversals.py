"""Decoded pictures in rows: along each latent, along a line on a map, between two galaxies."""

from concurrent.futures import Future
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import Latest
from dashboard.backend.latent_range import Spread
from dashboard.backend.quantities import pretty_unit
from dashboard.backend.stamp_images import data_uri
from dashboard.backend.typography import MINUS
from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE
from dashboard.components.notices import report
from dashboard.decoder.image_rows import ImageRows
from dashboard.decoder.latent_points import decoded, path, placed, traversal
from dashboard.decoder.single_image import base_of
from dashboard.state import Axes, State

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["ImageRow", "Traversals", "along_latents", "along_line", "between"]

FRAMES = 8  # pictures on a line
SIDE = {"latents": 88, "line": 118, "path": 118}  # px, of a picture


class ImageRow(NamedTuple):
    """A row of pictures to be decoded.

    Args:
        title: The quantity that changes along it; empty where the page names it elsewhere.
        unit: Its unit, for display.
        places: The latents of each picture, (n, D).
        captions: The caption of each picture, n.
    """

    title: str
    unit: str
    places: NDArray[np.float64]
    captions: list[str]


def along_latents(
    datastore: DataStore, model: str, base: NDArray[np.float64], spread: Spread
) -> list[ImageRow]:
    """A row for each latent, from the sample's 2nd to its 98th percentile."""
    latents = datastore.store.model(model).latents
    return [
        ImageRow(
            latent.title, pretty_unit(latent.unit), places, [_number(v) for v in places[:, axis]]
        )
        for axis, (latent, places) in enumerate(zip(latents, traversal(base, spread), strict=True))
    ]


def along_line(datastore: DataStore, axes: Axes, base: NDArray[np.float64]) -> list[ImageRow]:
    """A row along the line on a map, the other latents as in the base; none without a line."""
    if axes.line is None or axes.line[:2] == axes.line[2:]:
        return []
    plane, names = (
        datastore.columns.plane(axes.model, axes.x, axes.y),
        datastore.store.model(axes.model).names,
    )
    points = path(np.array(axes.line[:2]), np.array(axes.line[2:]), FRAMES)
    places = [placed(base, names, {plane.x.column: x, plane.y.column: y}) for x, y in points]
    captions = [f"{_number(x)}, {_number(y)}" for x, y in points]
    return [ImageRow("", "", np.array(places), captions)]


def between(datastore: DataStore, state: State) -> list[ImageRow]:
    """A row from the start of the path to the picked galaxy; none unless both have latents."""
    if (
        state.decoding.path_start is None
        or state.row is None
        or state.decoding.path_start == state.row
    ):
        return []
    start, end = (
        datastore.columns.latents(state.model, row)
        for row in (state.decoding.path_start, state.row)
    )
    places = path(start, end, FRAMES)
    if not np.isfinite(places).all():
        return []
    captions = [f"{100 * share:.0f} %" for share in np.linspace(0, 1, FRAMES)]
    captions[0], captions[-1] = (
        str(datastore.ids[state.decoding.path_start]),
        str(datastore.ids[state.row]),
    )
    return [ImageRow("", "", places, captions)]


def chosen_rows(datastore: DataStore, state: State, spread: Spread) -> tuple[list[ImageRow], str]:
    """The rows to be decoded, and a note on them, or on why there are none."""
    base, whose = base_of(datastore, state, spread)
    if state.decoding.along == "latents":
        note = f"2nd to 98th percentile, the others as in {whose}"
        return along_latents(datastore, state.model, base, spread), note
    if state.decoding.along == "path":
        if state.decoding.path_start is None:
            return [], "Press “Start here”, then pick the galaxy where the path ends."
        found = between(datastore, state)
        return found, "straight through the latent space" if found else "Pick another galaxy."
    drawn = [axes for axes in state.maps if axes.line and axes.model == state.model]
    found = [strip for axes in drawn for strip in along_line(datastore, axes, base)]
    if found:
        return found, f"the other latents as in {whose}"
    return [], (
        "Tap where the line begins on a map, then where it ends."
        if state.decoding.draw_line
        else "Press “Draw a line”, then tap two places on a map."
    )


def image_rows(strips: list[ImageRow], pictures: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The rows as ``ImageRows`` shows them; the pictures (M, H, W, 3) are in the strips' order."""
    uris = iter([data_uri(picture, "WEBP") for picture in pictures])
    return [
        {
            "title": strip.title,
            "unit": strip.unit,
            "frames": [{"uri": next(uris), "says": caption} for caption in strip.captions],
        }
        for strip in strips
    ]


class Traversals(View):
    """Rows of decoded pictures; a click on one puts the sliders there.

    Reads ``row``, ``model``, ``tab``, ``page`` and ``decoding`` of the state, and ``line`` of its
    maps; writes ``decoding`` and ``progress.notices``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._tools: tuple[Codec, Spread, str] | None = None
        self._turn = 0
        self.strips: list[ImageRow] = []
        self.latest = Latest(self.datastore.workers.decoder.submit)
        self.frames = ImageRows(self._pick, sizing_mode="stretch_both", margin=0)
        self.note = pn.pane.HTML("", stylesheets=[BASE], margin=(12, 6))
        self.draw = pmui.Toggle.from_param(
            self.state.decoding.param.draw_line,
            label="Draw a line",
            size="small",
            width=120,
            margin=(8, 8),
        )
        says = "Let the path begin at the picked galaxy; then pick where it ends."
        self.begin = small_button("Start here", says, self._set_out, width=120, margin=(8, 8))

    def _set_out(self) -> None:
        self.state.decoding.path_start = self.state.row

    def __panel__(self) -> pn.viewable.Viewable:
        film = pmui.Select.from_param(
            self.state.decoding.param.along,
            label="Along",
            size="small",
            width=170,
            margin=(6, 8, 0, 0),
        )
        above = pn.Row(
            film, self.draw, self.begin, self.note, height=44, sizing_mode="stretch_width"
        )
        return pn.Column(above, self.frames, sizing_mode="stretch_both", margin=0)

    def open(self, codec: "Codec", spread: Spread) -> None:
        """Decode by this model from now on."""
        self._tools = codec, spread, self.state.model
        self._show()

    @param.depends("state.tab", "state.page", "state.decoding.along", watch=True)
    def _leave(self) -> None:
        """Stop drawing a line where none is shown, so that taps pick galaxies again."""
        state = self.state
        if state.decoding.draw_line and (state.tab, state.decoding.along, state.page) != (
            "decode",
            "line",
            "explore",
        ):
            state.decoding.draw_line = False

    @param.depends(
        "state.row",
        "state.line",
        "state.second.line",
        "state.decoding.along",
        "state.decoding.start",
        "state.decoding.path_start",
        "state.decoding.draw_line",
        watch=True,
    )
    def _show(self) -> None:
        """Decode the rows for the current choice; drop results of earlier requests."""
        self._turn += 1
        turn, state = self._turn, self.state
        self.draw.visible, self.begin.visible = (
            state.decoding.along == "line",
            state.decoding.along == "path",
        )
        if self._tools is None or self._tools[2] != state.model or state.tab != "decode":
            return
        strips, note = chosen_rows(self.datastore, state, self._tools[1])
        self.note.object = f'<span class="muted">{escape(note)}</span>' if strips else ""
        self.frames.param.update(side=SIDE[state.decoding.along], empty="" if strips else note)
        if not strips:
            self.strips, self.frames.rows = [], []
            return
        codec, places = self._tools[0], np.concatenate([strip.places for strip in strips])
        self.latest.ask(
            lambda: (strips, decoded(codec, self.datastore.store, places)),
            lambda job: self._arrive(job, turn),
        )

    def _arrive(self, job: "Future[Any]", turn: int) -> None:
        if turn != self._turn:
            return
        error = job.exception()
        report(self.state, "film", f"Not decoded: {error}" if error else "")
        if error:
            return
        self.strips, pictures = job.result()
        self.frames.rows = image_rows(self.strips, pictures)

    def _pick(self, row: int, frame: int) -> None:
        self.state.decoding.latents = self.strips[row].places[frame]


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", MINUS)
