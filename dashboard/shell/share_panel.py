"""Share a view: copy its address, or save it by name in the journal for a team."""

from typing import Any

import panel as pn
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.assets import script, style
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.component import Messenger
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.labelling.labels import who
from dashboard.labelling.write_queue import Act, writes_of
from dashboard.shell.url_sync import HELD, shared_address, unsaid
from pcvae.errors import JournalError
from pcvae.saved_views import MAX_NAME, SavedView

__all__ = ["Share", "ShareSheet", "unsaid_words", "view_items"]

NOT_KEPT = "Selections of several steps can be exported, and shared as a file."


def unsaid_words(missing: list[str]) -> str:
    """What an address cannot hold, as a sentence.

    Example:
        >>> unsaid_words([]), unsaid_words(["the galaxy that you uploaded"])
        ('The address holds all that is shown.', 'The address cannot hold the galaxy that you \
uploaded.')
    """
    if not missing:
        return "The address holds all that is shown."
    listed = f"{', '.join(missing[:-1])} or {missing[-1]}" if missing[1:] else missing[0]
    more = f" {NOT_KEPT}" if any("selection" in words for words in missing) else ""
    return f"The address cannot hold {listed}.{more}"


def view_items(views: list[SavedView]) -> list[dict[str, str]]:
    """The saved views for display: name, address, and by whom and when."""
    return [
        {"name": view.name, "address": view.address}
        | {"by": f"{view.user}, {view.time[:16].replace('T', ' ')} UTC"}
        for view in views
    ]


class ShareSheet(Messenger):
    """The content of the panel; sends ``save``, a name, or ``remove``, the name of a view."""

    missing = param.String(default="", doc="What the address cannot hold, in words.")
    address = param.String(default="", doc="The query of the view's address.")
    views = param.List(default=[], item_type=dict, doc="As ``view_items`` makes them.")
    said = param.String(default="", doc="What was done, or why it failed.")
    failed = param.Boolean(default=False, doc="Whether that is a failure.")
    kept = param.Boolean(default=True, doc="Whether there is a journal to save views in.")
    max_name = param.Integer(default=MAX_NAME, doc="Letters of a name, at most.")

    _stylesheets = [BASE, style(__file__, "share_panel.css")]  # noqa: RUF012
    _esm = script(__file__, "share_panel.js")


class Share(View):
    """A button, and the panel that it opens: the address, and the views saved by name.

    Reads what the address holds of the state, and what it cannot hold; writes nothing of it. The
    journal is read and written by its worker.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        says = "Share: copy the address of this view, or save it by name for your team"
        looks = {"variant": "outlined", "width": 72, "height": 40, "margin": (10, 0, 0, 5)}
        self.button = small_button("Share", says, self.open, **looks)
        self.sheet = ShareSheet(self._take, sizing_mode="stretch_width", margin=0)
        close = small_button("Close", "Close: back to the galaxies", self.open)
        self.panel = drawer(self.sheet, close, css_classes=["drop-down"], stylesheets=[DROP_DOWN])

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Row(self.button, self.panel, margin=0, width=80)

    def open(self) -> None:
        """Open the panel, or close it."""
        self.panel.visible = not self.panel.visible
        if self.panel.visible:
            jobs = self.datastore.journal_jobs
            self.sheet.kept = jobs.takes_labels
            self._say("" if jobs.takes_labels else f"No views are saved: {jobs.no_journal}")
            self._follow()
            self.refresh()

    def refresh(self) -> None:
        """List the views that are in the journal now."""
        if not self.sheet.kept:
            return
        job = self.datastore.journal_jobs.views()

        def show() -> None:
            if error := job.exception():
                self._say(f"The saved views could not be read: {error}", failed=True)
            else:
                self.sheet.views = view_items(job.result())

        when_done(job, show)

    def _take(self, data: dict[str, Any]) -> None:
        name = data.get("save", data.get("remove"))
        if isinstance(name, str):
            act = self._save(name) if "save" in data else self._remove(name)
            writes_of(self.datastore, self.state).do(act)

    def _save(self, name: str) -> Act:
        user, address = who(self.datastore), shared_address(self.datastore, self.state)
        return self._write("save", lambda views: views.save(name, address, user=user), "Saved")

    def _remove(self, name: str) -> Act:
        user = who(self.datastore)
        return self._write("remove", lambda views: views.remove(name, user=user), "Removed")

    def _write(self, verb: str, write: Any, done: str) -> Act:
        jobs = self.datastore.journal_jobs
        try:
            view = yield lambda: write(jobs.opened().views)
        except JournalError as error:
            self._say(f"Could not {verb} the view: {error}", failed=True)
            return False
        self._say(f"{done}: {view.name}")
        self.refresh()
        return True

    def _say(self, words: str, *, failed: bool = False) -> None:
        self.sheet.param.update(said=words, failed=failed)

    @param.depends(
        *(f"state.{name}" for name in ("zoom", "external", "band", "label", "user")),
        *HELD,
        "state.second.zoom",
        "state.decoding.latents",
        watch=True,
    )
    def _follow(self) -> None:
        """Show the address and what it cannot hold, while the panel is open."""
        if self.panel.visible:
            words = unsaid_words(unsaid(self.datastore, self.state))
            address = shared_address(self.datastore, self.state)
            self.sheet.param.update(missing=words, address=address)
