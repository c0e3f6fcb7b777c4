"""Why a galaxy is listed: the seeds that it is near, and how it differs from the nearest."""

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore, labels_by_row
from dashboard.backend.populations import population_title
from dashboard.backend.typography import MINUS, SIGMA
from dashboard.backend.view import View
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.gallery.seed_picker import LABEL, Seeds, seeds_of
from dashboard.gallery.strip import METRIC, stamps_height
from dashboard.labelling.labels import label_title
from dashboard.state import State
from pcvae.store_info import search_features

__all__ = ["Reason", "Reasons", "reason_html", "reason_of"]

NEAREST, TOLD = 3, 3  # seeds that are shown; differences that are told
DRAWN = 10_000  # galaxies that a feature's spread is measured on


class Reason(NamedTuple):
    """Why a galaxy is listed.

    Args:
        seeds: The nearest seeds, nearest first.
        distances: Theirs.
        other: The nearest galaxy that is known to be something else; None if none is.
        apart: Its distance.
        differences: How far the galaxy is from the nearest seed in each feature, in units of the
            feature's spread, the farthest first.
    """

    seeds: list[int]
    distances: list[float]
    other: int | None
    apart: float
    differences: list[tuple[str, float]]


def reason_of(
    datastore: DataStore, state: State, seeds: Seeds, row: int, name: str | None = None
) -> Reason | None:
    """Why a galaxy is a look-alike of seeds; None while the features are indexed, or unknown.

    Something else is a galaxy of another population than the seeds' or the field, or one that
    people labelled otherwise.

    Args:
        datastore: The galaxies.
        state: The model, the features and the metric.
        seeds: The galaxies that it may be near.
        row: The galaxy.
        name: Their population, or ``LABEL`` and a label; those of the look-alikes if not given.
    """
    job = datastore.neighbours.index(state.model, state.metric)
    if not job.done() or job.exception():
        return None
    points = job.result().points
    near, apart = _nearest(points, row, seeds.rows[seeds.rows != row])
    if not len(near):
        return None
    name = state.seeds if name is None else name
    known = _known_others(datastore, name, seeds.rows)
    others, gaps = _nearest(points, row, known[known != row])
    told = _differences(datastore, state, row, int(near[0]))
    first = near[:NEAREST]
    other = int(others[0]) if len(others) else None
    far = float(gaps[0]) if len(gaps) else np.nan
    return Reason(first.tolist(), apart[:NEAREST].tolist(), other, far, told)


