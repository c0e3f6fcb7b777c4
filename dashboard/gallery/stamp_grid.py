"""Galaxies as a sheet of small pictures that fills its place, and the pages of such sheets."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.components.css import BASE

__all__ = ["Tiles"]

TILES = """
:host { display: block; width: 100%; }
.sheet { display: grid; gap: 4px; height: 100%; align-content: start; overflow: hidden; }
.tile { position: relative; aspect-ratio: 1; padding: 0; border: 0; border-radius: 4px;
  overflow: hidden; background: var(--raised); color: var(--muted); font: inherit;
  cursor: pointer; }
.tile img { display: block; width: 100%; height: 100%; }
.tile::after { content: ''; position: absolute; inset: 0; border-radius: 4px;
  border: 2px solid transparent; }
.tile:hover::after { border-color: var(--faint); }
.tile.picked::after { border-color: var(--accent);
  box-shadow: inset 0 0 0 1px rgba(255,255,255,.8); }
.tile.waiting { animation: pulse 1.2s ease-in-out infinite alternate; }
@keyframes pulse { from { opacity: .8 } to { opacity: 1 } }
.tile i { position: absolute; top: 5px; left: 5px; width: 7px; height: 7px; border-radius: 50%;
  box-shadow: 0 0 0 1.5px rgba(0,0,0,.55); }
.id { display: grid; place-items: center; height: 100%; padding: 12px 4px 4px; font-size: 10.5px;
  overflow-wrap: anywhere; line-height: 1.2; }
.value { position: absolute; right: 5px; bottom: 3px; color: #fff; font-size: 10.5px;
  text-shadow: 0 0 3px #000, 0 0 2px #000, 0 0 1px #000; }
.nothing { height: 100%; display: grid; place-content: center; justify-items: center; gap: 10px;
  color: var(--muted); text-align: center; line-height: 1.5; }
.nothing b { display: block; color: var(--text); font-weight: 600; font-size: 14px; }
.offers { display: flex; flex-wrap: wrap; gap: 6px; justify-content: center; }
.offers button { font: inherit; font-size: 12px; color: var(--text); height: 26px; padding: 0 12px;
  background: var(--raised); border: 0; border-radius: 13px; cursor: pointer; }
.offers button:hover { color: var(--accent); }
"""


class Tiles(JSComponent):
    """A sheet of pictures; calls ``on_pick`` with a row, ``on_turn`` with how many pages on.

    The arrow keys walk over it, and on to the next page; it says in ``fit`` how many fit.
    """

    items = param.List(default=[], item_type=dict, doc="As ``stamp_items`` makes them.")
    picked = param.Integer(default=-1, doc="The row that is outlined.")
    waiting = param.Boolean(default=False, doc="Pictures are still to come.")
    title = param.String(default="", doc="What is said where there are none.")
    words = param.String(default="", doc="What can be done about it.")
    offers = param.List(default=[], item_type=dict, doc="A ``key`` and ``text`` for each offer.")
    fit = param.Integer(default=34, bounds=(1, 1000), doc="How many fit on a page.")

    _stylesheets = [BASE, TILES]  # noqa: RUF012
    _esm = """
    const WIDEST = 70, GAP = 4  // px
    export function render({ model, el }) {
      const sheet = document.createElement('div')
      let at = 0, across = 1
      const add = (tag, parent, attributes = {}) => {
        const node = parent.appendChild(document.createElement(tag))
        for (const [name, value] of Object.entries(attributes)) {
          name === 'text' ? node.textContent = value : node.setAttribute(name, value)
        }
        return node
      }
      const tile = (item, index) => {
        const label = [item.id, item.name, item.caption].filter(Boolean).join(', ')
        const box = add('button', sheet, {
          class: 'tile', type: 'button', title: label, 'aria-label': label, tabindex: -1,
          'data-row': item.row,
        })
        if (item.picture) add('img', box, { src: item.picture, alt: '' })
        else if (model.waiting) box.classList.add('waiting')
        else add('span', box, { class: 'id', text: item.id })
        add('i', box, { style: `background:${item.colour}` })
        if (item.caption) add('span', box, { class: 'value', text: item.caption })
        box.onfocus = () => { at = index }
        box.onclick = () => { at = index; model.send_msg({ pick: item.row }) }
      }
      const nothing = () => {
        const box = add('div', sheet, { class: 'nothing' })
        const said = add('div', box)
        add('b', said, { text: model.title })
        said.append(model.words)
        const offers = add('div', box, { class: 'offers' })
        for (const { key, text } of model.offers) {
          add('button', offers, { type: 'button', text }).onclick =
            () => model.send_msg({ offer: key })
        }
      }
      const outline = () => {
        for (const box of sheet.querySelectorAll('.tile')) {
          const picked = box.dataset.row === String(model.picked)
          box.classList.toggle('picked', picked)
          box.setAttribute('aria-pressed', picked)
        }
      }
      const go = (to, focus = true) => {
        const boxes = sheet.querySelectorAll('.tile')
        if (!boxes.length) return
        at = Math.min(Math.max(to, 0), boxes.length - 1)
        boxes.forEach((box, index) => { box.tabIndex = index === at ? 0 : -1 })
        if (focus) boxes[at].focus()
      }
      const keys = {
        ArrowRight: () => 1, ArrowLeft: () => -1, ArrowDown: () => across, ArrowUp: () => -across,
      }
      const pressed = event => {
        const last = model.items.length - 1
        if (!event.target.classList?.contains('tile')) return
        if (event.key in keys) {
          const to = at + keys[event.key]()
          if (to < 0 || to > last) turn(Math.sign(to - at), to < 0 ? last : 0)
          else go(to)
        }
        else if (event.key === 'Home') go(0)
        else if (event.key === 'End') go(last)
        else if (event.key === 'PageDown') turn(1, 0)
        else if (event.key === 'PageUp') turn(-1, 0)
        else return
        event.preventDefault()
        event.stopPropagation()
      }
      const turn = (pages, to) => { at = to; model.send_msg({ turn: pages }) }
      const fill = () => {
        const held = sheet.contains(el.getRootNode().activeElement)
        sheet.replaceChildren()
        sheet.className = model.items.length ? 'sheet' : ''
        sheet.style.height = '100%'
        model.items.forEach(tile)
        if (!model.items.length) nothing()
        go(at, held)
        outline()
      }
      const measure = () => {
        const { clientWidth: width, clientHeight: height } = el
        if (!width || !height) return
        across = Math.max(Math.ceil((width + GAP) / (WIDEST + GAP)), 1)
        const down = Math.floor((height + GAP) / ((width + GAP) / across))
        const fit = across * Math.max(down, 1)
        sheet.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`
        if (fit !== model.fit) model.fit = Math.min(fit, 1000)
      }
      sheet.setAttribute('role', 'group')
      sheet.setAttribute('aria-label', 'Galaxies in focus')
      sheet.addEventListener('keydown', pressed)
      fill()
      model.on('items', fill)
      model.on('title', fill)
      model.on('offers', fill)
      model.on('picked', outline)
      const watch = new ResizeObserver(measure)
      watch.observe(el)
      model.on('remove', () => watch.disconnect())
      el.appendChild(sheet)
    }
    """

    def __init__(
        self,
        on_pick: Callable[[int], None],
        on_turn: Callable[[int], None],
        on_offer: Callable[[str], None],
        **params: Any,
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
