"""Components for decoded pictures: a single one, and rows of them that can be clicked."""

from collections.abc import Callable

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["ImageRows", "Picture"]


class Picture(Component):
    """One picture, replaced without a flicker."""

    uri = param.String(default="", doc="The picture as a data URI.")
    says = param.String(default="", doc="What it shows, for those who do not see it.")

    _stylesheets = [BASE, style(__file__, "picture.css")]  # noqa: RUF012
    _esm = script(__file__, "picture.js")


class ImageRows(Component):
    """Rows of pictures; calls ``on_pick`` with the row and column of a clicked one."""

    rows = param.List(
        default=[],
        item_type=dict,
        doc="Each a ``title``, a ``unit`` and ``frames``, each of these a ``uri`` and a ``says``.",
    )
    side = param.Integer(default=90, doc="The largest side of a picture, in px.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, style(__file__, "image_rows.css")]  # noqa: RUF012
    _esm = script(__file__, "image_rows.js")

    def __init__(self, on_pick: Callable[[int, int], None], **params: object) -> None:
        super().__init__(**params)
        self._on_pick = on_pick

    def _handle_msg(self, data: dict[str, object]) -> None:
        row, frame = data.get("row"), data.get("frame")
        if not (isinstance(row, int) and 0 <= row < len(self.rows)):
            return
        if isinstance(frame, int) and 0 <= frame < len(self.rows[row]["frames"]):
            self._on_pick(row, frame)
