"""The nearest neighbours of the picked galaxy."""

import pandas as pd
import param

from dashboard.galaxy.external_galaxy import near_shown, shown_external, shown_metric
from dashboard.gallery.seed_picker import metric_words
from dashboard.gallery.strip import METRIC, SHOWN, Strip, metric_controls
from dashboard.state import GalaxyList

__all__ = ["Nearest"]


class Nearest(Strip):
    """The nearest neighbours of the picked galaxy, or of the external one.

    Reads ``row``, ``external``, ``model``, ``k``, ``whiten``, ``oriented``, ``features``,
    ``tab``, ``dark`` and ``progress.loaded`` of the state, and writes ``row``, ``k``, ``whiten``,
    ``oriented`` and ``features``.
    """

    key, title = "neighbours", "Neighbours"
    _near: pd.DataFrame

    @param.depends(
        *SHOWN,
        *METRIC,
        "state.row",
        "state.external",
        "state.model",
        "state.progress.loaded",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[object]:
        return metric_controls(self.state)

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        state, model = self.state, self.state.model
        if state.row is None and shown_external(state, model) is None:
            return [], "The neighbours of the galaxy that you pick show here."
        search = self.datastore.neighbours.ready(model, state.row, state.k, shown_metric(state))
        if not self._ready(search):
            return [], "Indexing the galaxies …"
        near = near_shown(self.datastore, state)
        if near.empty:
            return [], "This galaxy has no neighbours: one of its features is unknown."
        self._near = near
        pairs = zip(near["row"], near["distance"], strict=True)
        note = f"{len(near)} nearest {metric_words(shown_metric(state), model)}"
        return [(int(row), f"distance {distance:.2f}") for row, distance in pairs], note

    def _galaxies(self) -> GalaxyList:
        state = self.state
        of = "an uploaded galaxy" if state.row is None else str(self.datastore.ids[state.row])
        rows, columns = (
            self._near["row"].to_numpy(),
            {"distance": self._near["distance"].to_numpy()},
        )
        return GalaxyList(self.key, f"nearest of {of}", rows, columns)
