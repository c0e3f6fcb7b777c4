"""The legend of the map: its colours, markers and lines."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from html import escape
from typing import Any

import panel as pn
import param

from dashboard.backend.classifier_jobs import TrainingLabels
from dashboard.backend.datastore import DataStore
from dashboard.backend.populations import population_title
from dashboard.backend.view import View
from dashboard.components.assets import script
from dashboard.components.component import Component
from dashboard.components.css import BASE, LEGEND
from dashboard.labelling.labels import label_title, own_marks
from dashboard.plotting.colour_by import Colouring, chosen_colouring
from dashboard.plotting.decision_boundaries import shown_boundaries, wanted_fit
from dashboard.plotting.markers import mark_svg
from pcvae.anomaly import NORMAL

__all__ = ["Legend", "boundary_note", "colour_key"]

HIGH = 40  # px, two lines: the maps keep their place when the key grows


def colour_key(chosen: Colouring, marked: Sequence[str] = ()) -> str:
    """The colours of the galaxies, without populations that have markers."""
    if not chosen.ends:
        return "".join(
            f'<span><i style="width:8px;height:8px;border-radius:50%;background:{colour}"></i>'
            f"{escape(name)}</span>"
            for name, colour in zip(chosen.categories, chosen.gradient, strict=True)
            if name not in marked
        )
    low, high = chosen.ends
    stops = ",".join(chosen.gradient)
    return (
        f"<span><b>{escape(chosen.title)}</b> {low}"
        f'<i class="gradient" style="background:linear-gradient(90deg,{stops})"></i>{high}</span>'
    )


def boundary_note(
    datastore: DataStore, job: "Future[Any]", training_labels: TrainingLabels = ()
) -> str:
    """The galaxies that the SVM was fitted to, or the state of the fit."""
    if not job.done():
        return "fitting the SVM …"
    if job.exception():
        return f"no boundaries: {job.exception()}"
    found = datastore.result(job)
    if len(found.classes) < 2:
        return "no boundaries: " + "; ".join(
            f"{population_title(name)}, {why}" for name, why in found.left_out.items()
        )
    names, codes = datastore.classifier_jobs.coded(training_labels)
    total = int((codes == names.index(NORMAL)).sum())
    normal = found.used[NORMAL]
    some = "all galaxies" if normal == total else f"all rare, {normal:,} of {total:,} normal"
    left = "".join(f", no {population_title(name)}" for name in found.left_out)
    regions = ", ".join(population_title(name) for name in found.classes if name != NORMAL)
    return f"linear SVM: {regions} ({some}{left})"


class Key(Component):
    """The key as HTML; calls ``on_toggle`` with the name of the mark that is clicked."""

    object = param.String(default="", doc="The HTML, in which each mark is a button.")

    _stylesheets = [BASE, LEGEND]  # noqa: RUF012
    _esm = script(__file__, "legend.js")

    def __init__(self, on_toggle: Callable[[str], None], **params: Any) -> None:
        super().__init__(**params)
        self._on_toggle = on_toggle

    def _handle_msg(self, data: dict[str, Any]) -> None:
        self._on_toggle(str(data.get("toggle", "")))


class Legend(View):
    """The legend of the map; a click on a mark hides or shows those like it.

    Reads the axes of both maps, ``split``, ``colour``, ``features``, ``boundaries``, ``dark``,
    ``hidden``, ``progress`` and ``queue.training_labels`` of the state; writes ``hidden``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        looks = {"sizing_mode": "stretch_width", "height": HIGH, "margin": (2, 14, 0, 14)}
        self.pane = Key(self.toggle, styles={"overflow-y": "auto"}, **looks)
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.pane

    @param.depends(
        "state.model",
        "state.x",
        "state.y",
        "state.split",
        "state.colour",
        "state.boundaries",
        "state.dark",
        "state.hidden",
        "state.queue.training_labels",
        "state.progress.boundaries_arrived",
        "state.progress.loaded",
        "state.progress.scores_arrived",
        "state.features",
        "state.progress.journal_events",
        "state.second.model",
        "state.second.x",
        "state.second.y",
        watch=True,
    )
    def _show(self) -> None:
        state, datastore = self.state, self.datastore
        chosen = chosen_colouring(datastore, state)
        marks = [
            self._mark(
                name, population_title(name), f"{len(datastore.populations.members(name)):,}"
            )
            for name in datastore.populations.marked
        ] + [
            self._mark(name, label_title(name), f"{count:,} labelled")
            for name, count in Counter(name for _, name in own_marks(datastore)).items()
            if name not in datastore.populations.marked
        ]
        key = colour_key(chosen, [population_title(name) for name in datastore.populations.marked])
        jobs = [wanted_fit(datastore, state, axes) for axes in state.maps]
        text = dict.fromkeys(
            boundary_note(datastore, job, state.queue.training_labels) for job in jobs if job
        )
        found = [shown_boundaries(datastore, state, axes) for axes in state.maps]
        drawn = dict.fromkeys(name for each in found if each for name in each.classes)
        colours = [self._colour(name) for name in drawn if name != NORMAL]
        lines = "".join(LINE.format(colour) for colour in colours or ["currentColor"])
        note = f"<span>{lines}{escape(' · '.join(text))}</span>" if text else ""
        focus = 'role="group" aria-label="Key of the maps" tabindex="0"'  # it may scroll
        self.pane.object = f'<div class="legend" {focus}>{key}{"".join(marks)}{note}</div>'

    def toggle(self, name: str) -> None:
        """Hide the marks of a population or label, or show them again."""
        hidden, there = self.state.hidden, f'data-mark="{escape(name)}"' in self.pane.object
        if name in hidden:
            self.state.hidden = [other for other in hidden if other != name]
        elif there:
            self.state.hidden = [*hidden, name]

    def _mark(self, name: str, title: str, count: str) -> str:
        """A mark with its title, as a button that is pressed while such marks show."""
        svg = mark_svg(self.datastore.populations.shape(name), self._colour(name))
        pressed = str(name not in self.state.hidden).lower()
        return (
            f'<button type="button" data-mark="{escape(name)}" aria-pressed="{pressed}" '
            f'title="Hide or show these marks">{svg}{escape(title)} {count}</button>'
        )

    def _colour(self, name: str) -> str:
        return self.datastore.populations.colour(name, dark=self.state.dark)


LINE = (
    '<svg width="18" height="12" viewBox="0 0 18 12" aria-hidden="true">'
    '<path d="M1 10L17 2" stroke="{}" stroke-width="1.6"/></svg>'
)
