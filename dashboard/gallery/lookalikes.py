"""The row of look-alikes; ``pcvae.lookalikes`` has the rule that ranks them."""

from typing import Any

import panel_material_ui as pmui
import param

from dashboard.gallery.seed_picker import SELECTION, seed_choices, seeds_of
from dashboard.gallery.strip import MAX_STAMPS, METRIC, SHOWN, Strip, metric_controls

__all__ = ["Lookalikes"]


class Lookalikes(Strip):
    """Galaxies near several of a population, a label or the selection, as in the paper's Fig. 3.

    Reads ``seeds``, ``model``, ``k``, ``whiten``, ``oriented``, ``features``, ``tab``, ``dark``,
    ``selection.focus``, ``progress.journal_events`` and ``progress.loaded`` of the state; writes
    ``row``, ``seeds``, ``k``, ``whiten``, ``oriented`` and ``features``.
    """

    key, title = "lookalikes", "Look-alikes"

    @param.depends(
        *SHOWN,
        *METRIC,
        "state.seeds",
        "state.model",
        "state.selection.focus",
        "state.progress.journal_events",
        "state.progress.loaded",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[Any]:
        whose = pmui.Select.from_param(
            self.state.param.seeds,
            label="Look-alikes of",
            size="small",
            variant="outlined",
            width=190,
            margin=(4, 8, 0, 2),
        )
        return [whose, *metric_controls(self.state)]

    @param.depends("state.progress.journal_events", watch=True)
    def _offer(self) -> None:
        """Offer new labels as seeds."""
        choices = seed_choices(self.datastore)
        if choices != self.state.param.seeds.get_range():
            kept = self.state.seeds if self.state.seeds in choices.values() else SELECTION
            self.state.param.seeds.objects = choices
            self.state.seeds = kept

    def _listed(self) -> tuple[list[tuple[int, str]], str]:
        state, seeds = self.state, seeds_of(self.datastore, self.state)
        if not len(seeds.rows):
            return [], (
                "Select galaxies, with the lasso or the box on a map: their look-alikes show here."
                if state.seeds == SELECTION
                else f"There is no {seeds.singular} in this store."
            )
        job = self.datastore.neighbours.lookalikes(
            state.model, seeds.rows, seeds.among, state.k, state.metric
        )
        if not self._ready(job):
            return [], f"Ranking by the neighbours of {len(seeds.rows):,} …"
        ranked = job.result()
        if ranked.empty:
            return [], f"None of the {seeds.found} is near a {seeds.singular} in this model."
        several = int((ranked["seeds"] > 1).sum())
        shown = f"the first {MAX_STAMPS} of " if len(ranked) > MAX_STAMPS else ""
        note = (
            f"{shown}{len(ranked):,} {seeds.found} among the {state.k} nearest of a "
            f"{seeds.singular}; {several:,} are near several"
        )
        rows = zip(ranked["row"], ranked["seeds"], strict=True)
        return [(int(row), f"near {count} of {len(seeds.rows):,}") for row, count in rows], note
