"""The section of the model page that says where labels can be trusted."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from html import escape

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.label_trust import Sight, Trust, known_off, sight_of
from dashboard.backend.populations import population_title
from dashboard.components.trust_table import trust_html
from dashboard.diagnostics.score_tables import failures_html
from dashboard.state import State

__all__ = ["TrustSection", "trust_section"]

TRUST_NOTE = (
    "Of galaxies that never trained and have a label: n of them. First those in focus, or in view "
    "on the first map where nothing is selected, then each population. What is known to be off "
    "stands out: a bias that is certain (99.7 %) and larger than half of the claimed sigma, and "
    "90 % intervals that certainly (95 %) hold less than 85 %; of ten galaxies or more."
)


class TrustSection:
    """Judges the labels of the galaxies in focus or in view, and of each population.

    Args:
        datastore: The galaxies.
        state: The session.
        show: Shows a text in the section.
    """

    def __init__(self, datastore: DataStore, state: State, show: Callable[[str], None]) -> None:
        self._datastore, self._state, self._fill = datastore, state, show
        self._seen = Sight(None, "")  # kept, so that no other mask is taken for it

    def draw(self) -> Iterator[None]:
        """Ask for the figures, which are shown once they are there."""
        trust, model = self._datastore.trust, self._state.model
        seen = self._seen = sight_of(self._datastore.columns, self._state)
        jobs = trust.of(model, seen.mask), trust.by_population(model)
        show = partial(self._show, model, seen, *jobs)
        when_done(jobs[1], partial(when_done, jobs[0], show))
        yield

    def _show(
        self, model: str, seen: Sight, job: "Future[Trust]", of_all: "Future[dict[str, Trust]]"
    ) -> None:
        if model == self._state.model and seen is self._seen:
            failed = failures_html([job, of_all])
            self._fill(failed or trust_section(model, (seen.words, job.result()), of_all.result()))


def trust_section(model: str, seen: tuple[str, Trust], of_all: Mapping[str, Trust]) -> str:
    """The figures of the galaxies in focus or in view and of each population, as a table.

    Args:
        model: The model's name.
        seen: What the galaxies in focus or in view are called, and their figures.
        of_all: Those of each population.
    """
    words, trust = seen
    if not trust.labels:
        return (
            f'<p class="none">No latent of the {escape(model)} model is tied to a label: there is '
            "nothing to judge.</p>"
        )
    title = f"{words[:1].upper()}{words[1:]}: {trust.galaxies:,}"
    groups = [(population_title(name), found.labels) for name, found in of_all.items()]
    off = [escape(line) for line in known_off(of_all)]
    told = f'<p class="off">Known to be off<br>{"<br>".join(off)}</p>' if off else ""
    return f'<p class="muted">{TRUST_NOTE}</p>{told}{trust_html([(title, trust.labels), *groups])}'
