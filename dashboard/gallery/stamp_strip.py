"""A row of stamps that can be clicked."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.components.assets import script
from dashboard.components.component import Component
from dashboard.components.css import BASE, STAMPS

__all__ = ["StampStrip", "stamp_items"]


def stamp_items(
    datastore: DataStore,
    listed: list[tuple[int, str]],
    *,
    dark: bool,
    load: bool = True,
) -> list[dict[str, Any]]:
    """The content of each stamp: row, picture, population and caption.

    Args:
        datastore: The store of the pictures.
        listed: The rows of the galaxies, each with a short line such as its distance.
        dark: Whether the ground is dark.
        load: Whether to read pictures that are not cached.
    """
    pictures = datastore.thumbnails.of([row for row, _ in listed], load=load)
    return [
        {
            "row": int(row),
            "id": str(datastore.ids[row]),
            "picture": picture,
            "name": population_title(datastore.populations.names[row]),
            "colour": datastore.populations.colour(datastore.populations.names[row], dark=dark),
            "caption": caption,
        }
        for (row, caption), picture in zip(listed, pictures, strict=True)
    ]


class StampStrip(Component):
    """A row of stamps; calls ``on_pick`` with the row of a clicked one.

    A removed one is named by its ``mark``, or by its row where it has none.
    """

    items = param.List(default=[], item_type=dict, doc="As ``stamp_items`` makes them.")
    picked = param.Integer(default=-1, doc="The row that is outlined.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, STAMPS]  # noqa: RUF012
    _esm = script(__file__, "stamp_strip.js")

    def __init__(
        self,
        on_pick: Callable[[int], None],
        on_remove: Callable[[int], None] | None = None,
        **params: object,
    ) -> None:
        super().__init__(**params)
        self._calls = {"pick": on_pick, "remove": on_remove or on_pick}
        self._before: list[dict[str, Any]] = []
        self.param.watch(lambda event: setattr(self, "_before", event.old), "items")

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Handle clicks on what is shown, and on what was shown just before."""
        items = [*self.items, *self._before]
        rows = {item["row"] for item in items}
        marks = {item.get("mark", item["row"]) for item in items}
        for (name, call), shown in zip(self._calls.items(), (rows, marks), strict=True):
            if data.get(name) in shown:
                call(data[name])
