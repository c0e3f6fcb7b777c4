"""How far the labels of the galaxies in focus can be trusted, beside their stamps."""

from concurrent.futures import Future

import panel as pn
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.label_trust import Trust, sight_of
from dashboard.backend.view import View
from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.components.trust_table import trust_html

__all__ = ["FocusTrust", "focus_trust_html"]


def focus_trust_html(words: str, trust: Trust, model: str) -> str:
    """The figures of the galaxies, or why there are none.

    Args:
        words: ``in focus``, ``in view`` or ``all``.
        trust: The figures.
        model: The model's name.
    """
    whose = f"all {trust.galaxies:,}" if words == "all" else f"{trust.galaxies:,} {words}"
    title = f"<b>Labels of the {whose}</b>"
    if not trust.labels:
        return f"<p>{title}: the {model} model infers none.</p>"
    if not trust.judged:
        return f"<p>{title}: none of them never trained and has a label to judge by.</p>"
    return (
        f"<p>{title}, judged by those that never trained (n)</p>{trust_html([('', trust.labels)])}"
    )


class FocusTrust(View):
    """Bias, scatter, outliers and coverage of each label for what is in focus, else in view.

    Reads ``model``, ``x``, ``y``, ``zoom``, ``tab`` and ``selection.focus`` of the state.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        sheets = [BASE, style(__file__, "focus_trust.css")]
        self.pane = pn.pane.HTML(
            "", stylesheets=sheets, width=372, sizing_mode="stretch_height", margin=(0, 10, 0, 4)
        )
        self._latest: Future[Trust] | None = None
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.pane

    @param.depends(
        "state.model",
        "state.x",
        "state.y",
        "state.zoom",
        "state.tab",
        "state.progress.loaded",
        "state.selection.focus",
        watch=True,
    )
    def _show(self) -> None:
        state = self.state
        if state.tab != "selection" or not state.progress.loaded:
            return
        sight, model = sight_of(self.datastore.columns, state), state.model
        job = self._latest = self.datastore.trust.of(model, sight.mask)
        when_done(job, lambda: self._arrive(job, sight.words, model))

    def _arrive(self, job: "Future[Trust]", words: str, model: str) -> None:
        """Show the figures, unless others have been asked for meanwhile."""
        if job is self._latest and not job.exception():
            text = focus_trust_html(words, job.result(), model)
            self.pane.object = f'<div class="trust" tabindex="0">{text}</div>'
