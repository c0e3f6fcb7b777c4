// Tell where the cursor rests for `rest` ms, and once that it has left
export default ({ place, rest }, event) => {
  clearTimeout(place._resting)
  place._resting = setTimeout(() => {
    if (event.event_name === 'mousemove') place.data = { x: [event.x], y: [event.y] }
    else if (place.data.x.length) place.data = { x: [], y: [] }
  }, rest)
}
