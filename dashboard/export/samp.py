"""Tables for programs on the visitor's computer, such as TOPCAT, and what those send back."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import panel as pn
from numpy.typing import NDArray

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import has_session, session_caller, when_done
from dashboard.backend.shared_tables import PREFIX, share
from dashboard.backend.view import View
from dashboard.components.file_input import Upload
from dashboard.components.notices import MAX_LETTERS, report
from dashboard.export.chosen_table import ChosenTable
from dashboard.export.samp_hub import Answer, LocalHub, NoHubError, SentTable
from dashboard.export.samp_page import PageHub
from dashboard.export.table_formats import as_file
from dashboard.selection.masks import mask_of, select
from dashboard.sky.coordinates import Place, apart
from pcvae.errors import PcvaeError

__all__ = ["NO_HUB", "Samp", "answers_in_words", "numbers_of", "place_of"]

NAME = "pcvae"
PART = "samp"  # of the page, as notices name it
POINTED = 30.0  # arcsec between a place that a program points at and the galaxy that it means
MAX_TABLE = 256 << 20  # bytes of a table
MAX_SENT = 20  # tables whose rows are remembered
NO_HUB = "No SAMP hub answers on your computer: start TOPCAT or Aladin there, then send again."
NOBODY = "No program at your SAMP hub takes tables: start TOPCAT or Aladin, then send again."
ASKS = "Sending; your SAMP hub may ask whether this page may connect …"


class Say(Protocol):
    """What is told how it goes: in words, and whether that is a failure."""

    def __call__(self, words: str, *, failed: bool = False) -> None: ...


class Sending(NamedTuple):
    """A table that is on its way.

    Args:
        table: The table.
        answers: Of the programs at this machine's hub; None if there is no hub of this machine.
    """

    table: SentTable
    answers: list[Answer] | None


class Samp(View):
    """Sends tables to all programs at the visitor's SAMP hub; takes rows, places and tables back.

    Where the visitor sits at the server, its own hub is asked first; else, and if it has none,
    the browser asks the hub of the visitor's machine. Nobody is asked before a table is sent.

    Reads nothing of the state; writes ``row``, ``selection.selected`` and ``progress.notices``.

    Args:
        own_machine: Whether the visitor sits at the machine of the server.
        on_table: Takes a table that a program at this machine's hub sends.
        params: The datastore and the state.
    """

    def __init__(
        self, own_machine: bool, on_table: Callable[[Upload], None], **params: object
    ) -> None:
        super().__init__(**params)
        self._rows: dict[str, NDArray[np.intp]] = {}  # of each table that was sent, by its key
        self._tell: Say = lambda words, failed=False: None
        self.waiting = False  # whether a table is on its way
        name = f"{NAME}: {self.datastore.store.info.sample}"
        self.page = PageHub(name, self._end, self._fail, self.receive)
        self.hub: LocalHub | None = None
        if own_machine:
            enter = session_caller()
            self.hub = LocalHub(
                name,
                lambda mtype, values: enter(partial(self.receive, mtype, values)),
                lambda file: enter(partial(on_table, file)),
            )
        if has_session():
            pn.state.on_session_destroyed(lambda _: self.close())

    def __panel__(self) -> pn.viewable.Viewable:
        return self.page

    def send(self, make: Callable[[], ChosenTable], tell: Say) -> None:
        """Make a table in a worker and send it, unless one is on its way.

        Args:
            make: Makes the table.
            tell: Is told what becomes of it.
        """
        if self.waiting:
            return
        self._tell, self.waiting = tell, True
        self._tell(ASKS)
        job = self.datastore.workers.requests.submit(sending, make, self.datastore, self.hub)
        when_done(job, lambda: self._pass_on(job))

    def close(self) -> None:
        """Leave the hub of this machine, in a worker."""
        if self.hub is not None:
            self.datastore.workers.requests.submit(self.hub.close)

    def receive(self, mtype: str, values: Mapping[str, object]) -> None:
        """Do what a message of another program asks for; say on the card why that is not done."""
        report(self.state, PART)
        try:
            if mtype == "coord.pointAt.sky":
                place = place_of(values)
                job = self.datastore.workers.requests.submit(nearest, self.datastore, place)
                when_done(job, lambda: self._point(place, job))
            elif (rows := self._rows.get(str(values.get("table-id")))) is not None:
                self._choose(mtype, rows, values)
        except MessageError as error:
            report(self.state, PART, f"A SAMP message was not understood: {error}.")

    def _choose(self, mtype: str, rows: NDArray[np.intp], values: Mapping[str, object]) -> None:
        """Pick the galaxy of a row, or select those of some rows."""
        if mtype == "table.select.rowList":
            wanted = rows[numbers_of(values.get("row-list"), len(rows))]
            select(self.state, mask_of(wanted, len(self.datastore)), how="replace")
            return
        row = int(rows[numbers_of([values.get("row")], len(rows))][0])
        if row < 0:
            report(self.state, PART, "The galaxy of the highlighted row is not in this store.")
        else:
            self.state.row = row

    def _point(self, place: Place, job: "Future[tuple[int, float]]") -> None:
        row, separation = job.result()
        if separation <= POINTED:
            self.state.row = row
            return
        nearest = f"; the nearest is {apart(separation)} away" if row >= 0 else ""
        words = f'No galaxy of this store lies within {POINTED:g}" of {place}'
        report(self.state, PART, f"{words}, which a program pointed at{nearest}.")

    def _pass_on(self, job: "Future[Sending]") -> None:
        """Keep the rows of a table that was made; ask the browser to send what was not sent."""
        if error := job.exception():
            self._say(f"That did not work: {error}", failed=True)
            return
        table, answers = job.result()
        kept = list(self._rows.items())[1 - MAX_SENT :]
        self._rows = {**dict(kept), table.key: table.rows}
        if answers is not None:
            self._end(answers)
        elif has_session():
            self.page.send(table, f"{PREFIX}/{table.path.name}")
        else:
            self._fail("")

    def _end(self, answers: list[Answer]) -> None:
        words, failed = answers_in_words(answers)
        self._say(words, failed=failed)

    def _fail(self, why: str) -> None:
        self._say(f"Your SAMP hub refused: {why}" if why else NO_HUB, failed=True)

    def _say(self, words: str, *, failed: bool) -> None:
        self.waiting = False
        self._tell(words, failed=failed)


class MessageError(PcvaeError):
    """A message of another program does not hold what its type asks for."""


def nearest(datastore: DataStore, place: Place) -> tuple[int, float]:
    """The row nearest to a place, -1 where none has one, and its separation [arcsec]."""
    rows, separations = datastore.sky().nearest(place.ra, place.dec)
    return int(rows[0]), float(separations[0])


def sending(
    make: Callable[[], ChosenTable], datastore: DataStore, hub: LocalHub | None
) -> Sending:
    """Write a table for other programs, and send it by the hub of this machine, if there is one.

    Raises:
        PcvaeError: It is too large, or there is no place for it.
    """
    chosen = make()
    content = as_file(chosen.table, chosen.facts, "vot")
    if len(content) > MAX_TABLE:
        size, limit = len(content) >> 20, MAX_TABLE >> 20
        msg = f"expected a table of at most {limit} MB, found {size:,} MB; select fewer galaxies"
        raise PcvaeError(msg)
    rows = datastore.rows_of(np.asarray(chosen.table["id"]).tolist())
    table = SentTable(f"{NAME}-{secrets.token_hex(8)}", chosen.name, share(content), rows)
    if hub is None:
        return Sending(table, None)
    try:
        return Sending(table, hub.send(table))
    except NoHubError:
        return Sending(table, None)


def answers_in_words(answers: Sequence[Answer]) -> tuple[str, bool]:
    """What became of a table, and whether nobody took it.

    Example:
        >>> answers_in_words([Answer("TOPCAT", ""), Answer("DS9", "no RA")])[0]
        'Sent to TOPCAT; a row that is picked there is picked here. DS9 did not take it: no RA.'
    """
    if not answers:
        return NOBODY, True
    taken = [answer.name for answer in answers if not answer.error]
    words = [f"{name} did not take it: {error.rstrip('.')}." for name, error in answers if error]
    if taken:
        names = " and ".join(filter(None, [", ".join(taken[:-1]), taken[-1]]))
        words.insert(0, f"Sent to {names}; a row that is picked there is picked here.")
    return " ".join(words), not taken


def numbers_of(texts: object, count: int) -> NDArray[np.intp]:
    """The numbers of rows of a table of ``count`` rows, which SAMP writes as texts.

    Raises:
        MessageError: They are something else.

    Example:
        >>> numbers_of(["2", "0"], 3)
        array([2, 0])
    """
    numbers = pd.to_numeric(
        pd.Series(texts if isinstance(texts, list) else [texts], dtype=object), errors="coerce"
    )
    good = (numbers % 1 == 0) & (numbers >= 0) & (numbers < count)
    if not good.all():
        msg = f"expected rows 0 to {count - 1:,} of the table, found {texts!r}"
        raise MessageError(msg)
    return numbers.to_numpy(np.intp)


def place_of(values: Mapping[str, object]) -> Place:
    """The place that a program points at.

    Raises:
        MessageError: There is none.

    Example:
        >>> place_of({"ra": "151.8", "dec": "0.4"})
        Place(ra=151.8, dec=0.4)
    """
    try:
        ra, dec = (float(str(values[name])) for name in ("ra", "dec"))
    except (KeyError, ValueError):
        ra = dec = np.nan
    if not (0 <= ra <= 360 and -90 <= dec <= 90):
        msg = f"expected RA in 0 to 360° and Dec in -90 to 90°, found {dict(values)}"
        raise MessageError(msg[:MAX_LETTERS])
    return Place(ra % 360, dec)
