"""What went wrong: said on the page as long as it lasts, or on a page of its own."""

from dashboard.state import State

__all__ = ["LONGEST", "report"]

LONGEST = 240  # letters of a message


def report(state: State, part: str, words: str = "") -> None:
    """Say what is wrong with a part of the page; without words, that it is well again."""
    if words != state.progress.notices.get(part, ""):
        others = {one: said for one, said in state.progress.notices.items() if one != part}
        state.progress.notices = {**others, part: words} if words else others
