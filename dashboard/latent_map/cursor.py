"""The cursor on a map: it reports its position for decoding, and draws a line."""

from typing import TYPE_CHECKING, Any

import param
from bokeh.events import MouseMove
from bokeh.models import ColumnDataSource, CustomJS

from dashboard.backend.jobs import schedule
from dashboard.backend.view import Follower
from dashboard.components.assets import script
from dashboard.components.theme import ACCENT, GROUND
from dashboard.state import Axes, State

__all__ = ["Pointer", "add_line_point"]

RATE = 100  # ms between two places that the browser tells


def add_line_point(state: State, axes: Axes, x: float, y: float) -> None:
    """Start a line at a point, or end the started line there and stop drawing."""
    if axes.line is not None and axes.line[:2] == axes.line[2:]:
        axes.line = (*axes.line[:2], x, y)
        state.decoding.draw_line = False
    else:
        axes.line = (x, y, x, y)


class Pointer(Follower):
    """Reports the cursor's position while it is decoded, and shows the line of a map.

    The browser reports at most ten positions a second, and none while they are not needed.
    Reads ``decoding.follow_cursor``, ``decoding.along``, ``tab`` and ``dark`` of the state and
    ``line`` of the axes; writes ``cursor`` of the axes.

    Args:
        figure: The map's Bokeh figure.
        state: The session's state.
        axes: The map's axes.
    """

    if TYPE_CHECKING:
        axes: Axes
    else:
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, figure: Any, state: State, axes: Axes) -> None:
        super().__init__(state=state, axes=axes)
        self.place = ColumnDataSource({"x": [], "y": []}, tags=[False])
        self.line = ColumnDataSource({"x": [], "y": []})
        arguments = {"place": self.place, "rate": RATE}
        code = script(__file__, "cursor.js")
        figure.js_on_event(MouseMove, CustomJS(args=arguments, code=code, module=True))
        figure.scatter("x", "y", source=self.place, alpha=0)
        self.place.on_change("data", self._point)
        self.glyphs = {True: self._draw(figure, 5), False: self._draw(figure, 2)}
        self._follow()
        self._show()

    def _draw(self, figure: Any, width: int) -> list[Any]:
        """The line and its ends."""
        looks = {"source": self.line, "line_width": width, "level": "overlay"}
        line = figure.line("x", "y", **looks)
        ends = figure.scatter("x", "y", size=7, **looks)
        return [line.glyph, ends.glyph]

    def _point(self, _: str, __: Any, data: dict[str, Any]) -> None:
        if self.state.decoding.follow_cursor and len(data["x"]):
            self.axes.cursor = float(data["x"][0]), float(data["y"][0])

    @param.depends("state.tab", "state.dark", "state.decoding.follow_cursor", watch=True)
    def _follow_later(self) -> None:
        schedule(self._follow)

    @param.depends("axes.line", "state.tab", "state.decoding.along", watch=True)
    def _show_later(self) -> None:
        schedule(self._show)

    def _follow(self) -> None:
        self.place.tags = [self.state.decoding.follow_cursor and self.state.tab == "decode"]
        for below, glyphs in self.glyphs.items():
            colour = (GROUND if below else ACCENT)[self.state.dark]
            for glyph in glyphs:
                glyph.line_color = colour
            glyphs[-1].fill_color = colour

    @param.depends("axes.model", "axes.x", "axes.y", watch=True)
    def _forget(self) -> None:
        """Remove the line when the axes change."""
        self.axes.param.update(line=None, cursor=None)

    def _show(self) -> None:
        """Show the line while the decoder decodes along it."""
        state = self.state
        decoded = state.tab == "decode" and state.decoding.along == "line"
        line = (self.axes.line or ()) if decoded else ()
        self.line.data = {"x": list(line[::2]), "y": list(line[1::2])}
