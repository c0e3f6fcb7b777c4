"""The quiet bar above the map: which model, which axes, which colour."""

from functools import partial
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.colouring import choices
from dashboard.lookalikes import seed_choices
from dashboard.quantities import axes_of
from dashboard.source import Source
from dashboard.state import DENSITY, State

__all__ = ["Controls", "choose_model"]

FIELDS = {
    "model": ("Model", 120),
    "x": ("Across", 190),
    "y": ("Up", 190),
    "colour": ("Colour", 210),
}


def choose_model(source: Source, state: State, model: str) -> None:
    """Show a model, all at once: keep the axes and the colour as far as it has them."""
    model = model if model in source.models else source.models[0]
    axes = {one.title: one.column for one in axes_of(source.store, model)}
    colours = choices(source, model)
    seeds = seed_choices(source)
    offered = {"model": source.models, "x": axes, "y": axes, "colour": colours, "seeds": seeds}
    for name, objects in offered.items():
        state.param[name].objects = objects
    state.param.update(
        model=model,
        x=source.axis(model, state.x, 0).column,
        y=source.axis(model, state.y, 1).column,
        colour=state.colour if state.colour in colours.values() else DENSITY,
        seeds=state.seeds if state.seeds in seeds.values() else next(iter(seeds.values())),
    )


class Controls(pn.viewable.Viewer):
    """What the map shows.

    Reads and writes ``model``, ``x``, ``y``, ``colour`` and ``boundaries`` of the state.
    """

    source = param.ClassSelector(class_=Source, constant=True)
    state = param.ClassSelector(class_=State, constant=True)

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        choose_model(self.source, self.state, self.state.model)
        self.selects = {name: self._select(name, *field) for name, field in FIELDS.items()}
        self.state.param.watch(self._follow, list(FIELDS))
        self._layout = pn.Row(
            pn.Spacer(width=14),
            *self.selects.values(),
            pmui.Switch.from_param(self.state.param.boundaries, label="SVM", margin=(9, 4, 0, 8)),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    def _select(self, name: str, label: str, width: int) -> pmui.Select:
        parameter = self.state.param[name]
        select = pmui.Select(
            options=parameter.get_range(),
            value=getattr(self.state, name),
            label=label,
            description=parameter.doc,
            size="small",
            variant="outlined",
            width=width,
            margin=(10, 5, 0, 5),
        )
        select.param.watch(partial(self._choose, name), "value")
        return select

    def _choose(self, name: str, event: param.parameterized.Event) -> None:
        if event.new not in self.state.param[name].get_range().values():
            return
        if name == "model":
            choose_model(self.source, self.state, event.new)
        else:
            setattr(self.state, name, event.new)

    def _follow(self, *events: param.parameterized.Event) -> None:
        """Options and value at once, so that no other value is chosen on the way."""
        if any(event.name == "model" for event in events):
            choose_model(self.source, self.state, self.state.model)
        for name, select in self.selects.items():
            options = self.state.param[name].get_range()
            select.param.update(options=options, value=getattr(self.state, name))
