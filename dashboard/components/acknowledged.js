// `send` a message; `settle` when the server has answered all that was sent, not before: an
// answer that comes late would undo what a hand has done since.
export const answering = (model, names, settle) => {
  let turn = model.answered
  const show = () => { if (turn <= model.answered) settle() }
  for (const name of ['answered', ...names]) model.on(name, show)
  return message => model.send_msg({ ...message, turn: ++turn })
}

// `fill` a box anew; if a button in it had the focus, the one that is now at its place has
// it, or the last one, or where there is none the box
export const refilling = (el, box, fill) => {
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
