"""The bar above the maps: colour, boundaries, and one map or two."""

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.view import View
from dashboard.gallery.seed_picker import seed_choices
from dashboard.latent_map.axes_bar import (
    AxesFollower,
    axes_choices,
    choose_axes,
    chooser,
    pairs_of,
)
from dashboard.plotting.colour_by import choices
from dashboard.state import DENSITY, State

__all__ = ["Controls", "choose_model"]


def choose_model(datastore: DataStore, state: State, model: str) -> None:
    """Show a model, in one update; axes and colour that it has are kept."""
    model = model if model in datastore.models else datastore.models[0]
    offered, chosen = axes_choices(datastore, state, model)
    colours = choices(datastore, model, state.queue.training_labels)
    seeds = seed_choices(datastore)
    for name, objects in {**offered, "colour": colours, "seeds": seeds}.items():
        state.param[name].objects = objects
    state.param.update(
        **chosen,
        colour=state.colour if state.colour in colours.values() else DENSITY,
        seeds=state.seeds if state.seeds in seeds.values() else next(iter(seeds.values())),
    )


def _choose_second(datastore: DataStore, state: State) -> None:
    """The other model in the second map if there is one, else the next pair of axes."""
    others = [name for name in datastore.models if name != state.model]
    if others:
        choose_axes(datastore, state.second, others[0])
        return
    pairs = [
        pair for pair in pairs_of(datastore, state.model).values() if pair != (state.x, state.y)
    ]
    choose_axes(datastore, state.second, state.model, pairs[0] if pairs else ("", ""))


class Controls(View):
    """The controls of all maps.

    Reads and writes ``colour``, ``boundaries`` and ``split`` of the state; sets the
    options, also those of ``seeds``, for its ``model``. The page lays its parts out.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        datastore, state = self.datastore, self.state
        choose_model(datastore, state, state.model)
        _choose_second(datastore, state)
        self._followers = [
            AxesFollower(datastore=datastore, axes=axes) for axes in (state, state.second)
        ]
        self.colour = chooser(state, "colour", "Colour", width=220, margin=(8, 5, 0, 13))
        switches = self._switch("boundaries", "SVM"), self._switch("split", "Two maps")
        self.parts = [self.colour, *switches]

    @param.depends("state.model", "state.queue.training_labels", watch=True)
    def _choose_model(self) -> None:
        choose_model(self.datastore, self.state, self.state.model)

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.FlexBox(*self.parts)

    def _switch(self, name: str, label: str) -> pmui.Switch:
        parameter = self.state.param[name]
        return pmui.Switch.from_param(
            parameter, label=label, description=parameter.doc, margin=(11, 4, 0, 8)
        )
