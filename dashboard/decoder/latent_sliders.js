import { add } from '../components/dom.js'
import { answering } from '../components/acknowledged.js'

const STEPS = 200
export function render({ model, el }) {
  const sliders = document.createElement('div')
  sliders.className = 'sliders'
  let rows = []
  const write = (row, value) => {
    row.said.textContent = value.toFixed(2).replace('-', '\u2212')
  }
  const make = (one, at) => {
    const label = add('label', sliders), name = add('span', label)
    const input = add('input', label), said = add('output', label)
    name.textContent = one.title
    label.title = one.says
    const step = (one.most - one.least) / STEPS
    Object.assign(input, { type: 'range', min: one.least, max: one.most, step })
    input.setAttribute('aria-label', one.title)
    const row = { input, said }
    input.oninput = () => {
      write(row, +input.value)
      send({ slider: at, value: +input.value })
    }
    return row
  }
  const place = () => rows.forEach((row, at) => {
    const value = model.values[at]
    if (value === undefined) return
    row.input.value = value
    write(row, value)
  })
  const fill = () => {
    sliders.replaceChildren()
    rows = model.items.map(make)
    place()
  }
  fill()
  model.on('items', fill)
  const send = answering(model, ['values'], place)
  el.appendChild(sliders)
}
