"""Shared by all sessions of a process: the store, its journal, cached computations."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import ClassifierJobs, TrainingLabels
from dashboard.backend.columns import Columns
from dashboard.backend.journal_cache import JournalCache, LabelTable
from dashboard.backend.model_jobs import ModelJobs
from dashboard.backend.neighbour_index import NeighbourIndex
from dashboard.backend.populations import Populations
from dashboard.backend.sky_index import SkyTree
from dashboard.backend.thumbnails import Thumbnails
from dashboard.backend.workers import Workers
from pcvae.boundaries import Boundaries, boundary_grid
from pcvae.errors import JournalBusyError, JournalError
from pcvae.journal import Journal, journal_path
from pcvae.store import Store

__all__ = ["DataStore"]

WAIT = 2.0  # s that a look at a locked journal takes; writes are tried again
TEAM = "PCVAE_JOURNAL"  # environment variable with the address of a team's journal
ROOM = 0.5  # share of the first view's range that boundaries reach beyond it on each side
CELLS = 600  # of the boundaries, on a side: about two pixels of a map each


class DataStore:
    """A read-only store, and slow computations that are done once for all sessions.

    Its parts: ``populations``, ``columns`` (values by quantity), ``neighbours``, ``model_jobs``
    (codecs and scores), ``classifier_jobs``, ``thumbnails``, ``workers`` (thread pools).

    Args:
        store: The store.
        journal: The journal of labels; None if there is none, with the reason in ``no_journal``.
        no_journal: Why there is no journal.
        pending: The address of a journal that is locked: a worker opens it later.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal | None,
        no_journal: str = "",
        *,
        pending: Path | str | None = None,
    ) -> None:
        self.store, self.journal, self.no_journal = store, journal, no_journal
        self._pending = pending
        self.workers = Workers()
        self._rereading: Future[LabelTable] | None = None
        self._journal_cache, self.thumbnails = JournalCache(journal), Thumbnails(store)
        self.populations = Populations(store, self._journal_cache)
        self.columns = Columns(store)
        self.neighbours = NeighbourIndex(store, self.workers)
        self.model_jobs = ModelJobs(store, self.workers)
        self.classifier_jobs = ClassifierJobs(store, self.populations)
        self.sky, self.once = cache(self._sky), cache(self._once)
        self.boundaries = lru_cache(64)(self._boundaries)

    @classmethod
    def open(cls, store: Store) -> "DataStore":
        """The store with its journal, or without if that cannot be opened.

        The journal lies beside the store, unless ``PCVAE_JOURNAL`` names a team's database. It
        is not waited for while it is locked; see ``opened_journal``.
        """
        address = os.environ.get(TEAM) or journal_path(store.folder)
        try:
            return cls(store, Journal(address, wait=WAIT, opening_wait=0))
        except JournalBusyError as error:
            return cls(store, None, str(error), pending=address)
        except JournalError as error:
            return cls(store, None, str(error))

    def __len__(self) -> int:
        return len(self.store)

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order in which they are shown."""
        return [model.name for model in self.store.info.models]

    @property
    def label_table(self) -> LabelTable:
        """The current labels."""
        return self._journal_cache.read()

    @property
    def takes_labels(self) -> bool:
        """Whether there is a journal, or one that is locked and will be opened."""
        return self.journal is not None or self._pending is not None

    def opened_journal(self) -> Journal:
        """The journal; one that was locked before is opened now. For its worker only.

        Raises:
            JournalError: There is none, or it is still locked (``JournalBusyError``).
        """
        if self.journal is None and self._pending is not None:
            try:
                journal = Journal(self._pending, wait=WAIT)
            except JournalError as error:
                self.no_journal = str(error)
                if not isinstance(error, JournalBusyError):
                    self._pending = None
                raise
            self._journal_cache.attach(journal)
            self.journal, self._pending, self.no_journal = journal, None, ""
        if self.journal is None:
            raise JournalError(self.no_journal or "there is no journal of labels")
        return self.journal

    def reread_labels(self) -> "Future[LabelTable]":
        """Read the journal in its worker; fails with ``JournalError``. One at a time."""
        if self._rereading is None or self._rereading.done():
            self._rereading = self.workers.journal.submit(self._reread)
        return self._rereading

    def _reread(self) -> LabelTable:
        self.opened_journal()
        return self._journal_cache.reread()

    def write_labels(self, write: Callable[[], Any]) -> "Future[Any]":
        """Call what writes to the journal in its worker; ``label_table`` then knows of it."""

        def work() -> Any:
            written = write()
            with suppress(JournalError):
                self._journal_cache.reread()
            return written

        return self.workers.journal.submit(work)

    @cached_property
    def ids(self) -> Any:
        """The galaxies' ids, an array (N,) of str."""
        return self.store.galaxies["id"].array

    def row_of(self, galaxy: str) -> int | None:
        """The row of the galaxy with that id; None if there is none."""
        row = int(self.rows_of([galaxy])[0])
        return row if row >= 0 else None

    def rows_of(self, galaxies: Iterable[str]) -> NDArray[np.intp]:
        """The rows of the galaxies with these ids; -1 for unknown ids.

        One pass over all ids, however many are asked for: 10 ms for a million.
        """
        asked = list(galaxies)
        wanted = pa.array(dict.fromkeys(asked), self._arrow_ids.type)
        place = pc.index_in(self._arrow_ids, value_set=wanted)
        there = np.flatnonzero(place.is_valid().to_numpy())
        found = np.full(len(wanted), -1)
        found[place.drop_null().to_numpy()] = there
        row = dict(zip(wanted.to_pylist(), found, strict=True))
        return np.array([row[galaxy] for galaxy in asked], np.intp)

    @cached_property
    def _arrow_ids(self) -> "pa.ChunkedArray":
        return pa.chunked_array(pa.table({"id": self.store.galaxies["id"]})["id"].chunks)

    def stamp(self, row: int) -> NDArray[np.uint8] | None:
        """The image of a galaxy for display (S, S, 3), row 0 at the bottom; None for none."""
        stamps = self.store.stamps
        return None if stamps is None else np.asarray(stamps[row])

    def load(self, rows: list[int]) -> "Future[list[str]]":
        """Read the thumbnails of these rows into the cache."""
        return self.soon(self.thumbnails.of, rows)

    def soon(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Run something short in a worker, outside of the event loop."""
        return self.workers.quick.submit(work, *arguments)

    def result(self, job: "Future[Any]") -> Any:
        """The result of a job, or None while it runs or if it failed."""
        return job.result() if job.done() and not job.exception() else None

    def _once(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """The result of ``work(self, *arguments)``, computed once a process."""
        return self.soon(work, self, *arguments)

    def _sky(self) -> SkyTree:
        """An index of the galaxies' sky positions; building it takes 1 s for a million."""
        galaxies = self.store.galaxies
        return SkyTree(galaxies["ra"], galaxies["dec"])

    def _boundaries(
        self, model: str, x: str, y: str, training_labels: TrainingLabels = ()
    ) -> "Future[Boundaries]":
        """Decision boundaries of a linear SVM in these two axes, fitted with these labels too."""
        plane = self.columns.plane(model, x, y)
        limits = _widen(plane.limits[0]), _widen(plane.limits[1])

        def fit() -> Boundaries:
            points = plane.points.to_numpy()
            rows = self.classifier_jobs.rows(points, training_labels)
            classes = self.classifier_jobs.classes(training_labels)[rows]
            return boundary_grid(points[rows], classes, limits=limits, size=CELLS)

        return self.workers.slow.submit(fit)


def _widen(limits: tuple[float, float]) -> tuple[float, float]:
    room = ROOM * (limits[1] - limits[0])
    return limits[0] - room, limits[1] + room
