import { add, onPress } from '../components/dom.js'

const GAP = 4  // px
export function render({ model, el }) {
  const sheet = document.createElement('div')
  let at = 0, across = 1
  const tile = (item, index) => {
    const label = [item.id, item.name, item.caption].filter(Boolean).join(', ')
    const box = add('button', sheet, {
      class: 'tile', type: 'button', title: label, 'aria-label': label, tabindex: -1,
      'data-row': item.row,
    })
    if (item.picture) add('img', box, { src: item.picture, alt: '' })
    else if (model.waiting) box.classList.add('waiting')
    else add('span', box, { class: 'id', text: item.id })
    add('i', box, { style: `background:${item.colour}` })
    if (item.caption) add('span', box, { class: 'value', text: item.caption })
    box.onfocus = () => { at = index }
  }
  const nothing = () => {
    const box = add('div', sheet, { class: 'nothing' })
    const said = add('div', box)
    add('b', said, { text: model.title })
    said.append(model.words)
    const offers = add('div', box, { class: 'offers' })
    for (const { key, text } of model.offers) {
      add('button', offers, { type: 'button', text }).onclick =
        () => model.send_msg({ offer: key })
    }
  }
  const outline = () => {
    for (const box of sheet.querySelectorAll('.tile')) {
      const picked = box.dataset.row === String(model.picked)
      box.classList.toggle('picked', picked)
      box.setAttribute('aria-pressed', picked)
    }
  }
  const go = (to, focus = true) => {
    const boxes = sheet.querySelectorAll('.tile')
    if (!boxes.length) return
    at = Math.min(Math.max(to, 0), boxes.length - 1)
    boxes.forEach((box, index) => { box.tabIndex = index === at ? 0 : -1 })
    if (focus) boxes[at].focus()
  }
  const keys = {
    ArrowRight: () => 1, ArrowLeft: () => -1, ArrowDown: () => across, ArrowUp: () => -across,
  }
  const pressed = event => {
    const last = model.items.length - 1
    if (!event.target.classList?.contains('tile')) return
    if (event.key in keys) {
      const to = at + keys[event.key]()
      if (to < 0 || to > last) turn(Math.sign(to - at), to < 0 ? last : 0)
      else go(to)
    }
    else if (event.key === 'Home') go(0)
    else if (event.key === 'End') go(last)
    else if (event.key === 'PageDown') turn(1, 0)
    else if (event.key === 'PageUp') turn(-1, 0)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const turn = (pages, to) => { at = to; model.send_msg({ turn: pages }) }
  const fill = () => {
    const held = sheet.contains(el.getRootNode().activeElement)
    sheet.replaceChildren()
    sheet.className = model.items.length ? 'sheet' : ''
    sheet.style.height = '100%'
    model.items.forEach(tile)
    if (!model.items.length) nothing()
    go(at, held)
    outline()
  }
  const crop = () => sheet.style.setProperty('--crop', model.crop)
  const measure = () => {
    const { clientWidth: width, clientHeight: height } = el
    if (!width || !height) return
    across = Math.max(Math.floor((width + GAP) / (model.size + GAP)), 1)
    const down = Math.floor((height + GAP) / ((width + GAP) / across))
    const fit = across * Math.max(down, 1)
    sheet.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`
    if (fit !== model.fit) model.fit = Math.min(fit, 1000)
  }
  sheet.setAttribute('role', 'group')
  sheet.setAttribute('aria-label', 'Galaxies in focus')
  sheet.addEventListener('keydown', pressed)
  onPress(sheet, '.tile', box => model.send_msg({ pick: Number(box.dataset.row) }))
  fill()
  crop()
  model.on('items', fill)
  model.on('title', fill)
  model.on('offers', fill)
  model.on('picked', outline)
  model.on('crop', crop)
  model.on('size', measure)
  const watch = new ResizeObserver(measure)
  watch.observe(el)
  model.on('remove', () => watch.disconnect())
  el.appendChild(sheet)
}
