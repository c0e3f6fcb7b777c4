"""One decoded picture, and a slider for each latent that it is decoded from."""

from concurrent.futures import Future
from html import escape
from typing import TYPE_CHECKING, Any

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
from dashboard.backend.view import View
from dashboard.components.css import BASE
from dashboard.components.notices import report
from dashboard.decoder.image_rows import Picture
from dashboard.decoder.latent_points import decoded, placed
from dashboard.decoder.latent_sliders import Sliders
from dashboard.state import Axes, State

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["SingleImage", "base_of"]

SIDE = 40, 0.6  # of the picture [px]: at no height of the strip, and what each px of it adds


def base_of(datastore: DataStore, state: State, spread: Spread) -> tuple[NDArray[np.float64], str]:
    """The latents (D,) from which decoding starts, and the name of their galaxy."""
    if state.decoding.start == "picked" and state.row is not None:
        latents = datastore.columns.latents(state.model, state.row)
        if np.isfinite(latents).all():
            return latents, str(datastore.ids[state.row])
    return spread.median, "the median"


def side_of(strip: int) -> int:
    """The side of the picture in a strip of this height [px].

    Example:
        >>> side_of(224), side_of(470)
        (174, 322)
    """
    return round(SIDE[0] + SIDE[1] * strip)


def slider_items(datastore: DataStore, model: str, spread: Spread) -> list[dict[str, Any]]:
    """The title, tooltip and range of each latent's slider."""
    latents = datastore.store.model(model).latents
    units = [pretty_unit(latent.unit) for latent in latents]
    return [
        {
            "title": latent.title,
            "says": f"{latent.title} [{unit}]" if unit else latent.title,
            "least": float(least),
            "most": float(most),
        }
        for latent, unit, least, most in zip(
            latents, units, spread.least, spread.most, strict=True
        )
    ]


class SingleImage(View):
    """The picture of the latents that are chosen by the sliders or by the cursor on a map.

    Reads ``row``, ``model``, ``tab``, ``strip`` and ``decoding`` of the state, and ``cursor`` of
    its maps; writes ``decoding.latents`` and ``progress.notices``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._tools: tuple[Codec, Spread, str] | None = None
        self.latest = Latest(self.datastore.workers.decoder.submit)
        self.picture = Picture(
            width=side_of(self.state.strip), sizing_mode="stretch_height", margin=(2, 12, 0, 0)
        )
        self.sliders = Sliders(self._slide, width=400, sizing_mode="stretch_height", margin=0)
        self.note = pn.pane.HTML("", stylesheets=[BASE], margin=(13, 6, 0, 0))

    def __panel__(self) -> pn.viewable.Viewable:
        base = pmui.Select.from_param(
            self.state.decoding.param.start,
            label="Start from",
            size="small",
            width=150,
            margin=(6, 10, 0, 0),
        )
        hovering = pmui.Checkbox.from_param(
            self.state.decoding.param.follow_cursor,
            label="under the cursor",
            size="small",
            margin=(8, 8, 0, 0),
        )
        above = pn.Row(base, hovering, self.note, height=44)
        beside = pn.Column(above, self.sliders, sizing_mode="stretch_height", margin=0)
        return pn.Row(self.picture, beside, sizing_mode="stretch_height", margin=0)

    def open(self, codec: "Codec", spread: Spread) -> None:
        """Decode by this model from now on."""
        model = self.state.model
        if self._tools is None or self._tools[2] != model:
            self._tools = codec, spread, model
            items = slider_items(self.datastore, model, spread)
            self.sliders.param.update(items=items, values=spread.median.tolist())
            self.state.decoding.latents = None
        self._show()

    @param.depends("state.row", "state.decoding.start", watch=True)
    def _restart(self) -> None:
        if self.state.decoding.latents is None:
            self._show()
        self.state.decoding.latents = None

    def _place(self, spread: Spread) -> tuple[NDArray[np.float64], str]:
        base, whose = base_of(self.datastore, self.state, spread)
        return (
            (base, whose)
            if self.state.decoding.latents is None
            else (self.state.decoding.latents, whose)
        )

    def _slide(self, axis: int, value: float) -> None:
        if self._tools is not None:
            point = np.array(self._place(self._tools[1])[0], dtype=np.float64)
            point[axis] = value
            self.state.decoding.latents = point

    @param.depends("state.cursor", watch=True)
    def _follow_first(self) -> None:
        self._follow(self.state)

    @param.depends("state.second.cursor", watch=True)
    def _follow_second(self) -> None:
        self._follow(self.state.second)

    def _follow(self, axes: Axes) -> None:
        """Decode the latents under the cursor; the other latents as at the start."""
        if self._tools is None or axes.cursor is None or axes.model != self.state.model:
            return
        plane = self.datastore.columns.plane(axes.model, axes.x, axes.y)
        base, _ = base_of(self.datastore, self.state, self._tools[1])
        names = self.datastore.store.model(axes.model).names
        given = {plane.x.column: axes.cursor[0], plane.y.column: axes.cursor[1]}
        self.state.decoding.latents = placed(base, names, given)

    @param.depends("state.decoding.latents", watch=True)
    def _show(self) -> None:
        """Decode the current latents in a worker, and set the sliders to them."""
        if self._tools is None or self._tools[2] != self.state.model or self.state.tab != "decode":
            return
        codec, spread, _ = self._tools
        place, whose = self._place(spread)
        self.sliders.values = place.tolist()
        changed = self.state.decoding.latents is not None
        self.note.object = (
            f'<span class="muted">{"changed from" if changed else "of"} {escape(whose)}</span>'
        )
        self.picture.says = f"Decoded picture {'changed from' if changed else 'of'} {whose}"
        self.latest.ask(lambda: decoded(codec, self.datastore.store, place[None])[0], self._arrive)

    def _arrive(self, job: "Future[Any]") -> None:
        error = job.exception()
        report(self.state, "live", f"Not decoded: {error}" if error else "")
        if not error:
            self.picture.uri = data_uri(job.result(), "WEBP")

    @param.depends("state.strip", watch=True)
    def _resize(self) -> None:
        self.picture.width = side_of(self.state.strip)
