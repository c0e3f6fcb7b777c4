import { add } from '../components/dom.js'

// Without HTTPS there is no clipboard but the selected text
const copy = async field => {
  try {
    await navigator.clipboard.writeText(field.value)
    return true
  } catch {
    field.select()
    return document.execCommand('copy')
  }
}
export function render({ model, el }) {
  const box = add('div', el, { class: 'share' })
  add('h2', box, { text: 'Share this view' })
  const line = add('div', box, { class: 'line' })
  const field = add('input', line, { type: 'text', readonly: '', 'aria-label': 'Address' })
  const copied = add('button', line, { type: 'button', class: 'main', text: 'Copy address' })
  const missing = add('p', box, { class: 'muted' })
  const form = add('form', box, { class: 'line' })
  const name = add('input', form, { type: 'text', 'aria-label': 'Name of the view',
    placeholder: 'Name of the view', maxlength: model.max_name })
  add('button', form, { text: 'Save view' })
  const status = add('p', box, { role: 'status' })
  const list = add('ul', box, { 'aria-label': 'Saved views' })
  const tell = () => { field.value = location.origin + location.pathname + model.address }
  copied.onclick = async () => {
    status.className = ''
    status.textContent = await copy(field) ? 'The address is copied.'
      : 'This browser does not let pages copy: select the address and copy it.'
  }
  form.onsubmit = event => {
    event.preventDefault()
    if (name.value.trim()) model.send_msg({ save: name.value })
    else name.focus()
  }
  const say = () => {
    missing.textContent = model.missing
    form.hidden = !model.kept
    status.textContent = model.said
    status.className = model.failed ? 'failed' : ''
    if (model.said.startsWith('Saved')) name.value = ''
  }
  const theme = () => new URLSearchParams(location.search).get('theme')
  const fill = () => {
    list.replaceChildren()
    for (const view of model.views) {
      const item = add('li', list)
      const own = theme() ? `&theme=${encodeURIComponent(theme())}` : ''
      add('a', item, { href: view.address + own, text: view.name })
      add('span', item, { class: 'muted', text: view.by })
      const remove = `Remove the view ${view.name}`
      add('button', item, { type: 'button', title: remove, 'aria-label': remove, text: '\u00d7' })
        .onclick = () => model.send_msg({ remove: view.name })
    }
  }
  tell()
  say()
  fill()
  model.on('address', tell)
  for (const part of ['missing', 'said', 'failed', 'kept']) model.on(part, say)
  model.on('views', fill)
}
