"""The order of the ranked queue, and the current position in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.active_learning.ranking import worth_of
from dashboard.gallery.strip import MAX_STAMPS

__all__ = ["QueueOrder"]


class QueueOrder:
    """The rows of the queue, highest rank first, shown a page at a time."""

    def __init__(self) -> None:
        self.rows: NDArray[np.intp] = np.array([], np.intp)
        self.found, self.start = 0, 0
        self._place = -1
        self._since: int | None = None  # the galaxy that was picked before there was this queue
        self._made_for: tuple[object, ...] = ()
        self._focus: NDArray[np.bool_] | None = None

    def is_stale(self, wanted: tuple[object, ...], focus: NDArray[np.bool_] | None) -> bool:
        """Whether the choices differ from those it was made for; remembers the new ones."""
        stale = wanted != self._made_for or focus is not self._focus
        self._made_for, self._focus = wanted, focus
        return stale

    def fill(
        self, rank: str, values: NDArray[Any], kept: NDArray[np.bool_], picked: int | None
    ) -> None:
        """Sort the queued galaxies, and go to the first page.

        Args:
            rank: The quantity, as ``QueueOptions.rank``.
            values: Its value for every galaxy, (N,).
            kept: Which galaxies are queued, (N,).
            picked: The galaxy that is picked now; it was not picked from this queue.
        """
        self.rows, self.found = worth_of(rank, values, kept), int(kept.sum())
        self._place, self.start, self._since = -1, 0, picked

    def page(self) -> NDArray[np.intp]:
        """The rows that are shown."""
        return self.rows[self.start : self.start + MAX_STAMPS]

    @property
    def description(self) -> str:
        """The page that is shown, in words."""
        end, queued = min(self.start + MAX_STAMPS, len(self.rows)), f"{len(self.rows):,}"
        if len(self.rows) < self.found:
            queued = f"the first {queued} of {self.found:,}"
        return f"{self.start + 1:,}\N{EN DASH}{end:,} of {queued}"

    def locate(self, row: int | None) -> int | None:
        """The position of a galaxy in the queue; None if it has none or was picked before."""
        if row == self._since:
            return None
        found = np.flatnonzero(self.rows == (-1 if row is None else row))
        if not len(found):
            return None
        self._place = int(found[0])
        return self._place

    def step(self, row: int | None, by: int, skipped: set[int]) -> int | None:
        """The galaxy after a picked one, or before it; None at the end.

        Args:
            row: The picked galaxy.
            by: 1 or -1.
            skipped: Rows that are skipped.
        """
        away = self.locate(row) is None and self._place >= 0
        here, self._since = self._place if away and by > 0 else self._place + by, None
        while 0 <= here < len(self.rows) and self.rows[here] in skipped:
            here += by
        return int(self.rows[here]) if 0 <= here < len(self.rows) else None

    def turn_to(self, row: int | None) -> bool:
        """Go to the page of a picked galaxy; True if that is another page."""
        self._since = None
        place = None if row is None else self.locate(row)
        if place is None or place // MAX_STAMPS == self.start // MAX_STAMPS:
            return False
        self.start = place - place % MAX_STAMPS
        return True
