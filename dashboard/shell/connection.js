const ASK = 15000, PATIENCE = 20000  // ms between questions; for an answer
const POLL = 1000, CALM = 10000  // ms between looks for the server; between two openings
const READ = 1500  // ms to read that the store was replaced
const OPENED = 'pcvae-opened'
const count = (n, words) => `${n} ${words}${n === 1 ? '' : 's'}`
export function render({ model, el }) {
  const banner = document.createElement('div')
  banner.setAttribute('role', 'alert')
  banner.hidden = true
  el.append(banner)
  if (!model.served) return
  const push = history.pushState
  // Back leaves the page: its steps through galaxies are not pages of their own
  history.pushState = (...step) => history.replaceState(...step)
  const root = document.documentElement
  const lost = () => 'pcvaeLost' in root.dataset
  let kept = { kept: 0, other: 0 }, dropped = 0, asked = 0, timer, waiting
  const show = () => {
    const words = []
    if (lost()) {
      words.push('Not connected: labels are kept here until it is back.')
      if (kept.kept) words.push(`${count(kept.kept, 'label')} kept.`)
    }
    if (kept.other) {
      words.push(`${count(kept.other, 'label')} given on another store wait in this tab for it.`)
    }
    if (dropped) {
      words.push(`The connection broke while the page went to another galaxy: ` +
        `${count(dropped, 'label')} after that not saved, give again.`)
    }
    const text = words.join(' ')
    if (banner.textContent !== text) banner.textContent = text
    banner.classList.toggle('lost', lost())
    banner.hidden = !text
  }
  const open = () => {
    sessionStorage.setItem(OPENED, Date.now())
    location.reload()
  }
  const look = async () => {
    const file = `${location.pathname.replace(/\/[^/]*$/, '')}/static/js/bokeh.min.js`
    try {
      const answer = await fetch(file, { method: 'HEAD', cache: 'no-store',
        signal: AbortSignal.timeout(POLL * 5) })
      if (answer.status < 500) { open(); return }
    } catch { /* not there yet */ }
    timer = setTimeout(look, POLL * (1 + Math.random()))
  }
  const lose = () => {
    if (lost()) return
    root.dataset.pcvaeLost = ''
    clearTimeout(waiting)
    document.dispatchEvent(new CustomEvent('pcvae-lost'))
    show()
    const since = Date.now() - Number(sessionStorage.getItem(OPENED) ?? 0)
    timer = setTimeout(look, Math.max(POLL * Math.random(), CALM - since))
  }
  const ask = () => {
    if (lost() || waiting) return
    asked += 1
    model.send_msg({ question: asked })
    waiting = setTimeout(lose, PATIENCE)
  }
  model.on('answer', () => { clearTimeout(waiting); waiting = undefined })
  model.on('stale', () => { if (model.stale) setTimeout(open, READ) })
  const go = () => { if (model.address) location.assign(model.address) }
  model.on('address', go)
  go()  // it may have come before this was on the page
  for (const opened of Bokeh.documents) opened.on_event('connection_lost', lose)
  const keep = event => { kept = event.detail; show() }
  const drop = event => { dropped = event.detail.dropped; show() }
  const asking = setInterval(ask, ASK)
  const close = () => { if (dropped) { dropped = 0; show() } }
  banner.addEventListener('click', close)
  const events = [['pcvae-kept', keep], ['pcvae-dropped', drop]]
  for (const [name, handle] of events) document.addEventListener(name, handle)
  for (const name of ['online', 'offline']) window.addEventListener(name, ask)
  model.on('remove', () => {
    history.pushState = push
    clearInterval(asking)
    clearTimeout(timer)
    for (const [name, handle] of events) document.removeEventListener(name, handle)
    for (const name of ['online', 'offline']) window.removeEventListener(name, ask)
  })
}
