"""Galaxies as a row of stamps that can be clicked."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.source import Source
from dashboard.style import BASE, STAMPS, colour_of, population_title

__all__ = ["StampStrip", "stamp_item"]


def stamp_item(
    source: Source, row: int, caption: str, *, dark: bool, removable: bool = False
) -> dict[str, Any]:
    """What one stamp shows: picture, population and a caption; ``row`` says whose it is.

    Args:
        source: Where the picture comes from.
        row: The galaxy.
        caption: A short line, such as its distance.
        dark: Whether the ground is dark.
        removable: Whether it carries a button that takes it off the strip.
    """
    population = source.populations[row]
    return {
        "row": int(row),
        "id": str(source.ids[row]),
        "picture": source.picture(int(row)),
        "population": population_title(population),
        "colour": colour_of(population, source.all_populations, dark=dark),
        "caption": caption,
        "removable": removable,
    }


class StampStrip(JSComponent):
    """A row of stamps; calls ``on_pick`` or ``on_remove`` with the row of a clicked one."""

    items = param.List(default=[], item_type=dict, doc="As ``stamp_item`` makes them.")
    picked = param.Integer(default=-1, doc="The row that is outlined.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, STAMPS]  # noqa: RUF012
    _esm = """
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
        const box = add('div', strip, { class: 'stamp', 'data-row': item.row })
        const label = `${item.id}, ${item.population}, ${item.caption}`
        const button = add('button', box, { type: 'button', 'aria-label': label, title: item.id })
        if (item.picture) {
          add('img', button, { src: item.picture, alt: '' })
        } else {
          add('span', button, { class: 'blank', text: item.id })
        }
        const name = add('span', button, { class: 'population' })
        add('i', name, { style: `background:${item.colour}` })
        add('span', name, { text: item.population })
        add('span', button, { class: 'caption', text: item.caption })
        button.onclick = () => model.send_msg({ pick: item.row })
        if (item.removable) {
          const off = { class: 'off', type: 'button', title: 'Remove', 'aria-label': `Remove ${item.id}` }
          add('button', box, { ...off, text: '×' }).onclick = () => model.send_msg({ remove: item.row })
        }
      }
      const outline = () => {
        for (const box of strip.children) {
          box.classList.toggle('picked', box.dataset.row === String(model.picked))
        }
      }
      const fill = () => {
        strip.replaceChildren()
        model.items.forEach(stamp)
        if (!model.items.length) add('p', strip, { class: 'empty', text: model.empty })
        strip.scrollLeft = 0
        outline()
      }
      fill()
      model.on('items', fill)
      model.on('empty', fill)
      model.on('picked', outline)
      el.appendChild(strip)
    }
    """

    def __init__(
        self,
        on_pick: Callable[[int], None],
        on_remove: Callable[[int], None] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(**params)
        self._calls = {"pick": on_pick, "remove": on_remove or on_pick}

    def _handle_msg(self, data: dict[str, Any]) -> None:
        shown = {item["row"] for item in self.items}
        for name, call in self._calls.items():
            if data.get(name) in shown:
                call(data[name])
