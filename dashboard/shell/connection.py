"""The banner that says when the server is gone, and the page's way back to it."""

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component

__all__ = ["Connection"]


class Connection(Component):
    """Watches the connection; opens the page again once the server answers.

    The address holds the view, so that the same one is shown again. Asks for an answer now and
    then, because a connection that a sleep or a network cut is not always closed.
    """

    served = param.Boolean(doc="Whether a server shows the page, not a notebook.")
    answer = param.Integer(default=0, doc="The number of the last question of the page.")
    stale = param.Boolean(default=False, doc="The store was replaced: open the page again.")
    address = param.String(default="", doc="Open the page at this query of its address.")

    _esm = script(__file__, "connection.js")
    _stylesheets = [style(__file__, "connection.css")]  # noqa: RUF012

    def go(self, address: str) -> None:
        """Open the page at another query of its address."""
        self.address = address

    def open_again(self) -> None:
        """Open the page again, as the store was replaced."""
        self.stale = True

    def _handle_msg(self, data: dict[str, object]) -> None:
        if isinstance(data.get("question"), int):
            self.answer = data["question"]
