"""How far a model's labels can be trusted: for all, in focus, by population, around a galaxy.

Shapes are written with N galaxies. Only galaxies that never trained judge a model.
"""

from collections.abc import Mapping
from concurrent.futures import Future
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.columns import Columns
from dashboard.backend.plane import inside_box
from dashboard.backend.populations import Populations, population_title
from dashboard.backend.typography import MINUS
from dashboard.backend.workers import Workers
from dashboard.state import State
from pcvae.labels import LABELS
from pcvae.labels import label as label_of
from pcvae.neighbours import Neighbours
from pcvae.scan import slices
from pcvae.store import Store
from pcvae.trust import LabelTrust, is_biased, is_overconfident, label_trust
from train.evaluation.galaxy_pool import estimates

__all__ = [
    "AROUND",
    "LabelTrusts",
    "Sight",
    "Trust",
    "TrustJobs",
    "known_off",
    "off_labels",
    "off_words",
    "sight_of",
    "trust_words",
]

AROUND = 50  # galaxies that judge the region of one
PART = 1 << 20  # galaxies that are looked at together
TRAINED = ("train", "validation")

LabelTrusts = Mapping[str, LabelTrust]
"""By the label's name."""


class Trust(NamedTuple):
    """The labels of some galaxies, judged.

    Args:
        galaxies: How many galaxies it is of.
        labels: The figures of each label that the model infers, on those that never trained.
    """

    galaxies: int
    labels: LabelTrusts

    @property
    def judged(self) -> bool:
        """Whether any label could be judged."""
        return any(trust.n > 1 for trust in self.labels.values())


class Sight(NamedTuple):
    """The galaxies that a person looks at: those in focus, else those in view on the map.

    Args:
        mask: Which they are, (N,); None for all.
        words: What they are called.
    """

    mask: NDArray[np.bool_] | None
    words: str


def sight_of(columns: Columns, state: State) -> Sight:
    """The galaxies in focus; without a focus those in view on the first map."""
    if (focus := state.selection.focus) is not None:
        return Sight(focus, "in focus")
    if state.zoom is None:
        return Sight(None, "all")
    left, bottom, right, top = state.zoom
    points = columns.plane(*state.plane).points
    return Sight(inside_box(points, (left, bottom, right, top)), "in view")


class TrustJobs:
    """Judges the labels of groups of galaxies in a worker; populations once a process.

    Args:
        store: The galaxies.
        populations: Their populations.
        workers: What computes it.
    """

    def __init__(self, store: Store, populations: Populations, workers: Workers) -> None:
        self._store, self._populations, self._workers = store, populations, workers
        self._unseen, self._judges = cache(self._never_trained), cache(self._ordinary_judges)
        self.by_population = cache(self._by_population)

    def of(self, model: str, mask: NDArray[np.bool_] | None) -> "Future[Trust]":
        """Those of a mask (N,); of all galaxies for None."""
        return self._workers.quick.submit(self.judge, model, mask)

    def judge(self, model: str, mask: NDArray[np.bool_] | None) -> Trust:
        """As ``of``, in the caller's thread, which is to be a worker's."""
        unseen = self._unseen()
        count = len(self._store) if mask is None else int(np.count_nonzero(mask))
        return self._trust(model, count, unseen if mask is None else unseen & mask)

    def around(self, model: str, row: int, index: "Future[Neighbours]") -> LabelTrusts:
        """Those of the 50 nearest ordinary galaxies that never trained and have a label.

        Rare galaxies never train, and would outweigh the others. There are no figures where 50
        are more than half of all such galaxies, and so no region.

        Args:
            model: The model.
            row: The galaxy.
            index: What finds its neighbours; is waited for, so call this in a worker.
        """
        among = self._judges(model)
        if among.sum() < 2 * AROUND:
            return {}
        near, _ = index.result().query(row, AROUND, among)
        return self._judge(model, near)

    def _by_population(self, model: str) -> "Future[dict[str, Trust]]":
        def judge() -> dict[str, Trust]:
            populations = self._populations
            each = enumerate(zip(populations.all, populations.counts, strict=True))
            return {
                name: self._trust(model, count, self._unseen() & (populations.codes == place))
                for place, (name, count) in each
            }

        return self._workers.quick.submit(judge)

    def _trust(self, model: str, count: int, judges: NDArray[np.bool_]) -> Trust:
        return Trust(count, self._judge(model, np.flatnonzero(judges)))

    def _judge(self, model: str, rows: NDArray[np.intp]) -> dict[str, LabelTrust]:
        latents, galaxies = self._store.latents(model), self._store.galaxies
        judged = {}
        for label in LABELS:
            if label.name in latents:
                truth = galaxies[[label.name, label.error]].iloc[rows]
                inferred = latents[[label.name, f"{label.name}_sigma"]].iloc[rows]
                value, sigma = estimates(inferred, truth)[label.name]
                known = truth[label.name].to_numpy()
                judged[label.name] = label_trust(known, value, sigma, label.name)
                self._store.release()
        return judged

    def _never_trained(self) -> NDArray[np.bool_]:
        split = self._store.galaxies["split"]
        unseen = np.empty(len(split), bool)
        for part in slices(0, len(unseen), PART):
            unseen[part] = ~split[part].isin(TRAINED).to_numpy()
        return unseen

    def _ordinary_judges(self, model: str) -> NDArray[np.bool_]:
        """Which ordinary galaxies never trained and have a label that the model infers, (N,)."""
        galaxies, info = self._store.galaxies, self._store.info
        names = [label.name for label in LABELS if label.name in self._store.latents(model)]
        judges = self._unseen().copy()
        for part in slices(0, len(judges), PART):
            apart = galaxies["population"][part].isin((*info.rare, *info.hard_negative))
            judges[part] &= ~apart.to_numpy()
            judges[part] &= galaxies[names].iloc[part].notna().any(axis=1).to_numpy()
            self._store.release()
        return judges


