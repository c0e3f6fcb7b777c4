"""Back and forward through the picked galaxies."""

import param

from dashboard.backend.view import Follower
from dashboard.state import State

__all__ = ["History"]

MAX_GALAXIES = 500  # remembered


class History(Follower):
    """The galaxies that a session has picked, and its position among them.

    Reads and writes ``row`` of the state. Picking a galaxy after going back forgets the ones
    ahead, as in a browser.

    Args:
        state: The session's state.

    Example:
        >>> state = State()
        >>> history = History(state)
        >>> for row in (3, 1, 4):
        ...     state.row = row
        >>> history.back(), history.back(), history.forward(), state.row
        (True, True, True, 1)
    """

    def __init__(self, state: State) -> None:
        super().__init__(state=state)
        self._rows = [] if state.row is None else [state.row]
        self._place = len(self._rows) - 1

    def back(self) -> bool:
        """Pick the previous galaxy; False if there is none."""
        return self._go(self._place - 1)

    def forward(self) -> bool:
        """Pick the galaxy that one went back from; False if there is none."""
        return self._go(self._place + 1)

    @property
    def can(self) -> tuple[bool, bool]:
        """Whether one can go back, and forward."""
        return self._place > 0, self._place < len(self._rows) - 1

    def _go(self, place: int) -> bool:
        if not 0 <= place < len(self._rows):
            return False
        self._place = place
        self.state.row = self._rows[place]
        return True

    @param.depends("state.row", watch=True)
    def _remember(self) -> None:
        row = self.state.row
        if row is None or (self._rows and row == self._rows[self._place]):
            return
        self._rows = [*self._rows[: self._place + 1], row][-MAX_GALAXIES:]
        self._place = len(self._rows) - 1
