"""The bar above a map: model, two axes, and suggested pairs of axes."""

from itertools import combinations
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import axes_of
from dashboard.state import Axes

__all__ = ["AxesBar", "AxesFollower", "axes_choices", "choose_axes", "chooser", "pairs_of"]

PAIRS = (  # as in Fig. 2 of Gagliano & Villar (2023), and what the free latent adds to it
    ("redshift", "log_mass"),
    ("log_mass", "log_sfr"),
    ("redshift", "log_sfr"),
    ("free_0", "redshift"),
    ("free_0", "log_mass"),
    ("free_0", "log_sfr"),
)
PROJECTED = ("pca_0", "pca_1"), ("umap_0", "umap_1")
MAX_PAIRS = 10  # in the menu of a model without any of those
FIELDS = {"model": ("Model", 104), "x": ("Across", 220), "y": ("Up", 220)}  # px at most

NARROW = {".MuiSelect-select": {"paddingLeft": "9px", "paddingRight": "22px !important"}}


def pairs_of(datastore: DataStore, model: str) -> dict[str, tuple[str, str]]:
    """The suggested pairs of axes of a model, (horizontal, vertical), by title."""
    titles = {quantity.column: quantity.title for quantity in axes_of(datastore.store, model)}
    latents = [name for name in datastore.store.model(model).names if name in titles]
    known = [pair for pair in PAIRS if set(pair) <= set(titles)]
    projected = [pair for pair in PROJECTED if set(pair) <= set(titles)]
    pairs = (known or list(combinations(latents, 2))[:MAX_PAIRS]) + projected
    return {f"{titles[x]} and {titles[y][:1].lower()}{titles[y][1:]}": (x, y) for x, y in pairs}


def axes_choices(
    datastore: DataStore, axes: Axes, model: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The options and values of a map's axes for a model; axes that it has are kept."""
    titles = {quantity.title: quantity.column for quantity in axes_of(datastore.store, model)}
    chosen = {
        "model": model,
        "x": datastore.columns.axis(model, axes.x, 0).column,
        "y": datastore.columns.axis(model, axes.y, 1).column,
    }
    return {"model": datastore.models, "x": titles, "y": titles}, chosen


def choose_axes(
    datastore: DataStore, axes: Axes, model: str, pair: tuple[str, str] = ("", "")
) -> None:
    """Show a model, in one update; axes that it has are kept, unless a pair is given."""
    model = model if model in datastore.models else datastore.models[0]
    offered, chosen = axes_choices(datastore, axes, model)
    for name, objects in offered.items():
        axes.param[name].objects = objects
    asked = {name: key for name, key in zip("xy", pair, strict=True) if key}
    axes.param.update(**chosen | asked)


class AxesFollower(param.Parameterized):
    """Fits the axes to a new model, and resets the zoom when the axes change.

    To be made before the views. A zoom that is set together with the axes is kept.
    """

    if TYPE_CHECKING:
        datastore: DataStore
        axes: Axes
    else:
        datastore = param.ClassSelector(class_=DataStore, constant=True)
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: object) -> None:
        param.Parameterized.__init__(self, **params)
        self._plane, self._zoom = self.axes.plane, self.axes.zoom

    @param.depends("axes.model", "axes.x", "axes.y", "axes.zoom", watch=True)
    def _follow(self) -> None:
        axes = self.axes
        (model, *_), zoom = self._plane, self._zoom
        self._plane, self._zoom = axes.plane, axes.zoom
        if axes.model != model:
            choose_axes(self.datastore, axes, axes.model)
        if axes.zoom is not None and axes.zoom == zoom:
            axes.zoom = None


def chooser(owner: param.Parameterized, name: str, label: str, **options: object) -> pmui.Select:
    """A select for a parameter whose options change with others.

    Options and value change together, so that no other value is chosen in between.
    """
    parameter = owner.param[name]
    select = pmui.Select(
        options=parameter.get_range(),
        value=getattr(owner, name),
        label=label,
        description=parameter.doc,
        size="small",
        variant="outlined",
        **options,
    )

    def choose(event: param.parameterized.Event) -> None:
        if event.new in parameter.get_range().values():
            setattr(owner, name, event.new)

    def follow(*_: object) -> None:
        select.param.update(options=parameter.get_range(), value=getattr(owner, name))

    select.param.watch(choose, "value")
    owner.param.watch(follow, [name, "model"] if hasattr(owner, "model") else name)
    return select


class AxesBar(pn.viewable.Viewer):
    """The choices of one map.

    Reads and writes ``model``, ``x`` and ``y`` of its axes.
    """

    if TYPE_CHECKING:
        datastore: DataStore
        axes: Axes
    else:
        datastore = param.ClassSelector(class_=DataStore, constant=True)
        axes = param.ClassSelector(class_=Axes, constant=True)

    def __init__(self, **params: object) -> None:
        pn.viewable.Viewer.__init__(self, **params)
        place = {"sizing_mode": "stretch_width", "min_width": 60, "margin": (8, 3, 0, 3)}
        self.selects = {
            name: chooser(self.axes, name, label, max_width=width, sx=NARROW, **place)
            for name, (label, width) in FIELDS.items()
        }
        self.menu = pmui.MenuButton(
            label="Pairs",
            description="Pairs of axes as in the paper's figures.",
            size="small",
            variant="text",
            width=70,
            margin=(8, 0, 0, 0),
        )
        self.menu.on_click(self._take)
        self._offer()

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(
            *self.selects.values(), self.menu, sizing_mode="stretch_width", margin=(0, 0, 0, 10)
        )

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """The options of the menu."""
        return pairs_of(self.datastore, self.axes.model)

    @param.depends("axes.model", watch=True)
    def _offer(self) -> None:
        self.menu.items = [{"label": title} for title in self.pairs]

    def _take(self, item: Any) -> None:
        pair = self.pairs.get(item["label"])
        if pair is not None:
            choose_axes(self.datastore, self.axes, self.axes.model, pair)