def off_labels(labels: LabelTrusts) -> set[str]:
    """The names of the labels of which anything is known to be off."""
    return {name for name, trust in labels.items() if is_biased(trust) or is_overconfident(trust)}


def off_words(labels: LabelTrusts) -> list[str]:
    """What is known to be off, in words: a phrase a label.

    Example:
        >>> found = LabelTrust(13, -0.052, 0.01, 0.04, 0.1, 0.3, 0.54, 0.05)
        >>> off_words({"redshift": found})
        ['redshift is 0.052 (1 + z) too low and 90 % intervals hold 54 %']
    """
    words = []
    for label in LABELS:
        trust = labels.get(label.name)
        parts = [] if trust is None else _off_parts(label.name, trust)
        if parts:
            title = label.title[:1].lower() + label.title[1:]
            words.append(f"{title}{' and'.join(parts)}")
    return words


def _off_parts(name: str, trust: LabelTrust) -> list[str]:
    parts = []
    if is_biased(trust):
        side = "low" if trust.bias < 0 else "high"
        parts.append(f" is {amount(name, abs(trust.bias))} too {side}")
    if is_overconfident(trust):
        hold = f" 90 % intervals hold {100 * trust.coverage90:.0f} %"
        parts.append(hold if parts else f":{hold}")
    return parts


def amount(name: str, value: float) -> str:
    """An error of a label with its unit, for display.

    Example:
        >>> amount("log_mass", 0.2), amount("redshift", 0.0519)
        ('0.200 dex', '0.052 (1 + z)')
    """
    if name == "orientation":
        return f"{np.degrees(value):.0f}°".replace("-", MINUS)
    unit = " (1 + z)" if name == "redshift" else f" {label_of(name).unit.partition('(')[0]}"
    return f"{value:.3f}{unit.rstrip()}".replace("-", MINUS)


def known_off(by_population: Mapping[str, Trust]) -> list[str]:
    """What is known to be off, in words: a line a population of which anything is."""
    return [
        f"{population_title(name)}: {', '.join(words)}"
        for name, found in by_population.items()
        if (words := off_words(found.labels))
    ]


def trust_words(trust: Trust, by_population: Mapping[str, Trust]) -> dict[str, str]:
    """What the head of a table says of it: the figures of its galaxies, and what is known off."""
    told = [
        f"{name} of {found.n}: bias {found.bias:.4f} nmad {found.nmad:.4f} "
        f"outliers {found.outlier_rate:.3f} in68 {found.coverage68:.3f} "
        f"in90 {found.coverage90:.3f}"
        for name, found in trust.labels.items()
        if found.n > 1
    ]
    nothing = (
        "none of these galaxies never trained and has a label"
        if trust.labels
        else ("the model infers no labels")
    )
    off = "; ".join(known_off(by_population)) or "nothing"
    return {"trust": "; ".join(told) or nothing, "known_off": off}
