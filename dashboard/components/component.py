"""The base classes of components with JavaScript of their own."""

from collections.abc import Callable
from typing import Any

from panel.custom import JSComponent

__all__ = ["Component", "Messenger"]


class Component(JSComponent):
    """A component with parameters; its JavaScript lies in a file beside it, see ``assets``."""

    __abstract = True

    def __init__(self, **params: object) -> None:
        JSComponent.__init__(self, **params)


class Messenger(Component):
    """A component that hands on all that its JavaScript sends.

    Args:
        on_message: Called with each message.
        params: Parameters of the component.
    """

    __abstract = True

    def __init__(self, on_message: Callable[[dict[str, Any]], None], **params: object) -> None:
        super().__init__(**params)
        self._on_message = on_message

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self._on_message(data)
