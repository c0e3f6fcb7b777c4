"""The sections of the model page: figures, tables and loss curves."""

from collections.abc import Generator, Iterator
from concurrent.futures import Future
from functools import partial
from html import escape
from typing import Any

import numpy as np
import panel as pn
import panel_material_ui as pmui

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.model_scores import history_of
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.diagnostics.figures import (
    FigureSpec,
    against,
    main_plane,
    shown_galaxies,
    size_plane,
)
from dashboard.diagnostics.loss_curves import loss_curves, loss_legend, loss_terms
from dashboard.diagnostics.scatter import Scatter
from dashboard.diagnostics.score_tables import (
    confusion_html,
    failures_html,
    few_shot_html,
    scores_html,
)
from dashboard.diagnostics.trust_section import TrustSection
from dashboard.state import State
from pcvae.labels import LABELS

__all__ = [
    "SECTIONS",
    "WIDEST",
    "WORKING",
    "PageSections",
    "page_html",
    "tile_html",
    "why_no_labels",
]


WIDEST = {"max-width": "1680px"}
ORDER = (*LABELS[1:], LABELS[0])


SECTIONS = {
    "labels": "Inferred against catalogue",
    "planes": "What the galaxies are",
    "scores": "How well the labels are inferred",
    "trust": "Where the labels can be trusted",
    "trials": "How well rare galaxies are told apart",
    "few_shot": "What a few examples find",
    "losses": "How the models learnt",
}


GRID = {
    "display": "grid",
    "gap": "6px 22px",
    **WIDEST,
    "grid-template-columns": "repeat(auto-fill, minmax(max(300px, 22%), 1fr))",
}


WORKING = '<div class="working"><span class="shimmer">{} …</span></div>'


def tile_html(sketch: FigureSpec) -> str:
    """The heading of a figure."""
    return (
        f'<div class="tile"><b>{escape(sketch.title)}</b> <span>{sketch.count_text}</span>'
        f"<p>{escape(sketch.note)}</p></div>"
    )


def page_html(text: str) -> pn.pane.HTML:
    """A piece of the page."""
    return pn.pane.HTML(
        text,
        stylesheets=[BASE, style(__file__, "page_sections.css")],
        sizing_mode="stretch_width",
        margin=0,
    )


