// Stands in for Aladin Lite: each source of a catalogue is a button, and a box holds all of them.
const calls = {}
const catalogues = []
const draw = div => {
  div.replaceChildren()
  for (const { name, sources } of catalogues) {
    for (const source of sources) {
      const button = document.createElement('button')
      button.textContent = `${name} ${source.data.row}`
      button.addEventListener('click', () => calls.objectClicked(source))
      div.append(button)
    }
  }
}
export default {
  init: Promise.resolve(),
  source: (ra, dec, data) => ({ ra, dec, data }),
  catalog: ({ name }) => ({ name, sources: [],
    removeAll() { this.sources = [] },
    addSources(added) { this.sources.push(...added); draw(this.div) } }),
  aladin: (selector, { target }) => {
    const div = document.querySelector(selector)
    let middle = target.split(' ').map(Number)
    const chosen = document.body.appendChild(document.createElement('p'))
    return {
      view: { unselectObjects: () => { chosen.textContent = '' } },
      addCatalog: added => { added.div = div; catalogues.push(added) },
      on: (name, call) => { calls[name] = call },
      getRaDec: () => middle,
      getFov: () => [60, 60],
      gotoRaDec: (...place) => { middle = place; calls.positionChanged?.() },
      setImageSurvey: name => { document.title = name },
      select: () => {
        chosen.textContent = 'drawn as selected'
        calls.objectsSelected(catalogues.map(({ sources }) => sources))
      },
    }
  },
}
