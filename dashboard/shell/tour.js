const SEEN = 'pcvae-tour'
const remember = () => { try { localStorage.setItem(SEEN, 'seen') } catch { /* private */ } }
const isNew = () => { try { return !localStorage.getItem(SEEN) } catch { return false } }
const find = (name, root = document) => {
  for (const node of root.querySelectorAll('*')) {
    if (node.classList.contains(name) && node.getClientRects().length) return node
    const inside = node.shadowRoot && find(name, node.shadowRoot)
    if (inside) return inside
  }
  return null
}
export function render({ model, el }) {
  const cover = document.createElement('div')
  cover.className = 'cover'
  cover.innerHTML = `<div class="light"></div>
    <div class="stop" role="dialog" aria-modal="true" aria-labelledby="tour-title"
      aria-describedby="tour-text">
      <b id="tour-title"></b><p id="tour-text"></p>
      <div class="row"><span></span><button class="skip" type="button">Skip</button>
      <button class="back" type="button">Back</button>
      <button class="next" type="button">Next</button></div></div>`
  el.appendChild(cover)
  const [light, stop] = cover.children
  const part = name => stop.querySelector(name)
  let place = 0, before = null
  const show = () => {
    const { place: name, title, text } = model.steps[place]
    const last = place === model.steps.length - 1
    part('b').textContent = title
    part('p').textContent = text
    part('.row span').textContent = `${place + 1} of ${model.steps.length}`
    part('.next').textContent = last ? 'Done' : 'Next'
    part('.skip').hidden = last
    part('.back').hidden = place === 0
    const target = name && find(name)
    const box = target ? target.getBoundingClientRect()
      : new DOMRect(innerWidth / 2, innerHeight / 2, 0, 0)
    Object.assign(light.style, { left: `${box.left - 4}px`, top: `${box.top - 4}px`,
      width: `${box.width + 8}px`, height: `${box.height + 8}px` })
    const { width, height } = stop.getBoundingClientRect()
    const middle = [(box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2]
    const spots = [[box.right + 16, middle[1]], [box.left - width - 16, middle[1]],
      [middle[0], box.bottom + 16], [middle[0], box.top - height - 16]]
    const fits = ([x, y]) => x > 8 && y > 8 && x + width < innerWidth - 8
      && y + height < innerHeight - 8
    const clamp = (value, most) => Math.max(12, Math.min(value, most))
    const [x, y] = (target && spots.find(fits)) || (target ? spots[2] : middle)
    stop.style.left = `${clamp(x, innerWidth - width - 12)}px`
    stop.style.top = `${clamp(y, innerHeight - height - 12)}px`
    part('.next').focus()
  }
  const end = () => { model.shown = false }
  const go = by => {
    place += by
    place >= model.steps.length ? end() : show()
  }
  const follow = () => {
    cover.classList.toggle('on', model.shown)
    if (model.shown) { before = document.activeElement; place = 0; show() }
    else { remember(); before?.focus?.() }
  }
  part('.skip').onclick = end
  part('.back').onclick = () => go(-1)
  part('.next').onclick = () => go(1)
  const pressed = event => {
    if (!model.shown) return
    event.stopPropagation()
    if (event.key === 'Escape') return end()
    if (event.key === 'ArrowRight') return go(1)
    if (event.key === 'ArrowLeft' && place) return go(-1)
    if (event.key !== 'Tab') return
    event.preventDefault()
    const able = [...stop.querySelectorAll('button:not([hidden])')]
    const now = able.indexOf(el.getRootNode().activeElement)
    able.at((now + (event.shiftKey ? -1 : 1)) % able.length).focus()
  }
  const resized = () => model.shown && show()
  document.addEventListener('keydown', pressed, true)
  window.addEventListener('resize', resized)
  model.on('shown', follow)
  model.on('remove', () => {
    document.removeEventListener('keydown', pressed, true)
    window.removeEventListener('resize', resized)
  })
  if (isNew() && !new URLSearchParams(location.search).has('lesson')) model.shown = true
}
