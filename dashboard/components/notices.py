"""Error notices and status messages."""

from html import escape

from dashboard.state import State

__all__ = ["MAX_LETTERS", "dismiss", "report", "status_html"]

MAX_LETTERS = 240  # letters of a message


def status_html(words: str, *, failed: bool = False, busy: bool = False) -> str:
    """A message that screen readers announce; a failure at once, as an alert."""
    kind = "failed" if failed else "busy" if busy else ""
    return f'<p class="{kind}" role="{"alert" if failed else "status"}">{escape(words)}</p>'


def dismiss(state: State) -> None:
    """Remove the latest notice, which is the shown one, and remember it."""
    if state.progress.notices:
        part, words = list(state.progress.notices.items())[-1]
        report(state, part)
        state.progress.dismissed = {**state.progress.dismissed, part: words}


def report(state: State, part: str, words: str = "", *, repeated: bool = False) -> None:
    """Set the error notice of a part of the page; empty words remove it.

    Args:
        state: The session.
        part: The part of the page.
        words: What is wrong.
        repeated: Whether it is said at every attempt: if it was dismissed, it stays away.
    """
    if repeated and words and state.progress.dismissed.get(part) == words:
        return
    state.progress.dismissed = {
        name: text for name, text in state.progress.dismissed.items() if name != part
    }
    if words != state.progress.notices.get(part, ""):
        others = {name: text for name, text in state.progress.notices.items() if name != part}
        state.progress.notices = {**others, part: words} if words else others