class PageSections:
    """Draws the sections of the model page, figure by figure, each into its holder.

    Args:
        datastore: The store of the models.
        state: What is chosen; a tap on a figure writes ``row``.
        by: The choice of masses and rates, shown where there is one.
    """

    def __init__(self, datastore: DataStore, state: State, by: pmui.Select) -> None:
        self.datastore, self.state, self._by = datastore, state, by
        self.scatters: dict[str, Scatter] = {}
        self.holders = {name: pn.Column(sizing_mode="stretch_width") for name in SECTIONS}
        self._made: dict[str, Any] = {}
        self._trust = TrustSection(datastore, state, partial(self._fill_text, "trust"))

    def steps(self, wanted: tuple[object, ...]) -> Generator[None, None, None]:
        """Draw, figure by figure, what is missing or out of date."""
        model, _, dark, _, sight = wanted
        for draw, hangs_on in (
            (self._labels, wanted[:3]),
            (self._planes, wanted[:4]),
            (self._trust.draw, (model, sight)),
            (self._tables, model),
            (self._losses, (model, dark)),
        ):
            if self._made.get(draw.__name__) == hangs_on:
                continue
            self._made.pop(draw.__name__, None)
            for _ in draw():
                yield
            self._made[draw.__name__] = hangs_on

    @property
    def _shown(self) -> Any:
        return shown_galaxies(self.datastore.model_jobs.pool().result(), self.state.shown)

    def _labels(self) -> Iterator[None]:
        datastore, model, shown = self.datastore, self.state.model, self._shown
        sketches = ((label.name, against(datastore, model, label, shown)) for label in ORDER)
        return self._fill("labels", sketches, why_no_labels(datastore, model, shown))

    def _planes(self) -> Iterator[None]:
        datastore, model, shown = self.datastore, self.state.model, self._shown
        ways = {way: main_plane(datastore, model, shown, way) for way in ("inferred", "catalogue")}
        main = ways[self.state.by] or ways["inferred"] or ways["catalogue"]
        sketches = iter([("main", main), ("size", size_plane(datastore, model, shown))])
        self._by.visible = None not in ways.values()
        return self._fill(
            "planes", sketches, "No masses, rates or sizes are known of these galaxies."
        )

    def _fill(
        self, section: str, sketches: Iterator[tuple[str, FigureSpec | None]], nothing: str
    ) -> Iterator[None]:
        """Add figures to a section one by one, or the reason why there are none."""
        grid = pn.Row(styles=GRID, sizing_mode="stretch_width")
        self.holders[section].objects = [grid]
        for name, sketch in sketches:
            self.scatters.pop(name, None)
            if sketch is not None:
                made = Scatter(datastore=self.datastore, state=self.state, sketch=sketch)
                self.scatters[name] = made
                note = page_html(tile_html(sketch))
                grid.append(pn.Column(note, made, sizing_mode="stretch_width"))
                yield
        if not grid.objects:
            self.holders[section].objects = [page_html(f'<p class="none">{nothing}</p>')]

    def _fill_text(self, section: str, text: str) -> None:
        self.holders[section].objects = [page_html(text)]

    def _tables(self) -> Iterator[None]:
        """Request scores, fastest first: models with labels need no neighbours."""
        datastore = self.datastore
        by_neighbours = [name for name in datastore.models if not labelled(datastore, name)]
        direct = [name for name in datastore.models if name not in by_neighbours]
        jobs: list[Future[Any]] = [datastore.model_jobs.scores(name) for name in direct]
        self._follow("trials", [datastore.model_jobs.trials()])
        jobs += [datastore.model_jobs.scores(name) for name in by_neighbours]
        self._follow("scores", jobs)
        self._follow("few_shot", [datastore.model_jobs.few_shot()])
        yield

    def _follow(self, section: str, jobs: list["Future[Any]"]) -> None:
        """Show the scores that have been computed, and update when more arrive."""
        waits = [job for job in jobs if not job.done()]
        self._show_table(section, jobs)
        for job in waits:
            when_done(job, partial(self._show_table, section, jobs))

    def _show_table(self, section: str, jobs: list["Future[Any]"]) -> None:
        done = [job for job in jobs if job.done()]
        found = [job.result() for job in done if not job.exception()]
        text = failures_html(done)
        if found:
            text += _TABLES[section](found, self.state.model)
        if len(done) < len(jobs):
            text += WORKING.format("working it out" if not found else "working out the others")
        self._fill_text(section, text)

    def _losses(self) -> Iterator[None]:
        model, dark = self.state.model, self.state.dark
        read = {name: history_of(self.datastore.store, name) for name in self.datastore.models}
        histories = {name: history for name, history in read.items() if history is not None}
        grid = pn.Row(styles=GRID, sizing_mode="stretch_width")
        key = page_html(loss_legend(list(histories), model, dark=dark))
        self.holders["losses"].objects = [key, grid]
        for term, title in loss_terms(histories).items():
            curves = loss_curves(histories, term, model, dark=dark)
            if curves is not None:
                note = page_html(f'<div class="tile"><b>{title}</b></div>')
                pane = pn.pane.HoloViews(
                    curves, sizing_mode="stretch_width", height=210, linked_axes=False
                )
                grid.append(pn.Column(note, pane, sizing_mode="stretch_width"))
                yield
        if not grid.objects:
            nothing = '<p class="none">No model of this store has a record of its losses.</p>'
            self.holders["losses"].objects = [page_html(nothing)]


def labelled(datastore: DataStore, model: str) -> bool:
    """Whether the model infers any label."""
    return bool({label.name for label in LABELS} & set(datastore.store.latents(model).columns))


def why_no_labels(datastore: DataStore, model: str, shown: Any) -> str:
    """Why there is nothing to compare: no galaxies, no inferred labels, or no catalogue labels."""
    if not np.any(shown):
        return "No galaxy of this store is of that kind. Choose others above."
    if not labelled(datastore, model):
        return (
            f"No latent of the {escape(model)} model is tied to a label, so it infers none. "
            "How well its neighbours tell them is in the table below."
        )
    return "The catalogue has no labels for these galaxies to compare with."


def _scores(found: list[Any], model: str) -> str:
    scores = {who: labels for who, labels in found if labels}
    if scores:
        return scores_html(scores, model)
    return '<p class="none">No galaxy of the test split has both a label and an estimate.</p>'


def _trials(found: list[Any], _: str) -> str:
    known = {name: trials for name, trials in found[0].items() if trials.tests}
    if not known:
        return '<p class="none">Fewer than two galaxies of each class have never trained.</p>'
    note = (
        "RBF SVM on all latents, and on the catalogue's photometry where it has any; SMOTE on the "
        "training part, five random splits 80/20 of the galaxies that never trained: the share of "
        "each true class that was given to each class."
    )
    matrices = "".join(confusion_html(name, trials) for name, trials in known.items())
    return f'<p class="muted">{note}</p><div class="matrices">{matrices}</div>'


def _few_shot(found: list[Any], _: str) -> str:
    if not any(found[0].values()):
        return '<p class="none">Fewer than six galaxies of each class have never trained.</p>'
    return few_shot_html(found[0])


_TABLES = {"scores": _scores, "trials": _trials, "few_shot": _few_shot}
