// An element appended to its parent, with attributes; `text` is its text content
export const add = (tag, parent, attributes = {}) => {
  const node = parent.appendChild(document.createElement(tag))
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value
    else node.setAttribute(name, value)
  }
  return node
}
