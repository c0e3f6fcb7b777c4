"""The quiet bar above the map: which model, which axes, which colour."""

from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.colouring import choices
from dashboard.quantities import axes_of
from dashboard.source import Source
from dashboard.state import DENSITY, State
from dashboard.style import DASH, population_title

__all__ = ["Controls", "offer"]


def offer(source: Source, state: State) -> None:
    """Let the state choose among what the store and the chosen model have; keep what still is."""
    models = source.models
    state.param.model.objects = models
    model = state.model if state.model in models else models[0]
    axes = {one.title: one.column for one in axes_of(source.store, model)}
    colours = choices(source, model)
    seeds = {population_title(name): name for name in source.marked} or {DASH: ""}
    kept = {"model": model}
    for place, name in enumerate(("x", "y")):
        kept[name] = source.axis(model, getattr(state, name), place).column
    kept["colour"] = state.colour if state.colour in colours.values() else DENSITY
    kept["seeds"] = state.seeds if state.seeds in seeds.values() else next(iter(seeds.values()))
    for name, objects in (("x", axes), ("y", axes), ("colour", colours), ("seeds", seeds)):
        state.param[name].objects = objects
    state.param.update(**kept)


class Controls(pn.viewable.Viewer):
    """What the map shows.

    Writes ``model``, ``x``, ``y``, ``colour`` and ``boundaries`` of the state.
    """

    source = param.ClassSelector(class_=Source, constant=True)
    state = param.ClassSelector(class_=State, constant=True)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        offer(self.source, self.state)
        self.state.param.watch(lambda _: offer(self.source, self.state), "model")
        self._layout = pn.Row(
            pn.Spacer(width=14),
            self._select("model", "Model", 120),
            self._select("x", "Across", 190),
            self._select("y", "Up", 190),
            self._select("colour", "Colour", 210),
            pmui.Switch.from_param(self.state.param.boundaries, label="SVM", margin=(9, 4, 0, 8)),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    def _select(self, name: str, label: str, width: int) -> pmui.Select:
        return pmui.Select.from_param(
            self.state.param[name],
            label=label,
            size="small",
            variant="outlined",
            width=width,
            margin=(10, 5, 0, 5),
        )
