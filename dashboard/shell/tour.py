"""A short guided tour: a few places of the page, each with a sentence or two."""

from typing import NamedTuple

import param

from dashboard.components.assets import script, style
from dashboard.components.component import Component
from dashboard.components.css import BASE

__all__ = ["STOPS", "Stop", "Tour"]


class Stop(NamedTuple):
    """One stop of the tour.

    Args:
        place: The CSS class of the element that it points at; empty for the whole page.
        title: Its heading.
        text: What the element is for.
    """

    place: str
    title: str
    text: str


STOPS = (
    Stop(
        "",
        "A map of galaxies",
        "A network reduced three images of each galaxy to a few numbers, its latents. Galaxies "
        "that look alike, and are alike, lie together. Rare kinds stand out.",
    ),
    Stop(
        "map",
        "The map",
        "Each galaxy is a dot. Tap one to pick it; drag to move, scroll to zoom. The lasso and "
        "the box on the right edge select many.",
    ),
    Stop(
        "controls",
        "What it shows",
        "Choose the model, two latents and what colours the dots. A second map shows the same "
        "galaxies as another model sees them.",
    ),
    Stop(
        "card",
        "The picked galaxy",
        "Its image, what the model makes of it, and what is left. Below, what the catalogue says "
        "beside what the model infers. Label it with the keys 0 to 5.",
    ),
    Stop(
        "tabs",
        "Its kin, and yours",
        "Neighbours of the picked galaxy, look-alikes of a whole population, your selection, a "
        "queue to judge, histograms that filter, the sky. Arrow keys walk through them.",
    ),
    Stop(
        "help",
        "Words and keys",
        "Every term, every key, and this tour again. Rest the pointer on a control to learn "
        "what it does.",
    ),
)


class Tour(Component):
    """The tour, shown on a browser's first visit and whenever ``shown`` is set."""

    steps = param.List(default=[step._asdict() for step in STOPS], item_type=dict)
    shown = param.Boolean(default=False, doc="Whether it is on the screen.")

    _stylesheets = [BASE, style(__file__, "tour.css")]  # noqa: RUF012
    _esm = script(__file__, "tour.js")
