"""Galaxies as a sheet of small pictures that fills its place, and the pages of such sheets."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.components.css import BASE

__all__ = ["Pager", "Tiles"]

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
PAGES = """
:host { display: block; }
.pages { display: flex; align-items: center; height: 30px; color: var(--muted);
  white-space: nowrap; }
.pages span { min-width: 92px; text-align: center; font-size: 12px; }
.pages b { color: var(--text); font-weight: 500; }
button { display: grid; place-items: center; width: 26px; height: 26px; padding: 0; border: 0;
  border-radius: 4px; background: none; color: var(--text); cursor: pointer; }
button:hover:not(:disabled) { background: var(--raised); }
button:disabled { color: var(--faint); cursor: default; }
svg { fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round;
  stroke-linejoin: round; }
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


class Pager(JSComponent):
    """Which page of how many; calls ``on_go`` with the index of a wanted one."""

    page = param.Integer(default=0, doc="The page's index.")
    pages = param.Integer(default=1, doc="How many there are.")

    _stylesheets = [BASE, PAGES]  # noqa: RUF012
    _esm = """
    const PATHS = {
      'First page': 'M4 3V11M11 3L7 7L11 11', 'Previous page': 'M9 3L5 7L9 11',
      'Next page': 'M5 3L9 7L5 11', 'Last page': 'M3 3L7 7L3 11M10 3V11',
    }
    export function render({ model, el }) {
      const box = document.createElement('div')
      box.className = 'pages'
      const said = document.createElement('span')
      said.setAttribute('aria-live', 'polite')
      const to = {
        'First page': () => 0, 'Previous page': () => model.page - 1,
        'Next page': () => model.page + 1, 'Last page': () => model.pages - 1,
      }
      const buttons = Object.entries(PATHS).map(([label, path]) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.title = label
        button.setAttribute('aria-label', label)
        button.innerHTML =
          `<svg width="14" height="14" aria-hidden="true"><path d="${path}"/></svg>`
        button.onclick = () => model.send_msg({ go: to[label]() })
        return button
      })
      box.append(...buttons.slice(0, 2), said, ...buttons.slice(2))
      const show = () => {
        said.innerHTML = `page <b>${(model.page + 1).toLocaleString('en')}</b> of ` +
          model.pages.toLocaleString('en')
        const held = buttons.indexOf(el.getRootNode().activeElement)
        buttons.forEach((button, index) => {
          button.disabled = index < 2 ? model.page <= 0 : model.page >= model.pages - 1
        })
        if (buttons[held]?.disabled) buttons.at(-1 - held).focus()  // the same way back
        el.style.visibility = model.pages > 1 ? '' : 'hidden'
      }
      show()
      model.on('page', show)
      model.on('pages', show)
      el.appendChild(box)
    }
    """

    def __init__(self, on_go: Callable[[int], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_go = on_go

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if isinstance(data.get("go"), int) and 0 <= data["go"] < self.pages:
            self._on_go(data["go"])