def _differences(
    datastore: DataStore, state: State, row: int, seed: int
) -> list[tuple[str, float]]:
    """The features in which two galaxies differ most, in units of their spreads.

    Only those rows are read that are needed; none of a model with too many latents to name.
    """
    store, info = datastore.store, datastore.store.model(state.model)
    if info.wide:
        return []
    step = max(len(datastore) // DRAWN, 1)
    drawn = np.arange(0, len(datastore), step, dtype=np.intp)
    rows = np.concatenate([np.array([row, seed], np.intp), drawn])
    photometry = None if store.photometry is None else store.photometry.iloc[rows]
    latents = store.latents(state.model).iloc[rows]
    names, _, values = search_features(
        info, latents, photometry, state.features, oriented=state.oriented
    )
    spread = np.nanstd(values[2:], axis=0)
    gap = (values[0] - values[1]) / np.where(spread > 0, spread, np.nan)
    order = np.argsort(-np.abs(np.nan_to_num(gap)), kind="stable")[:TOLD]
    titles = {latent.name: latent.title for latent in info.latents}
    return [(titles.get(names[k], names[k]), float(gap[k])) for k in order]


def _nearest(
    points: NDArray[np.floating], row: int, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Some galaxies by their distance to another one, those at unknown places left out."""
    distances = np.sqrt(((points[rows] - points[row]) ** 2).sum(axis=1, dtype=np.float64))
    known = np.isfinite(distances)
    rows, distances = rows[known], distances[known]
    order = np.argsort(distances, kind="stable")[:NEAREST]
    return rows[order], distances[order]


def _known_others(datastore: DataStore, name: str, seeds: NDArray[np.intp]) -> NDArray[np.intp]:
    """The galaxies that are known to be something else than the seeds."""
    own = {population_title(name), label_title(name.removeprefix(LABEL))}
    mask = np.zeros(len(datastore), bool)
    for population in datastore.populations.all:
        if population != "field" and population_title(population) not in own:
            mask[datastore.populations.members(population)] = True
    for row, label in labels_by_row(datastore).items():
        mask[row] = label_title(label) not in own
    mask[seeds] = False
    return np.flatnonzero(mask)


def reason_html(
    datastore: DataStore, reason: Reason, row: int, singular: str, more: Iterable[str] = ()
) -> str:
    """The reason as HTML, with stamps.

    Args:
        datastore: The galaxies.
        reason: Why the galaxy is listed.
        row: The galaxy.
        singular: The name of one seed.
        more: Sentences that are told first.
    """
    shown = [*reason.seeds, *([] if reason.other is None else [reason.other])]
    stamps = datastore.thumbnails.of(shown)
    captions = [f"{distance:.2f}" for distance in reason.distances]
    if reason.other is not None:
        captions.append(f"{reason.apart:.2f}")
    titles = [population_title(datastore.populations.names[one]) for one in shown]
    figures = [
        f'<figure title="{escape(str(datastore.ids[one]))}">'
        + (f'<img src="{stamp}" alt="{escape(title)}">' if stamp else '<i class="none"></i>')
        + f"<figcaption>{caption}</figcaption></figure>"
        for one, stamp, caption, title in zip(shown, stamps, captions, titles, strict=True)
    ]
    seeds, other = figures[: len(reason.seeds)], figures[len(reason.seeds) :]
    told = ", ".join(f"{escape(name)} {_signed(gap)}" for name, gap in reason.differences)
    known = (
        f"<div><small>nearest known {escape(titles[-1])}</small>{other[0]}</div>" if other else ""
    )
    return (
        f'<div class="reason" tabindex="0"><h3>Why {escape(str(datastore.ids[row]))} is here</h3>'
        '<div class="groups"><div>'
        f"<small>nearest {escape(singular)}, distance (ringed on the maps)</small>"
        f"{''.join(seeds)}</div><div>{known}</div></div>"
        + "".join(f"<p>{escape(words)}</p>" for words in more)
        + (f"<p>From the nearest one: {told}</p></div>" if told else "</div>")
    )


def _signed(gap: float) -> str:
    return "unknown" if np.isnan(gap) else f"{gap:+.1f}{SIGMA}".replace("-", MINUS)


class Reasons(View):
    """Why the picked galaxy is among those that a tab lists; its seeds are ringed on the maps.

    Reads ``row``, ``tab``, ``seeds``, ``model``, the metric, ``selection.listed`` and
    ``progress`` of the state; writes ``selection.reason_rows``.

    Args:
        opened: Whether the reason is told.
        params: The datastore and the state.
    """

    tab = "lookalikes"

    def __init__(self, *, opened: bool = True, **params: object) -> None:
        super().__init__(**params)
        self.opened = opened
        self._ringed: tuple[int, ...] = ()
        self.text = pn.pane.HTML(
            "",
            stylesheets=[BASE, style(__file__, "reasons.css")],
            width=330,
            height=stamps_height(self.state),
            margin=(0, 0, 0, 12),
            visible=False,
        )
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.text

    def _found(self, row: int) -> tuple[Reason, str] | None:
        """The reason, and its HTML."""
        seeds = seeds_of(self.datastore, self.state)
        reason = reason_of(self.datastore, self.state, seeds, row)
        return reason and (reason, reason_html(self.datastore, reason, row, seeds.singular))

    @param.depends(
        *METRIC,
        "state.row",
        "state.tab",
        "state.seeds",
        "state.model",
        "state.selection.listed",
        "state.progress.journal_events",
        watch=True,
    )
    def _show(self) -> None:
        state, listed, row = self.state, self.state.selection.listed, self.state.row
        there = self.opened and listed is not None and listed.tab == state.tab == self.tab
        known = there and row is not None and row in listed.rows
        found = self._found(row) if known and row is not None else None
        self.text.visible = found is not None
        if found is not None:
            self.text.object = found[1]
        self._ring(() if found is None else tuple(found[0].seeds))

    def _ring(self, rows: tuple[int, ...]) -> None:
        """Ring these galaxies; the rings of another tab's reason are left to it."""
        chosen = self.state.selection
        if rows or chosen.reason_rows == self._ringed:
            chosen.reason_rows = rows
        self._ringed = rows
