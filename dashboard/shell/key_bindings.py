"""The keys of a session: the fixed ones, and those of the names that can be given now."""

from collections.abc import Callable

import param

from dashboard.backend.view import Follower
from dashboard.shell.help_dialog import Help
from dashboard.shell.keyboard import Shortcuts
from dashboard.shell.keymap import Key, class_keys

__all__ = ["KeyBindings"]


class KeyBindings(Follower):
    """Calls what is bound to a key; a name that is new in the journal gets one.

    Reads ``progress.journal_events`` and ``progress.journal_open`` of the state.

    Args:
        keys: The keys as ``keymap`` makes them.
        open_lesson: Opens the lesson, from the help.
    """

    def __init__(
        self, keys: dict[str, Key], open_lesson: Callable[[], None], **params: object
    ) -> None:
        super().__init__(**params)
        self.pressed = keys
        self.shortcuts = Shortcuts(self.press, keys=list(keys))
        self.help = Help(self._described(), open_lesson)

    def press(self, key: str) -> None:
        """Do what a key does."""
        self.pressed[key].do()

    def _described(self) -> dict[str, str]:
        """What each key does, as the help lists it."""
        return {key.shown or name: key.description for name, key in self.pressed.items()}

    @param.depends("state.progress.journal_events", "state.progress.journal_open", watch=True)
    def _bind(self) -> None:
        """Bind the keys of names that are new; those of names that are gone stay."""
        new = {
            letter: key
            for letter, key in class_keys(self.datastore, self.state).items()
            if letter not in self.pressed or key.description != self.pressed[letter].description
        }
        if new:
            self.pressed = self.pressed | new
            self.shortcuts.keys = list(self.pressed)
            self.help.show_keys(self._described())
