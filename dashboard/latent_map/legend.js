export function render({ model, el }) {
  const key = document.createElement('div')
  const fill = () => {
    const focused = el.getRootNode().activeElement?.dataset.mark
    key.innerHTML = model.object
    const again = [...key.querySelectorAll('button')].find(({ dataset }) => dataset.mark === focused)
    if (focused !== undefined) again?.focus()
  }
  key.onclick = ({ target }) => {
    const mark = target.closest('button')
    if (mark) model.send_msg({ toggle: mark.dataset.mark })
  }
  fill()
  model.on('object', fill)
  el.appendChild(key)
}
