"""What all tabs below the maps have in common."""

from typing import ClassVar

import panel as pn

__all__ = ["Tab"]


class Tab(pn.viewable.Viewer):
    """A tab below the maps; ``app.TABS`` lists all of them."""

    key: ClassVar[str]  # what the state and the address call it
    title: ClassVar[str]

    def step(self, by: int) -> None:
        """Pick the next galaxy that it lists (1), or the previous one (-1); here it lists none."""

    def score(self, label: str) -> bool:
        """Label the picked galaxy and go on to the next; False where the page is to label it."""
        return False
