import { add } from '../components/dom.js'
import { refilling } from '../components/acknowledged.js'

export function render({ model, el }) {
  const strip = document.createElement('div')
  strip.className = 'strip'
  const stamp = item => {
    const wide = item.lines ? ' wide' : ''
    const box = add('div', strip, { class: `stamp${wide}`, 'data-row': item.row })
    const label = `${item.id}, ${item.name}, ${item.caption}`
    const button = add('button', box, { type: 'button', 'aria-label': label, title: item.id })
    if (item.picture) {
      add('img', button, { src: item.picture, alt: '' })
    } else {
      add('span', button, { class: 'blank', text: item.id })
    }
    const name = add('span', button, { class: 'population' })
    add('i', name, { style: `background:${item.colour}` })
    add('span', name, { text: item.name })
    add('span', button, { class: 'caption', text: item.caption })
    for (const text of item.lines ?? []) {
      add('span', button, { class: 'line', text, title: text })
    }
    button.onclick = () => model.send_msg({ pick: item.row })
    if (item.removable) {
      const remove = `Remove ${item.id}`
      const looks = { class: 'off', type: 'button', title: remove, 'aria-label': remove }
      const off = add('button', box, { ...looks, text: '\u00d7' })
      off.onclick = () => model.send_msg({ remove: item.mark ?? item.row })
    }
  }
  const outline = () => {
    for (const box of strip.children) {
      box.classList.toggle('picked', box.dataset.row === String(model.picked))
    }
  }
  const fill = refilling(el, strip, () => {
    strip.replaceChildren()
    model.items.forEach(stamp)
    if (!model.items.length) add('p', strip, { class: 'empty', text: model.empty })
    strip.scrollLeft = 0
    outline()
  })
  fill()
  model.on('items', fill)
  model.on('empty', fill)
  model.on('picked', outline)
  el.appendChild(strip)
}
