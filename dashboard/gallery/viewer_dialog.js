import { add } from '../components/dom.js'

const NAMES = { image: 'Image', reconstruction: 'Reconstruction', residual: 'Residual' }
const PACE = 700  // ms that each of two pictures shows while they blink
export function render({ model, el }) {
  const dialog = add('dialog', el, { 'aria-labelledby': 'viewer-title' })
  const head = add('div', dialog, { class: 'head' })
  const title = add('h2', head, { id: 'viewer-title' })
  const button = (box, text, label, press) => {
    const made = add('button', box, { type: 'button', text })
    if (label) made.setAttribute('aria-label', label)
    made.onclick = press
    return made
  }
  button(head, '\u2190', 'Previous galaxy', () => model.send_msg({ step: -1 }))
  button(head, '\u2192', 'Next galaxy', () => model.send_msg({ step: 1 }))
  button(head, '\u00d7', 'Close', () => dialog.close())
  const frame = add('div', dialog, { class: 'frame' })
  const picture = add('img', frame)
  const words = add('p', frame, { role: 'status' })
  const group = name => add('div', choices, { role: 'group', 'aria-label': name })
  const choices = add('div', dialog, { class: 'choices' })
  const kinds = group('Picture'), bands = group('Band')
  add('p', dialog, {
    class: 'keys',
    text: '\u2190 \u2192 previous and next, b blink image and reconstruction, Esc close',
  })
  let kind = 'image', timer
  const press = (box, chosen) => {
    for (const one of box.querySelectorAll('[data-key]')) {
      one.setAttribute('aria-pressed', String(one.dataset.key === chosen))
    }
  }
  const show = () => {
    const source = model.pictures[kind] ?? ''
    picture.hidden = !source
    if (source) picture.src = source
    picture.alt = `${NAMES[kind]} of ${model.title}`
    words.textContent = source ? '' : model.words
    title.textContent = model.title
    press(kinds, kind)
    press(bands, model.band)
    blinks.setAttribute('aria-pressed', String(Boolean(timer)))
  }
  const still = () => { clearInterval(timer); timer = undefined }
  const choose = name => { still(); kind = name; show() }
  const blink = () => {
    if (timer) return choose('image')
    const turn = () => { kind = kind === 'image' ? 'reconstruction' : 'image'; show() }
    timer = setInterval(turn, PACE)
    turn()
  }
  for (const [name, text] of Object.entries(NAMES)) {
    button(kinds, text, '', () => choose(name)).dataset.key = name
  }
  const blinks = button(kinds, 'Blink', 'Blink image and reconstruction', blink)
  const fill = () => {
    bands.hidden = model.bands.length < 2
    bands.replaceChildren()
    for (const name of model.bands) {
      const text = name === 'colour' ? 'Colour' : name
      button(bands, text, '', () => model.send_msg({ band: name })).dataset.key = name
    }
    show()
  }
  const follow = () => {
    if (model.opened && !dialog.open) { choose('image'); dialog.showModal() }
    else if (!model.opened && dialog.open) dialog.close()
  }
  dialog.addEventListener('close', () => { still(); model.send_msg({ close: true }) })
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close() })
  dialog.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (by) model.send_msg({ step: by })
    else if (event.key === 'b') blink()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
  const enlarge = event => model.send_msg({ open: true, ...event.detail })
  const card = event => {
    const inside = node => node instanceof Element && node.matches('.pictures .frame')
    if (event.composedPath().some(inside)) model.send_msg({ open: true })
  }
  document.addEventListener('pcvae-enlarge', enlarge)
  document.addEventListener('dblclick', card)
  fill()
  follow()
  for (const name of ['pictures', 'title', 'words', 'band']) model.on(name, show)
  model.on('bands', fill)
  model.on('opened', follow)
  model.on('remove', () => {
    still()
    document.removeEventListener('pcvae-enlarge', enlarge)
    document.removeEventListener('dblclick', card)
  })
}
