export function render({ model, el }) {
  let frame, ready = false
  const shown = ['survey', 'target', 'fov', 'others', 'focus', 'picked']
  const tell = message => { frame?.contentWindow?.postMessage(message, location.origin) }
  const show = () => {
    if (ready) tell(Object.fromEntries(shown.map(name => [name, model[name]])))
  }
  const open = () => {
    frame?.remove()
    frame = undefined
    ready = false
    if (!model.address) return
    frame = document.createElement('iframe')
    frame.title = 'Survey images around the picked galaxy'
    frame.src = new URL(model.address, location.href).href
    el.append(frame)
  }
  const hear = ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== location.origin) return
    if (data.ready) { ready = true; show() }
    else model.send_msg(data)
  }
  window.addEventListener('message', hear)
  model.on('address', open)
  for (const name of shown) model.on(name, show)
  model.on('msg:custom', tell)
  model.on('remove', () => { window.removeEventListener('message', hear) })
  open()
}
