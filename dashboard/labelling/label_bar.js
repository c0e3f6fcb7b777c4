import { add } from '../components/dom.js'

const MEANING = ['nothing of interest', 'hardly of interest', 'a little', 'of some interest',
  'interesting', 'extraordinary']
const STAR = 'M8 1.6L9.9 5.8L14.4 6.3L11 9.3L12 13.8L8 11.5L4 13.8L5 9.3L1.6 6.3L6.1 5.8Z'
const TURN = 'M3 6H9.5A3.5 3.5 0 0 1 9.5 13H6M6 2.5L2.5 6L6 9.5'
const SCORES = MEANING.map((_, i) => String(i))
const OTHER = '\u0000other'
export function render({ model, el }) {
  const bar = document.createElement('div')
  bar.className = 'judge'
  bar.setAttribute('role', 'group')
  bar.setAttribute('aria-label', 'Judge this galaxy')
  const put = (tag, attributes = {}, parent = bar) => add(tag, parent, attributes)
  const send = (act, value = '', row = model.row) => {
    const detail = { act, value, row }  // kept until it is saved: label_queue.js
    const free = new CustomEvent('pcvae-judged', { detail, cancelable: true })
    if (document.dispatchEvent(free)) model.send_msg(detail)
  }
  const button = (act, value, title, inside) => {
    const node = put('button', { type: 'button', title, 'aria-label': title })
    if (inside.startsWith('<')) node.innerHTML = inside
    else node.textContent = inside
    node.onclick = () => send(act, value)
    return node
  }
  const icon = (path, more = '') =>
    `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" ${more}>` +
    `<path d="${path}"/></svg>`
  const star = button('label', 'candidate', '', icon(STAR))
  const scores = MEANING.map((words, i) =>
    button('label', String(i), `Score ${i}: ${words} (key ${i})`, String(i)))
  const hint = 'Give it a name, which becomes a class when the SVM is refitted'
  const select = put('select', { 'aria-label': 'Label', title: hint })
  const own = put('input', { type: 'text', maxlength: 60, 'aria-label': 'Label of your own',
    placeholder: 'Label of your own', class: 'own', hidden: '' })
  const note = put('input', { type: 'text', 'aria-label': 'Note', placeholder: 'Note',
    maxlength: 500, title: 'A note, kept with the label when you press Enter or leave' +
      ` (key ${model.note_key.toUpperCase()})` })
  const undo = button('undo', '', 'Undo (key U)', icon(TURN))
  const redo = button('redo', '', 'Redo (Shift and U)', icon(TURN, 'class="mirror"'))
  const said = put('p', { 'aria-live': 'polite' }, el.appendChild(bar).parentNode)
  const swap = writing => {
    own.hidden = !writing
    select.hidden = writing
    own.value = ''
    if (writing) own.focus()
  }
  const fill = () => {
    select.replaceChildren()
    put('option', { value: '', text: 'Label \u2026' }, select)
    for (const { name, title, key } of model.names) {
      put('option', { value: name, text: key ? `${title} (${key})` : title }, select)
    }
    put('option', { value: OTHER, text: 'Another \u2026' }, select)
    show()
  }
  const show = () => {
    const candidate = model.label === 'candidate'
    const words = candidate ? 'Remove candidate' : 'Tag as candidate'
    star.setAttribute('aria-label', words)
    star.title = `${words} (key C)`
    star.setAttribute('aria-pressed', candidate)
    for (const [i, node] of scores.entries()) {
      node.setAttribute('aria-pressed', model.score === String(i))
    }
    select.value = model.names.some(one => one.name === model.label) ? model.label : ''
    select.classList.toggle('chosen', select.value !== '')
    if (el.getRootNode().activeElement !== note) note.value = model.note
    undo.disabled = !model.back
    redo.disabled = !model.forth
    said.textContent = said.title = model.said
  }
  select.onchange = () => {
    if (select.value === OTHER) { show(); swap(true); return }
    const before = SCORES.includes(model.label) ? '' : model.label
    if (select.value || before) send('label', select.value || before)
    select.blur()
  }
  let noted = { row: -1, note: '' }
  note.onfocus = () => { noted = { row: model.row, note: note.value } }
  note.onblur = () => {
    if (note.value !== noted.note) send('note', note.value, noted.row)
    show()
  }
  note.onkeydown = event => {
    if (event.key === 'Escape') note.value = noted.note
    if (['Enter', 'Escape'].includes(event.key)) note.blur()
  }
  own.onblur = () => swap(false)
  own.onkeydown = event => {
    if (event.key === 'Enter' && own.value.trim()) send('own', own.value)
    if (['Enter', 'Escape'].includes(event.key)) own.blur()
  }
  const begin = event => {  // a note, by its key
    if (event.detail.key !== model.note_key || !note.checkVisibility()) return
    event.preventDefault()
    note.focus()
  }
  fill()
  model.on('names', fill)
  for (const name of ['label', 'score', 'note', 'said', 'back', 'forth']) model.on(name, show)
  document.addEventListener('pcvae-key', begin)
  model.on('remove', () => document.removeEventListener('pcvae-key', begin))
}
