export function render({ model, el }) {
  const button = document.createElement('button')
  button.type = 'button'
  const show = () => {
    const [name, path] = [model.names[+model.chosen], model.paths[+model.chosen]]
    button.title = name
    button.setAttribute('aria-label', name)
    button.innerHTML =
      `<svg width="16" height="16" aria-hidden="true"><path d="${path}"/></svg>`
  }
  button.onclick = () => { model.chosen = !model.chosen }
  show()
  model.on('chosen', show)
  el.appendChild(button)
}
