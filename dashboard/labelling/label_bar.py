"""The row of the card in which the picked galaxy is labelled."""

from collections.abc import Callable

import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.view import View
from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE
from dashboard.labelling.label_keys import NOTE, label_keys
from dashboard.labelling.labels import (
    NOTED,
    SCORES,
    full_title,
    label_names,
    label_title,
    own_label,
    redo,
    set_label,
    toggle,
    undo,
    who,
    write_note,
)
from pcvae.label_classes import score_of

__all__ = ["LabelBar", "LabelButtons", "said_of"]

MAX_LETTERS = 60  # letters of a label of one's own


def said_of(datastore: DataStore, row: int) -> str:
    """The labels of a galaxy with their authors; empty if there are none."""
    galaxy = str(datastore.ids[row])
    return " · ".join(
        f"{event.user}: {full_title(event)}" + (f" ({event.note})" if event.note else "")
        for event in datastore.label_table.active
        if event.galaxy == galaxy
    )


class LabelButtons(Component):
    """Scores, names, a note, undo and redo in one row; calls ``on_act`` with the pressed one."""

    row = param.Integer(default=-1, doc="The row of the galaxy that is judged.")
    label = param.String(default="", doc="What this person says of the galaxy.")
    score = param.String(default="", doc="The score with it, or that is all that is said.")
    note = param.String(default="", doc="The note with it.")
    names = param.List(
        default=[], item_type=dict, doc="``name``, ``title`` and ``key`` to choose from."
    )
    note_key = param.String(default=NOTE, doc="The key that begins a note.")
    said = param.String(default="", doc="What all people say of it, or what was just done.")
    back = param.Boolean(default=False, doc="Whether there is anything to undo.")
    forth = param.Boolean(default=False, doc="Whether there is anything to redo.")

    _stylesheets = [BASE, style(__file__, "label_bar.css")]  # noqa: RUF012
    _esm = script(__file__, "label_bar.js")

    def __init__(self, on_act: Callable[[str, str, int], None], **params: object) -> None:
        super().__init__(**params)
        self._on_act = on_act

    def _handle_msg(self, data: dict[str, object]) -> None:
        act, value, row = data.get("act"), data.get("value", ""), data.get("row")
        if isinstance(act, str) and isinstance(value, str) and isinstance(row, int):
            self._on_act(act, value, row)


class LabelBar(View):
    """The labels of the picked galaxy, this person's and others'.

    Reads ``row`` and ``progress`` of the state; writes ``progress`` and, when a label is undone,
    ``row``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.bar = LabelButtons(
            self.act, sizing_mode="stretch_width", height=50, margin=(4, 0, 0, 0)
        )
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        shown = self.bar.param.visible  # the bar's own style would keep it on the page
        return pn.Column(self.bar, visible=shown, sizing_mode="stretch_width", margin=0)

    def act(self, act: str, value: str, row: int) -> None:
        """Handle a button for the shown galaxy; pressing its current label removes it."""
        datastore, state = self.datastore, self.state
        known = [*SCORES, *(entry["name"] for entry in self.bar.names)]
        if act in ("undo", "redo"):
            (undo if act == "undo" else redo)(datastore, state)
        elif not 0 <= row < len(datastore):
            return
        elif act == "note":
            write_note(datastore, state, value, row)
        elif act == "own":
            set_label(datastore, state, value[:MAX_LETTERS], row)
        elif act == "label" and value in known:
            toggle(datastore, state, row, value)

    @param.depends(
        "state.row",
        "state.progress.journal_events",
        "state.progress.journal_open",
        "state.progress.undo_stack",
        "state.progress.redo_stack",
        "state.progress.message",
        watch=True,
    )
    def _show(self) -> None:
        row, datastore = self.state.row, self.datastore
        self.bar.visible = row is not None and datastore.journal_jobs.takes_labels
        if not self.bar.visible or row is None:
            return
        own, names = own_label(datastore, row), label_names(datastore)
        keys = {name: key for key, name in label_keys(datastore).items()}
        earlier = any(event.user == who(datastore) for event in datastore.label_table.active)
        self.bar.param.update(
            row=row,
            names=[
                {"name": name, "title": label_title(name), "key": keys.get(name, "")}
                for name in names
            ],
            label="" if own is None or own.label == NOTED else own.label,
            score=score_of(own),
            note=own.note if own else "",
            said=said_of(datastore, row) or self.state.progress.message,
            back=bool(self.state.progress.undo_stack) or earlier,
            forth=bool(self.state.progress.redo_stack),
        )
