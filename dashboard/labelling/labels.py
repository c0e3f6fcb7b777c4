"""Labels and notes of galaxies, with undo and redo, kept in the journal.

A person has one label for a galaxy, a score of 0 to 5, a name or both, and a note with it. Others
may label the same galaxy otherwise; both are kept.
"""

import getpass
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

import panel as pn

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.journal_cache import CANDIDATE, LabelTable
from dashboard.backend.populations import population_title
from dashboard.components.notices import report
from dashboard.labelling.write_queue import Act, writes_of
from dashboard.state import State
from pcvae.errors import JournalError
from pcvae.journal import Event, Given
from pcvae.label_classes import (
    ARTEFACT,
    NORMAL_LABEL,
    NOTED,
    SCORES,
    name_of,
    score_of,
    with_label,
    without_label,
)

__all__ = [
    "ARTEFACT",
    "NORMAL_LABEL",
    "NOTED",
    "SCORES",
    "full_title",
    "is_candidate",
    "label_all",
    "label_names",
    "label_title",
    "own_label",
    "own_labels",
    "own_marks",
    "redo",
    "refresh",
    "remove",
    "remove_own",
    "set_label",
    "toggle",
    "undo",
    "usual_names",
    "who",
    "write_note",
]

MERGER = "merger"


def who(datastore: DataStore) -> str:
    """Whose labels this session writes: the signed-in person's, else the system's user's."""
    return pn.state.user or (datastore.journal.user if datastore.journal else getpass.getuser())


def label_title(label: str) -> str:
    """The name of a label for display.

    Example:
        >>> label_title("4"), label_title("green_pea")
        ('Score 4', 'Green Pea')
    """
    return f"Score {label}" if label in SCORES else population_title(label)


def full_title(event: Event) -> str:
    """What a label says, for display: its name, and the score beside it."""
    beside = f", {label_title(event.score).lower()}" if event.score else ""
    return label_title(event.label) + beside


def usual_names(datastore: DataStore) -> list[str]:
    """The names that can always be given: the usual ones and the sample's rare populations."""
    return [CANDIDATE, MERGER, ARTEFACT, NORMAL_LABEL, *datastore.populations.marked]


def label_names(datastore: DataStore) -> list[str]:
    """The names that can be given: the usual ones, rare populations, user-defined ones."""
    usual = usual_names(datastore)
    own = sorted(
        {event.label for event in datastore.label_table.active} - {*usual, *SCORES, NOTED}
    )
    return [*usual, *own]


def own_label(datastore: DataStore, row: int) -> Event | None:
    """This person's label of a galaxy, if any."""
    galaxy, user = str(datastore.ids[row]), who(datastore)
    current = (
        event
        for event in datastore.label_table.active
        if (event.galaxy, event.user) == (galaxy, user)
    )
    return next(current, None)


def own_labels(datastore: DataStore) -> set[int]:
    """The rows that this person has labelled; a note alone is no label."""
    user = who(datastore)
    mine = [
        event.galaxy
        for event in datastore.label_table.active
        if event.user == user and event.label != NOTED
    ]
    return set(datastore.rows_of(mine).tolist()) - {-1}


def is_candidate(datastore: DataStore, row: int) -> bool:
    """Whether this person has labelled that galaxy a candidate."""
    current = own_label(datastore, row)
    return name_of(current) == CANDIDATE


def own_marks(datastore: DataStore) -> list[tuple[int, str]]:
    """This person's labelled galaxies that have markers: row, and name or ``candidate``."""
    user = who(datastore)
    mine = [event for event in datastore.label_table.active if event.user == user]
    return [
        (int(row), CANDIDATE if event.label in SCORES else event.label)
        for row, event in zip(datastore.rows_of(event.galaxy for event in mine), mine, strict=True)
        if row >= 0 and event.label not in (*SCORES[:4], NOTED)
    ]


