"""A slider for each latent."""

from collections.abc import Callable

import param

from dashboard.components.acknowledged import Acknowledged
from dashboard.components.assets import script, style
from dashboard.components.css import BASE

__all__ = ["Sliders"]


class Sliders(Acknowledged):
    """The sliders; calls ``on_slide`` with the index of a moved one and its value."""

    items = param.List(
        default=[],
        item_type=dict,
        doc="Each a ``title``, a ``says``, and its ``least`` and ``most``.",
    )
    values = param.List(default=[], item_type=float, doc="Where they are, in their order.")

    _stylesheets = [BASE, style(__file__, "latent_sliders.css")]  # noqa: RUF012
    _esm = script(__file__, "latent_sliders.js")

    def __init__(self, on_slide: Callable[[int, float], None], **params: object) -> None:
        super().__init__(**params)
        self._on_slide = on_slide

    def _hear(self, data: dict[str, object]) -> None:
        at, value = data.get("slider"), data.get("value")
        if isinstance(at, int) and 0 <= at < len(self.items) and isinstance(value, int | float):
            self._on_slide(at, float(value))
