"""The base class of components with JavaScript of their own."""

from panel.custom import JSComponent

__all__ = ["Component"]


class Component(JSComponent):
    """A component with parameters; its JavaScript lies in a file beside it, see ``assets``."""

    __abstract = True

    def __init__(self, **params: object) -> None:
        JSComponent.__init__(self, **params)