def set_label(datastore: DataStore, state: State, label: str, row: int | None = None) -> bool:
    """Label a galaxy, the picked one by default; its note is kept.

    A name keeps the score, and a score the name.

    The state changes once the journal has written it to disk. In a session that is later: a
    worker writes, in the order of the calls.

    Returns:
        False if there is nothing to write, or if it is known already that writing failed.
    """
    row = state.row if row is None else row
    label = " ".join(label.split())
    if row is None or not label:
        return False
    return writes_of(datastore, state).do(_set_label(datastore, state, label, row))


def label_all(datastore: DataStore, state: State, label: str, rows: Sequence[int]) -> bool:
    """Label several galaxies in one act, which is undone as one; their notes are kept.

    Returns:
        False if there is nothing to write, or if it is known already that writing failed.
    """
    if not label or not len(rows):
        return False
    return writes_of(datastore, state).do(_label_all(datastore, state, label, rows))


def write_note(datastore: DataStore, state: State, note: str, row: int) -> bool:
    """Write a note on a galaxy, with its label or without; returns as ``set_label`` does."""
    return writes_of(datastore, state).do(_write_note(datastore, state, note.strip(), row))


def toggle(
    datastore: DataStore, state: State, row: int | None = None, label: str = CANDIDATE
) -> None:
    """Give a galaxy, the picked one by default, a label, or remove it if it has it."""
    row = state.row if row is None else row
    if row is not None:
        writes_of(datastore, state).do(_toggle(datastore, state, label, row))


def remove_own(datastore: DataStore, state: State, row: int, label: str) -> None:
    """Remove this person's name or score of a galaxy, if it is that one."""
    writes_of(datastore, state).do(_remove_own(datastore, state, row, label))


def _remove_own(datastore: DataStore, state: State, row: int, label: str) -> Act:
    """Take a name or a score back; the other stays, and with the last of them goes the note."""
    current = own_label(datastore, row)
    if current is None or not _says(current, label):
        return False
    left, score = without_label(current, label)
    if not left:
        return (yield from _remove(datastore, state, current))
    words = f"Removed: {label_title(label)} of {current.galaxy}"
    return (yield from _write(datastore, state, row, (left, current.note, score), words))


def _says(event: Event, label: str) -> bool:
    return bool(label) and label in (name_of(event), score_of(event))


def remove(datastore: DataStore, state: State, current: Event) -> bool:
    """Remove all labels, scores and notes of a person on a galaxy."""
    return writes_of(datastore, state).do(_remove(datastore, state, current))


def _set_label(datastore: DataStore, state: State, label: str, row: int) -> Act:
    current = own_label(datastore, row)
    note = current.note if current else ""
    name, score = with_label(current, label)
    words = f"Saved: {label_title(label)} for {datastore.ids[row]}"
    return (yield from _write(datastore, state, row, (name, note, score), words))


def _write_note(datastore: DataStore, state: State, note: str, row: int) -> Act:
    current = own_label(datastore, row)
    if note == (current.note if current else ""):
        return False
    if current is not None and current.label == NOTED and not note:
        return (yield from _remove(datastore, state, current))
    label, score = (current.label, current.score) if current else (NOTED, "")
    words = f"Saved: {label_title(label)} for {datastore.ids[row]}"
    return (yield from _write(datastore, state, row, (label, note, score), words))


def _label_all(datastore: DataStore, state: State, label: str, rows: Sequence[int]) -> Act:
    user, key = who(datastore), writes_of(datastore, state).key
    own = {event.galaxy: event for event in datastore.label_table.active if event.user == user}
    labels = [_given(str(datastore.ids[row]), label, own) for row in rows]
    try:
        events = yield lambda: datastore.journal_jobs.opened().tag_all(labels, user=user, key=key)
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    words = f"Saved: {label_title(label)} for {len(events):,} galaxies"
    return _done(datastore, state, [event.number for event in events], words)


def _given(galaxy: str, label: str, own: Mapping[str, Event]) -> Given:
    """The label beside what a person has said of the galaxy before."""
    current = own.get(galaxy)
    name, score = with_label(current, label)
    return Given(galaxy, name, current.note if current else "", score)


