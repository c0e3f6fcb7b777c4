"""What people say of galaxies: labels and notes, undone and redone, all of it in the journal.

A person has one label for a galaxy, a score of 0 to 5 or a name, and a note with it. Others may
say something else of the same galaxy; both are kept.
"""

from collections.abc import Iterable

import panel as pn

from dashboard.backend.datastore import CANDIDATE, Source
from dashboard.backend.populations import population_title
from dashboard.components.notices import report
from dashboard.state import State
from pcvae.errors import JournalError
from pcvae.journal import Event

__all__ = [
    "ARTEFACT",
    "NORMAL_LABEL",
    "NOTED",
    "SCORES",
    "is_candidate",
    "judge",
    "label_names",
    "label_title",
    "own_label",
    "own_marks",
    "redo",
    "refresh",
    "remove",
    "toggle",
    "undo",
    "who",
    "write_note",
]

SCORES = ("0", "1", "2", "3", "4", "5")
MERGER, ARTEFACT, NORMAL_LABEL, NOTED = "merger", "artefact", "normal", "noted"


def who(source: Source) -> str:
    """Whose labels this session writes: the signed-in person's, else the system's user's."""
    return pn.state.user or (source.journal.user if source.journal else "")


def label_title(label: str) -> str:
    """A label as people write it.

    Example:
        >>> label_title("4"), label_title("green_pea")
        ('Score 4', 'Green Pea')
    """
    return f"Score {label}" if label in SCORES else population_title(label)


def label_names(source: Source) -> list[str]:
    """The names that a galaxy can be given: the usual ones, the rare ones, people's own."""
    usual = [CANDIDATE, MERGER, ARTEFACT, NORMAL_LABEL, *source.marked]
    own = sorted({event.label for event in source.said.standing} - {*usual, *SCORES, NOTED})
    return [*usual, *own]


def own_label(source: Source, row: int) -> Event | None:
    """What this person says of a galaxy, if anything."""
    galaxy, user = str(source.ids[row]), who(source)
    said = (one for one in source.said.standing if (one.galaxy, one.user) == (galaxy, user))
    return next(said, None)


def is_candidate(source: Source, row: int) -> bool:
    """Whether this person calls that galaxy a candidate."""
    said = own_label(source, row)
    return said is not None and said.label == CANDIDATE


def own_marks(source: Source) -> list[tuple[int, str]]:
    """The galaxies that this person finds worth a mark: row, and name or ``candidate``."""
    user = who(source)
    said = [one for one in source.said.standing if one.user == user]
    return [
        (int(row), CANDIDATE if one.label in SCORES else one.label)
        for row, one in zip(source.rows_of(one.galaxy for one in said), said, strict=True)
        if row >= 0 and one.label not in (*SCORES[:4], NOTED)
    ]


def judge(source: Source, state: State, label: str, row: int | None = None) -> bool:
    """Label a galaxy, the picked one by default; a note that it has is kept.

    The state learns of it once the journal has it on disk.

    Returns:
        Whether it has.
    """
    row = state.row if row is None else row
    label = " ".join(label.split())
    if row is None or not label:
        return False
    said = own_label(source, row)
    return _write(source, state, row, (label, said.note if said else ""))


def write_note(source: Source, state: State, note: str, row: int) -> bool:
    """Keep a note on a galaxy with its label, or with none; whether it is on disk."""
    said, note = own_label(source, row), note.strip()
    if note == (said.note if said else ""):
        return False
    if said is not None and said.label == NOTED and not note:
        return remove(source, state, said)
    return _write(source, state, row, (said.label if said else NOTED, note))


def toggle(source: Source, state: State, row: int | None = None, label: str = CANDIDATE) -> None:
    """Give a galaxy, the picked one by default, a label, or take it away if it has it."""
    row = state.row if row is None else row
    if row is None:
        return
    said = own_label(source, row)
    if said is not None and said.label == label:
        remove(source, state, said)
    else:
        judge(source, state, label, row)


def remove(source: Source, state: State, said: Event) -> bool:
    """Take away what a person says of a galaxy, and all that they said of it before."""
    if source.journal is None:
        return False
    try:
        undone = source.journal.untag(said.galaxy, of=said.user, user=who(source))
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    words = f"Removed: {label_title(said.label)} of {said.galaxy}"
    return _done(source, state, [event.number for event in undone], words)


def undo(source: Source, state: State) -> bool:
    """Take back the last thing that this session did, or this person said before it."""
    return _turn(source, state, back=True)


def redo(source: Source, state: State) -> bool:
    """Do again what was taken back last."""
    return _turn(source, state, back=False)


def refresh(source: Source, state: State) -> None:
    """Learn of what other people and other processes have written."""
    if source.journal is not None:
        try:
            state.revision = source.journal.count()
        except JournalError as error:
            report(state, "journal", str(error))
        else:
            report(state, "journal")


def _write(source: Source, state: State, row: int, said: tuple[str, str]) -> bool:
    if source.journal is None:
        return False
    galaxy, (label, note) = str(source.ids[row]), said
    try:
        event = source.journal.tag(galaxy, label, note=note, user=who(source))
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    return _done(source, state, [event.number], f"Saved: {label_title(label)} for {galaxy}")


def _done(source: Source, state: State, numbers: Iterable[int], words: str) -> bool:
    """Remember events that can be undone; what had been undone can no longer be redone."""
    report(state, "saving")
    state.param.update(done=[*state.done, tuple(numbers)], undone=[], said=words)
    refresh(source, state)
    return True


def _turn(source: Source, state: State, *, back: bool) -> bool:
    if source.journal is None:
        return False
    kept, other = (state.done, state.undone) if back else (state.undone, state.done)
    numbers = kept[-1] if kept else _before(source) if back else ()
    verb = "Undone" if back else "Redone"
    if not numbers:
        state.said = f"Nothing to {'undo' if back else 'redo'}"
        return False
    made, galaxy = [], ""
    try:
        for number in reversed(numbers):
            if number not in source.said.void:
                event = source.journal.undo(number, user=who(source))
                made, galaxy = [*made, event.number], event.galaxy
    except JournalError as error:
        report(state, "saving", f"Not saved: {error}")
        return False
    kept, other = kept[:-1], [*other, tuple(made)] if made else other
    words = f"{verb}: {galaxy}" if made else "Somebody else has undone that already"
    row = source.row_of(galaxy)
    report(state, "saving")
    state.param.update(done=kept if back else other, undone=other if back else kept, said=words)
    refresh(source, state)
    if row is not None:
        state.row = row
    return bool(made)


def _before(source: Source) -> tuple[int, ...]:
    """What this person said last, before this session did anything."""
    own = [event.number for event in source.said.standing if event.user == who(source)]
    return tuple(own[-1:])
