"""The strip below the maps: its tabs, the list's bar in its corner, and the edge that sizes it."""

from collections.abc import Mapping

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.view import Tab
from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE, PHONE
from dashboard.components.icon_toggle import IconToggle
from dashboard.components.theme import NARROW
from dashboard.state import State

__all__ = ["TALL", "StripEdge", "strip_of"]

LEAST, MOST = State.param["strip"].bounds  # px
LOW, TALL = State.param["strip"].softbounds  # px: what the button in the corner goes between
TALLER = {  # drawings of the button
    "Make the strip taller": "M4 9L8 5L12 9M4 13H12",
    "Make the strip lower": "M4 5L8 9L12 5M4 13H12",
}
CORNER = 388  # px at the right of the tabs' names, for the list's bar


class StripEdge(Component):
    """The strip's upper edge: dragged, or moved by keys, it changes the strip's height.

    The browser keeps it so low that the maps stay in its window, and begins with more on a very
    large one.
    """

    size = param.Integer(default=LOW, doc="Height of the strip [px].")
    least = param.Integer(default=LEAST, doc="Its least height [px].")
    ready = param.Boolean(default=False, doc="The page is on the screen: the height may change.")
    usual = param.Integer(default=LOW, doc="What a double click goes back to [px].")

    _stylesheets = [BASE, style(__file__, "tab_strip.css")]  # noqa: RUF012
    _esm = script(__file__, "tab_strip.js")


def strip_of(tabs: Mapping[str, Tab], list_bar: pn.viewable.Viewer, state: State) -> pn.Column:
    """The strip: the edge, the tabs, and in its corner the list's bar and a button."""
    names = list(tabs)
    strip = pmui.Tabs(
        *((tab.title, pn.panel(tab)) for tab in tabs.values()),  # Tabs would make each view twice
        active=names.index(state.tab),
        dynamic=True,
        sizing_mode="stretch_both",
        css_classes=["tabs"],
        stylesheets=[PHONE],
        sx={".MuiTabs-root": {"marginRight": f"{CORNER}px", NARROW: {"marginRight": 0}}},
    )
    strip.param.watch(lambda event: state.param.update(tab=names[event.new]), "active")
    state.param.watch(lambda event: strip.param.update(active=names.index(event.new)), "tab")
    ready = state.progress.param.loaded
    looks = {"sizing_mode": "stretch_width", "height": 9, "margin": 0}
    edge = StripEdge(size=state.strip, ready=ready, **looks)
    edge.link(state, size="strip", bidirectional=True)
    corner = {"position": "absolute", "right": "12px", "top": "3px", "z-index": "2"}
    return pn.Column(
        strip,
        pn.Row(list_bar, _taller(state), styles=corner, margin=0, **_on_a_phone("corner")),
        edge,
        sizing_mode="stretch_width",
        height=state.param.strip,
        margin=0,
        **_on_a_phone("below"),
        styles={"position": "relative", "background": "var(--panel-background-color)"},
    )


def _on_a_phone(name: str) -> dict[str, list[str]]:
    return {"css_classes": [name], "stylesheets": [PHONE]}


def _taller(state: State) -> IconToggle:
    """The button that makes the strip tall, or low again however tall it is."""
    looks = {"names": list(TALLER), "paths": list(TALLER.values()), "width": 28, "height": 28}
    toggle = IconToggle(chosen=state.strip > LOW, margin=0, **looks)

    def press(event: param.parameterized.Event) -> None:
        if event.new != (state.strip > LOW):
            state.strip = TALL if event.new else LOW

    toggle.param.watch(press, "chosen")
    state.param.watch(lambda event: toggle.param.update(chosen=event.new > LOW), "strip")
    return toggle
