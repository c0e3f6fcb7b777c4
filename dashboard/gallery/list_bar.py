"""What can be done with a list of galaxies: the same for every tab that lists some."""

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.components.notices import report
from dashboard.labelling.labels import label_all, label_names, label_title
from dashboard.selection.masks import mask_of, select
from dashboard.state import GalaxyList

__all__ = ["ListBar"]

COUNTS = (20, 60, 100, 500, 1000)
MAX_LABELLED = 1000  # galaxies that are labelled at once; more are a slip of the hand
LOOKS = {"margin": (1, 2), "height": 28, "width": 62}


def count_choices(total: int) -> dict[str, int]:
    """How many of a list can be chosen.

    Example:
        >>> count_choices(75)
        {'All 75': 0, 'First 20': 20, 'First 60': 60}
    """
    return {f"All {total:,}": 0} | {f"First {n:,}": n for n in COUNTS if n < total}


class ListBar(View):
    """How many galaxies of a list are meant, and buttons that select, label and export them.

    Reads ``tab``, ``selection.listed``, ``selection.first`` and ``progress.journal_events`` of the
    state; writes ``selection.first``, ``selection.selected``, ``selection.wanted_export`` and
    what labels change.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        own = self.state.selection.param.first
        self.count = pmui.Select.from_param(
            own, label="List", size="small", variant="outlined", width=112, margin=(3, 2, 0, 2),
            sx={".MuiSelect-select": {"padding": "3px 8px"}},
        )  # fmt: skip
        says = "Select the list: let its galaxies be the selection"
        self.choose = small_button("Select", says, self.select_all, **LOOKS)
        self.label = pmui.MenuButton(
            label="Label",
            items=[],
            size="small",
            variant="outlined",
            description="Label the list: all of its galaxies at once, undone as one",
            sx={"&.MuiButton-sizeSmall": {"padding": "2px 6px"}},
            **{**LOOKS, "width": 80},
        )
        self.label.on_click(self._label)
        says = "Export the list: with ranks and properties, as a file"
        self.export = small_button("Export", says, self._export, **LOOKS)
        self.row = pn.Row(self.count, self.choose, self.label, self.export, margin=0)
        self._show()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.row

    def select_all(self) -> None:
        """Let the galaxies of the list be the selection."""
        if (shown := self.state.shown_list) is not None:
            select(self.state, mask_of(shown.rows, len(self.datastore)), how="replace")

    def label_as(self, label: str) -> None:
        """Give all of them a label."""
        shown = self.state.shown_list
        if shown is None:
            return
        rows = list(dict.fromkeys(shown.rows.tolist()))
        if len(rows) > MAX_LABELLED:
            words = f"Not labelled: {len(rows):,} galaxies at once; choose the first "
            report(self.state, "list", f"{words}{MAX_LABELLED:,} or fewer.", repeated=True)
            return
        report(self.state, "list")
        label_all(self.datastore, self.state, label, rows)

    def _label(self, item: object) -> None:
        names = {label_title(name): name for name in label_names(self.datastore)}
        if isinstance(item, dict):
            self.label_as(names.get(item["label"], ""))

    def _export(self) -> None:
        self.state.selection.wanted_export = True

    @param.depends("state.progress.journal_events", watch=True)
    def _offer(self) -> None:
        self.label.items = [{"label": label_title(name)} for name in label_names(self.datastore)]

    @param.depends("state.tab", "state.selection.listed", watch=True)
    def _show(self) -> None:
        """Show how many there are; nothing in a tab without a list."""
        listed: GalaxyList | None = self.state.selection.listed
        self.row.visible = listed is not None and listed.tab == self.state.tab
        if listed is None or not self.row.visible:
            return
        if not self.label.items:
            self._offer()
        offered, own = count_choices(len(listed.rows)), self.state.selection.param.first
        if offered != own.get_range():
            kept = (
                self.state.selection.first if self.state.selection.first in offered.values() else 0
            )
            own.objects = offered
            self.state.selection.first = kept
            self.count.param.trigger("value")  # its words follow the value alone
