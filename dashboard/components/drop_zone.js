import { add } from '../components/dom.js'

const PART = 1 << 20  // bytes of a message, well below what a websocket takes
export function render({ model, el }) {
  const ground = document.createElement('div')
  ground.className = 'ground'
  ground.hidden = true
  add('b', ground, { text: 'Drop it here' })
  add('span', ground, { text: model.words })
  el.append(ground)
  const files = event => event.dataTransfer?.types.includes('Files')
  let inside = 0
  const show = on => { ground.hidden = !on; if (!on) inside = 0 }
  const enter = event => { if (files(event)) { inside += 1; show(true) } }
  const leave = event => { if (files(event) && --inside <= 0) show(false) }
  const over = event => { if (files(event)) event.preventDefault() }
  const send = async list => {
    const size = list.reduce((sum, file) => sum + file.size, 0)
    if (size > model.most) { model.send_msg({ size }); return }
    for (const file of list) {
      for (let start = 0; start === 0 || start < file.size; start += PART) {
        const part = await file.slice(start, start + PART).arrayBuffer()
        model.send_msg({ name: file.name, part, first: start === 0 })
      }
    }
    model.send_msg({ end: true })
  }
  const drop = event => {
    show(false)
    if (!files(event) || event.defaultPrevented) return  // a field of the page has taken it
    event.preventDefault()
    send([...event.dataTransfer.files])
  }
  const take = event => { send(event.detail) }  // what a program of the visitor's has sent
  const events = [['dragenter', enter], ['dragleave', leave], ['dragover', over], ['drop', drop],
    ['pcvae-files', take]]
  for (const [name, handle] of events) document.addEventListener(name, handle)
  model.on('remove', () => {
    for (const [name, handle] of events) document.removeEventListener(name, handle)
  })
}
