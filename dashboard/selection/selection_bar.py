"""The selection: mode of boxes and lassos, number of selected galaxies, undo and clear."""

from functools import partial

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE, LEGEND
from dashboard.selection.masks import clear, undo_selection
from dashboard.state import State

__all__ = ["SelectionBar", "counted"]

WIDTH = 270  # px, so that nothing moves when a number grows
HIGH = 56
BARE = {
    "variant": "text",
    "width": 54,
    "height": 28,
    "margin": 0,
    "sx": {"&.MuiButton-sizeSmall": {"padding": "2px 4px", "minWidth": 0}},
}
TIGHT = {".MuiToggleButton-root": {"padding": "1px 8px", "fontSize": 12, "textTransform": "none"}}


def counted(state: State, total: int) -> str:
    """How many galaxies are in focus.

    Example:
        >>> counted(State(), 2307), counted(State(), 1)
        ('2,307 galaxies', '1 galaxy')
    """
    if state.selection.focus is None:
        return f"{total:,} {'galaxy' if total == 1 else 'galaxies'}"
    kind = "selected" if not state.selection.filters else "pass the filters"
    if state.selection.filters and state.selection.selected is not None:
        kind = "selected and pass the filters"
    return f"{int(state.selection.focus.sum()):,} of {total:,} {kind}"


class SelectionBar(View):
    """The controls of the selection.

    Reads ``selection`` of the state; writes ``selection.mode``, ``selection.selected`` and
    ``selection.filters``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        state = self.state
        self.how = pmui.RadioButtonGroup.from_param(
            state.selection.param.mode,
            label="",
            description="What a box or lasso does to the selection; shift adds, ctrl subtracts.",
            size="small",
            sx=TIGHT,
            margin=(0, 0, 0, 4),
        )
        self.note = pn.pane.HTML(
            "", stylesheets=[BASE, LEGEND], sizing_mode="stretch_width", margin=0
        )
        self.undo = small_button(
            "Undo", "Undo the last selection.", partial(undo_selection, state), **BARE
        )
        says = "Clear the selection and all filters."
        self.clear = small_button("Clear", says, partial(clear, state), **BARE)
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        place = {"width": WIDTH, "height": 28}
        label = pn.pane.HTML(
            '<div class="legend">Selection</div>', stylesheets=[BASE, LEGEND], margin=0, width=66
        )
        upper = pn.Row(self.note, self.undo, self.clear, **place)
        lower = pn.Row(label, self.how, **place)
        looks = {"margin": (2, 14, 0, 14), "styles": {"margin-left": "auto"}}
        return pn.Column(upper, lower, width=WIDTH, height=HIGH, **looks)

    @param.depends(
        "state.selection.focus",
        "state.selection.selected",
        "state.selection.previous",
        "state.selection.filters",
        watch=True,
    )
    def _show(self) -> None:
        state = self.state
        text = counted(state, len(self.datastore))
        self.note.object = f'<div class="legend counted" role="status">{text}</div>'
        self.clear.disabled = state.selection.focus is None
        self.undo.disabled = state.selection.previous is None and state.selection.selected is None
