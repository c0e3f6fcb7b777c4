export function render({ model, el }) {
  const figure = document.createElement('figure'), image = document.createElement('img')
  const show = () => {
    image.hidden = !model.uri
    if (model.uri) image.src = model.uri
    image.alt = model.says
  }
  show()
  model.on('uri', show)
  model.on('says', show)
  figure.appendChild(image)
  el.appendChild(figure)
}
