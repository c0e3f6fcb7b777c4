import { add, onPress } from '../components/dom.js'
import { refilling } from '../components/acknowledged.js'

const ROWS = 250  // px from which there is room for two rows
export function render({ model, el }) {
  const strip = document.createElement('div')
  strip.className = 'strip'
  const stamp = item => {
    const wide = item.lines ? ' wide' : ''
    const box = add('div', strip, { class: `stamp${wide}`, 'data-row': item.row })
    const label = `${item.id}, ${item.name}, ${item.caption}`
    const button = add('button', box, {
      type: 'button', 'aria-label': label, title: item.id, 'data-row': item.row,
    })
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
    if (item.removable) {
      const remove = `Remove ${item.id}`
      const looks = { class: 'off', type: 'button', title: remove, 'aria-label': remove }
      add('button', box, { ...looks, text: '\u00d7', 'data-row': item.mark ?? item.row })
    }
  }
  const outline = () => {
    for (const box of strip.children) {
      const picked = box.dataset.row === String(model.picked)
      box.classList.toggle('picked', picked)
      if (picked) follow(box)
    }
  }
  // Scroll by as little as shows the whole stamp, and only this row, not the page
  const follow = box => {
    const [seen, wanted] = [strip.getBoundingClientRect(), box.getBoundingClientRect()]
    const by = (low, high, from, to) => Math.min(from - low, 0) + Math.max(to - high, 0)
    strip.scrollLeft += by(seen.left, seen.right, wanted.left, wanted.right)
    strip.scrollTop += by(seen.top, seen.bottom, wanted.top, wanted.bottom)
  }
  const fill = refilling(el, strip, () => {
    strip.replaceChildren()
    model.items.forEach(stamp)
    if (!model.items.length) add('p', strip, { class: 'empty', text: model.empty })
    strip.scrollTo(0, 0)
    outline()
  })
  onPress(strip, 'button', ({ dataset, classList }) => {
    model.send_msg({ [classList.contains('off') ? 'remove' : 'pick']: Number(dataset.row) })
  }, () => model.items.map(item => item.row))
  fill()
  const shown = new ResizeObserver(([{ target }]) => {  // another tab, or the strip is taller
    strip.style.height = `${target.clientHeight}px`
    strip.classList.toggle('wrapped', target.clientHeight > ROWS)
    outline()
  })
  const { host } = el.getRootNode()
  if (host) shown.observe(host)
  model.on('remove', () => shown.disconnect())
  model.on('items', fill)
  model.on('empty', fill)
  model.on('picked', outline)
  el.appendChild(strip)
}
