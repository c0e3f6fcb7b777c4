"""How far the labels of the galaxies in focus can be trusted, beside their stamps."""

from concurrent.futures import Future
from functools import partial

import numpy as np
import panel as pn
import param
from numpy.typing import NDArray

from dashboard.backend.jobs import Latest
from dashboard.backend.label_trust import Sight, Trust, sight_of
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
        self._latest = Latest(self.datastore.workers.quick.submit)
        self._focus: NDArray[np.bool_] | None = None
        self._wanted: tuple[object, ...] = ()
        self._sight = Sight(None, "")
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
        """Ask for the figures, unless they are of these galaxies already."""
        state, focus = self.state, self.state.selection.focus
        if state.tab != "selection" or not state.progress.loaded:
            return
        seen = (state.zoom, state.plane) if focus is None and state.zoom is not None else ()
        wanted = state.model, seen
        if focus is not self._focus or wanted != self._wanted:
            self._focus, self._wanted = focus, wanted
            sight = self._sight = sight_of(self.datastore.columns, state)
            work = partial(self.datastore.trust.judge, state.model, sight.mask)
            self._latest.ask(work, partial(self._arrive, sight, state.model))

    def _arrive(self, sight: Sight, model: str, job: "Future[Trust]") -> None:
        """Show the figures, unless others have been asked for meanwhile."""
        if sight is self._sight and not job.exception():
            text = focus_trust_html(sight.words, job.result(), model)
            self.pane.object = f'<div class="trust" tabindex="0">{text}</div>'
