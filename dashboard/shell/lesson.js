import { add } from '../components/dom.js'

const PLACE = 'pcvae-lesson'  // the step that was left
const kept = () => { try { return Number(localStorage.getItem(PLACE)) || 1 } catch { return 1 } }
const keep = number => { try { localStorage.setItem(PLACE, number) } catch { /* private */ } }
// Text with the terms that stand between asterisks emphasised
const write = (parent, text) => {
  parent.replaceChildren()
  for (const [place, part] of text.split('*').entries()) {
    add(place % 2 ? 'em' : 'span', parent, { text: part })
  }
}
export function render({ model, el }) {
  const box = add('section', el, { 'aria-label': 'Lesson' })
  const status = add('p', box, { class: 'said', role: 'status' })
  const body = add('div', box, { class: 'body' })
  const row = add('div', box, { class: 'row' })
  const part = name => add(name === 'title' ? 'h2' : 'p', body, { class: name })
  const [title, text, task] = ['title', 'text', 'task'].map(part)
  const answers = add('div', body, { class: 'answers', role: 'group', 'aria-label': 'Answers' })
  const hint = add('p', body, { class: 'hint', role: 'status' })
  const count = add('span', row, { class: 'count' })
  const button = (name, go, says) => {
    const made = add('button', row, { type: 'button', class: go, title: says, text: name })
    made.onclick = () => model.send_msg({ go })
    return made
  }
  const reset = button('Start again', 'reset', 'Begin the lesson anew')
  button('Leave', 'leave', 'Close the lesson; Help opens it again at this step')
  const back = button('Back', 'back', 'The step before')
  const next = button('Skip', 'next', 'Go on without doing this step')
  const choose = () => {
    answers.replaceChildren()
    for (const text of model.choices) {
      const chosen = { type: 'button', 'aria-pressed': String(text === model.answer), text }
      add('button', answers, chosen).onclick = () => model.send_msg({ answer: text })
    }
    answers.hidden = !model.choices.length
  }
  const say = () => {
    status.textContent = model.said
    status.hidden = !model.said
    hint.textContent = model.hint
  }
  const show = () => {
    const { number, total } = model.step
    box.hidden = number === undefined
    if (box.hidden) return
    if (number) keep(number)
    title.textContent = model.step.title
    write(text, model.step.text)
    task.textContent = model.step.task
    task.hidden = !model.step.task
    count.textContent = number ? `${number} of ${total}` : ''
    reset.hidden = number < 2
    back.hidden = number < 2
    next.hidden = !number || number === total
    box.scrollTop = 0
  }
  const resume = () => {
    model.send_msg({ resume: kept() })
    title.tabIndex = -1
    setTimeout(() => title.focus(), 400)  // the help's dialog has given the focus back
  }
  show()
  say()
  choose()
  model.on('step', show)
  model.on('said', say)
  model.on('hint', say)
  model.on('choices', choose)
  model.on('answer', choose)
  model.on('opened', resume)
}
