"""Small histograms on which ranges are drawn, by mouse or by keyboard."""

from collections.abc import Callable
from typing import Any

import numpy as np
import param

from dashboard.components.acknowledged import Acknowledged
from dashboard.components.assets import script, style
from dashboard.components.css import BASE

__all__ = ["Ranges"]


class Ranges(Acknowledged):
    """Histograms of all galaxies in grey, of those in focus on top, each scaled to its own peak.

    Calls ``on_range`` with the key of a histogram and the range that is to be kept: two numbers,
    infinite where there is no limit; None for all of it.
    """

    plots = param.List(
        default=[],
        item_type=dict,
        doc="A ``key``, ``title``, ``unit``, ``low`` and ``high`` end, the ``counts`` of all "
        "galaxies and a ``note`` for each histogram.",
    )
    focus = param.Dict(default={}, doc="The counts of the galaxies in focus, by key.")
    kept = param.Dict(default={}, doc="The ranges that are kept, by key; None for no limit.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, style(__file__, "range_histograms.css")]  # noqa: RUF012
    _esm = script(__file__, "range_histograms.js")

    def __init__(
        self, on_range: Callable[[str, tuple[float, float] | None], None], **params: object
    ) -> None:
        super().__init__(**params)
        self._on_range = on_range

    def _hear(self, data: dict[str, Any]) -> None:
        if data.get("key") not in {plot["key"] for plot in self.plots}:
            return
        ends = data.get("low"), data.get("high")
        if not all(end is None or isinstance(end, int | float) for end in ends):
            return
        low = -np.inf if ends[0] is None else float(ends[0])
        high = np.inf if ends[1] is None else float(ends[1])
        kept = (min(low, high), max(low, high))
        self._on_range(data["key"], None if kept == (-np.inf, np.inf) else kept)
