import { add } from '../components/dom.js'
import { answering } from '../components/acknowledged.js'

const PATIENCE = 600  // ms to wait for the effect of a drag before the next is sent
const clamp = share => Math.min(Math.max(share, 0), 1)
const steps = counts => {
  const top = Math.max(...counts, 1)
  const bars = counts.map((count, i) => {
    const y = count ? (1 - count / top) * 96 + 4 : 100
    return `L${i} ${y}L${i + 1} ${y}`
  })
  return `M0 100${bars.join('')}L${counts.length} 100Z`
}
export function render({ model, el }) {
  const sheet = add('div', el)
  let cells = {}, dragged = null, sent = 0
  const keep = () => {
    for (const [key, { keep }] of Object.entries(cells)) {
      if (dragged?.key !== key) keep(model.kept[key] ?? [null, null])
    }
  }
  const tell = answering(model, ['kept'], keep)
  const send = (key, low, high) => {
    sent = performance.now()
    tell({ key, low, high })
  }
  const cell = plot => {
    const { key, title, unit, low, high, counts, note } = plot
    const bins = counts.length, width = high - low
    const places = Math.max(Math.ceil(-Math.log10(width / bins)), 0)
    // where a bin ends, as finely as bins are wide; else to the letter
    const said = value => {
      const edge = bins * (value - low) / width
      const near = Math.abs(edge - Math.round(edge)) < 1e-6
      return String(near ? Number(value.toFixed(places)) : value)
    }
    const about = { class: 'plot', role: 'group', 'aria-label': title, title: note }
    const box = add('div', sheet, about)
    const name = add('div', box, { class: 'name' })
    add('span', name, { text: title })
    if (unit) add('small', name, { text: unit })
    const off = add('button', name, { class: 'clear', type: 'button', text: '\u00d7' })
    off.title = `Keep all of ${title}`
    off.setAttribute('aria-label', off.title)
    off.onclick = () => send(key, null, null)
    const area = add('div', box, { class: 'area' })
    area.innerHTML = `<svg viewBox="0 0 ${bins} 100" preserveAspectRatio="none">
      <path class="all" d="${steps(counts)}"/>
      <path class="some beyond"/><path class="some"/></svg>`
    area.firstChild.setAttribute('aria-hidden', 'true')
    const [beyond, inside] = area.querySelectorAll('.some')
    const range = add('div', area, { class: 'range' })
    const ends = add('div', box, { class: 'ends' })
    let limits = [null, null]  // as they are kept, even if they lie beyond what is drawn
    const share = index => limits[index] === null ? index : (limits[index] - low) / width
    const snap = at => clamp(Math.round(at * bins) / bins)
    const limit = (index, at) => at === index ? null : low + at * width
    const beside = (other, index, one) => index ? [other, one] : [one, other]
    const set = (index, one) => {
      limits = beside(limits[1 - index], index, one)
      draw()
      send(key, ...limits)
    }
    const sides = ['Lowest', 'Highest'].map((side, index) => {
      const label = `${side} ${title}`
      const handle = add('div', area, {
        class: 'handle', role: 'slider', tabindex: 0, 'aria-label': label,
        'aria-valuemin': low, 'aria-valuemax': high,
      })
      const field = add('input', ends, {
        type: 'number', step: 'any', 'aria-label': `${label}, as a number`,
        placeholder: said(index ? high : low).replace('-', '\u2212'),
      })
      handle.onkeydown = event => {
        const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1,
          PageDown: -6, PageUp: 6, Home: -bins, End: bins }[event.key]
        if (!by) return
        event.preventDefault()
        event.stopPropagation()
        const to = snap(clamp(share(index)) + by / bins)
        const other = share(1 - index)
        set(index, limit(index, index ? Math.max(to, other) : Math.min(to, other)))
      }
      field.onchange = () => set(index, field.value === '' ? null : Number(field.value))
      field.onblur = () => draw()
      return { handle, field }
    })
    const draw = () => {
      const drawn = [0, 1].map(index => clamp(share(index)))
      const [from, to] = drawn.map(at => 100 * at)
      range.style.left = `${from}%`
      range.style.width = `${to - from}%`
      inside.style.clipPath = `inset(0 ${100 - to}% 0 ${from}%)`
      box.classList.toggle('kept', limits.some(one => one !== null))
      sides.forEach(({ handle, field }, index) => {
        const one = limits[index]
        handle.style.left = `${100 * drawn[index]}%`
        handle.setAttribute('aria-valuenow', low + drawn[index] * width)
        handle.setAttribute('aria-valuetext', said(one ?? [low, high][index]))
        if (el.getRootNode().activeElement !== field) {
          field.value = one === null ? '' : said(one)
        }
      })
    }
    const place = event => {
      const frame = area.getBoundingClientRect()
      return (event.clientX - frame.left) / frame.width
    }
    const span = (one, other) => {
      let [from, to] = [Math.min(one, other), Math.max(one, other)]
      if (from === to && to < 1) to += 1 / bins
      else if (from === to) from -= 1 / bins
      return [limit(0, from), limit(1, to)]
    }
    const carry = ([from, to], by) => {
      const step = Math.min(Math.max(by, -from), 1 - to)
      return [limit(0, snap(from + step)), limit(1, snap(to + step))]
    }
    const pull = (index, other, still, now) => {
      let to = snap(now)
      if (Math.abs(to - other) < 0.5 / bins) to = clamp(to + (index ? 1 : -1) / bins)
      const passed = index ? to < other : to > other
      const side = passed ? 1 - index : index
      return beside(still, side, limit(side, to))
    }
    area.onpointerdown = event => {
      const at = place(event), index = sides.findIndex(side => side.handle === event.target)
      const kept = box.classList.contains('kept'), held = el.getRootNode().activeElement
      if (event.button) return
      area.setPointerCapture(event.pointerId)
      dragged = { key, at, before: limits, places: [share(0), share(1)], how: 'new' }
      if (index >= 0 && (kept || event.target === held)) dragged.how = index
      else if (event.target === range && kept) dragged.how = 'move'
    }
    area.onpointermove = event => {
      if (dragged?.key !== key) return
      const { at, before, places, how } = dragged, now = place(event)
      limits = how === 'new' ? span(snap(at), snap(now))
        : how === 'move' ? carry(places.map(clamp), now - at)
        : pull(how, places[1 - how], before[1 - how], now)
      dragged.moved = true
      draw()
      if (performance.now() - sent > (sent && dragged.waits ? PATIENCE : 80)) {
        dragged.waits = true
        send(key, ...limits)
      }
    }
    area.onpointerup = area.onpointercancel = () => {
      if (dragged?.key === key && dragged.moved) send(key, ...limits)
      dragged = null
    }
    area.ondblclick = () => send(key, null, null)
    cells[key] = {
      keep: kept => {
        limits = kept
        draw()
      },
      count: found => {
        for (const path of [beyond, inside]) path.setAttribute('d', found ? steps(found) : '')
      },
    }
  }
  const count = () => {
    for (const [key, { count }] of Object.entries(cells)) count(model.focus[key])
    if (dragged) dragged.waits = false
  }
  const fill = () => {
    cells = {}
    sheet.replaceChildren()
    sheet.className = model.plots.length ? 'plots' : 'empty'
    model.plots.forEach(cell)
    if (!model.plots.length) sheet.textContent = model.empty
    keep()
    count()
  }
  fill()
  model.on('plots', fill)
  model.on('empty', fill)
  model.on('focus', count)
}
