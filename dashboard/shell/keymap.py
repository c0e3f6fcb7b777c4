"""What each key does: add a key here."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from dashboard.active_learning.training_labels import refit
from dashboard.backend.datastore import DataStore
from dashboard.backend.typography import DASH
from dashboard.backend.view import Tab
from dashboard.labelling.labels import SCORES, redo, toggle, undo
from dashboard.shell.history import History
from dashboard.state import State

__all__ = ["Key", "keymap"]


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
        "c": Key(partial(toggle, datastore, state), "Tag it as a candidate, or untag"),
        **dict.fromkeys("uz", Key(partial(undo, datastore, state), "Undo", "u")),
        "r": Key(partial(refit, datastore, state), "Refit the classifier to all labels"),
        **dict.fromkeys("UZ", Key(partial(redo, datastore, state), "Redo", "U")),
        "v": Key(enlarge, "Enlarge the picked galaxy, as a double click does"),
        "?": Key(show_help, "This help"),
    }
