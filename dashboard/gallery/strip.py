"""Galaxies in a row below the map: the picked one's neighbours, and look-alikes."""

import re
from concurrent.futures import Future
from html import escape, unescape
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.view import Tab
from dashboard.components.assets import style
from dashboard.components.css import BASE, PHONE, STAMPS
from dashboard.gallery.stamp_strip import StampStrip, stamp_items
from dashboard.state import GalaxyList, State

__all__ = [
    "LINE",
    "STACKED",
    "Strip",
    "features_control",
    "metric_controls",
    "note_html",
    "select",
    "stamps_height",
]

MAX_STAMPS = 60  # stamps in a row; a longer list says how many it shows
ABOVE, HEIGHT = 42, 140  # px: the line of controls, the stamps
MENU = style(__file__, "strip_menu.css")
LINE, STACKED = (  # rows that are laid out otherwise on a phone
    {"css_classes": [name], "stylesheets": [PHONE], "sizing_mode": "stretch_width"}
    for name in ("controls-line", "stacked")
)
TAG = re.compile(r"<[^>]*>")
LEAST_WIDTH = 110  # px, of a menu
LOW = State.param["strip"].default  # px: the strip with its tabs
SHOWN = ("state.tab", "state.dark")  # every strip depends on
METRIC = ("state.k", "state.whiten", "state.oriented", "state.features")


def select(parameter: "param.Selector[str]", label: str, width: int, top: int = 4) -> Any:
    """A menu of a strip, for a parameter of the state; narrower where the page is."""
    looks: dict[str, Any] = {"size": "small", "variant": "outlined", "margin": (top, 8, 0, 2)}
    looks |= {"min_width": LEAST_WIDTH, "max_width": width, "sizing_mode": "stretch_width"}
    return pmui.Select.from_param(parameter, label=label, stylesheets=[MENU], **looks)


def features_control(state: State, top: int = 4) -> list[object]:
    """The choice of features to search by, so many px below the top; none where there is one."""
    if len(state.param.features.objects) < 2:
        return []
    return [select(state.param.features, "Search by", 200, top)]


def metric_controls(state: State, **number_looks: Any) -> list[object]:
    """The controls of the number of neighbours, of the features and of the metric."""
    number = pmui.Select.from_param(
        state.param.k,
        label="Neighbours",
        size="small",
        width=104,
        margin=(4, 8, 0, 2),
        **number_looks,
    )
    switches = [
        pmui.Checkbox.from_param(state.param[name], label=label, size="small", margin=(6, 8, 0, 2))
        for name, label in (("whiten", "whitened"), ("oriented", "orientation counts"))
    ]
    return [number, *features_control(state), *switches]


def stamps_height(state: State) -> "param.rx":
    """That of the stamps and of what stands beside them [px]; follows the strip's."""
    return state.param.strip.rx() + (HEIGHT - LOW)


def note_html(note: str) -> str:
    """The line above the stamps, in two at most; all of it is its tooltip.

    Example:
        >>> note_html("the 10 nearest")
        '<span class="muted note" title="the 10 nearest">the 10 nearest</span>'
    """
    plain = escape(unescape(TAG.sub("", note)))
    return f'<span class="muted note" title="{plain}">{note}</span>'


class Strip(Tab):
    """A row of stamps, each of which picks its galaxy, under a line of text."""

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.strip = StampStrip(
            self._pick, self._remove, sizing_mode="stretch_width", height=stamps_height(self.state)
        )
        self.note = pn.pane.HTML(
            "", stylesheets=[BASE, STAMPS], margin=(6, 6), sizing_mode="stretch_width"
        )
        self._outline()
        self._refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        above = pn.Row(*self._above(), self.note, height=ABOVE, **LINE)
        below = pn.Row(self.strip, *self._beside(), **STACKED)
        return pn.Column(above, below, sizing_mode="stretch_width", margin=(6, 10, 0, 10))

    def _beside(self) -> list[object]:
        """What stands at the right of the stamps."""
        return []

    def _above(self) -> list[object]:
        return []

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        """The galaxies' rows and captions, and a note."""
        raise NotImplementedError

    def _galaxies(self) -> GalaxyList | None:
        """All that is listed, also beyond the stamps that are shown; asked for after it is."""
        raise NotImplementedError

    def _pick(self, row: int) -> None:
        if row == self.state.row:
            self._refresh()
        self.state.row = row

    def _remove(self, mark: int) -> None:
        """Remove a stamp from the list, where the list allows it."""

    def _items(self, listed: list[tuple[int, str]]) -> list[dict[str, Any]]:
        return stamp_items(self.datastore, listed[:MAX_STAMPS], dark=self.state.dark)

    def step(self, by: int) -> None:
        """Pick the next galaxy of the list, or the previous one; the list stays as it is."""
        rows = [item["row"] for item in self.strip.items]
        here = (
            rows.index(self.state.row) if self.state.row in rows else -1 if by > 0 else len(rows)
        )
        if 0 <= here + by < len(rows):
            self.go_to(rows[here + by])

    def _ready(self, job: "Future[Any]") -> bool:
        """Whether a job is done; if not, the list is refreshed when it is."""
        if not job.done() and self.state.progress.loaded:
            when_done(job, self._refresh)
        return job.done()

    @param.depends("state.row", watch=True)
    def _outline(self) -> None:
        self.strip.picked = -1 if self.state.row is None else self.state.row

    def _refresh(self) -> None:
        if self.state.tab != self.key or self._walking:
            return
        listed, note = self._listed()
        self.state.selection.listed = self._galaxies() if listed else None
        self.note.object = note_html(note) if listed else ""
        self.strip.param.update(empty="" if listed else note, items=self._items(listed))
