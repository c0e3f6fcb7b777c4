"""Shared by all sessions of a process: the store, its journal, cached computations."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.backend.classifier_jobs import ClassifierJobs, TrainingLabels
from dashboard.backend.columns import Columns
from dashboard.backend.journal_cache import WAIT, JournalJobs, LabelTable
from dashboard.backend.label_trust import TrustJobs
from dashboard.backend.model_jobs import ModelJobs
from dashboard.backend.neighbour_index import NeighbourIndex
from dashboard.backend.populations import Populations
from dashboard.backend.sky_index import SkyBands, SkyTree
from dashboard.backend.thumbnails import Thumbnails
from dashboard.backend.workers import Workers
from pcvae.boundaries import Boundaries, boundary_grid
from pcvae.errors import JournalBusyError, JournalError
from pcvae.journal import Journal, journal_path
from pcvae.scan import spans
from pcvae.store import MAPPED, Store

if TYPE_CHECKING:
    from train.search.catalog_piece import CatalogPiece

__all__ = ["DataStore", "labels_by_row", "last_labels"]

TEAM = "PCVAE_JOURNAL"  # environment variable with the address of a team's journal
ROOM = 0.5  # share of the first view's range that boundaries reach beyond it on each side
CELLS = 600  # of the boundaries, on a side: about two pixels of a map each


class DataStore:
    """A read-only store, and slow computations that are done once for all sessions.

    Its parts: ``populations``, ``columns`` (values by quantity), ``neighbours``, ``model_jobs``
    (codecs and scores), ``classifier_jobs``, ``trust`` (of the labels), ``journal_jobs``,
    ``thumbnails``, ``workers`` (thread pools).

    Args:
        store: The store.
        journal: As of ``JournalJobs``; so are the others.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal | None,
        no_journal: str = "",
        *,
        pending: Path | str | None = None,
    ) -> None:
        self.store, self.workers = store, Workers()
        self.piece: CatalogPiece | None = None  # of a catalogue, that the store was made of
        self.journal_jobs = JournalJobs(journal, no_journal, pending, self.workers)
        self.thumbnails = Thumbnails(store)
        self.populations = Populations(store, self.journal_jobs.cache)
        self.columns = Columns(store)
        self.neighbours = NeighbourIndex(store, self.workers)
        self.model_jobs = ModelJobs(store, self.workers)
        self.classifier_jobs = ClassifierJobs(store, self.populations)
        self.trust = TrustJobs(store, self.populations, self.workers)
        self.sky, self.once = cache(partial(_index_sky, store)), cache(self._once)
        self.boundaries = lru_cache(64)(partial(_fit_boundaries, self))

    @staticmethod
    def open(store: Store, piece: "CatalogPiece | None" = None) -> "DataStore":
        """The store with its journal, or without if that cannot be opened.

        The journal lies beside the store, or beside the catalogue that it is a piece of, unless
        ``PCVAE_JOURNAL`` names a team's database. It is not waited for while it is locked; see
        ``JournalJobs.opened``.
        """
        address = os.environ.get(TEAM) or journal_path(piece.catalog if piece else store.folder)
        opened = _with_journal(store, address)
        opened.piece = piece
        return opened

    def __len__(self) -> int:
        return len(self.store)

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order in which they are shown."""
        return [model.name for model in self.store.info.models]

    @property
    def label_table(self) -> LabelTable:
        """The current labels."""
        return self.journal_jobs.cache.read()

    @property
    def journal(self) -> Journal | None:
        """The journal of labels; None where there is none, or none yet."""
        return self.journal_jobs.journal

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
        if not asked:
            return np.array([], np.intp)
        wanted = pa.array(dict.fromkeys(asked), self._arrow_ids.type)
        found = _places_of(wanted, self._arrow_ids)
        self.store.release()
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

    def soon(self, work: Callable[..., object], *arguments: Any) -> "Future[Any]":
        """Run something short in a worker, outside of the event loop."""
        return self.workers.quick.submit(work, *arguments)

    def result(self, job: "Future[Any]") -> Any:
        """The result of a job, or None while it runs or if it failed."""
        return job.result() if job.done() and not job.exception() else None

    def _once(self, work: Callable[..., object], *arguments: Any) -> "Future[Any]":
        """The result of ``work(self, *arguments)``, computed once a process."""
        return self.soon(work, self, *arguments)


def _index_sky(store: Store) -> SkyTree | SkyBands:
    """An index of the galaxies' sky positions; building it takes 1 s for a million."""
    ra, dec = store.galaxies["ra"], store.galaxies["dec"]
    return SkyTree(ra, dec) if len(store) < MAPPED else SkyBands(ra, dec, store.release)


def _places_of(wanted: "pa.Array", ids: "pa.ChunkedArray") -> NDArray[np.intp]:
    """The place of each wanted text in others, -1 for none; in several threads."""
    found = np.full(len(wanted), -1, np.intp)

    def look(start: int, stop: int) -> None:
        place = pc.index_in(ids.slice(start, stop - start), value_set=wanted)
        there = np.flatnonzero(place.is_valid().to_numpy())
        found[place.drop_null().to_numpy()] = start + there

    spans(len(ids), look)
    return found


def _with_journal(store: Store, address: Path | str) -> DataStore:
    """The store with the journal there, or without if that cannot be opened now."""
    try:
        return DataStore(store, Journal(address, wait=WAIT, opening_wait=0))
    except JournalBusyError as error:
        return DataStore(store, None, str(error), pending=address)
    except JournalError as error:
        return DataStore(store, None, str(error))


def _fit_boundaries(
    datastore: DataStore, model: str, x: str, y: str, training_labels: TrainingLabels = ()
) -> "Future[Boundaries]":
    """Decision boundaries of a linear SVM in these two axes, fitted with these labels too."""
    plane, jobs = datastore.columns.plane(model, x, y), datastore.classifier_jobs
    limits = _widen(plane.limits[0]), _widen(plane.limits[1])

    def fit() -> Boundaries:
        points = plane.points
        known = np.isfinite(points["x"].to_numpy()) & np.isfinite(points["y"].to_numpy())
        rows = jobs.rows(known, training_labels)
        some, classes = points.iloc[rows].to_numpy(), jobs.classes(training_labels, rows)
        return boundary_grid(some, classes, limits=limits, size=CELLS)

    return datastore.workers.slow.submit(fit)


def _widen(limits: tuple[float, float]) -> tuple[float, float]:
    room = ROOM * (limits[1] - limits[0])
    return limits[0] - room, limits[1] + room


def labels_by_row(datastore: DataStore) -> dict[int, str]:
    """The last label of each labelled galaxy of the store, by its row."""
    labels = datastore.label_table.labels
    pairs = zip(datastore.rows_of(labels).tolist(), labels.values(), strict=True)
    return {row: event.label for row, event in pairs if row >= 0}


def last_labels(datastore: DataStore, rows: NDArray[np.intp]) -> NDArray[np.object_]:
    """The last label of some galaxies, (M,); empty where nobody gave one."""
    labels = labels_by_row(datastore)
    return np.array([labels.get(row, "") for row in rows.tolist()], object)
