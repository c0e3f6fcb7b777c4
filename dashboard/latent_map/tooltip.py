"""The tooltip of the galaxy under the cursor."""

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn
from bokeh.events import MouseLeave, MouseMove
from bokeh.models import ColumnDataSource, CustomJS

from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.components.assets import script, style
from dashboard.components.css import BASE

__all__ = ["Tooltip", "tooltip_html"]

REST = 150  # ms that the cursor must rest


def tooltip_html(datastore: DataStore, row: int, *, dark: bool) -> str:
    """The stamp of a galaxy, if there is one, with its id and population."""
    (picture,) = datastore.thumbnails.of([row])
    population = datastore.populations.names[row]
    image = f'<img src="{picture}" alt="">' if picture else ""
    colour = datastore.populations.colour(population, dark=dark)
    return (
        f'<div class="glance">{image}<div><b>{escape(str(datastore.ids[row]))}</b>'
        f'<span><i style="background:{colour}"></i>{escape(population_title(population))}</span>'
        "</div></div>"
    )


class Tooltip:
    """Shows a galaxy in a corner of a map while the cursor rests on it.

    The browser reports a position only when the cursor rests there.

    Args:
        find: Returns the HTML of a point (x, y), empty where nothing is near, and whether the
            point is in the right half of the map.
    """

    def __init__(self, find: Callable[[float, float], tuple[str, bool]]) -> None:
        self._find = find
        self.pane = pn.pane.HTML(
            "", stylesheets=[BASE, style(__file__, "tooltip.css")], margin=0, visible=False
        )
        self.place = ColumnDataSource({"x": [], "y": []})
        self.place.on_change("data", self._told)

    def watch(self, figure: Any) -> None:
        """Listen to the cursor on the map's figure."""
        arguments = {"place": self.place, "rest": REST}
        callback = CustomJS(args=arguments, code=script(__file__, "tooltip.js"), module=True)
        figure.js_on_event(MouseMove, callback)
        figure.js_on_event(MouseLeave, callback)
        figure.scatter("x", "y", source=self.place, alpha=0)

    def show(self, x: float, y: float) -> None:
        """Show the galaxy at a point, in the corner that is farther from it."""
        html, right = self._find(x, y)
        side = {"left": "78px"} if right else {"right": "14px"}
        place = {"position": "absolute", "bottom": "64px", "pointer-events": "none"}
        self.pane.param.update(object=html, visible=bool(html), styles=place | side)

    def _told(self, _: str, __: Any, data: dict[str, Any]) -> None:
        if len(data["x"]):
            self.show(float(data["x"][0]), float(data["y"][0]))
        else:
            self.pane.visible = False
