"""Parts of the page whose buttons are made anew while one of them may have the focus."""

__all__ = ["REFILL"]

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
