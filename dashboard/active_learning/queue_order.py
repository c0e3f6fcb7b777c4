"""The order of the ranked queue, and the place in it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.active_learning.ranking import worth_of
from dashboard.gallery.strip import MOST

__all__ = ["QueueOrder"]


class QueueOrder:
    """The rows of the queue, the most worth looking at first, shown a page at a time."""

    def __init__(self) -> None:
        self.rows: NDArray[np.intp] = np.array([], np.intp)
        self.found, self.start = 0, 0
        self._place = -1
        self._since: int | None = None  # the galaxy that was picked before there was this queue
        self._made_for: tuple[Any, ...] = ()
        self._focus: NDArray[np.bool_] | None = None

    def is_stale(self, wanted: tuple[Any, ...], focus: NDArray[np.bool_] | None) -> bool:
        """Whether it was made for other choices than those wanted now, which it then notes."""
        stale = wanted != self._made_for or focus is not self._focus
        self._made_for, self._focus = wanted, focus
        return stale

    def fill(
        self, rank: str, values: NDArray[Any], kept: NDArray[np.bool_], picked: int | None
    ) -> None:
        """Put the kept galaxies in order, and go to its beginning.

        Args:
            rank: By what, as ``QueueOptions.rank``.
            values: Of all galaxies, (N,).
            kept: Which galaxies are queued, (N,).
            picked: The galaxy that is picked now, which was not picked from this queue.
        """
        self.rows, self.found = worth_of(rank, values, kept), int(kept.sum())
        self._place, self.start, self._since = -1, 0, picked

    def page(self) -> NDArray[np.intp]:
        """The rows that are shown."""
        return self.rows[self.start : self.start + MOST]

    @property
    def description(self) -> str:
        """Which part of the queue is shown."""
        end, queued = min(self.start + MOST, len(self.rows)), f"{len(self.rows):,}"
        if len(self.rows) < self.found:
            queued = f"the first {queued} of {self.found:,}"
        return f"{self.start + 1:,}\N{EN DASH}{end:,} of {queued}"

    def locate(self, row: int | None) -> int | None:
        """Where in the queue a galaxy is; None if it is not, or was picked before the queue."""
        if row == self._since:
            return None
        found = np.flatnonzero(self.rows == (-1 if row is None else row))
        if not len(found):
            return None
        self._place = int(found[0])
        return self._place

    def step(self, row: int | None, by: int, skipped: set[int]) -> int | None:
        """The galaxy that follows, or precedes, a picked one; None at the end.

        Args:
            row: The picked galaxy.
            by: 1 or -1.
            skipped: Rows that are passed.
        """
        away = self.locate(row) is None and self._place >= 0
        here, self._since = self._place if away and by > 0 else self._place + by, None
        while here < len(self.rows) and self.rows[here] in skipped:
            here += 1
        return int(self.rows[here]) if 0 <= here < len(self.rows) else None

    def turn_to(self, row: int | None) -> bool:
        """Go to the page of a galaxy that was picked; whether that is another page."""
        self._since = None
        place = None if row is None else self.locate(row)
        if place is None or place // MOST == self.start // MOST:
            return False
        self.start = place - place % MOST
        return True
