"""Labels that the browser keeps until the journal has them, whatever happens to the server."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import has_session
from dashboard.backend.view import View
from dashboard.components.assets import script
from dashboard.components.component import Component
from dashboard.components.notices import report
from dashboard.labelling.label_keys import label_keys
from dashboard.labelling.labels import own_label, remove_own, set_label, write_note
from dashboard.labelling.write_queue import writes_of
from pcvae.label_classes import score_of

__all__ = ["LabelKeeper", "LabelQueue", "store_key"]

SETTING = "queue"  # the tab in which a score is given, never taken back
MAX_KEY = 64  # letters of a name that the browser gives a label
RECENT = 50  # acknowledgements that are repeated, as several may come in one tick


class LabelKeeper(Component):
    """Keeps each label in the tab's storage until it is acknowledged; sends those left over.

    The key of a label, and what a button does to one, come as events of the page, from
    ``keyboard.js`` and ``label_bar.js``. Calls ``on_label`` with each message.
    """

    served = param.Boolean(doc="Whether a server shows the page; in a notebook nothing is kept.")
    store = param.String(doc="Which store the labels are of.")
    galaxy = param.String(doc="The id of the picked galaxy.")
    label = param.String(doc="This person's label of it.")
    score = param.String(doc="This person's score of it, which may be the label.")
    labels = param.Dict(default={}, doc="What each key labels it.")
    sets = param.Boolean(doc="Whether a score that is pressed again stays.")
    ready = param.Boolean(doc="The page is on the screen: what is left over can be sent.")
    acknowledged = param.List(default=[], item_type=str, doc="Labels that need no longer be kept.")

    _esm = script(__file__, "label_queue.js")

    def __init__(self, on_label: Callable[[dict[str, Any]], None], **params: object) -> None:
        super().__init__(**params)
        self._on_label = on_label

    def _handle_msg(self, data: dict[str, object]) -> None:
        key = data.get("id")
        if isinstance(key, str) and 0 < len(key) <= MAX_KEY:
            self._on_label(data)


class LabelQueue(View):
    """Takes labels from the browser, each once, and acknowledges them.

    Reads ``row``, ``tab``, ``progress.loaded`` and ``progress.journal_events`` of the state.

    Args:
        on_key: Does what a key does.
        on_act: Does what a button of the label bar does: its act, value and row.
    """

    def __init__(
        self,
        on_key: Callable[[str], None],
        on_act: Callable[[str, str, int], None],
        **params: object,
    ) -> None:
        super().__init__(**params)
        self._on_key, self._on_act = on_key, on_act
        self.keeper = LabelKeeper(
            self._take, store=store_key(self.datastore), served=has_session()
        )
        writes_of(self.datastore, self.state).acknowledge = self._acknowledge
        self._show()

    def __panel__(self) -> LabelKeeper:
        return self.keeper

    @param.depends("state.row", "state.tab", "state.progress.journal_events", watch=True)
    def _show(self) -> None:
        row = self.state.row
        own = None if row is None else own_label(self.datastore, row)
        self.keeper.param.update(
            galaxy="" if row is None else str(self.datastore.ids[row]),
            label="" if own is None else own.label,
            score=score_of(own),
            labels=label_keys(self.datastore),
            sets=self.state.tab == SETTING,
        )

    @param.depends("state.progress.loaded", watch=True)
    def _begin(self) -> None:
        self.keeper.ready = self.state.progress.loaded

    def _acknowledge(self, key: str) -> None:
        self.keeper.acknowledged = [*self.keeper.acknowledged, key][-RECENT:]

    def _take(self, message: dict[str, Any]) -> None:
        """Do what was pressed just now, or take a label that the browser has kept."""
        key, act, value = message.get("key"), message.get("act"), message.get("value")
        row, galaxy = message.get("row"), message.get("galaxy")
        call: Callable[[], object] = lambda: None  # noqa: E731  # a wrong message is not kept
        if isinstance(key, str) and key in self.keeper.labels:
            call = partial(self._on_key, key)
        elif isinstance(act, str) and isinstance(value, str) and isinstance(row, int):
            call = partial(self._on_act, act, value, row)
        elif isinstance(act, str) and isinstance(value, str) and isinstance(galaxy, str):
            call = partial(self._take_kept, galaxy, act, value)
        writes_of(self.datastore, self.state).press(message["id"], call)

    def _take_kept(self, galaxy: str, act: str, value: str) -> None:
        row = self.datastore.row_of(galaxy)
        if row is None:
            report(
                self.state, "kept", f"Not saved: {value!r} for {galaxy[:60]}, not in this store"
            )
        elif act == "note":
            write_note(self.datastore, self.state, value, row)
        elif act == "remove":
            remove_own(self.datastore, self.state, row, value)
        else:
            set_label(self.datastore, self.state, value, row)


def store_key(datastore: DataStore) -> str:
    """A name of a store that another one in the same place does not have."""
    info = datastore.store.info
    whole = f"{datastore.store.folder.resolve()}\n{info.created}\n{info.sample}"
    return sha256(whole.encode()).hexdigest()[:16]
