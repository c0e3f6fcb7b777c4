"""The row of the card in which a person says what the picked galaxy is."""

from collections.abc import Callable
from typing import Any

import panel as pn
import param
from panel.custom import JSComponent

from dashboard.backend.datastore import DataStore
from dashboard.components.css import BASE, JUDGE
from dashboard.labelling.labels import (
    NOTED,
    SCORES,
    judge,
    label_names,
    label_title,
    own_label,
    redo,
    toggle,
    undo,
    who,
    write_note,
)
from dashboard.state import State

__all__ = ["LabelBar", "LabelButtons", "said_of"]

LONGEST = 60  # letters of a label of one's own


def said_of(datastore: DataStore, row: int) -> str:
    """What people say of a galaxy, each with the name of who says it; empty if nobody does."""
    galaxy = str(datastore.ids[row])
    return " · ".join(
        f"{one.user}: {label_title(one.label)}" + (f" ({one.note})" if one.note else "")
        for one in datastore.label_table.standing
        if one.galaxy == galaxy
    )


class LabelButtons(JSComponent):
    """Scores, names, a note, undo and redo in one row; calls ``on_act`` with what is pressed."""

    row = param.Integer(default=-1, doc="The row of the galaxy that is judged.")
    label = param.String(default="", doc="What this person says of the galaxy.")
    note = param.String(default="", doc="The note with it.")
    names = param.List(default=[], item_type=dict, doc="``name`` and ``title`` to choose from.")
    said = param.String(default="", doc="What all people say of it, or what was just done.")
    back = param.Boolean(default=False, doc="Whether there is anything to undo.")
    forth = param.Boolean(default=False, doc="Whether there is anything to redo.")

    _stylesheets = [BASE, JUDGE]  # noqa: RUF012
    _esm = """
    const MEANING = ['nothing of interest', 'hardly of interest', 'a little', 'of some interest',
      'interesting', 'extraordinary']
    const STAR = 'M8 1.6L9.9 5.8L14.4 6.3L11 9.3L12 13.8L8 11.5L4 13.8L5 9.3L1.6 6.3L6.1 5.8Z'
    const TURN = 'M3 6H9.5A3.5 3.5 0 0 1 9.5 13H6M6 2.5L2.5 6L6 9.5'
    const OTHER = '\\u0000other'
    export function render({ model, el }) {
      const bar = document.createElement('div')
      bar.className = 'judge'
      bar.setAttribute('role', 'group')
      bar.setAttribute('aria-label', 'Judge this galaxy')
      const add = (tag, attributes = {}, parent = bar) => {
        const node = parent.appendChild(document.createElement(tag))
        for (const [name, value] of Object.entries(attributes)) {
          name === 'text' ? node.textContent = value : node.setAttribute(name, value)
        }
        return node
      }
      const send = (act, value = '', row = model.row) => model.send_msg({ act, value, row })
      const button = (act, value, title, inside) => {
        const node = add('button', { type: 'button', title, 'aria-label': title })
        inside.startsWith('<') ? node.innerHTML = inside : node.textContent = inside
        node.onclick = () => send(act, value)
        return node
      }
      const icon = (path, more = '') =>
        `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" ${more}>` +
        `<path d="${path}"/></svg>`
      const star = button('label', 'candidate', '', icon(STAR))
      const scores = MEANING.map((words, i) =>
        button('label', String(i), `Score ${i}: ${words} (key ${i})`, String(i)))
      const hint = 'Give it a name, which becomes a class when the SVM is refitted'
      const select = add('select', { 'aria-label': 'Label', title: hint })
      const own = add('input', { type: 'text', maxlength: 60, 'aria-label': 'Label of your own',
        placeholder: 'Label of your own', class: 'own', hidden: '' })
      const note = add('input', { type: 'text', 'aria-label': 'Note', placeholder: 'Note',
        maxlength: 500, title: 'A note, kept with the label when you press Enter or leave' })
      const undo = button('undo', '', 'Undo (key U)', icon(TURN))
      const redo = button('redo', '', 'Redo (Shift and U)', icon(TURN, 'class="mirror"'))
      const said = add('p', { 'aria-live': 'polite' }, el.appendChild(bar).parentNode)
      const swap = writing => {
        own.hidden = !writing
        select.hidden = writing
        own.value = ''
        if (writing) own.focus()
      }
      const fill = () => {
        select.replaceChildren()
        add('option', { value: '', text: 'Label \\u2026' }, select)
        for (const { name, title } of model.names) {
          add('option', { value: name, text: title }, select)
        }
        add('option', { value: OTHER, text: 'Another \\u2026' }, select)
        show()
      }
      const show = () => {
        const candidate = model.label === 'candidate'
        const words = candidate ? 'Remove candidate' : 'Tag as candidate'
        star.setAttribute('aria-label', words)
        star.title = `${words} (key C)`
        star.setAttribute('aria-pressed', candidate)
        scores.forEach((node, i) => node.setAttribute('aria-pressed', model.label === String(i)))
        select.value = model.names.some(one => one.name === model.label) ? model.label : ''
        select.classList.toggle('chosen', select.value !== '')
        if (el.getRootNode().activeElement !== note) note.value = model.note
        undo.disabled = !model.back
        redo.disabled = !model.forth
        said.textContent = said.title = model.said
      }
      select.onchange = () => {
        if (select.value === OTHER) { show(); swap(true); return }
        send('label', select.value || model.label)
        select.blur()
      }
      let noted = { row: -1, note: '' }
      note.onfocus = () => { noted = { row: model.row, note: note.value } }
      note.onblur = () => {
        if (note.value !== noted.note) send('note', note.value, noted.row)
        show()
      }
      note.onkeydown = event => {
        if (event.key === 'Escape') note.value = noted.note
        if (['Enter', 'Escape'].includes(event.key)) note.blur()
      }
      own.onblur = () => swap(false)
      own.onkeydown = event => {
        if (event.key === 'Enter' && own.value.trim()) send('own', own.value)
        if (['Enter', 'Escape'].includes(event.key)) own.blur()
      }
      fill()
      model.on('names', fill)
      for (const name of ['label', 'note', 'said', 'back', 'forth']) model.on(name, show)
    }
    """

    def __init__(self, on_act: Callable[[str, str, int], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_act = on_act

    def _handle_msg(self, data: dict[str, Any]) -> None:
        act, value, row = data.get("act"), data.get("value", ""), data.get("row")
        if isinstance(act, str) and isinstance(value, str) and isinstance(row, int):
            self._on_act(act, value, row)


class LabelBar(pn.viewable.Viewer):
    """What this person says of the picked galaxy, and what others do.

    Reads ``row``, ``revision``, ``done``, ``undone`` and ``said`` of the state; writes ``done``,
    ``undone``, ``said``, ``revision``, ``troubles`` and, when something is undone, ``row``.
    """

    datastore = param.ClassSelector(class_=DataStore, constant=True)
    state = param.ClassSelector(class_=State, constant=True)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.bar = LabelButtons(
            self.act, sizing_mode="stretch_width", height=50, margin=(4, 0, 0, 0)
        )
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        shown = self.bar.param.visible  # the bar's own style would keep it on the page
        return pn.Column(self.bar, visible=shown, sizing_mode="stretch_width", margin=0)

    def act(self, act: str, value: str, row: int) -> None:
        """Do what a button asks for the galaxy that is shown; what it is called already is off."""
        datastore, state = self.datastore, self.state
        known = [*SCORES, *(one["name"] for one in self.bar.names)]
        if act in ("undo", "redo"):
            (undo if act == "undo" else redo)(datastore, state)
        elif not 0 <= row < len(datastore):
            return
        elif act == "note":
            write_note(datastore, state, value, row)
        elif act == "own":
            judge(datastore, state, value[:LONGEST], row)
        elif act == "label" and value in known:
            toggle(datastore, state, row, value)

    @param.depends(
        "state.row",
        "state.progress.journal_events",
        "state.progress.undo_stack",
        "state.progress.redo_stack",
        "state.progress.message",
        watch=True,
    )
    def _show(self) -> None:
        row, datastore = self.state.row, self.datastore
        self.bar.visible = row is not None and datastore.journal is not None
        if not self.bar.visible or row is None:
            return
        own, names = own_label(datastore, row), label_names(datastore)
        earlier = any(one.user == who(datastore) for one in datastore.label_table.standing)
        self.bar.param.update(
            row=row,
            names=[{"name": name, "title": label_title(name)} for name in names],
            label="" if own is None or own.label == NOTED else own.label,
            note=own.note if own else "",
            said=said_of(datastore, row) or self.state.progress.message,
            back=bool(self.state.progress.undo_stack) or earlier,
            forth=bool(self.state.progress.redo_stack),
        )
