// The hub of the visitor's machine, by the Web Profile of SAMP 1.3:
// https://www.ivoa.net/documents/SAMP/20120411/REC-SAMP-1.3-20120411.html, section 5
const HUB = 'http://127.0.0.1:21012'  // the policy of the page lets it connect with this alone
const LOAD = 'table.load.votable'
const TAKEN = [LOAD, 'table.highlight.row', 'table.select.rowList', 'coord.pointAt.sky']
const PATIENCE = '20'  // seconds in which a program has to take a table
const PULL = '10', REST = 500  // seconds that the hub may wait for messages; ms between questions
const OK = { 'samp.status': 'samp.ok', 'samp.result': {} }
const fail = text => ({ 'samp.status': 'samp.error', 'samp.error': { 'samp.errortxt': text } })
const escaped = text => String(text).replace(/[<>&]/g, sign => `&#${sign.charCodeAt(0)};`)
const written = value => {
  if (Array.isArray(value)) {
    return `<value><array><data>${value.map(written).join('')}</data></array></value>`
  }
  if (typeof value !== 'object') return `<value><string>${escaped(value)}</string></value>`
  const members = Object.entries(value).map(([name, part]) =>
    `<member><name>${escaped(name)}</name>${written(part)}</member>`)
  return `<value><struct>${members.join('')}</struct></value>`
}
const children = (node, tag) => [...node.children].filter(child => child.tagName === tag)
const read = value => {
  const node = value.firstElementChild
  if (!node) return value.textContent
  if (node.tagName === 'array') return children(node.firstElementChild, 'value').map(read)
  if (node.tagName !== 'struct') return node.textContent
  return Object.fromEntries(children(node, 'member').map(member =>
    [children(member, 'name')[0].textContent, read(children(member, 'value')[0])]))
}
class NoHub extends Error {}
const ask = async (method, params, options = {}) => {
  const list = params.map(value => `<param>${written(value)}</param>`).join('')
  const body = `<?xml version="1.0"?><methodCall><methodName>samp.webhub.${method}</methodName>` +
    `<params>${list}</params></methodCall>`
  let text
  try {
    const headers = { 'Content-Type': 'text/xml' }
    text = await (await fetch(HUB, { method: 'POST', headers, body, ...options })).text()
  } catch {
    throw new NoHub()
  }
  const value = new DOMParser().parseFromString(text, 'text/xml').querySelector('value')
  if (!value) throw new Error(`the hub's answer to ${method} cannot be read`)
  const found = read(value)
  if (value.parentElement.tagName === 'fault') throw new Error(found.faultString)
  return found
}
export function render({ model, el }) {
  el.style.display = 'none'
  let hub  // the registration: private key and translator of addresses
  const call = (method, ...params) => ask(method, [hub.key, ...params])
  const leave = () => {
    if (hub) ask('unregister', [hub.key], { keepalive: true }).catch(() => {})
    hub = undefined
  }
  // A table of another program is taken as if it had been dropped on the page
  const load = async ({ url, name }) => {
    const found = await fetch(hub.translator + encodeURIComponent(url))
    if (!found.ok) throw new Error(`${url} cannot be fetched`)
    const file = new File([await found.blob()], `${name || 'table'}.vot`)
    document.dispatchEvent(new CustomEvent('pcvae-files', { detail: [file] }))
  }
  const receive = async message => {
    const { 'samp.mtype': mtype, 'samp.params': params } = message
    if (mtype === LOAD) await load(params)
    else if (TAKEN.includes(mtype)) model.send_msg({ mtype, params })
  }
  const answer = async (id, message) => {
    let reply = OK
    try { await receive(message) } catch (error) { reply = fail(error.message) }
    await call('reply', id, reply)
  }
  const listen = async own => {
    while (hub === own) {
      const begun = performance.now()
      for (const item of await call('pullCallbacks', PULL)) {
        const parts = item['samp.params']
        if (item['samp.methodName'].endsWith('receiveCall')) await answer(parts[1], parts[2])
        else if (parts.length === 2) await receive(parts[1]).catch(() => {})
      }
      // Some hubs answer at once, where the standard lets them wait for messages
      const left = REST - (performance.now() - begun)
      if (left > 0) await new Promise(done => { setTimeout(done, left) })
    }
  }
  const register = async name => {
    const found = await ask('register', [{ 'samp.name': name }])
    const translator = HUB + found['samp.url-translator'].replace(/^https?:\/\/[^/]*/, '')
    hub = { key: found['samp.private-key'], translator }
    await call('declareMetadata', { 'samp.name': name,
      'samp.description.text': 'Latent space of galaxies' })
    await call('allowReverseCallbacks', '1')
    await call('declareSubscriptions', Object.fromEntries(TAKEN.map(mtype => [mtype, {}])))
    const own = hub
    listen(own).catch(() => { if (hub === own) hub = undefined })
  }
  const connect = async name => {
    if (hub) await call('getRegisteredClients').catch(() => { hub = undefined })
    if (!hub) await register(name)
  }
  const give = async (id, message) => {
    let name = id
    try {
      name = (await call('getMetadata', id))['samp.name'] ?? id
      const found = await call('callAndWait', id, message, PATIENCE)
      const wrong = found['samp.status'] === 'samp.ok' ? '' : found['samp.error']
      return [name, wrong && (wrong['samp.errortxt'] ?? 'no reason given')]
    } catch (error) {
      return [name, error.message || 'no answer']
    }
  }
  const send = async ({ name, key, title, address }) => {
    try {
      await connect(name)
      const url = new URL(address, location.href).href
      const message = { 'samp.mtype': LOAD,
        'samp.params': { url, name: title, 'table-id': key } }
      const ids = Object.keys(await call('getSubscribedClients', LOAD))
      model.send_msg({ answers: await Promise.all(ids.map(id => give(id, message))) })
    } catch (error) {
      model.send_msg({ failure: error instanceof NoHub ? '' : error.message })
    }
  }
  model.on('msg:custom', send)
  window.addEventListener('pagehide', leave)
  model.on('remove', () => {
    window.removeEventListener('pagehide', leave)
    leave()
  })
}
