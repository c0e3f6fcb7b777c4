"""The choices of a session and the progress of its slow work. Parameters only."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import param

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "DENSITY",
    "DISTANCE",
    "POPULATION",
    "STORE_ORDER",
    "Axes",
    "Decoding",
    "GalaxyList",
    "Gesture",
    "Metric",
    "Progress",
    "Query",
    "QueueOptions",
    "Selection",
    "Space",
    "State",
]

DENSITY, POPULATION = "density", "population"
STORE_ORDER, DISTANCE = "store", "distance"


class Space(NamedTuple):
    """The space in which galaxies are searched.

    Args:
        model: The model.
        features: ``latents``, ``photometry`` or ``both``, as ``Store.features`` takes them.
    """

    model: str
    features: str = "latents"


class Metric(NamedTuple):
    """The metric of distances between galaxies.

    Args:
        whiten: Whitened features (Mahalanobis distance); else raw ones.
        oriented: Whether the orientation counts.
        features: Which features count, as of a ``Space``.
    """

    whiten: bool = True
    oriented: bool = False
    features: str = "latents"


class GalaxyList(NamedTuple):
    """The galaxies that a tab lists.

    Args:
        tab: The tab's key.
        title: What they are, as of a table's provenance.
        rows: All of them, (M,), in the order of the list.
        columns: What the list knows of each, by the name of a table's column, (M,) each.
    """

    tab: str
    title: str
    rows: "NDArray[np.intp]"
    columns: "Mapping[str, NDArray[np.generic]]"

    def first(self, count: int) -> "GalaxyList":
        """The first so many of it; all for 0."""
        if not count:
            return self
        columns = {name: values[:count] for name, values in self.columns.items()}
        return self._replace(rows=self.rows[:count], columns=columns)


class Gesture(NamedTuple):
    """The outline of a box or lasso, and the plane that it was drawn in.

    Args:
        plane: Model, horizontal and vertical axis.
        corners: Its corners, (x, y) each.
        alone: Whether it alone made the selection, and was not added to another.
    """

    plane: tuple[str, str, str]
    corners: tuple[tuple[float, float], ...]
    alone: bool = True


class Query(NamedTuple):
    """A condition that was typed, and made the selection."""

    text: str


class Choices(param.Parameterized):
    """A group of choices of a session."""

    def __init__(self, **params: object) -> None:
        param.Parameterized.__init__(self, **params)


class Axes(Choices):
    """The choices of one map."""

    model: "param.Selector[str]" = param.Selector(
        objects=[""], doc="The model whose latent space is shown."
    )
    x: "param.Selector[str]" = param.Selector(
        objects=[""], doc="The latent on the horizontal axis."
    )
    y: "param.Selector[str]" = param.Selector(objects=[""], doc="The latent on the vertical axis.")
    zoom = param.Tuple(
        default=None, length=4, allow_None=True, doc="Left, bottom, right, top; None: all of it."
    )
    cursor = param.Tuple(
        default=None,
        length=2,
        allow_None=True,
        doc="Position of the cursor, while it is followed.",
    )
    line = param.Tuple(
        default=None, length=4, allow_None=True, doc="A line drawn on the map: both its ends."
    )

    @property
    def plane(self) -> tuple[str, str, str]:
        """The model and the two axes."""
        return self.model, self.x, self.y


class Selection(Choices):
    """Which galaxies are in focus, and in which order they are listed."""

    selected = param.Parameter(
        default=None, doc="Which galaxies are selected, (N,) bool; never changed, only replaced."
    )
    mode: "param.Selector[str]" = param.Selector(
        objects=["replace", "add", "subtract"], doc="What a lasso or box does to the selection."
    )
    gesture = param.ClassSelector(
        class_=Gesture, allow_None=True, doc="What was drawn to make the selection, if anything."
    )
    query = param.ClassSelector(
        class_=Query, allow_None=True, doc="What was typed to make the selection, if anything."
    )
    previous = param.Parameter(default=None, doc="What was selected before that, (N,) bool.")
    filters = param.Dict(
        default={}, doc="The range (low, high) that a quantity, by its key, is kept to."
    )
    focus = param.Parameter(
        default=None,
        doc="Which galaxies are selected and pass the filters, (N,) bool; None: all of them.",
    )
    order: "param.Selector[str]" = param.Selector(
        objects=[STORE_ORDER], doc="What the galaxies in focus are sorted by."
    )
    descending = param.Boolean(default=False, doc="Sort the largest first.")
    listed = param.Parameter(default=None, doc="What the shown tab lists, as a ``GalaxyList``.")
    first: "param.Selector[int]" = param.Selector(
        default=0,
        objects={"All": 0},
        doc="How many galaxies of the list are selected, labelled or exported: the first so many.",
    )
    reason_rows = param.Parameter(default=(), doc="The seeds that the shown reason names: rows.")
    wanted_export = param.Boolean(default=False, doc="The list is to be exported.")
    stamp_size: "param.Selector[int]" = param.Selector(
        objects={"64 px": 64, "96 px": 96, "128 px": 128},
        doc="How large the stamps of the selection are, about.",
    )
    crop: "param.Selector[int]" = param.Selector(
        objects={"Whole": 1, "x2": 2, "x4": 4},
        doc="What the stamps of the selection show: all of each, or its middle, enlarged.",
    )


class Decoding(Choices):
    """Which latents are decoded."""

    start: "param.Selector[str]" = param.Selector(
        objects={"Picked galaxy": "picked", "Median": "median"},
        doc="From which latents decoding starts: those of the picked galaxy, or the sample's "
        "medians.",
    )
    along: "param.Selector[str]" = param.Selector(
        objects={"Each latent": "latents", "A line on the map": "line", "Two galaxies": "path"},
        doc="What a traversal runs along: each latent in turn with the others held, a line drawn "
        "on the map, or from one galaxy to another.",
    )
    latents = param.Parameter(
        default=None, doc="The latents (D,) that are decoded; None: those of the start."
    )
    follow_cursor = param.Boolean(
        default=False, doc="Decode the latents under the cursor on the map."
    )
    draw_line = param.Boolean(default=False, doc="The next two taps on a map draw a line.")
    path_start = param.Integer(
        default=None, allow_None=True, doc="Row of the galaxy from which a path runs."
    )


class QueueOptions(Choices):
    """The choices of the ranked queue, and the training labels of its SVM."""

    rank: "param.Selector[str]" = param.Selector(
        objects={
            "Anomaly score": "score",
            "Closest to the boundary": "margin",
            "Reconstruction error": "error",
        },
        doc="What ranks the galaxies: how unlike a normal one each is, how probably it is of a "
        "class, how undecided the classifier is, or how large the reconstruction error is.",
    )
    focus_only = param.Boolean(
        default=False, doc="List only galaxies that are selected and pass the filters."
    )
    unlabelled = param.Boolean(
        default=True,
        doc="Leave out of the queue what anybody labelled, and the catalogue's rare galaxies.",
    )
    taken_back = param.Parameter(
        default=frozenset(), doc="The dismissals whose like are listed all the same: events."
    )
    training_labels = param.Parameter(
        default=(),
        doc="The (row, class) of each labelled galaxy that the SVM shown was fitted to.",
    )
    previous_labels = param.Parameter(
        default=(), doc="Those of the fit before, which cancelling shows again."
    )
    refits = param.Integer(default=0, doc="Counts how often a refit was asked for.")


class Progress(Choices):
    """The progress of slow work, counters of arrived results, and notices."""

    loaded = param.Boolean(default=False, doc="The page is on the screen: slow work may begin.")
    boundaries_arrived = param.Integer(default=0, doc="Counts the boundaries that have arrived.")
    scores_arrived = param.Integer(
        default=0, doc="Counts the scores and cross-validations that have arrived."
    )
    journal_events = param.Integer(default=0, doc="How many events of the journal are shown.")
    journal_open = param.Boolean(default=False, doc="The journal has been read in this session.")
    classifier_status = param.String(
        default="", doc="How far the fit of the classifier is, in words."
    )
    classifier_progress = param.Number(default=0.0, doc="Which share of that is done.")
    message = param.String(default="", doc="What was last saved, undone or redone, in words.")
    exported = param.List(default=[], item_type=str, doc="The kinds of all exported files.")
    notices = param.Dict(
        default={}, doc="What is wrong with each part of the page, in words; the latest is last."
    )
    dismissed = param.Dict(default={}, doc="The last notice of each part that was dismissed.")
    undo_stack = param.List(
        default=[], item_type=tuple, doc="The events of each act of this session, to be undone."
    )
    writes = param.Parameter(doc="The queue of writes to the journal; none before the first.")
    redo_stack = param.List(
        default=[], item_type=tuple, doc="The events of each act that was undone, to be redone."
    )


class State(Axes):
    """All choices of one browser session; every view reads it, some write it.

    Its own axes are the first map's; card, neighbours and queue show its model.
    """

    if TYPE_CHECKING:
        second: Axes
        selection: Selection
        decoding: Decoding
        queue: QueueOptions
        progress: Progress
    else:
        second = param.ClassSelector(class_=Axes, constant=True, doc="What the second map shows.")
        selection = param.ClassSelector(class_=Selection, constant=True)
        decoding = param.ClassSelector(class_=Decoding, constant=True)
        queue = param.ClassSelector(class_=QueueOptions, constant=True)
        progress = param.ClassSelector(class_=Progress, constant=True)
    split = param.Boolean(default=False, doc="Show the second map beside the first.")
    page: "param.Selector[str]" = param.Selector(
        objects={"Explore": "explore", "Model": "model"},
        doc="The maps and what is picked on them, or how well the model does.",
    )
    shown: "param.Selector[str]" = param.Selector(
        objects={"Test": "test", "Held out": "held_out", "All": "all"},
        doc="Which galaxies the model page shows: those of the test split and the rare ones that "
        "never train, all that never train, or all of the store.",
    )
    by: "param.Selector[str]" = param.Selector(
        objects={"Inferred": "inferred", "Catalogue": "catalogue"},
        doc="Whose mass and star-formation rate the model page's plane shows.",
    )
    colour: "param.Selector[str]" = param.Selector(objects=[DENSITY], doc="What colours the maps.")
    boundaries = param.Boolean(
        default=True, doc="Draw the decision boundaries of the linear SVM between the classes."
    )
    hidden = param.List(default=[], item_type=str, doc="Populations and labels without marks.")
    dark = param.Boolean(default=True, doc="Light on dark.")
    lesson = param.Integer(default=0, doc="The step of the lesson that is shown; 0 for none.")
    row = param.Integer(default=None, allow_None=True, doc="Row of the picked galaxy.")
    external = param.Parameter(
        default=None,
        doc="A galaxy that is not in the store, as ``galaxy.external_galaxy.ExternalGalaxy``; "
        "shown while no row is picked.",
    )
    wanted_place = param.Parameter(doc="Where a cutout is to be fetched: (ra, dec) [deg].")
    tab: "param.Selector[str]" = param.Selector(
        objects=[""], doc="What the tabs below show, by the tab's key."
    )
    strip = param.Integer(
        default=224, bounds=(140, 4000), softbounds=(224, 470), doc="Height of the tabs [px]."
    )
    band: "param.Selector[str]" = param.Selector(
        objects={"Colour": "colour"}, doc="The band in which the picked galaxy is shown."
    )
    seeds: "param.Selector[str]" = param.Selector(
        objects=[""], doc="Whose look-alikes are listed."
    )
    lookalikes_by: "param.Selector[str]" = param.Selector(
        objects={"Density of the seeds": "density", "Shared neighbours": "shared"},
        doc="What ranks look-alikes: how dense the seeds are where a galaxy lies, or how many "
        "seeds have it among their nearest, as in the paper's Fig. 3.",
    )
    k: "param.Selector[int]" = param.Selector(
        default=10, objects=[5, 10, 20, 50, 100], doc="How many nearest galaxies of each count."
    )
    features: "param.Selector[str]" = param.Selector(
        objects={"Latents": "latents"},
        doc="What galaxies are compared by: the model's latents, the catalogue's colours, "
        "magnitude, size and shape, or both. It holds for the classifier, the anomaly score, "
        "the queue, neighbours and look-alikes.",
    )
    whiten = param.Boolean(
        default=True, doc="Measure distances in units of each feature's own spread."
    )
    oriented = param.Boolean(default=False, doc="Let the orientation count in distances.")
    label: "param.Selector[str]" = param.Selector(
        objects={"All labels": ""}, doc="Which label is listed."
    )
    user: "param.Selector[str]" = param.Selector(
        objects={"Everybody": ""}, doc="Whose labels are listed."
    )
    differing = param.Boolean(default=False, doc="List galaxies that people differ on.")

    def __init__(self, **params: object) -> None:
        parts = {
            "second": Axes(),
            "selection": Selection(),
            "decoding": Decoding(),
            "queue": QueueOptions(),
            "progress": Progress(),
        }
        super().__init__(**parts | params)

    @property
    def metric(self) -> Metric:
        """The chosen metric of distances."""
        return Metric(self.whiten, self.oriented, self.features)

    @property
    def space(self) -> Space:
        """The chosen space in which galaxies are searched."""
        return Space(self.model, self.features)

    @property
    def maps(self) -> list[Axes]:
        """The axes of the maps that are shown."""
        return [self, self.second] if self.split else [self]

    @property
    def shown_list(self) -> GalaxyList | None:
        """As many galaxies of the shown tab's list as are chosen; None for a tab without one."""
        listed: GalaxyList | None = self.selection.listed
        own = listed is not None and listed.tab == self.tab
        return listed.first(self.selection.first) if own and listed else None

    def frozen(self) -> SimpleNamespace:
        """A copy of the current values, for a worker."""
        return _frozen(self)


def _frozen(part: param.Parameterized) -> SimpleNamespace:
    values = part.param.values().items()
    return SimpleNamespace(
        **{
            name: _frozen(value) if isinstance(value, param.Parameterized) else value
            for name, value in values
        }
    )
