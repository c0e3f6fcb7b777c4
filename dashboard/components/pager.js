const PATHS = {
  'First page': 'M4 3V11M11 3L7 7L11 11', 'Previous page': 'M9 3L5 7L9 11',
  'Next page': 'M5 3L9 7L5 11', 'Last page': 'M3 3L7 7L3 11M10 3V11',
}
export function render({ model, el }) {
  const box = document.createElement('div')
  box.className = 'pages'
  const said = document.createElement('span')
  said.setAttribute('aria-live', 'polite')
  const to = {
    'First page': () => 0, 'Previous page': () => model.page - 1,
    'Next page': () => model.page + 1, 'Last page': () => model.pages - 1,
  }
  const buttons = Object.entries(PATHS).map(([label, path]) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.title = label
    button.setAttribute('aria-label', label)
    button.innerHTML =
      `<svg width="14" height="14" aria-hidden="true"><path d="${path}"/></svg>`
    button.onclick = () => model.send_msg({ go: to[label]() })
    return button
  })
  box.append(...buttons.slice(0, 2), said, ...buttons.slice(2))
  const show = () => {
    said.innerHTML = `page <b>${(model.page + 1).toLocaleString('en')}</b> of ` +
      model.pages.toLocaleString('en')
    const held = buttons.indexOf(el.getRootNode().activeElement)
    buttons.forEach((button, index) => {
      button.disabled = index < 2 ? model.page <= 0 : model.page >= model.pages - 1
    })
    if (buttons[held]?.disabled) buttons.at(-1 - held).focus()  // the same way back
    el.style.visibility = model.pages > 1 ? '' : 'hidden'
  }
  show()
  model.on('page', show)
  model.on('pages', show)
  el.appendChild(box)
}
