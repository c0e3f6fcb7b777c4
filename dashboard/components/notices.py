"""Error notices and status messages."""

from html import escape

from dashboard.state import State

__all__ = ["MAX_LETTERS", "report", "status_html"]

MAX_LETTERS = 240  # letters of a message


def status_html(words: str, *, failed: bool = False, busy: bool = False) -> str:
    """A message that screen readers announce; a failure at once, as an alert."""
    kind = "failed" if failed else "busy" if busy else ""
    return f'<p class="{kind}" role="{"alert" if failed else "status"}">{escape(words)}</p>'


def report(state: State, part: str, words: str = "") -> None:
    """Set the error notice of a part of the page; empty words remove it."""
    if words != state.progress.notices.get(part, ""):
        others = {name: text for name, text in state.progress.notices.items() if name != part}
        state.progress.notices = {**others, part: words} if words else others
