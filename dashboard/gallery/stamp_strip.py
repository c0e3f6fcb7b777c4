"""Galaxies as a row of stamps that can be clicked."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.components.acknowledged import REFILL
from dashboard.components.css import BASE, STAMPS

__all__ = ["StampStrip", "stamp_items"]


def stamp_items(
    datastore: DataStore,
    listed: list[tuple[int, str]],
    *,
    dark: bool,
    load: bool = True,
) -> list[dict[str, Any]]:
    """What each stamp shows: picture, population and caption; ``row`` says whose it is.

    Args:
        datastore: Where the pictures come from.
        listed: The rows of the galaxies, each with a short line such as its distance.
        dark: Whether the ground is dark.
        load: Whether to read pictures that are not at hand, which takes a moment.
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


class StampStrip(JSComponent):
    """A row of stamps; calls ``on_pick`` with the row of a clicked one.

    What a removed one is called by is its ``mark``, or its row where it has none.
    """

    items = param.List(default=[], item_type=dict, doc="As ``stamp_items`` makes them.")
    picked = param.Integer(default=-1, doc="The row that is outlined.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, STAMPS]  # noqa: RUF012
    _esm = (
        REFILL
        + """
    export function render({ model, el }) {
      const strip = document.createElement('div')
      strip.className = 'strip'
      const add = (tag, parent, attributes = {}) => {
        const node = parent.appendChild(document.createElement(tag))
        for (const [name, value] of Object.entries(attributes)) {
          name === 'text' ? node.textContent = value : node.setAttribute(name, value)
        }
        return node
      }
      const stamp = item => {
        const wide = item.lines ? ' wide' : ''
        const box = add('div', strip, { class: `stamp${wide}`, 'data-row': item.row })
        const label = `${item.id}, ${item.name}, ${item.caption}`
        const button = add('button', box, { type: 'button', 'aria-label': label, title: item.id })
        if (item.picture) {
          add('img', button, { src: item.picture, alt: '' })
        } else {
          add('span', button, { class: 'blank', text: item.id })
        }
        const name = add('span', button, { class: 'population' })
        add('i', name, { style: `background:${item.colour}` })
        add('span', name, { text: item.name })
        add('span', button, { class: 'caption', text: item.caption })
        for (const text of item.lines ?? []) {
          add('span', button, { class: 'line', text, title: text })
        }
        button.onclick = () => model.send_msg({ pick: item.row })
        if (item.removable) {
          const remove = `Remove ${item.id}`
          const looks = { class: 'off', type: 'button', title: remove, 'aria-label': remove }
          const off = add('button', box, { ...looks, text: '\\u00d7' })
          off.onclick = () => model.send_msg({ remove: item.mark ?? item.row })
        }
      }
      const outline = () => {
        for (const box of strip.children) {
          box.classList.toggle('picked', box.dataset.row === String(model.picked))
        }
      }
      const fill = refilling(el, strip, () => {
        strip.replaceChildren()
        model.items.forEach(stamp)
        if (!model.items.length) add('p', strip, { class: 'empty', text: model.empty })
        strip.scrollLeft = 0
        outline()
      })
      fill()
      model.on('items', fill)
      model.on('empty', fill)
      model.on('picked', outline)
      el.appendChild(strip)
    }
    """
    )

    def __init__(
        self,
        on_pick: Callable[[int], None],
        on_remove: Callable[[int], None] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._calls = {"pick": on_pick, "remove": on_remove or on_pick}
        self._before: list[dict[str, Any]] = []
        self.param.watch(lambda event: setattr(self, "_before", event.old), "items")

    def _handle_msg(self, data: dict[str, Any]) -> None:
        """Obey for what is shown, and for what a quick hand hit just before it changed."""
        items = [*self.items, *self._before]
        rows = {item["row"] for item in items}
        marks = {item.get("mark", item["row"]) for item in items}
        for (name, call), shown in zip(self._calls.items(), (rows, marks), strict=True):
            if data.get(name) in shown:
                call(data[name])
