"""One map or two, each under its bar."""

import panel as pn
import param

from dashboard.backend.view import View
from dashboard.latent_map.axes_bar import AxesBar
from dashboard.latent_map.view import LatentMap
from dashboard.state import Axes

__all__ = ["Maps"]


class Maps(View):
    """The maps side by side; the second is made when it is first shown.

    Reads ``split`` of the state; writes nothing.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.shown = [self._make(self.state)]
        self._cells = [self._cell(self.shown[0])]
        self._layout = pn.Row(*self._cells, sizing_mode="stretch_both")
        self._arrange()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    def _make(self, axes: Axes) -> LatentMap:
        return LatentMap(datastore=self.datastore, state=self.state, axes=axes)

    def _cell(self, latent_map: LatentMap) -> pn.Column:
        return pn.Column(
            AxesBar(datastore=self.datastore, axes=latent_map.axes),
            latent_map,
            sizing_mode="stretch_both",
        )

    @param.depends("state.split", watch=True)
    def _arrange(self) -> None:
        if self.state.split and len(self.shown) == 1:
            self.shown.append(self._make(self.state.second))
            self._cells.append(self._cell(self.shown[1]))
        self._layout.objects = self._cells[: 1 + self.state.split]
