"""What went wrong, and how far a request is, in words."""

from html import escape

from dashboard.state import State

__all__ = ["LONGEST", "report", "status_html"]

LONGEST = 240  # letters of a message


def status_html(words: str, *, failed: bool = False, busy: bool = False) -> str:
    """A message that screen readers announce; a failure at once, as an alert."""
    kind = "failed" if failed else "busy" if busy else ""
    return f'<p class="{kind}" role="{"alert" if failed else "status"}">{escape(words)}</p>'


def report(state: State, part: str, words: str = "") -> None:
    """Say what is wrong with a part of the page; without words, that it is well again."""
    if words != state.progress.notices.get(part, ""):
        others = {one: said for one, said in state.progress.notices.items() if one != part}
        state.progress.notices = {**others, part: words} if words else others
