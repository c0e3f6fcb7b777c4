"""A small button with an icon that toggles a boolean parameter."""

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["IconToggle"]


class IconToggle(Component):
    """A button that shows the current state as an icon, and toggles it when pressed."""

    chosen = param.Boolean(default=False, doc="Which of the two is chosen: the second?")
    names = param.List(default=["", ""], item_type=str, doc="What the two are called.")
    paths = param.List(default=["", ""], item_type=str, doc="Their drawings, of 16 x 16.")

    _stylesheets = [BASE, style(__file__, "icon_toggle.css")]  # noqa: RUF012
    _esm = script(__file__, "icon_toggle.js")

    @classmethod
    def of(
        cls, choice: "param.Boolean[bool]", drawings: dict[str, str], **params: object
    ) -> "IconToggle":
        """A button for a boolean parameter.

        Args:
            choice: The parameter, as in ``state.param.dark``.
            drawings: The tooltip while it is False and while it is True, each with its icon: an
                SVG path within 16 x 16.
            **params: Other parameters of the button.
        """
        owner, name = choice.owner, str(choice.name)
        looks = {"names": list(drawings), "paths": list(drawings.values())}
        made = cls(chosen=getattr(owner, name), **looks, **{"width": 28, "height": 28} | params)
        made.link(owner, chosen=name, bidirectional=True)
        return made
