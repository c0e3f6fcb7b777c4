import { add } from '../components/dom.js'

const ABOVE = 300, FOLDED = 420  // px of the window that header and maps keep; on a narrow one
const NARROW = 1000  // px
const LARGE = 1400, SHARE = 0.26  // px of a very large window, and the strip's share of it
const STEPS = { ArrowUp: 16, ArrowDown: -16, PageUp: 80, PageDown: -80 }  // px
export function render({ model, el }) {
  const says = 'Height of the strip: drag, or press the up and down arrow keys'
  const edge = add('div', el, { class: 'edge', role: 'separator', tabindex: '0', title: says,
    'aria-label': 'Height of the strip', 'aria-orientation': 'horizontal' })
  const above = () => innerWidth < NARROW ? FOLDED : ABOVE
  const most = () => Math.max(model.least, Math.round(innerHeight - above()))
  const fit = size => Math.round(Math.max(model.least, Math.min(size, most())))
  const column = () => el.getRootNode().host?.getRootNode().host
  // The strip follows at once; the server hears of it at the end
  const show = size => {
    edge.setAttribute('aria-valuenow', size)
    edge.setAttribute('aria-valuemin', model.least)
    edge.setAttribute('aria-valuemax', most())
    edge.setAttribute('aria-valuetext', `${size} pixels`)
    if (column()) Object.assign(column().style, { height: `${size}px`, flexBasis: `${size}px` })
  }
  const set = size => { model.size = fit(size) }
  let from
  edge.onpointerdown = event => {
    if (event.button) return
    from = model.size + event.clientY
    edge.setPointerCapture(event.pointerId)
    edge.classList.add('dragged')
  }
  edge.onpointermove = event => {
    if (from !== undefined) show(fit(from - event.clientY))
  }
  const end = event => {
    if (from === undefined) return
    edge.classList.remove('dragged')
    set(from - event.clientY)
    from = undefined
  }
  edge.onpointerup = end
  edge.onpointercancel = end
  edge.ondblclick = () => set(model.usual)
  edge.onkeydown = event => {
    const ends = { Home: model.least, End: most(), Enter: model.usual }
    const size = event.key in STEPS ? model.size + STEPS[event.key] : ends[event.key]
    if (size === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    set(size)
  }
  const resized = () => {
    if (model.size > most()) set(model.size)
    show(model.size)
  }
  const begin = () => {
    const large = innerHeight >= LARGE && !new URLSearchParams(location.search).has('strip')
    if (large && model.size === model.usual) set(SHARE * innerHeight)
    resized()
  }
  show(model.size)
  if (model.ready) begin()
  model.on('ready', () => setTimeout(begin))  // a change while one arrives would not be sent
  window.addEventListener('resize', resized)
  model.on('size', () => show(model.size))
  model.on('remove', () => window.removeEventListener('resize', resized))
}