def _toggle(datastore: DataStore, state: State, label: str, row: int) -> Act:
    current = own_label(datastore, row)
    if current is not None and _says(current, label):
        return (yield from _remove_own(datastore, state, row, label))
    return (yield from _set_label(datastore, state, label, row))


def _remove(datastore: DataStore, state: State, current: Event) -> Act:
    user, key = who(datastore), writes_of(datastore, state).key
    try:
        undone = yield lambda: datastore.journal_jobs.opened().untag(
            current.galaxy, of=current.user, user=user, key=key
        )
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    words = f"Removed: {full_title(current)} of {current.galaxy}"
    return _done(datastore, state, [event.number for event in undone], words)


def undo(datastore: DataStore, state: State) -> bool:
    """Undo the last act of this session, or else this person's last label before it."""
    return writes_of(datastore, state).do(_turn(datastore, state, back=True))


def redo(datastore: DataStore, state: State) -> bool:
    """Redo what was undone last."""
    return writes_of(datastore, state).do(_turn(datastore, state, back=False))


def refresh(datastore: DataStore, state: State) -> None:
    """Read what other people and processes have written; a worker does."""
    if datastore.journal_jobs.takes_labels:
        job = datastore.journal_jobs.reread()
        when_done(job, lambda: _show(state, job))


def _show(state: State, job: "Future[LabelTable]") -> None:
    """Show the journal as it was read, or why it could not be."""
    error = job.exception()
    report(state, "journal", "" if error is None else str(error), repeated=True)
    if error is None:
        state.progress.param.update(journal_open=True, journal_events=job.result().events)


def _write(
    datastore: DataStore, state: State, row: int, current: tuple[str, str, str], words: str
) -> Act:
    """Write label, note and score of a galaxy, and say so in these words."""
    user, key = who(datastore), writes_of(datastore, state).key
    galaxy, (label, note, score) = str(datastore.ids[row]), current
    try:
        event = yield lambda: datastore.journal_jobs.opened().tag(
            galaxy, label, note=note, score=score, user=user, key=key
        )
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    return _done(datastore, state, [event.number], words)


def _done(datastore: DataStore, state: State, numbers: Iterable[int], words: str) -> bool:
    """Push events on the undo stack, and clear the redo stack."""
    report(state, "saving")
    state.progress.param.update(
        undo_stack=[*state.progress.undo_stack, tuple(numbers)], redo_stack=[], message=words
    )
    state.progress.journal_events = datastore.label_table.events
    return True


def _turn(datastore: DataStore, state: State, *, back: bool) -> Act:
    user = who(datastore)
    kept, other = (
        (state.progress.undo_stack, state.progress.redo_stack)
        if back
        else (state.progress.redo_stack, state.progress.undo_stack)
    )
    numbers = kept[-1] if kept else _before(datastore) if back else ()
    verb = "Undone" if back else "Redone"
    if not numbers:
        state.progress.message = f"Nothing to {'undo' if back else 'redo'}"
        return False
    made: list[int] = []
    galaxy = ""
    try:
        for number in reversed(numbers):
            if number not in datastore.label_table.undone:
                event = yield partial(_undo, datastore, number, user)
                made, galaxy = [*made, event.number], event.galaxy
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    kept, other = kept[:-1], [*other, tuple(made)] if made else other
    words = f"{verb}: {galaxy}" if made else "Somebody else has undone that already"
    row = datastore.row_of(galaxy)
    report(state, "saving")
    undo_stack, redo_stack = (kept, other) if back else (other, kept)
    state.progress.param.update(undo_stack=undo_stack, redo_stack=redo_stack, message=words)
    state.progress.journal_events = datastore.label_table.events
    if row is not None:
        state.row = row
    return bool(made)


def _undo(datastore: DataStore, number: int, user: str) -> Event:
    return datastore.journal_jobs.opened().undo(number, user=user)


def _before(datastore: DataStore) -> tuple[int, ...]:
    """This person's last label before this session."""
    own = [event.number for event in datastore.label_table.active if event.user == who(datastore)]
    return tuple(own[-1:])
