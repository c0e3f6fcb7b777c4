"""The formats of what is exported: a file's kind, and a figure's width and ground."""

import panel as pn
import panel_material_ui as pmui

from dashboard.export.choices import FIGURE, GROUNDS, LABELS, WIDTHS, Choice, formats_of

__all__ = ["FormatChoice"]


class FormatChoice(pn.viewable.Viewer):
    """The formats of what is exported; only those that it has are visible."""

    def __init__(self) -> None:
        pn.viewable.Viewer.__init__(self)
        shared = {"size": "small", "margin": (8, 10)}
        self.kind = pmui.Select(label="As", options=formats_of(LABELS), width=290, **shared)
        figure = {**shared, "visible": False}
        self.width = pmui.Select(label="Width", options=WIDTHS, width=190, **figure)
        self.ground = pmui.Select(label="Ground", options=GROUNDS, width=90, **figure)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.kind, pn.Row(self.width, self.ground, margin=0), margin=0)

    def offer(self, what: str) -> None:
        """Offer the formats of what is exported."""
        formats = formats_of(what)
        self.kind.visible = bool(formats)
        self.width.visible = self.ground.visible = what == FIGURE
        if formats and formats != self.kind.options:
            self.kind.param.update(options=formats, value=next(iter(formats.values())))

    def choice(self, what: str) -> Choice:
        """What is exported, in the chosen format."""
        return Choice(what, self.kind.value, self.width.value, self.ground.value)
