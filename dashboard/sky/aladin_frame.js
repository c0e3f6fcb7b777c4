// Aladin Lite in a frame of its own, which alone may ask for survey images. It speaks with the
// page around it: that tells what to show, and is told what is picked, selected and in view.
const IMAGES = 'https://alasky.cds.unistra.fr/DSS/DSSColor/properties'
const PATIENCE = 15000  // ms for an answer of the images' server
const REST = 400  // ms without a move before the view is told
const SIZE = 11, FOCUS = '#35e0ff'  // px of a mark; colour of what is selected
const OPTIONS = { log: false, cooFrame: 'ICRS', showLayersControl: false, showShareControl: false,
  showFullscreenControl: false, showProjectionControl: false, showSimbadPointerControl: false,
  showStatusBar: false }
const tell = message => { parent.postMessage(message, location.origin) }
const reachable = async () => {
  try {
    return (await fetch(IMAGES, { signal: AbortSignal.timeout(PATIENCE) })).ok
  } catch {
    return false
  }
}
const script = async () => {
  const library = (await import('./aladin.js')).default
  await library.init
  return library
}
const start = async () => {
  if (!await reachable()) { tell({ failed: 'images' }); return }
  let library, sky
  const layers = {}
  let shown = {}, timer
  const mark = (name, look) => {
    const common = { name, sourceSize: SIZE, selectionColor: FOCUS, onClick: () => {} }
    layers[name] = library.catalog({ ...common, ...look })
    sky.addCatalog(layers[name])
  }
  const fill = (name, rows) => {
    layers[name].removeAll()
    layers[name].addSources(rows.map(([row, ra, dec]) => library.source(ra, dec, { row })))
  }
  const look = () => {
    const [ra, dec] = sky.getRaDec()
    tell({ view: [ra, dec, Math.min(Math.hypot(...sky.getFov()) / 2, 180)] })
  }
  const moved = () => { clearTimeout(timer); timer = setTimeout(look, REST) }
  const show = wanted => {
    const changed = name => JSON.stringify(wanted[name]) !== JSON.stringify(shown[name])
    if (changed('survey')) sky.setImageSurvey(wanted.survey)
    const stale = ['others', 'focus', 'picked'].filter(changed)
    if (stale.length) sky.view.unselectObjects()  // else they stay drawn as they were
    for (const name of stale) fill(name, wanted[name])
    if (changed('target') && wanted.target) {
      sky.gotoRaDec(...wanted.target)
      moved()
    }
    shown = wanted
  }
  const rowsOf = sources => sources.flat(2).map(one => one.data?.row).filter(Number.isInteger)
  const begin = wanted => {
    sky = library.aladin('#sky', { ...OPTIONS, survey: wanted.survey, fov: wanted.fov,
      target: (wanted.target ?? [0, 0]).join(' ') })
    mark('others', { color: '#b9c4d6', shape: 'circle' })
    mark('focus', { color: FOCUS, shape: 'circle' })
    mark('picked', { color: '#f2b84b', shape: 'square', sourceSize: 2 * SIZE })
    shown = { survey: wanted.survey, target: wanted.target }
    sky.on('objectClicked', one => {
      if (Number.isInteger(one?.data?.row)) tell({ picked: one.data.row })
    })
    sky.on('objectsSelected', sources => { tell({ selected: rowsOf(sources) }) })
    sky.on('positionChanged', moved)
    sky.on('zoomChanged', moved)
    look()
  }
  window.addEventListener('message', ({ source, origin, data }) => {
    if (source !== parent || origin !== location.origin || !library) return
    if (data?.box) { sky?.select('rect'); return }
    if (!Array.isArray(data?.others)) return  // it is not our page's, but an extension's
    if (!sky) begin(data)
    show(data)
  })
  try { library = await script() } catch { tell({ failed: 'script' }); return }
  tell({ ready: true })
}
start()
