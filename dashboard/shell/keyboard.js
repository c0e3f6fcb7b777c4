const TEXT = /^(text|search|number|email|url|password|)$/
const shut = node => node.tagName !== 'INPUT' && node.getAttribute('aria-expanded') !== 'true'
const typing = event => event.composedPath().some(node => node instanceof Element && (
  node.isContentEditable || node.tagName === 'TEXTAREA' || node.tagName === 'SELECT' ||
  (node.tagName === 'INPUT' && TEXT.test(node.type ?? '')) ||
  (node.getAttribute('role') === 'combobox' && !shut(node)) ||
  /^(textbox|listbox|menu)$/.test(node.getAttribute('role') ?? '')))
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
    const detail = { key: event.key }  // a label is kept until it is saved: label_queue.js
    const free = new CustomEvent('pcvae-key', { detail, cancelable: true })
    if (document.dispatchEvent(free)) model.send_msg(detail)
  }
  document.addEventListener('keydown', pressed)
  model.on('remove', () => {
    document.removeEventListener('keydown', pressed)
    document.removeEventListener('keydown', leave, true)
  })
}
