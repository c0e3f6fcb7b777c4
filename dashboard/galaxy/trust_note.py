"""The flag of the card where the labels of a galaxy's class or region are known to be off."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from html import escape

import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import Latest, when_done
from dashboard.backend.label_trust import AROUND, LabelTrusts, Trust, off_labels, off_words
from dashboard.backend.populations import population_title
from dashboard.backend.view import View
from dashboard.components.css import BASE
from dashboard.state import Metric

__all__ = ["TrustNote", "classes_of", "note_html"]


def classes_of(datastore: DataStore, row: int) -> list[str]:
    """The populations of a galaxy: the catalogue's, and one that it is labelled as."""
    label = datastore.label_table.labels.get(str(datastore.ids[row]))
    named = [] if label is None else [label.label]
    known = datastore.populations.all
    return [name for name in (datastore.populations.names[row], *named) if name in known]


def note_html(
    classes: Sequence[str], of_all: Mapping[str, Trust], around: LabelTrusts | None
) -> str:
    """What is known to be off for a galaxy; empty for nothing.

    Of its region only what is not said of its class already.

    Args:
        classes: Its populations.
        of_all: The labels of each population, judged.
        around: Those of its region; None while they are not known.
    """
    lines, told = [], set[str]()
    for name in dict.fromkeys(classes):
        told |= off_labels(of_all[name].labels)
        if words := off_words(of_all[name].labels):
            count = max(trust.n for trust in of_all[name].labels.values())
            which = f"of {count:,} that never trained"
            lines.append(f"For {population_title(name)} ({which}) {'; '.join(words)}.")
    more = {name: trust for name, trust in (around or {}).items() if name not in told}
    if words := off_words(more):
        which = f"the {AROUND} nearest ordinary galaxies that never trained"
        lines.append(f"Around it ({which}) {'; '.join(words)}.")
    if not lines:
        return ""
    text = "<br>".join(map(escape, lines))
    return f'<p class="outlier" role="note"><b>Known to be off</b> {text}</p>'


class TrustNote(View):
    """What is known to be off of the picked galaxy; nothing where nothing is.

    Reads ``row``, ``model``, ``whiten``, ``oriented``, ``features``, ``progress.loaded`` and
    ``progress.journal_events`` of the state.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.note = pn.pane.HTML("", stylesheets=[BASE], sizing_mode="stretch_width", margin=0)
        self._latest = Latest(self.datastore.workers.slow.submit)
        self._around: LabelTrusts | None = None
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.note

    @param.depends(
        "state.row",
        "state.model",
        "state.whiten",
        "state.oriented",
        "state.features",
        "state.progress.loaded",
        watch=True,
    )
    def _show(self) -> None:
        """Ask for the galaxy's region, and show what is known meanwhile."""
        self._around = None
        row, model, metric = self.state.row, self.state.model, self.state.metric
        if row is not None and self.state.progress.loaded:
            index = self.datastore.neighbours.index(model, metric)
            work = partial(self.datastore.trust.around, model, row, index)
            self._latest.ask(work, partial(self._arrive, (row, model, metric)))
        self._tell()

    def _arrive(self, asked: tuple[int, str, Metric], job: "Future[LabelTrusts]") -> None:
        if asked == (self.state.row, self.state.model, self.state.metric):
            self._around = self.datastore.result(job)
            self._tell()

    @param.depends("state.progress.journal_events", watch=True)
    def _tell(self) -> None:
        row, model = self.state.row, self.state.model
        if row is None or not self.state.progress.loaded:
            self.note.object = ""
            return
        job = self.datastore.trust.by_population(model)
        if not job.done():
            when_done(job, self._tell)
            return
        of_all = self.datastore.result(job)
        classes = [] if of_all is None else classes_of(self.datastore, row)
        self.note.object = note_html(classes, of_all or {}, self._around)
