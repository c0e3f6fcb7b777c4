"""The search field: galaxies by id, position or condition."""

from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.collapsible import small_button
from dashboard.galaxy.add_galaxy import AddGalaxy
from dashboard.selection.query import is_query, select_by_query
from dashboard.sky.name_resolver import host, is_name, named
from dashboard.sky.search import Found, find, suggestions

__all__ = ["Find"]

HELP = (
    "Find a galaxy: type its id or the beginning of it; or a place on the sky, such as "
    "153.006 +2.218 or 10:12:01.5 +02:13:04, for the galaxy nearest to it; or a name, such as "
    "NGC 1068, to be looked up; or a condition, "
    'such as redshift > 0.2 and g - r < 0.3 or label == "candidate", for all that fulfil it'
)
LOOK_UP = (
    "Look up the name: ask Sesame of the CDS (SIMBAD, NED, VizieR) where it is, and show the "
    "galaxy of this store that lies there"
)


class FindField(pmui.AutocompleteInput):
    """A text field that asks ``suggest`` in a worker for ids to choose from."""

    if TYPE_CHECKING:
        datastore: DataStore
    else:
        datastore = param.ClassSelector(class_=DataStore, constant=True)

    _rename = {"datastore": None}  # noqa: RUF012

    def __init__(self, **params: object) -> None:
        pmui.AutocompleteInput.__init__(self, **params)

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        if msg.get("type") == "search":
            job = self.datastore.workers.requests.submit(
                suggestions, self.datastore, str(msg.get("query", ""))
            )
            when_done(job, lambda: self._answer(msg.get("id"), self.datastore.result(job) or []))

    def _answer(self, asked: Any, ids: list[str]) -> None:
        self._send_msg({"type": "search_response", "id": asked, "options": ids})


class Find(View):
    """The field in the header; a found galaxy is picked, other results are shown in the panel.

    Reads ``model`` and ``selection`` of the state; writes ``row``, or ``tab`` and the selection.
    """

    if TYPE_CHECKING:
        add_galaxy: AddGalaxy
    else:
        add_galaxy = param.ClassSelector(class_=AddGalaxy, constant=True)

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self.field = FindField(
            datastore=self.datastore,
            label="Find",
            placeholder="id, RA Dec, or redshift > 0.2",
            description=HELP,
            restrict=False,
            lazy_search=True,
            case_sensitive=False,
            min_characters=1,
            size="small",
            sizing_mode="stretch_width",  # what the header leaves
            min_width=120,
            max_width=230,
            margin=(10, 5, 0, 5),
        )
        self.field.param.watch(lambda event: self.ask(event.new), "value")
        self._name = ""
        self.by_name = small_button("Look up the name", LOOK_UP, self.look_up, visible=False)
        self.add_galaxy.offered.append(self.by_name)
        self.add_galaxy.buttons.insert(0, self.by_name)

    def __panel__(self) -> pn.viewable.Viewable:
        return self.field

    def ask(self, text: str | None) -> None:
        """Search in a worker, then show the result."""
        if not text:
            return
        if is_query(text):
            self._select(text)
            return
        job = self.datastore.workers.requests.submit(find, self.datastore, text)
        when_done(job, lambda: self._show(job.result(), text.strip()))

    def look_up(self) -> None:
        """Ask Sesame for the place of what was typed, in a worker; show the galaxy there."""
        name = self._name
        self.add_galaxy.tell(Found(f"Asking {host()} for {name} …"))
        job = self.datastore.workers.requests.submit(named, self.datastore, name)
        when_done(job, lambda: self._show(job.result()))

    def _select(self, text: str) -> None:
        """Select the galaxies that fulfil a condition, and list them."""
        select_by_query(self.datastore, self.state, text, self._answer_query)

    def _answer_query(self, words: str) -> None:
        self.add_galaxy.tell(Found(words))
        if not words:
            self.state.tab = "selection"

    def _show(self, found: Found, text: str = "") -> None:
        """Show what was found; offer to look up a text that nothing here is called."""
        if found.row is not None and found.sure:
            self.field.value = ""
            self.state.row = found.row
        self.add_galaxy.tell(found)
        nothing = found.row is None and found.place is None
        self._name = text if nothing and is_name(text) else ""
        self.by_name.visible = bool(self._name)
