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
export const onPress = (box, selector, press) => {
  const found = event => event.target.closest(selector)
  const key = target => target && `${target.dataset.row} ${target.classList[0]}`
  let down
  box.addEventListener('pointerdown', event => { down = key(found(event)) })
  box.addEventListener('pointerup', event => {
    const target = found(event)
    if (target && key(target) === down && event.button === 0) press(target)
    down = undefined
  })
  box.addEventListener('click', event => {
    if (!event.detail && found(event)) press(found(event))  // by keyboard
  })
}
