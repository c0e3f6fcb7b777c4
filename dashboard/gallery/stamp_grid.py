"""A grid of stamps that fills its container."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["Tiles"]


class Tiles(Component):
    """A grid of stamps; calls ``on_pick`` with a row, ``on_turn`` with a number of pages.

    The arrow keys move over it and on to the next page; ``fit`` is the number that fits.
    """

    items = param.List(default=[], item_type=dict, doc="As ``stamp_items`` makes them.")
    picked = param.Integer(default=-1, doc="The row that is outlined.")
    waiting = param.Boolean(default=False, doc="Pictures are still to come.")
    title = param.String(default="", doc="What is said where there are none.")
    words = param.String(default="", doc="What can be done about it.")
    offers = param.List(default=[], item_type=dict, doc="A ``key`` and ``text`` for each offer.")
    size = param.Integer(default=64, doc="The least size of a stamp [px].")
    crop = param.Integer(default=1, doc="How much the middle of each is enlarged.")
    fit = param.Integer(default=34, bounds=(1, 1000), doc="How many fit on a page.")

    _stylesheets = [BASE, style(__file__, "stamp_grid.css")]  # noqa: RUF012
    _esm = script(__file__, "stamp_grid.js")

    def __init__(
        self,
        on_pick: Callable[[int], None],
        on_turn: Callable[[int], None],
        on_offer: Callable[[str], None],
        **params: object,
    ) -> None:
        super().__init__(**params)
        self._on_pick, self._on_turn, self._on_offer = on_pick, on_turn, on_offer

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("pick") in {item["row"] for item in self.items}:
            self._on_pick(data["pick"])
        elif data.get("turn") in (-1, 1):
            self._on_turn(data["turn"])
        elif data.get("offer") in {offer["key"] for offer in self.offers}:
            self._on_offer(data["offer"])
