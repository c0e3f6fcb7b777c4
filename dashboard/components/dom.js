// An element appended to its parent, with attributes; `text` is its text content
export const add = (tag, parent, attributes = {}) => {
  const node = parent.appendChild(document.createElement(tag))
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value
    else node.setAttribute(name, value)
  }
  return node
}
// `press` the element of `selector` in `box` that was pressed, by mouse, finger or keyboard. A
// click is lost where its element is replaced while it is pressed, as when a picture arrives.
// A second press at the same place asks to enlarge what was pressed first, as a `pcvae-enlarge`
// event: what it lies on may have been replaced by then. `listed` tells the rows to walk along.
const SECOND = 400, NEAR = 6  // ms, px
export const onPress = (box, selector, press, listed = () => []) => {
  const found = event => event.target.closest(selector)
  const key = target => target && `${target.dataset.row} ${target.classList[0]}`
  let down, first
  const enlarged = event => {
    const before = first
    first = undefined
    if (!before || event.timeStamp - before.time > SECOND) return false
    if (Math.hypot(event.clientX - before.x, event.clientY - before.y) > NEAR) return false
    const { row, rows } = before
    document.dispatchEvent(new CustomEvent('pcvae-enlarge', { detail: { row, rows } }))
    return true
  }
  const remember = (event, { dataset, classList }) => {
    if (classList.contains('off')) return
    const { timeStamp: time, clientX: x, clientY: y } = event
    first = { time, x, y, row: Number(dataset.row), rows: listed() }
  }
  box.addEventListener('pointerdown', event => { down = key(found(event)) })
  box.addEventListener('pointerup', event => {
    const target = found(event)
    if (event.button === 0 && !enlarged(event) && target && key(target) === down) {
      remember(event, target)
      press(target)
    }
    down = undefined
  })
  box.addEventListener('click', event => {
    if (!event.detail && found(event)) press(found(event))  // by keyboard
  })
}
