"""What a person has chosen. Parameters only: no data, no widgets, no plots."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import param

__all__ = [
    "DENSITY",
    "DISTANCE",
    "POPULATION",
    "STORE_ORDER",
    "Axes",
    "Gesture",
    "Metric",
    "State",
]

DENSITY, POPULATION = "density", "population"
STORE_ORDER, DISTANCE = "store", "distance"


class Metric(NamedTuple):
    """How the distance of two galaxies is measured.

    Args:
        whiten: In units of each latent's own spread, correlations taken out; else raw.
        oriented: Whether the orientation counts.
    """

    whiten: bool = True
    oriented: bool = False


class Gesture(NamedTuple):
    """The line of a box or lasso, and the plane it was drawn in.

    Args:
        plane: Model, horizontal and vertical axis.
        corners: Where it runs, (x, y) each.
    """

    plane: tuple[str, str, str]
    corners: tuple[tuple[float, float], ...]


class Axes(param.Parameterized):
    """What one map shows."""

    model = param.Selector(objects=[""], doc="The model whose latent space is shown.")
    x = param.Selector(objects=[""], doc="The latent on the horizontal axis.")
    y = param.Selector(objects=[""], doc="The latent on the vertical axis.")
    zoom = param.Tuple(
        default=None, length=4, allow_None=True, doc="Left, bottom, right, top; None: all of it."
    )
    pointed = param.Tuple(
        default=None, length=2, allow_None=True, doc="Where the cursor is, while that is asked."
    )
    line = param.Tuple(
        default=None, length=4, allow_None=True, doc="A line drawn on the map: both its ends."
    )

    @property
    def plane(self) -> tuple[str, str, str]:
        """The model and the two axes."""
        return self.model, self.x, self.y


class State(Axes):
    """All choices of one browser session; every view reads it, some write it.

    Its own axes are those of the first map, and its model is the one that card, neighbours and
    queue speak of.
    """

    second = param.ClassSelector(class_=Axes, constant=True, doc="What the second map shows.")
    split = param.Boolean(default=False, doc="Show the second map beside the first.")
    page = param.Selector(
        objects={"Explore": "explore", "Model": "model"},
        doc="The maps and what is picked on them, or how well the model does.",
    )
    shown = param.Selector(
        objects={"Test": "test", "Held out": "held_out", "All": "all"},
        doc="Which galaxies the model page shows: those of the test split and the rare ones that "
        "never train, all that never train, or all of the store.",
    )
    by = param.Selector(
        objects={"Inferred": "inferred", "Catalogue": "catalogue"},
        doc="Whose mass and star-formation rate the model page's plane shows.",
    )
    colour = param.Selector(objects=[DENSITY], doc="What colours the maps.")
    boundaries = param.Boolean(default=True, doc="Draw where the linear SVM parts the classes.")
    dark = param.Boolean(default=True, doc="Light on dark.")
    row = param.Integer(default=None, allow_None=True, doc="Row of the picked galaxy.")
    external = param.Parameter(
        default=None,
        doc="A galaxy that is not in the store, as ``dashboard.galaxy.external_galaxy.Guest``; "
        "shown while no row is picked.",
    )
    tab = param.Selector(
        objects=[
            "neighbours",
            "lookalikes",
            "selection",
            "candidates",
            "queue",
            "histograms",
            "sky",
            "decode",
            "targets",
        ],
        doc="What the strip below shows.",
    )
    base = param.Selector(
        objects={"Picked galaxy": "picked", "Median": "median"},
        doc="From which latents decoding starts: those of the picked galaxy, or the sample's "
        "medians.",
    )
    film = param.Selector(
        objects={"Each latent": "latents", "A line on the map": "line", "Two galaxies": "path"},
        doc="What the row of decoded pictures runs along: each latent in turn with the others "
        "held, a line drawn on the map, or from one galaxy to another.",
    )
    point = param.Parameter(
        default=None, doc="The latents (D,) that are decoded; None: those of the base."
    )
    hovering = param.Boolean(default=False, doc="Decode what lies under the cursor on the map.")
    drawing = param.Boolean(default=False, doc="The next two taps on a map draw a line.")
    origin = param.Integer(
        default=None, allow_None=True, doc="Row of the galaxy from which a path runs."
    )
    tall = param.Boolean(default=False, doc="Give the strip below half of the page.")
    seeds = param.Selector(objects=[""], doc="Whose look-alikes are listed.")
    k = param.Selector(
        default=10, objects=[5, 10, 20, 50, 100], doc="How many nearest galaxies of each count."
    )
    whiten = param.Boolean(
        default=True, doc="Measure distances in units of each latent's own spread."
    )
    oriented = param.Boolean(default=False, doc="Let the orientation count in distances.")
    selected = param.Parameter(
        default=None, doc="Which galaxies are selected, (N,) bool; never changed, only replaced."
    )
    how = param.Selector(
        objects=["replace", "add", "subtract"], doc="What a lasso or box does to the selection."
    )
    order = param.Selector(objects=[STORE_ORDER], doc="What the galaxies in focus are sorted by.")
    descending = param.Boolean(default=False, doc="Sort the largest first.")
    gesture = param.ClassSelector(
        class_=Gesture, allow_None=True, doc="What was drawn to make the selection, if anything."
    )
    before = param.Parameter(default=None, doc="What was selected before that.")
    filters = param.Dict(
        default={}, doc="The range (low, high) that a quantity, by its key, is kept to."
    )
    focus = param.Parameter(
        default=None,
        doc="Which galaxies are selected and pass the filters, (N,) bool; None: all of them.",
    )
    revision = param.Integer(default=0, doc="How many events of the journal are shown.")
    done = param.List(
        default=[], item_type=tuple, doc="The events of each act of this session, to be undone."
    )
    undone = param.List(
        default=[], item_type=tuple, doc="The events of each act that was undone, to be redone."
    )
    label = param.Selector(objects={"All labels": ""}, doc="Which label is listed.")
    user = param.Selector(objects={"Everybody": ""}, doc="Whose labels are listed.")
    said = param.String(default="", doc="What was last saved, undone or redone, in words.")
    loaded = param.Boolean(default=False, doc="The page is on the screen: slow work may begin.")
    fitted = param.Integer(default=0, doc="Counts the boundaries that have arrived.")
    band = param.Selector(
        objects={"Colour": "colour"}, doc="The band in which the picked galaxy is shown."
    )
    rank = param.Selector(
        objects={
            "Anomaly score": "score",
            "Closest to the boundary": "margin",
            "Reconstruction error": "error",
        },
        doc="What makes a galaxy worth looking at: how unlike a normal one it is, how undecided "
        "the SVM is, or how badly the model redraws it.",
    )
    within = param.Boolean(
        default=False, doc="RankedQueue only what is selected and passes the filters."
    )
    unlabelled = param.Boolean(
        default=True,
        doc="Leave out of the queue what anybody labelled, and the catalogue's rare galaxies.",
    )
    training_labels = param.Parameter(
        default=(), doc="The (row, class) of each galaxy that people taught the SVM shown."
    )
    refits = param.Integer(default=0, doc="Counts how often a refit was asked for.")
    scored = param.Integer(default=0, doc="Counts the scores and cross-validations that arrived.")
    learning = param.String(default="", doc="How far the SVM of all latents is, in words.")
    share = param.Number(default=0.0, doc="How much of that is done.")
    troubles = param.Dict(
        default={}, doc="What is wrong with each part of the page, in words; the latest is last."
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"second": Axes(), **params})

    @property
    def metric(self) -> Metric:
        """How the distance of two galaxies is measured."""
        return Metric(self.whiten, self.oriented)

    @property
    def maps(self) -> list[Axes]:
        """The axes of the maps that are shown."""
        return [self, self.second] if self.split else [self]

    def frozen(self) -> SimpleNamespace:
        """Its values as they are now, for a worker to read while the state itself changes."""
        second = SimpleNamespace(**self.second.param.values())
        return SimpleNamespace(**{**self.param.values(), "second": second})
