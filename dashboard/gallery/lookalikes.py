"""The row of look-alikes; ``pcvae.lookalikes`` has the rules that rank them."""

import numpy as np
import pandas as pd
import param
from numpy.typing import NDArray

from dashboard.gallery.reasons import Reasons
from dashboard.gallery.seed_picker import (
    SELECTION,
    Seeds,
    seed_choices,
    seeds_of,
)
from dashboard.gallery.strip import MAX_STAMPS, METRIC, SHOWN, Strip, metric_controls, select
from dashboard.state import GalaxyList
from pcvae.lookalikes import MAX_SEEDS
from pcvae.ranking import RARE_SHARE, listed_purity
from pcvae.trials import wilson_interval

__all__ = ["Lookalikes"]

Listing = list[tuple[int, str]]

MIN_SEEDS = 5  # below which nothing is said of how many are true


class Lookalikes(Strip):
    """Galaxies near those of a population, a label or the selection, as in the paper's Fig. 3.

    Reads ``seeds``, ``lookalikes_by``, ``model``, ``k``, ``whiten``, ``oriented``,
    ``features``, ``tab``, ``dark``, ``selection.focus``, ``progress.journal_events`` and
    ``progress.loaded`` of the state; writes ``row``, ``seeds``,
    ``lookalikes_by``, ``k``, ``whiten``, ``oriented`` and ``features``.
    """

    key, title = "lookalikes", "Look-alikes"
    _ranked: pd.DataFrame

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.reasons = Reasons(datastore=self.datastore, state=self.state)

    def _beside(self) -> list[object]:
        return [self.reasons]

    @param.depends(
        *SHOWN,
        *METRIC,
        "state.seeds",
        "state.lookalikes_by",
        "state.model",
        "state.selection.focus",
        "state.progress.journal_events",
        "state.progress.loaded",
        watch=True,
    )
    def _update(self) -> None:
        self._refresh()

    def _above(self) -> list[object]:
        own = self.state.param
        whose = select(own.seeds, "Look-alikes of", 190)
        rule = select(own.lookalikes_by, "Ranked by", 180)
        shared = own.lookalikes_by.rx() == "shared"
        return [whose, rule, *metric_controls(self.state, visible=shared)]

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
        k = state.k if state.lookalikes_by == "shared" else None
        job = self.datastore.neighbours.lookalikes(
            state.model, seeds.rows, seeds.among, k, state.metric
        )
        if not self._ready(job):
            return [], f"Ranking by {len(seeds.rows):,} seeds …"
        ranked = self._ranked = job.result()
        if ranked.empty:
            return [], f"None of the {seeds.found} is near a {seeds.singular} in this model."
        listed, note = _by_density(ranked, seeds) if k is None else _by_shared(ranked, seeds, k)
        return listed, expected_purity(ranked[:MAX_STAMPS], len(seeds.rows), seeds.among) + note

    def _galaxies(self) -> GalaxyList:
        seeds = seeds_of(self.datastore, self.state)
        named = {
            name: self._ranked[name].to_numpy()
            for name in ("density", "seeds", "distance")
            if name in self._ranked
        }
        return GalaxyList(
            self.key, f"look-alikes of a {seeds.singular}", self._ranked["row"].to_numpy(), named
        )


def expected_purity(shown: pd.DataFrame, seeds: int, among: NDArray[np.bool_]) -> str:
    """The purity to be expected of look-alikes, in words, with its 95 % interval.

    It holds where one of 1,000 galaxies that are ranked is of the seeds' kind, and the seeds are a
    fair draw of it; the interval is that of the recall, which the seeds left out tell.

    Args:
        shown: The first look-alikes, with their ``recall``.
        seeds: How many seeds there are.
        among: Which galaxies were ranked, (N,).
    """
    recall = float(shown["recall"].iloc[-1])
    if seeds < MIN_SEEDS or not np.isfinite(recall):
        return ""
    used = min(seeds, MAX_SEEDS)
    searched = int(among.sum())
    share, low, high = (
        listed_purity(found, len(shown), searched, RARE_SHARE)
        for found in (recall, *wilson_interval(recall * used, used))
    )
    return f"{share:.0%} of these expected true at 1 in 1,000 ({low:.0%} to {high:.0%}); "


def _by_density(ranked: pd.DataFrame, seeds: Seeds) -> tuple[Listing, str]:
    """The first look-alikes with their density of seeds, and a note."""
    drawn = f"{MAX_SEEDS:,} of the " if len(seeds.rows) > MAX_SEEDS else "the "
    note = f"{seeds.found} where {drawn}{len(seeds.rows):,} seeds are densest"
    first = ranked[:MAX_STAMPS]
    rows = zip(first["row"], first["density"], strict=True)
    return [(int(row), f"density {density:.2g}") for row, density in rows], note


def _by_shared(ranked: pd.DataFrame, seeds: Seeds, k: int) -> tuple[Listing, str]:
    """The look-alikes with how many seeds have them among their nearest, and a note."""
    several = int((ranked["seeds"] > 1).sum())
    shown = f"the first {MAX_STAMPS} of " if len(ranked) > MAX_STAMPS else ""
    note = (
        f"{shown}{len(ranked):,} {seeds.found} among the {k} nearest of a {seeds.singular}; "
        f"{several:,} are near several"
    )
    rows = zip(ranked["row"], ranked["seeds"], strict=True)
    return [(int(row), f"near {count} of {len(seeds.rows):,}") for row, count in rows], note
