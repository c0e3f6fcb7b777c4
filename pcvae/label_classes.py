"""People's labels as classes of galaxies: populations of a training and of a search."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from pcvae.anomaly import NORMAL, UNUSED
from pcvae.errors import JournalError
from pcvae.journal import Event, Journal, active_events, fold, journal_path

__all__ = [
    "ARTEFACT",
    "CANDIDATE",
    "NORMAL_LABEL",
    "NOTED",
    "SCORES",
    "Labelled",
    "disagreements",
    "label_class",
    "labelled",
    "name_of",
    "parts_of",
    "read_labels",
    "score_of",
    "with_label",
    "without_label",
]

CANDIDATE = "candidate"  # the label of a candidate to be followed up
SCORES = ("0", "1", "2", "3", "4", "5")
ARTEFACT, NORMAL_LABEL, NOTED = "artefact", "normal", "noted"


def name_of(event: Event | None) -> str:
    """The name that a label gives a galaxy; empty for a score or a note alone."""
    return "" if event is None or event.label in (*SCORES, NOTED) else event.label


def score_of(event: Event | None) -> str:
    """The score that a label gives a galaxy, with a name or without; empty for none."""
    if event is None:
        return ""
    return event.label if event.label in SCORES else event.score


def parts_of(event: Event) -> tuple[str, ...]:
    """All that a label says: its name or score, and the score beside a name.

    Example:
        >>> parts_of(Event(1, "a", "merger", "", "ana", "2026-01-01T00:00:00+00:00", score="4"))
        ('merger', '4')
    """
    return (event.label, event.score) if event.score else (event.label,)


def with_label(event: Event | None, label: str) -> tuple[str, str]:
    """The label and the score beside it after a person has said one thing more of a galaxy.

    A name replaces the name and a score the score, so that both can stand side by side.

    Example:
        >>> scored = Event(1, "a", "4", "", "ana", "2026-01-01T00:00:00+00:00")
        >>> with_label(scored, "merger"), with_label(scored, "2"), with_label(None, "2")
        (('merger', '4'), ('2', ''), ('2', ''))
    """
    if label in SCORES:
        return _beside(name_of(event), label)
    return _beside(label, score_of(event))


def without_label(event: Event, label: str) -> tuple[str, str]:
    """The label and the score beside it without that name or score; empty where neither is left.

    Example:
        >>> both = Event(1, "a", "merger", "", "ana", "2026-01-01T00:00:00+00:00", score="4")
        >>> without_label(both, "merger"), without_label(both, "4")
        (('4', ''), ('merger', ''))
    """
    name, score = name_of(event), score_of(event)
    return _beside("" if label == name else name, "" if label == score else score)


def _beside(name: str, score: str) -> tuple[str, str]:
    return (name, score) if name else (score, "")


def disagreements(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The galaxies of which people say different things, each with the labels of all of them.

    Two people differ if their names differ, if their scores do, or if one gives a name alone and
    the other a score alone. A note without a label says neither.

    Args:
        events: The active labels; see ``active_events``.

    Example:
        >>> ana = Event(1, "a", "merger", "", "ana", "2026-01-01T00:00:00+00:00", score="4")
        >>> ben = Event(2, "a", "4", "", "ben", "2026-01-02T00:00:00+00:00")
        >>> cy = Event(3, "a", "artefact", "", "cy", "2026-01-03T00:00:00+00:00")
        >>> list(disagreements([ana, ben])), list(disagreements([ana, ben, cy]))
        ([], ['a'])
    """
    said: dict[str, list[Event]] = {}
    for event in events:
        if event.label != NOTED:
            said.setdefault(event.galaxy, []).append(event)
    return {
        galaxy: labels
        for galaxy, labels in said.items()
        if any(_differ(one, other) for one, other in combinations(labels, 2))
    }


def _differ(one: Event, other: Event) -> bool:
    pairs = (name_of(one), name_of(other)), (score_of(one), score_of(other))
    common = [pair for pair in pairs if all(pair)]
    return not common or any(first != second for first, second in common)


class Labelled(NamedTuple):
    """Populations that labels change.

    Args:
        populations: Of each galaxy, N; ``UNUSED`` where a score of 2 or 3 leaves it out.
        rare: The rare populations: the catalogue's, then those of labels by name.
        message: What the labels did, for people.
        digest: Of the populations, which tells whether two sets of labels mean the same.
    """

    populations: list[str]
    rare: tuple[str, ...]
    message: str
    digest: str


def label_class(label: str, ordinary: Collection[str], *, rare: bool) -> str | None:
    """The class that a label gives a galaxy; None where the catalogue's class remains.

    Args:
        label: A name or a score.
        ordinary: The catalogue's populations that are not rare.
        rare: Whether the catalogue calls the galaxy rare.

    Example:
        >>> [label_class(label, (), rare=False) for label in ("5", "1", "ring", "noted")]
        ['candidate', 'normal', 'ring', None]
    """
    if label == NOTED or (rare and label in (*SCORES, CANDIDATE)):
        return None
    if label in ("0", "1", ARTEFACT, NORMAL_LABEL) or label in ordinary:
        return NORMAL
    if label in ("2", "3"):
        return UNUSED
    return CANDIDATE if label in SCORES else label


def read_labels(address: str) -> list[Event]:
    """The active labels of a journal, or of the journal beside a store, oldest first.

    Args:
        address: A store, a journal's file, or a database as ``Journal`` takes it.

    Raises:
        JournalError: There is no journal, it cannot be read, or it has no labels.
    """
    path = journal_path(Path(address)) if Path(address).is_dir() else Path(address)
    if "://" not in address and not path.is_file():
        msg = (
            f"expected a journal of labels, found no file {path}: give the store whose galaxies "
            f"were labelled in the dashboard, or its STORE.journal.sqlite"
        )
        raise JournalError(msg)
    journal = Journal(address if "://" in address else path)
    try:
        active = active_events(journal.events())
    finally:
        journal.close()
    if not active:
        msg = f"expected labels in the journal {journal.address}, found none that is not undone"
        raise JournalError(msg)
    return active


def labelled(
    ids: Sequence[str], populations: Sequence[str], rare: Sequence[str], events: Sequence[Event]
) -> Labelled:
    """The populations of galaxies after people's labels; the last word on each counts.

    A galaxy that counts as normal keeps an ordinary population of the catalogue.

    Args:
        ids: The galaxies, N.
        populations: Of each, by the catalogue.
        rare: The catalogue's rare populations.
        events: The active labels; see ``read_labels``.
    """
    last, row_of = fold(events), {galaxy: row for row, galaxy in enumerate(ids)}
    ordinary, now, changed = set(populations) - set(rare), list(populations), 0
    names: set[str] = set()
    for galaxy, event in last.items():
        row = row_of.get(galaxy)
        if row is None:
            continue
        is_rare = populations[row] in rare
        name = label_class(event.label, ordinary, rare=is_rare)
        if name is None or (name == NORMAL and not is_rare):
            continue
        now[row], changed = name, changed + 1
        names |= {name} - {NORMAL, UNUSED, *rare}
    digest = hashlib.blake2b("\n".join(now).encode(), digest_size=8).hexdigest()
    message = _message(last, events, changed, sum(galaxy not in row_of for galaxy in last))
    return Labelled(now, (*rare, *sorted(names)), message, digest)


def _message(last: Mapping[str, Event], events: Sequence[Event], changed: int, absent: int) -> str:
    differ = len(disagreements(events))
    return (
        f"labels: {len(last)} galaxies, of which {changed} change their population, {absent} are "
        f"not in the sample, and on {differ} people differ (the last word counts)"
    )
