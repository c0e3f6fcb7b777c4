"""The model page: the paper's figures and tables, made from the store."""

from collections.abc import Generator
from functools import partial
from html import escape

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import run_in_ticks, when_done
from dashboard.backend.populations import population_title
from dashboard.backend.view import View
from dashboard.diagnostics.page_sections import SECTIONS, WIDEST, WORKING, PageSections, page_html
from dashboard.plotting.markers import mark_svg
from pcvae.store import EMBEDDING

__all__ = ["ModelPage", "head_html"]


def head_html(datastore: DataStore, model: str) -> str:
    """The model's name, recipe and epochs, and the split of its galaxies."""
    info = datastore.store.model(model)
    counts = datastore.store.galaxies["split"].value_counts()
    parts = ", ".join(f"{count:,} {str(name).replace('_', ' ')}" for name, count in counts.items())
    what = f"{info.kind}, recipe {info.recipe}, {len(info.latents)} latents"
    if info.kind == EMBEDDING:
        what = f"embedding of {len(info.latents)} numbers, made elsewhere by {info.recipe}"
    return (
        f"<h2>The {escape(model)} model</h2>"
        f'<p class="muted">{escape(what)}; {escape(parts) or "no galaxies"}</p>'
    )


class ModelPage(View):
    """Figures and tables of the chosen model; drawn when the page is first opened.

    Reads ``page``, ``model``, ``shown``, ``by``, ``row``, ``dark``, ``zoom`` and
    ``selection.focus`` of the state; writes ``model``, ``shown`` and ``by``, and ``row`` by a
    tap on a figure.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.head = page_html("")
        self._by = self._select("by", "Mass and rate")
        self.sections = PageSections(self.datastore, self.state, self._by)
        self._layout = pn.Column(
            sizing_mode="stretch_both",
            scroll="y-auto",
            visible=self.state.page == "model",
            margin=(0, 0, 0, 14),
            css_classes=["model-page"],
        )
        self._drawn: tuple[object, ...] = ()
        self._drawing: Generator[None, None, None] | None = None
        self._turn()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    @param.depends(
        "state.page",
        "state.model",
        "state.shown",
        "state.by",
        "state.dark",
        "state.progress.loaded",
        "state.selection.focus",
        watch=True,
    )
    def _turn(self) -> None:
        """Show the page if it is chosen, and draw what has changed since it was last shown.

        Drawing for an earlier choice is cancelled.
        """
        state = self.state
        self._layout.visible = state.page == "model"
        sight = id(state.selection.focus), state.zoom, state.plane
        wanted = state.model, state.shown, state.dark, state.by, sight
        if self._drawn != wanted:
            if self._drawing is not None:
                self._drawing.close()
            self._drawn = ()
        if state.page != "model" or not state.progress.loaded or self._drawn:
            return
        self._drawn, self._drawing = wanted, self.sections.steps(wanted)
        if not self._layout.objects:
            self._layout.objects = self._skeleton()
        self.head.object = head_html(self.datastore, state.model) + self._marks()
        for holder in self.sections.holders.values():
            if not holder.objects:
                holder.objects = [page_html(WORKING.format("working"))]
        when_done(self.datastore.model_jobs.pool(), partial(run_in_ticks, self._drawing))

    def _skeleton(self) -> list[object]:
        """The layout before anything is drawn."""
        self._by.visible = False
        chosen = self._select("model", "Model"), self._select("shown", "Galaxies")
        head = pn.Row(self.head, *chosen, sizing_mode="stretch_width", styles=WIDEST)
        sections: list[object] = [
            part
            for name, title in SECTIONS.items()
            for part in (page_html(f"<h3>{title}</h3>"), self.sections.holders[name])
        ]
        sections.insert(3, self._by)
        return [head, *sections, pn.Spacer(height=30)]

    @param.depends("state.row", watch=True)
    def _mark(self) -> None:
        for scatter in self.sections.scatters.values():
            pn.state.execute(scatter.mark, schedule=True)

    def _marks(self) -> str:
        """The legend of the rare populations' markers."""
        datastore, dark = self.datastore, self.state.dark
        marks = (
            (
                mark_svg(
                    datastore.populations.shape(name),
                    datastore.populations.colour(name, dark=dark),
                ),
                population_title(name),
            )
            for name in datastore.populations.marked
        )
        return "".join(f'<span class="key">{mark}{escape(name)}</span>' for mark, name in marks)

    def _select(self, name: str, label: str) -> pmui.Select:
        return pmui.Select.from_param(
            self.state.param[name],
            label=label,
            size="small",
            variant="outlined",
            width=140,
            margin=(12, 10, 4, 0),
        )
