"""Keyboard shortcuts: an invisible component that listens to the whole page."""

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

__all__ = ["Shortcuts"]


class Shortcuts(JSComponent):
    """Calls ``on_key`` with each of ``keys`` that is pressed outside of text fields.

    Arrows are left to what they move: sliders, menus, tabs that were come to by keyboard.
    """

    keys = param.List(default=[], item_type=str, doc="KeyboardEvent.key values to send.")

    _esm = """
    const TEXT = /^(text|search|number|email|url|password|)$/
    const typing = event => event.composedPath().some(node => node instanceof Element && (
      node.isContentEditable || node.tagName === 'TEXTAREA' || node.tagName === 'SELECT' ||
      (node.tagName === 'INPUT' && TEXT.test(node.type ?? '')) ||
      /^(textbox|combobox|listbox|menu)$/.test(node.getAttribute('role') ?? '')))
    export function render({ model, el }) {
      el.style.display = 'none'
      const role = node => node instanceof Element ? node.getAttribute('role') ?? '' : ''
      const clicked = node => role(node) === 'tab' && !node.matches(':focus-visible')
      const moves = event => event.key.startsWith('Arrow') && event.composedPath().some(node =>
        (node instanceof Element && node.tagName === 'INPUT') || (!clicked(node) &&
        /^(tab|slider|radio|option|menuitem|spinbutton)$/.test(role(node))))
      const leave = event => {
        if (event.key.startsWith('Arrow')) event.composedPath().find(clicked)?.blur()
      }
      document.addEventListener('keydown', leave, true)
      const pressed = event => {
        if (event.ctrlKey || event.metaKey || event.altKey) return
        if (typing(event) || moves(event)) return
        if (!model.keys.includes(event.key)) return
        event.preventDefault()
        model.send_msg({ key: event.key })
      }
      document.addEventListener('keydown', pressed)
      model.on('remove', () => {
        document.removeEventListener('keydown', pressed)
        document.removeEventListener('keydown', leave, true)
      })
    }
    """

    def __init__(self, on_key: Callable[[str], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_key = on_key

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if data.get("key") in self.keys:
            self._on_key(data["key"])
