"""The SAMP hub of the visitor's own machine, by the Web Profile: the browser speaks with it."""

from collections.abc import Callable, Mapping

from dashboard.components.assets import script
from dashboard.components.component import Component
from dashboard.components.notices import MAX_LETTERS
from dashboard.export.samp_hub import Answer, SentTable

__all__ = ["PageHub"]


class PageHub(Component):
    """Connects the page with the hub when a table is first sent, not before.

    Args:
        name: What other programs call the page.
        on_answers: Called with what became of the table that was sent last.
        on_failure: Called with what went wrong instead; with nothing where there is no hub.
        on_message: Called with the type and the parameters of a message.
    """

    _esm = script(__file__, "samp_page.js")

    def __init__(
        self,
        name: str,
        on_answers: Callable[[list[Answer]], None],
        on_failure: Callable[[str], None],
        on_message: Callable[[str, Mapping[str, object]], None],
        **params: object,
    ) -> None:
        super().__init__(**params)
        self._known_as = name
        self._on_answers, self._on_failure, self._on_message = on_answers, on_failure, on_message

    def send(self, table: SentTable, address: str) -> None:
        """Have the browser tell the hub's programs where the table is.

        Args:
            table: The table.
            address: Its address, relative to that of the page.
        """
        told = {"key": table.key, "title": table.title, "address": address}
        self._send_msg({"name": self._known_as, **told})

    def _handle_msg(self, data: Mapping[str, object]) -> None:
        answers, failure = data.get("answers"), data.get("failure")
        mtype, params = data.get("mtype"), data.get("params")
        if isinstance(answers, list):
            pairs = [pair for pair in answers if isinstance(pair, list) and len(pair) == 2]
            self._on_answers([Answer(*(str(part)[:MAX_LETTERS] for part in p)) for p in pairs])
        elif isinstance(failure, str):
            self._on_failure(failure[:MAX_LETTERS])
        elif isinstance(mtype, str) and isinstance(params, dict):
            self._on_message(mtype, params)
