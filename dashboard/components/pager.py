"""Which page of how many, and buttons to the others."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.components.css import BASE

__all__ = ["Pager"]


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
