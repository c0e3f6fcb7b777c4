"""Components that ignore server echoes older than the user's last input."""

import param

from dashboard.components.component import Component

__all__ = ["Acknowledged"]


class Acknowledged(Component):
    """A component that counts the messages it has handled, so that the page can match its answers.

    Its JavaScript sends by ``answering`` of ``acknowledged.js``; ``_hear`` handles its messages.
    """

    answered = param.Integer(default=0, doc="The number of the last message that was heard.")

    __abstract = True

    def _hear(self, data: dict[str, object]) -> None:
        """The parameters that a message changes."""

    def _handle_msg(self, data: dict[str, object]) -> None:
        try:
            self._hear(data)
        finally:
            turn = data.get("turn")
            self.answered = turn if isinstance(turn, int) else self.answered
