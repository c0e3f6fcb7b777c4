"""Why a galaxy is in the queue: what the classifier says of it, and the galaxies it is near."""

from collections.abc import Iterator

import numpy as np
import param

from dashboard.active_learning.ranking import ERROR
from dashboard.backend.classifier_jobs import ClassifierResult
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import PROBABILITY
from dashboard.backend.typography import MINUS
from dashboard.components.collapsible import small_button
from dashboard.gallery.reasons import Reason, Reasons, reason_html, reason_of
from dashboard.gallery.seed_picker import LABEL, Seeds

__all__ = ["QueueReasons"]

OPEN, CLOSE = "Why is it here?", "Rates and rule"
LOOKS: dict[str, object] = {
    "height": 26,
    "margin": (0, 0, 4, 12),
    "sx": {"&.MuiButton-sizeSmall": {"padding": "2px 8px"}},
}
SAYS = {  # tooltips, which begin with the words of the button
    OPEN: "Why is it here? What the classifier says of the picked galaxy, and what it is near",
    CLOSE: "Rates and rule of the classifier, in place of the reason",
}


class QueueReasons(Reasons):
    """Why the picked galaxy is in the queue, once a button is pressed.

    Reads what ``Reasons`` reads, and ``queue`` of the state; writes what it writes. Seeds are the
    galaxies of the class that is ranked by, else of the most probable one, which the classifier
    was fitted to.
    """

    tab = "queue"

    def __init__(self, **params: object) -> None:
        super().__init__(opened=False, **params)
        self.text.param.update(width=420, sizing_mode="stretch_height", height=None)
        self.button = small_button(OPEN, SAYS[OPEN], self.toggle, **LOOKS)

    def toggle(self) -> None:
        """Tell the reason, or no longer."""
        self.opened = not self.opened
        words = CLOSE if self.opened else OPEN
        self.button.param.update(label=words, description=SAYS[words])
        self._show()

    @param.depends(
        "state.queue.rank",
        "state.queue.training_labels",
        "state.progress.scores_arrived",
        watch=True,
    )
    def _follow(self) -> None:
        self._show()

    def _found(self, row: int) -> tuple[Reason, str] | None:
        state, jobs = self.state, self.datastore.classifier_jobs
        result = jobs.learnt(state.space, state.queue.training_labels)
        if result is None or not len(result.classes) or np.isnan(result.score[row]):
            return None
        name = self._class_of(result, row)
        classes = jobs.classes(state.queue.training_labels)
        rows = np.flatnonzero(classes == name)
        seeds = Seeds(rows, classes != name, population_title(name), "other galaxies")
        known = name if name in self.datastore.populations.all else LABEL + name
        reason = reason_of(self.datastore, state, seeds, row, known)
        if reason is None:
            return None
        words = self._words(result, name, row)
        return reason, reason_html(self.datastore, reason, row, seeds.singular, words)

    def _class_of(self, result: ClassifierResult, row: int) -> str:
        """The class whose galaxies are shown beside a galaxy."""
        ranked = self.state.queue.rank.removeprefix(PROBABILITY)
        if ranked in result.classes:
            return ranked
        return result.classes[int(np.argmax(np.nan_to_num(result.probability[row])))]

    def _words(self, result: ClassifierResult, name: str, row: int) -> Iterator[str]:
        """What the classifier, and the model's own scores, say of a galaxy."""
        margin = float(result.margin[row])
        side = "beyond" if margin > 0 else "within"
        yield (
            f"Anomaly score {result.score[row]:.3f}, P({population_title(name)}) "
            f"{result.of_class(name)[row]:.3f}; SVM margin {margin:+.2f}, {side} the boundary of "
            "the normal galaxies."
        ).replace("-", MINUS)
        values = self.datastore.columns.values(self.state.model, ERROR)
        if np.isfinite(values[row]):
            share = float(np.mean(values[np.isfinite(values)] < values[row]))
            yield f"Its reconstruction error is larger than that of {share:.0%} of all."
        latents = self.datastore.store.latents(self.state.model)
        if "ood" in latents and np.isfinite(latents["ood"].iloc[row]):
            yield f"It lies farther out than {latents['ood'].iloc[row]:.0%} of what trained."
