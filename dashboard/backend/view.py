"""Base classes of views and followers: they hold the datastore and the session's state."""

from typing import TYPE_CHECKING, ClassVar

import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.state import State

__all__ = ["RENAMED_TABS", "Follower", "Tab", "View"]

RENAMED_TABS = {"candidates": "labels"}  # an older address says the former key


class Follower(param.Parameterized):
    """Changes the state, or what lies outside of it, when the state changes; shows nothing."""

    if TYPE_CHECKING:
        datastore: DataStore
        state: State
    else:
        datastore = param.ClassSelector(class_=DataStore, constant=True)
        state = param.ClassSelector(class_=State, constant=True)

    def __init__(self, **params: object) -> None:
        param.Parameterized.__init__(self, **params)


class View(pn.viewable.Viewer):
    """A part of the page, which reads the state and may write it."""

    if TYPE_CHECKING:
        datastore: DataStore
        state: State
    else:
        datastore = param.ClassSelector(class_=DataStore, constant=True)
        state = param.ClassSelector(class_=State, constant=True)

    def __init__(self, **params: object) -> None:
        pn.viewable.Viewer.__init__(self, **params)


class Tab(View):
    """A tab below the maps; ``app.TABS`` lists all of them."""

    key: ClassVar[str]  # what the state and the address call it
    title: ClassVar[str]
    _walking = False  # whether a galaxy is picked for which the list is to stay

    def go_to(self, row: int) -> None:
        """Pick a galaxy that it lists; the list stays as it is."""
        self._walking = True
        try:
            self.state.row = row
        finally:
            self._walking = False

    def step(self, by: int) -> None:
        """Pick the next galaxy that it lists (1), or the previous one (-1); here it lists none."""

    def score(self, label: str) -> bool:
        """Label the picked galaxy and go on to the next; False where the page is to label it."""
        return False
