"""Parts of the page that a hand moves faster than the server answers."""

from typing import Any

import param
from panel.custom import JSComponent

__all__ = ["ACKNOWLEDGED", "REFILL", "Acknowledged"]

ACKNOWLEDGED = """
    // `send` a message; `settle` when the server has answered all that was sent, not before: an
    // answer that comes late would undo what a hand has done since.
    const answering = (model, names, settle) => {
      let turn = model.answered
      const show = () => { if (turn <= model.answered) settle() }
      for (const name of ['answered', ...names]) model.on(name, show)
      return message => model.send_msg({ ...message, turn: ++turn })
    }
"""


class Acknowledged(JSComponent):
    """A component that counts the messages it has heard, so that the page knows what is answered.

    Its JavaScript begins with ``ACKNOWLEDGED``; its messages are heard by ``_hear``.
    """

    answered = param.Integer(default=0, doc="The number of the last message that was heard.")

    __abstract = True

    def _hear(self, data: dict[str, Any]) -> None:
        """What a message changes."""

    def _handle_msg(self, data: dict[str, Any]) -> None:
        try:
            self._hear(data)
        finally:
            turn = data.get("turn")
            self.answered = turn if isinstance(turn, int) else self.answered


REFILL = """
    // `fill` a box anew; if a button in it had the focus, the one that is now at its place has
    // it, or the last one, or where there is none the box
    const refilling = (el, box, fill) => {
      let at = -1
      return () => {
        const held = el.getRootNode().activeElement
        const before = [...box.querySelectorAll('button')]
        if (held !== box) at = before.indexOf(held)
        const byKeyboard = held?.matches(':focus-visible')
        fill()
        if (at < 0) return
        const buttons = [...box.querySelectorAll('button')]
        box.tabIndex = -1
        const next = buttons[at] ?? buttons.at(-1) ?? box
        next.focus({ preventScroll: !byKeyboard })
      }
    }
"""
