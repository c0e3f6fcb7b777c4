"""A slider for each latent, a line each."""

from collections.abc import Callable
from typing import Any

import param

from dashboard.components.acknowledged import ACKNOWLEDGED, Acknowledged
from dashboard.components.css import BASE

__all__ = ["Sliders"]

LOOKS = """
:host { display: block; }
.sliders { display: grid; overflow-y: auto; height: 100%; scrollbar-width: thin;
  scrollbar-color: var(--faint) transparent; align-content: start; }
label { display: grid; grid-template-columns: minmax(0, 1fr) 196px 46px; column-gap: 10px;
  align-items: center; height: 22px; font-size: 12px; }
label span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
input { width: 100%; margin: 0; height: 18px; accent-color: var(--accent); cursor: pointer; }
output { text-align: right; }
"""


class Sliders(Acknowledged):
    """Calls ``on_slide`` with which slider was moved and to where."""

    items = param.List(
        default=[],
        item_type=dict,
        doc="Each a ``title``, a ``says``, and its ``least`` and ``most``.",
    )
    values = param.List(default=[], item_type=float, doc="Where they are, in their order.")

    _stylesheets = [BASE, LOOKS]  # noqa: RUF012
    _esm = (
        ACKNOWLEDGED
        + """
    const STEPS = 200
    export function render({ model, el }) {
      const sliders = document.createElement('div')
      sliders.className = 'sliders'
      let rows = []
      const add = (tag, parent) => parent.appendChild(document.createElement(tag))
      const write = (row, value) => {
        row.said.textContent = value.toFixed(2).replace('-', '\\u2212')
      }
      const make = (one, at) => {
        const label = add('label', sliders), name = add('span', label)
        const input = add('input', label), said = add('output', label)
        name.textContent = one.title
        label.title = one.says
        const step = (one.most - one.least) / STEPS
        Object.assign(input, { type: 'range', min: one.least, max: one.most, step })
        input.setAttribute('aria-label', one.title)
        const row = { input, said }
        input.oninput = () => {
          write(row, +input.value)
          send({ slider: at, value: +input.value })
        }
        return row
      }
      const place = () => rows.forEach((row, at) => {
        const value = model.values[at]
        if (value === undefined) return
        row.input.value = value
        write(row, value)
      })
      const fill = () => {
        sliders.replaceChildren()
        rows = model.items.map(make)
        place()
      }
      fill()
      model.on('items', fill)
      const send = answering(model, ['values'], place)
      el.appendChild(sliders)
    }
    """
    )

    def __init__(self, on_slide: Callable[[int, float], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_slide = on_slide

    def _hear(self, data: dict[str, Any]) -> None:
        at, value = data.get("slider"), data.get("value")
        if isinstance(at, int) and 0 <= at < len(self.items) and isinstance(value, int | float):
            self._on_slide(at, float(value))
