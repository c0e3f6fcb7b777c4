"""What each key does: add a key here."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from dashboard.active_learning.training_labels import refit
from dashboard.backend.datastore import DataStore
from dashboard.backend.journal_cache import CANDIDATE
from dashboard.backend.typography import DASH
from dashboard.backend.view import Tab
from dashboard.components.notices import report
from dashboard.labelling.label_keys import NEXT, NOTE, label_keys
from dashboard.labelling.labels import (
    SCORES,
    label_title,
    own_labels,
    redo,
    toggle,
    undo,
)
from dashboard.shell.history import History
from dashboard.state import State

__all__ = ["Key", "class_keys", "keymap", "next_unlabelled"]


class Key(NamedTuple):
    """What a key does, its description, and how it is written where its name is no letter."""

    do: Callable[[], object]
    description: str
    shown: str = ""


def keymap(
    datastore: DataStore,
    state: State,
    tabs: dict[str, Tab],
    history: History,
    enlarge: Callable[[], None],
    show_help: Callable[[], None],
) -> dict[str, Key]:
    """The keys of a session by the browser's names of them.

    Args:
        datastore: What is labelled.
        state: Which galaxy is picked, and which tab is shown.
        tabs: All tabs by their keys; the shown one is stepped through.
        history: The galaxies that were picked.
        enlarge: Shows the picked galaxy large.
        show_help: Opens the help.
    """

    def step(by: int) -> None:
        tabs[state.tab].step(by)

    def score(label: str) -> None:
        if not tabs[state.tab].score(label):
            toggle(datastore, state, label=label)

    scoring = "Score it, from dull to extraordinary"
    return {
        "ArrowRight": Key(
            partial(step, 1), "The next galaxy of the tab below", "\N{RIGHTWARDS ARROW}"
        ),
        "ArrowLeft": Key(partial(step, -1), "The previous one", "\N{LEFTWARDS ARROW}"),
        "[": Key(history.back, "Back to the galaxy that was seen before"),
        "]": Key(history.forward, "Forward again"),
        **{label: Key(partial(score, label), scoring, f"0{DASH}5") for label in SCORES},
        **class_keys(datastore, state),
        NOTE: Key(lambda: None, "Write a note on it"),
        NEXT: Key(
            lambda: next_unlabelled(datastore, state, tabs[state.tab]),
            "The next galaxy of the tab below that you have not labelled",
        ),
        **dict.fromkeys("uz", Key(partial(undo, datastore, state), "Undo", "u")),
        "r": Key(partial(refit, datastore, state), "Refit the classifier to all labels"),
        **dict.fromkeys("UZ", Key(partial(redo, datastore, state), "Redo", "U")),
        "v": Key(enlarge, "Enlarge the picked galaxy, as a double click does"),
        "?": Key(show_help, "This help"),
    }


def class_keys(datastore: DataStore, state: State) -> dict[str, Key]:
    """The keys that give the picked galaxy a name, or take it back: one a class."""

    def words(name: str) -> str:
        return (
            "Tag it as a candidate, or untag"
            if name == CANDIDATE
            else (f"Label it {label_title(name)}, or take that back")
        )

    return {
        key: Key(partial(toggle, datastore, state, label=name), words(name))
        for key, name in label_keys(datastore).items()
        if key not in SCORES
    }


def next_unlabelled(datastore: DataStore, state: State, tab: Tab) -> None:
    """Pick the next galaxy of a tab's list that this person has not labelled.

    After the last one it begins anew; where there is none left it says so.
    """
    listed = state.selection.listed
    rows = listed.rows.tolist() if listed is not None and listed.tab == tab.key else []
    here = rows.index(state.row) + 1 if state.row in rows else 0
    done = own_labels(datastore)
    wanted = [row for row in (*rows[here:], *rows[:here]) if row not in done]
    report(state, "unlabelled", "" if wanted else none_left(len(rows)))
    if wanted:
        tab.go_to(wanted[0])


def none_left(count: int) -> str:
    """Why there is no next galaxy to be labelled."""
    if not count:
        return "This tab lists no galaxies: choose one that does."
    return f"You have labelled all {count:,} galaxies of this list."
