// Tell the latest place at most every `rate` ms, and none while nobody asks
export default ({ place, rate }, move) => {
  if (!place.tags[0]) return
  const at = [move.x, move.y]
  const waited = Date.now() - (place._told ?? 0)
  const tell = () => {
    place.data = { x: [at[0]], y: [at[1]] }
    place._told = Date.now()
  }
  clearTimeout(place._later)
  if (waited >= rate) tell()
  else place._later = setTimeout(tell, rate - waited)
}
