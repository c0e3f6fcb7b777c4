import { add } from '../components/dom.js'

export function render({ model, el }) {
  const put = (tag, parent, text = '', looks = {}) => add(tag, parent, { text, ...looks })
  const box = document.createElement('div')
  box.className = 'list'
  box.tabIndex = 0
  box.setAttribute('role', 'region')
  box.setAttribute('aria-label', 'Targets')
  const outline = () => {
    for (const row of box.querySelectorAll('tbody tr')) {
      const here = row.dataset.n === String(model.current)
      row.toggleAttribute('aria-current', here)
      if (!here) continue
      const [top, height] = [row.offsetTop - row.offsetHeight, 3 * row.offsetHeight]
      if (top < box.scrollTop) box.scrollTop = top
      if (top + height > box.scrollTop + box.clientHeight) {
        box.scrollTop = top + height - box.clientHeight
      }
    }
  }
  const fill = () => {
    box.replaceChildren()
    if (!model.items.length) { put('p', box, model.empty); return }
    const table = put('table', box)
    const head = put('tr', put('thead', table))
    for (const name of ['', 'Target', 'Place', 'Galaxy', 'Matched by', 'Separation', '']) {
      put('th', head, name, { scope: 'col' })
    }
    const body = put('tbody', table)
    for (const item of model.items) {
      const row = put('tr', body, '', { 'data-n': item.n, class: item.row < 0 ? 'none' : '' })
      put('td', row, item.n + 1)
      const pick = put('button', put('td', row), item.target, { type: 'button' })
      pick.onclick = () => model.send_msg({ pick: item.n })
      for (const name of ['place', 'galaxy', 'how', 'separation']) put('td', row, item[name])
      const last = put('td', row)
      if (item.fetch) {
        const looks = { type: 'button', 'aria-label': `Fetch ${item.target}` }
        const fetch = put('button', last, 'Fetch', looks)
        fetch.onclick = () => model.send_msg({ fetch: item.n })
      }
    }
    outline()
  }
  fill()
  model.on('items', fill)
  model.on('empty', fill)
  model.on('current', outline)
  el.appendChild(box)
}
