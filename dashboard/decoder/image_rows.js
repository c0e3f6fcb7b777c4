import { add } from '../components/dom.js'

export function render({ model, el }) {
  const rows = document.createElement('div')
  rows.className = 'rows'
  const fill = () => {
    const top = rows.scrollTop
    rows.replaceChildren()
    model.rows.forEach((one, at) => {
      const style = `--across:${one.frames.length};--side:${model.side}px`
      const row = add('div', rows, { class: one.title ? 'row' : 'row wide', style })
      if (one.title) {
        const title = add('div', row, { class: 'title', text: one.title })
        if (one.unit) add('small', title, { text: one.unit })
      }
      one.frames.forEach((frame, place) => {
        const says = `${one.title || 'Along the line'} ${frame.says}`
        const button = add('button', row, { type: 'button', 'aria-label': says, title: says })
        add('img', button, { src: frame.uri, alt: '' })
        add('span', button, { text: frame.says })
        button.onclick = () => model.send_msg({ row: at, frame: place })
      })
    })
    if (!model.rows.length) add('p', rows, { class: 'empty', text: model.empty })
    rows.scrollTop = top
  }
  fill()
  model.on('rows', fill)
  model.on('empty', fill)
  el.appendChild(rows)
}
