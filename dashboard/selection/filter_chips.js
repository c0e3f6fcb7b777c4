import { add } from '../components/dom.js'
import { refilling } from '../components/acknowledged.js'

export function render({ model, el }) {
  const line = document.createElement('div')
  line.className = 'line'
  const put = (tag, parent, name, text = '') => add(tag, parent, { class: name, text })
  const button = (parent, name, text, label, message) => {
    const made = put('button', parent, name, text)
    made.type = 'button'
    made.title = label
    made.setAttribute('aria-label', label)
    made.onclick = () => model.send_msg(message)
  }
  const fill = refilling(el, line, () => {
    line.replaceChildren()
    const said = put('span', line, 'said')
    said.setAttribute('aria-live', 'polite')
    const [count, ...rest] = model.count.split(' ')
    put('b', said, '', count)
    said.append(` ${rest.join(' ')}`)
    for (const { key, text, idle } of model.chips) {
      const chip = put('span', line, idle ? 'chip idle' : 'chip', text)
      if (idle) chip.title = 'This model does not have it: no limit'
      button(chip, '', '\u00d7', `Remove ${text}`, { remove: key })
    }
    if (model.chips.length > 1) {
      button(line, 'all', 'Clear all', 'Remove the selection and all filters', { clear: true })
    }
  })
  fill()
  model.on('count', fill)
  model.on('chips', fill)
  el.appendChild(line)
}
