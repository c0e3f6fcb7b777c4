"""The lesson: a guided way in of about 15 minutes, each step of which the page checks."""

from typing import Any

import numpy as np
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.backend.view import Follower
from dashboard.components.assets import script, style
from dashboard.components.component import Messenger
from dashboard.components.css import BASE
from dashboard.labelling.labels import who
from dashboard.shell.lesson_steps import STEPS, Course, Moment, Outcome, Rare, plural
from dashboard.state import State
from pcvae.labels import LABELS

__all__ = ["Lesson", "LessonPanel", "moment_of", "rare_class"]

FEWEST = 3  # galaxies of a rare class that one can look for
FIRST = "green_pea"  # looked for where the store has it
KINDS = {
    "green_pea": "Green Peas are small galaxies that form stars at a furious rate, green in the "
    "survey's first images. They are rare.",
}
NO_RARE = (
    "The lesson looks for a rare class of galaxies, and this store has none of at least three. "
    "It needs the demo's store: make demo."
)
TITLES = {label.name: label.title for label in LABELS}


def rare_class(datastore: DataStore) -> Rare | None:
    """The class that the lesson looks for: Green Peas, else the first that is large enough."""
    populations = datastore.populations
    able = [name for name in populations.marked if len(populations.members(name)) >= FEWEST]
    if not able:
        return None
    name = FIRST if FIRST in able else able[0]
    return Rare(name, population_title(name), populations.members(name), len(datastore))


def moment_of(datastore: DataStore, state: State, answer: str = "") -> Moment:
    """What a session shows now."""
    row, listed = state.row, state.shown_list
    active, user = datastore.label_table.active, who(datastore)
    own = {event.galaxy: event.label for event in active if event.user == user}
    rows = datastore.rows_of(own)
    return Moment(
        row=row,
        galaxy="" if row is None else str(datastore.ids[row]),
        tab=state.tab,
        page=state.page,
        seeds=state.seeds,
        listed=() if listed is None else tuple(listed.rows.tolist()),
        selected=state.selection.selected,
        labels=dict(zip(rows.tolist(), own.values(), strict=True)),
        decoded=state.decoding.latents,
        exported=tuple(state.progress.exported),
        scores=_scores(datastore, state),
        answer=answer,
    )


def _scores(datastore: DataStore, state: State) -> dict[str, float]:
    """R² of each property of the chosen model, by title; empty until the model page has them."""
    if state.page != "model" or not state.progress.loaded:
        return {}
    job = datastore.model_jobs.scores(state.model)
    if not job.done() or job.exception():
        return {}
    figures = job.result()[1]
    return {
        TITLES[name]: float(found["r2"])
        for name, found in figures.items()
        if np.isfinite(found["r2"])
    }


class LessonPanel(Messenger):
    """Shows a step, and sends what is pressed: ``go``, ``answer`` or, when opened, ``resume``.

    The browser keeps the step, so that a lesson that was left is resumed at it.
    """

    step = param.Dict(default={}, doc="Number, total, title, text and task; empty: nothing.")
    said = param.String(default="", doc="What was right in the step before.")
    hint = param.String(default="", doc="What is still missing in this step.")
    choices = param.List(default=[], item_type=str, doc="The answers to choose from.")
    answer = param.String(default="", doc="The chosen answer.")
    opened = param.Integer(default=0, doc="Counts how often the lesson was asked for.")

    _stylesheets = [BASE, style(__file__, "lesson.css")]  # noqa: RUF012
    _esm = script(__file__, "lesson.js")


class Lesson(Follower):
    """Follows the session through the steps of ``lesson_steps.STEPS``.

    Reads ``row``, ``tab``, ``page``, ``seeds``, ``model``, ``selection.selected``,
    ``selection.listed``, ``decoding.latents``, ``progress.exported``,
    ``progress.journal_events`` and ``progress.loaded`` of the state; writes ``lesson``.

    Attributes:
        panel: The component that shows it.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.panel = LessonPanel(self._take, sizing_mode="stretch_width", margin=0)
        self._rare = rare_class(self.datastore)
        self._begun = self._now = Moment()
        self._live = True
        self._turn()

    def open(self) -> None:
        """Begin the lesson, or resume it where this browser left it."""
        self.panel.opened += 1

    def _take(self, data: dict[str, Any]) -> None:
        """Handle a press in the panel."""
        step, last = self.state.lesson, len(STEPS)
        asked, resumed = data.get("go"), data.get("resume")
        moves = {"next": min(step + 1, last), "back": max(step - 1, 1), "leave": 0, "reset": 1}
        if data.get("answer") in self.panel.choices:
            self.panel.answer = data["answer"]
            self._look()
        elif isinstance(resumed, int):
            self.state.lesson = min(max(resumed, 1), last)
        elif asked in moves:
            self._go(moves[asked], reread=asked == "back")

    def _go(self, number: int, *, said: str = "", reread: bool = False) -> None:
        """Show another step; one that is read again waits until it is done anew."""
        if number == self.state.lesson:
            self._turn()
        self.state.lesson = number
        self.panel.said = said
        if number:
            self._live = not (reread and self._outcome().done)
            self._look()

    @param.depends("state.lesson", watch=True)
    def _turn(self) -> None:
        """Begin the step that is chosen."""
        number, rare = self.state.lesson, self._rare
        self._live = True
        self.panel.param.update(said="", hint="", answer="", choices=[])
        if not 1 <= number <= len(STEPS):
            self.panel.step = {}
            return
        if rare is None:
            self.panel.step = {"number": 0, "title": "Lesson", "text": NO_RARE, "task": ""}
            return
        self._begun = self._now = moment_of(self.datastore, self.state)
        step = STEPS[number - 1]
        names = {"rare": rare.title, "rares": plural(rare.title)}
        names["kind"] = KINDS.get(rare.name, f"{names['rares']} are rare in this store.")
        self.panel.step = {"number": number, "total": len(STEPS)} | {
            part: getattr(step, part).format(**names) for part in ("title", "text", "task")
        }
        self._ask()

    @param.depends(
        *(f"state.{name}" for name in ("row", "tab", "page", "seeds", "model")),
        "state.selection.selected",
        "state.selection.listed",
        "state.decoding.latents",
        "state.progress.exported",
        "state.progress.journal_events",
        "state.progress.loaded",
        watch=True,
    )
    def _look(self) -> None:
        """See whether the step is done, and go on if it is."""
        number = self.state.lesson
        if self._rare is None or not 1 <= number <= len(STEPS):
            return
        self._ask()
        outcome = self._outcome()
        if outcome.done and self._live and number < len(STEPS):
            self._go(number + 1, said=outcome.words)
        elif not outcome.done:
            self._live = True
            self.panel.hint = outcome.words or self.panel.hint

    def _outcome(self) -> Outcome:
        """The outcome of the step's check now."""
        assert self._rare is not None
        before, self._now = self._now, moment_of(self.datastore, self.state, self.panel.answer)
        course = Course(self._rare, self._begun, before, self._now)
        return STEPS[self.state.lesson - 1].check(course)

    def _ask(self) -> None:
        """Offer the answers to the step's question, once they are known."""
        state = self.state
        if not (STEPS[state.lesson - 1].asks and state.page == "model" and state.progress.loaded):
            return
        job = self.datastore.model_jobs.scores(state.model)
        if not job.done():
            when_done(job, self._look)
        self.panel.choices = list(_scores(self.datastore, state))
