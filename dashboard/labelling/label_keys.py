"""The keys that label the picked galaxy: one a score, and one a name."""

from collections.abc import Sequence
from string import ascii_lowercase

from dashboard.backend.datastore import DataStore
from dashboard.backend.journal_cache import CANDIDATE
from dashboard.labelling.labels import (
    NOTED,
    SCORES,
    label_names,
    label_title,
    usual_names,
)

__all__ = ["NEXT", "NOTE", "keys_of", "label_keys"]

NOTE, NEXT = "n", "x"  # writes a note; the next unlabelled galaxy
TAKEN = f"bcruvz{NOTE}{NEXT}"  # letters that do something else


def keys_of(names: Sequence[str]) -> dict[str, str]:
    """A key for each name: the first free letter of its title, else of the alphabet.

    Names that come later leave the keys of the earlier ones as they are; the last of very many
    get none.

    Args:
        names: The names, in a fixed order.

    Example:
        >>> keys_of(["candidate", "merger", "normal", "red_spiral"])
        {'candidate': 'c', 'merger': 'm', 'normal': 'o', 'red_spiral': 'e'}
    """
    keys, taken = {CANDIDATE: "c"}, set(TAKEN)
    for name in names:
        letters = (*label_title(name).lower(), *ascii_lowercase)
        free = [letter for letter in letters if letter in ascii_lowercase and letter not in taken]
        if name not in keys and free:
            keys[name] = free[0]
            taken.add(free[0])
    return {name: keys[name] for name in names if name in keys}


def label_keys(datastore: DataStore) -> dict[str, str]:
    """What each key labels the picked galaxy: scores, then the names of ``label_names``.

    The usual names and the rare populations come first, then names of one's own in the order in
    which they were first given, so that each keeps its key whatever else is given or undone.
    """
    names = label_names(datastore)
    ever = (name for name in datastore.label_table.names if name not in (*SCORES, NOTED))
    keys = keys_of(list(dict.fromkeys((*usual_names(datastore), *ever))))
    return {score: score for score in SCORES} | {
        key: name for name, key in keys.items() if name in names
    }
