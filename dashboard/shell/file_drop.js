const find = (selector, root = document) => {
  for (const node of root.querySelectorAll('*')) {
    if (node.matches(selector)) return node
    const inside = node.shadowRoot && find(selector, node.shadowRoot)
    if (inside) return inside
  }
  return null
}
// Files dropped on the page go into the upload field beside this component, which nobody sees:
// it sends them in parts. Fields that are seen take what is dropped on them themselves.
export function render({ model, el }) {
  el.style.display = 'none'
  const hasFiles = event => event.dataTransfer?.types.includes('Files')
  const over = event => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.dataTransfer.dropEffect = 'copy'
    document.documentElement.style.outline = '3px dashed var(--panel-primary-color)'
    document.documentElement.style.outlineOffset = '-6px'
  }
  const clear = () => { document.documentElement.style.outline = '' }
  const leave = event => { if (!event.relatedTarget) clear() }
  const drop = event => {
    if (!hasFiles(event)) return
    event.preventDefault()
    clear()
    const field = find('.dropped-files')
    const input = field && find('input[type=file]', field.shadowRoot ?? field)
    if (!input) return
    input.files = event.dataTransfer.files
    input.dispatchEvent(new Event('change', { bubbles: true }))
  }
  const heard = { dragover: over, dragleave: leave, drop }
  for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear)
  document.addEventListener('drop', clear, true)
  model.on('remove', () => {
    for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear)
    document.removeEventListener('drop', clear, true)
  })
}
