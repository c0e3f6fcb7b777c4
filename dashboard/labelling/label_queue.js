const PREFIX = 'pcvae-labels '
const SCORES = ['0', '1', '2', '3', '4', '5']
const MOVING = 5000  // ms in which a step to another galaxy may still be on its way
const read = key => JSON.parse(sessionStorage.getItem(key) ?? '[]')
export function render({ model, el }) {
  el.style.display = 'none'
  if (!model.served) return
  const place = PREFIX + model.store
  const lost = () => 'pcvaeLost' in document.documentElement.dataset
  let moved = -MOVING
  const tell = () => {
    const others = Object.keys(sessionStorage).filter(key =>
      key.startsWith(PREFIX) && key !== place)
    const other = others.reduce((sum, key) => sum + read(key).length, 0)
    const detail = { kept: read(place).length, other }
    document.dispatchEvent(new CustomEvent('pcvae-kept', { detail }))
  }
  const write = entries => {
    if (entries.length) sessionStorage.setItem(place, JSON.stringify(entries))
    else sessionStorage.removeItem(place)
    tell()
  }
  // What a press means for the shown galaxy, whenever it arrives
  const settle = (act, value, key) => {
    if (act === 'note') return { act, value }
    const scores = SCORES.includes(value)  // a name and a score stand side by side
    const before = read(place).filter(one => one.galaxy === model.galaxy && one.act !== 'note' &&
      SCORES.includes(one.value) === scores)
    const last = before.at(-1)
    const label = last ? (last.act === 'remove' ? '' : last.value)
      : scores ? model.score : model.label
    const again = act === 'label' && value === label && !(model.sets && key && scores)
    return again ? { act: 'remove', value } : { act: 'label', value }
  }
  const take = ({ act, value, row, key }) => {
    const random = crypto.getRandomValues(new Uint32Array(3))
    const id = Array.from(random, part => part.toString(36)).join('-')
    const unsure = !lost() && performance.now() - moved < MOVING
    const kept = { id, galaxy: model.galaxy, unsure, ...settle(act, value, key) }
    if (model.galaxy) write([...read(place), kept])
    if (!lost()) model.send_msg(key ? { id, key } : { id, act, value, row })
    if (key && model.sets && SCORES.includes(key)) moved = performance.now()
  }
  const pressed = event => {
    const { key } = event.detail
    if (key in model.labels) {
      event.preventDefault()
      take({ act: 'label', value: model.labels[key], key })
    } else if (lost()) {
      event.preventDefault()
      if ('uz'.includes(key)) write(read(place).slice(0, -1))
    } else if (key.startsWith('Arrow') || '[]uzUZx'.includes(key)) moved = performance.now()
  }
  const judged = event => {
    const { act } = event.detail
    if (!['label', 'own', 'note'].includes(act)) {
      if (!lost()) return
      event.preventDefault()
      if (act === 'undo') write(read(place).slice(0, -1))
      return
    }
    event.preventDefault()
    take(event.detail)
  }
  const resend = () => {
    const entries = read(place)
    const sure = entries.filter(one => !one.unsure)
    if (sure.length < entries.length) {
      const detail = { dropped: entries.length - sure.length }
      document.dispatchEvent(new CustomEvent('pcvae-dropped', { detail }))
    }
    write(sure)
    for (const { id, galaxy, act, value } of sure) model.send_msg({ id, galaxy, act, value })
  }
  model.on('galaxy', () => { moved = -MOVING })
  model.on('acknowledged', () => {
    write(read(place).filter(one => !model.acknowledged.includes(one.id)))
  })
  const events = [['pcvae-key', pressed], ['pcvae-judged', judged], ['pcvae-lost', tell]]
  for (const [name, handle] of events) document.addEventListener(name, handle)
  model.on('remove', () => {
    for (const [name, handle] of events) document.removeEventListener(name, handle)
  })
  tell()
  if (model.ready) resend()
  else model.on('ready', resend)
}
