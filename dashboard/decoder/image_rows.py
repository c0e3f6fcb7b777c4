"""Decoded pictures: one that follows what is chosen, and rows of them that can be clicked."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.components.css import BASE

__all__ = ["ImageRows", "Picture"]

PICTURE = """
:host { display: block; position: relative; }
figure { position: absolute; inset: 0; margin: 0; }
img { display: block; width: 100%; max-height: 100%; aspect-ratio: 1; object-fit: contain;
  object-position: 0 0; border-radius: 5px; }
"""
FRAMES = """
:host { display: block; width: 100%; min-width: 0; }
.rows { height: 100%; overflow: auto; scrollbar-width: thin; padding: 2px 4px 6px 2px;
  scrollbar-color: var(--faint) transparent; display: grid; gap: 6px; align-content: start; }
.row { display: grid; grid-template-columns: 112px repeat(var(--across), minmax(0, var(--side)));
  gap: 5px; align-items: start; }
.row.wide { grid-template-columns: repeat(var(--across), minmax(0, var(--side))); }
.title { font-size: 12px; line-height: 1.25; align-self: center; padding-right: 8px; }
.title small { display: block; color: var(--muted); font-size: 11px; }
button { display: block; padding: 0; border: 0; background: none; color: var(--muted);
  font: inherit; font-size: 11px; cursor: pointer; text-align: center; line-height: 15px; }
img { display: block; width: 100%; aspect-ratio: 1; border-radius: 4px;
  outline: 2px solid transparent; outline-offset: -2px; }
button:hover img { outline-color: var(--faint); }
.empty { color: var(--muted); margin: 0; padding: 28px 12px; max-width: 46em; line-height: 1.5; }
"""


class Picture(JSComponent):
    """One picture, replaced without a flicker."""

    uri = param.String(default="", doc="The picture as a data URI.")
    says = param.String(default="", doc="What it shows, for those who do not see it.")

    _stylesheets = [BASE, PICTURE]  # noqa: RUF012
    _esm = """
    export function render({ model, el }) {
      const figure = document.createElement('figure'), image = document.createElement('img')
      const show = () => {
        image.hidden = !model.uri
        if (model.uri) image.src = model.uri
        image.alt = model.says
      }
      show()
      model.on('uri', show)
      model.on('says', show)
      figure.appendChild(image)
      el.appendChild(figure)
    }
    """


class ImageRows(JSComponent):
    """Rows of pictures; calls ``on_pick`` with the row and the place in it of a clicked one."""

    rows = param.List(
        default=[],
        item_type=dict,
        doc="Each a ``title``, a ``unit`` and ``frames``, each of these a ``uri`` and a ``says``.",
    )
    side = param.Integer(default=90, doc="The largest side of a picture, in px.")
    empty = param.String(default="", doc="What is said where there are none.")

    _stylesheets = [BASE, FRAMES]  # noqa: RUF012
    _esm = """
    export function render({ model, el }) {
      const rows = document.createElement('div')
      rows.className = 'rows'
      const add = (tag, parent, attributes = {}) => {
        const node = parent.appendChild(document.createElement(tag))
        for (const [name, value] of Object.entries(attributes)) {
          name === 'text' ? node.textContent = value : node.setAttribute(name, value)
        }
        return node
      }
      const fill = () => {
        const top = rows.scrollTop
        rows.replaceChildren()
        model.rows.forEach((one, at) => {
          const style = `--across:${one.frames.length};--side:${model.side}px`
          const row = add('div', rows, { class: one.title ? 'row' : 'row wide', style })
          if (one.title) {
            const title = add('div', row, { class: 'title', text: one.title })
            if (one.unit) add('small', title, { text: one.unit })
          }
          one.frames.forEach((frame, place) => {
            const says = `${one.title || 'Along the line'} ${frame.says}`
            const button = add('button', row, { type: 'button', 'aria-label': says, title: says })
            add('img', button, { src: frame.uri, alt: '' })
            add('span', button, { text: frame.says })
            button.onclick = () => model.send_msg({ row: at, frame: place })
          })
        })
        if (!model.rows.length) add('p', rows, { class: 'empty', text: model.empty })
        rows.scrollTop = top
      }
      fill()
      model.on('rows', fill)
      model.on('empty', fill)
      el.appendChild(rows)
    }
    """

    def __init__(self, on_pick: Callable[[int, int], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_pick = on_pick

    def _handle_msg(self, data: dict[str, Any]) -> None:
        row, frame = data.get("row"), data.get("frame")
        known = isinstance(row, int) and 0 <= row < len(self.rows)
        if known and isinstance(frame, int) and 0 <= frame < len(self.rows[row]["frames"]):
            self._on_pick(row, frame)
