"""All that the sessions of a process share: the store, its journal, and what is computed once."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dashboard.backend.journal_cache import JournalCache, LabelTable
from dashboard.backend.latent_range import Spread, spread_of
from dashboard.backend.model_scores import scores_of, trials_of
from dashboard.backend.plane import Plane, plane_of
from dashboard.backend.populations import colour_of, marker_of
from dashboard.backend.quantities import Quantity, axes_of, robust_limits, values_of
from dashboard.backend.sky_index import SkyTree
from dashboard.backend.stamp_images import data_uri, in_band
from dashboard.backend.svm_jobs import SvmJobs, TrainingLabels
from dashboard.backend.thumbnails import Thumbnails
from dashboard.state import Metric
from pcvae.boundaries import Boundaries, boundary_grid
from pcvae.dataset import ELLIPTICITY
from pcvae.errors import JournalError
from pcvae.journal import Journal, journal_path
from pcvae.neighbours import Neighbours, shared_neighbours
from pcvae.store import Store
from pcvae.trials import Trials
from train.evaluation.galaxy_pool import Pool, gather

if TYPE_CHECKING:
    from pcvae.encode import Codec

__all__ = ["CANDIDATE", "DataStore"]

CANDIDATE = "candidate"
TEAM = "PCVAE_JOURNAL"  # environment variable with the address of a team's journal
DEFAULT_METRIC = Metric()
NEIGHBOURS = 10  # as in Fig. 3 of Gagliano & Villar (2023)
BINS = 48
PLANES = 16  # kept ready; one of a million galaxies holds 8 MB
ROOM = 0.5  # share of the first view's range that boundaries reach beyond it on each side
VALUES = 8  # quantities kept ready
CELLS = 600  # of the boundaries, on a side: about two pixels of a map each
RANKINGS = 16  # of look-alikes, kept ready


class DataStore:
    """A read-only store, and the slow things that all sessions need but once.

    Args:
        store: The store.
        journal: Where labels go; None where there is none, with the reason in ``no_journal``.
        no_journal: Why there is no journal.
    """

    def __init__(self, store: Store, journal: Journal | None, no_journal: str = "") -> None:
        self.store, self.journal, self.no_journal = store, journal, no_journal
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="source")
        self._quick = ThreadPoolExecutor(2, thread_name_prefix="quick")  # never behind a fit
        self._indexers = ThreadPoolExecutor(1, thread_name_prefix="index")  # others wait for it
        self.errands = ThreadPoolExecutor(4, thread_name_prefix="errand")
        self.sky = cache(self._sky)
        self._values = lru_cache(VALUES)(values_of)
        self.limits = cache(self._limits)
        self.histogram = lru_cache(256)(self._histogram)
        self.members = cache(self._members)
        self.plane = lru_cache(PLANES)(self._plane)
        self.once = cache(self._once)
        self.codec = cache(self._codec)
        self.decoders = ThreadPoolExecutor(1, thread_name_prefix="decoder")
        self._judges = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self.spread = cache(self._spread)
        self.pool, self.scores, self.trials = map(cache, (self._pool, self._scores, self._trials))
        self.boundaries = lru_cache(64)(self._boundaries)
        self.learning = SvmJobs(self)
        self._indices = cache(self._begin_index)
        self._record, self.thumbnails = JournalCache(journal), Thumbnails(store)
        self._ranked: OrderedDict[tuple[Any, ...], Future[pd.DataFrame]] = OrderedDict()

    @classmethod
    def open(cls, store: Store) -> "DataStore":
        """The source of a store with its journal, or without if that cannot be had.

        The journal lies beside the store, unless ``PCVAE_JOURNAL`` names a team's database.
        """
        try:
            return cls(store, Journal(os.environ.get(TEAM) or journal_path(store.folder)))
        except JournalError as error:
            return cls(store, None, str(error))

    def __len__(self) -> int:
        return len(self.store)

    @property
    def models(self) -> list[str]:
        """The names of the models, in the order in which they are shown."""
        return [model.name for model in self.store.info.models]

    @cached_property
    def ids(self) -> Any:
        """The galaxies' ids, an array (N,) of str."""
        return self.store.galaxies["id"].array

    @cached_property
    def populations(self) -> NDArray[np.object_]:
        """The galaxies' populations, (N,); a word is held once however many have it."""
        return np.array([*self.all_populations, None], object)[self.codes]

    @cached_property
    def marked(self) -> list[str]:
        """The rare populations that the store has galaxies of."""
        return [name for name in self.store.info.rare if len(self.members(name))]

    @cached_property
    def all_populations(self) -> list[str]:
        """All populations, the largest first."""
        return list(self.store.galaxies["population"].value_counts().index)

    def colour(self, population: str, *, dark: bool) -> str:
        """The colour of a population or a label, the same wherever it is shown."""
        return colour_of(population, self._all_drawn(population), dark=dark)

    def shape(self, population: str) -> str:
        """The shape of the marks of a population or a label."""
        return marker_of(population, self._all_drawn(population)).shape

    def _all_drawn(self, name: str) -> list[str]:
        """All that have marks: labels follow in the order in which people first gave them."""
        if name == "field" or name in self._drawn:
            return self._drawn
        labels = (CANDIDATE, *self._record.names(name))
        return [*self._drawn, *(one for one in dict.fromkeys(labels) if one not in self._drawn)]

    @cached_property
    def _drawn(self) -> list[str]:
        """All populations in the order in which they get their marks: the rare ones first."""
        marked = [name for name in self.marked if name != "field"]
        return marked + [one for one in self.all_populations if one not in (*marked, "field")]

    @cached_property
    def codes(self) -> NDArray[np.integer]:
        """Each galaxy's population as an index into ``all_populations``, (N,)."""
        found = pd.Categorical(self.store.galaxies["population"], categories=self.all_populations)
        return found.codes

    @cached_property
    def normal(self) -> NDArray[np.bool_]:
        """Which galaxies are of no rare population, (N,)."""
        rare = [name in self.store.info.rare for name in (*self.all_populations, None)]
        return ~np.array(rare)[self.codes]

    def _members(self, population: str) -> NDArray[np.intp]:
        """The rows of the galaxies of a population."""
        if population not in self.all_populations:
            return np.array([], np.intp)
        return np.flatnonzero(self.codes == self.all_populations.index(population))

    def _sky(self) -> SkyTree:
        """Where on the sky the galaxies are; takes a second for a million."""
        galaxies = self.store.galaxies
        return SkyTree(galaxies["ra"], galaxies["dec"])

    def _plane(self, model: str, x: str, y: str) -> Plane:
        """The plane of two latents of a model, by their names, or the model's own."""
        across, up = self.axis(model, x, 0), self.axis(model, y, 1)
        return plane_of(across, up, self.values(model, across), self.values(model, up))

    @cached_property
    def first(self) -> int:
        """The galaxy that is shown before one is picked: the first rare one, if there is any."""
        rare = np.flatnonzero(~self.normal)
        return int(rare[0]) if len(rare) else 0

    def row_of(self, galaxy: str) -> int | None:
        """The row of the galaxy with that id; None if there is none."""
        row = int(self.rows_of([galaxy])[0])
        return row if row >= 0 else None

    def rows_of(self, galaxies: Iterable[str]) -> NDArray[np.intp]:
        """The rows of the galaxies with these ids; -1 for those that are not there.

        All ids are looked through once, however many are asked for: 10 ms for a million.
        """
        asked = list(galaxies)
        wanted = pa.array(dict.fromkeys(asked), self._arrow_ids.type)
        place = pc.index_in(self._arrow_ids, value_set=wanted)
        there = np.flatnonzero(place.is_valid().to_numpy())
        found = np.full(len(wanted), -1)
        found[place.drop_null().to_numpy()] = there
        row = dict(zip(wanted.to_pylist(), found, strict=True))
        return np.array([row[one] for one in asked], np.intp)

    @cached_property
    def _arrow_ids(self) -> "pa.ChunkedArray":
        return pa.chunked_array(pa.table({"id": self.store.galaxies["id"]})["id"].chunks)

    def axis(self, model: str, name: str, place: int = 0) -> Quantity:
        """The axis of that name, or the model's own for that place (0 across, 1 up)."""
        axes = axes_of(self.store, model)
        for one in axes:
            if one.column == name:
                return one
        upright = [one for one in axes if one.column not in (*ELLIPTICITY, "orientation")] or axes
        return upright[min(place, len(upright) - 1)]

    def values(self, model: str, quantity: Quantity) -> NDArray[np.float64]:
        """The values of a quantity, (N,)."""
        return self._values(self.store, model, quantity)

    def place(self, model: str, row: int) -> NDArray[np.float64]:
        """The latents (D,) of a galaxy."""
        table = self.store.latents(model)
        names = self.store.model(model).names
        return np.array([table[name].to_numpy()[row] for name in names], dtype=np.float64)

    def _limits(self, model: str, quantity: Quantity) -> tuple[float, float]:
        """The range of a quantity that holds nearly all galaxies."""
        if quantity.cyclic:
            return -np.pi / 2, np.pi / 2
        ends = robust_limits(self.values(model, quantity))
        most = max(abs(end) for end in ends)
        return (-most, most) if quantity.signed else ends

    def known(self, model: str, quantity: Quantity) -> bool:
        """Whether any galaxy has a value of it."""
        return self.has(model, quantity) and bool(self.histogram(model, quantity)[0].any())

    def has(self, model: str, quantity: Quantity) -> bool:
        """Whether the store has that column."""
        latents, galaxies = self.store.latents(model).columns, self.store.galaxies.columns
        if quantity.signed:
            return quantity.column in latents and quantity.column in galaxies
        return quantity.column in (latents if quantity.key.startswith("inferred.") else galaxies)

    def neighbours(self, model: str, metric: Metric = DEFAULT_METRIC) -> "Future[Neighbours]":
        """An index of a model's latents, once it is there: a million take a second."""
        return self._indices(model, metric)

    def nearest(
        self, model: str, row: int, k: int = NEIGHBOURS, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """The ``row`` and ``distance`` of a galaxy's k nearest ones, nearest first.

        It waits until ``neighbours`` has indexed the latents.
        """
        rows, distances = self.neighbours(model, metric).result().query(row, k)
        return pd.DataFrame({"row": rows, "distance": distances})

    def lookalikes(
        self, model: str, seeds: NDArray[np.intp], among: NDArray[np.bool_], k: int, metric: Metric
    ) -> "Future[pd.DataFrame]":
        """The galaxies near several seeds, as ``shared_neighbours`` ranks them, once it has.

        Args:
            model: Whose latents.
            seeds: The rows of the seeds.
            among: Which galaxies may be found, (N,).
            k: How many nearest ones of each seed count.
            metric: How distances are measured.
        """
        key = (model, k, metric, seeds.tobytes(), np.packbits(among).tobytes())
        if key not in self._ranked:
            index = self.neighbours(model, metric)
            self._ranked[key] = self._workers.submit(
                lambda: shared_neighbours(index.result(), seeds, among, k)
            )
            while len(self._ranked) > RANKINGS:
                self._ranked.popitem(last=False)
        return self._ranked[key]

    def picture(self, row: int, channel: int | None = None) -> str:
        """The stamp of a galaxy as the data URI of a PNG; empty where there are no stamps."""
        stamp = self.stamp(row)
        return "" if stamp is None else data_uri(in_band(stamp, channel))

    def soon(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Do something that takes a moment, beside the event loop."""
        return self._quick.submit(work, *arguments)

    def _once(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """The result of ``work(self, *arguments)``, which is done but once a process."""
        return self.soon(work, self, *arguments)

    def load(self, rows: list[int]) -> "Future[list[str]]":
        """Read the thumbnails of these rows, so that they are at hand once it is done."""
        return self.soon(self.thumbnails.of, rows)

    @property
    def said(self) -> LabelTable:
        """What people have said by now."""
        return self._record.read()

    def result(self, job: "Future[Any]") -> Any:
        """The result of a job, or None while it runs or if it failed."""
        return job.result() if job.done() and not job.exception() else None

    def _histogram(
        self, model: str, quantity: Quantity
    ) -> tuple[NDArray[np.intp], tuple[float, float]]:
        """How the whole sample is spread: counts, and the range they cover."""
        values, limits = self.values(model, quantity), self.limits(model, quantity)
        counts, _ = np.histogram(values[np.isfinite(values)], bins=BINS, range=limits)
        return counts, limits

    def nearest_to(
        self, model: str, latents: NDArray[np.float64], k: int, metric: Metric = DEFAULT_METRIC
    ) -> pd.DataFrame:
        """As ``nearest``, of a point: all the latents (D,) of a model."""
        index = self.neighbours(model, metric).result()
        rows, distances = index.query(latents[self._counted(model, metric)], k)
        return pd.DataFrame({"row": rows, "distance": distances})

    def _counted(self, model: str, metric: Metric) -> list[int] | slice:
        """Which latents distances are measured in."""
        turning = (*ELLIPTICITY, "orientation")
        names = self.store.model(model).names
        kept = [i for i, one in enumerate(names) if metric.oriented or one not in turning]
        return kept or slice(None)

    def _begin_index(self, model: str, metric: Metric) -> "Future[Neighbours]":
        def index() -> Neighbours:
            values = self.store.values(model)[:, self._counted(model, metric)]
            return _indexed(values, whiten=metric.whiten)

        return self._indexers.submit(index)

    def _codec(self, model: str) -> "Future[Codec]":
        return self._workers.submit(_read_codec, self.store, model)

    def _spread(self, model: str) -> "Future[Spread]":
        return self.decoders.submit(spread_of, self.store, model)

    def _pool(self) -> "Future[Pool]":
        return self._judges.submit(gather, self.store)

    def _scores(self, model: str) -> "Future[tuple[str, dict[str, dict[str, float]]]]":
        pool, info = self.pool(), self.store.model(model)
        return self._judges.submit(lambda: scores_of(pool.result(), info))

    def _trials(self) -> "Future[dict[str, Trials]]":
        pool = self.pool()
        return self._judges.submit(lambda: trials_of(pool.result()))

    def _boundaries(
        self, model: str, x: str, y: str, training_labels: TrainingLabels = ()
    ) -> "Future[Boundaries]":
        """Where a linear SVM in these two axes puts each class, with what it was taught."""
        plane = self.plane(model, x, y)
        limits = tuple(_widen(one) for one in plane.limits)

        def fit() -> Boundaries:
            points = plane.points.to_numpy()
            rows = self.learning.rows(points, training_labels)
            classes = self.learning.classes(training_labels)[rows]
            return boundary_grid(points[rows], classes, limits=limits, size=CELLS)

        return self._workers.submit(fit)

    def stamp(self, row: int) -> NDArray[np.uint8] | None:
        """The image of a galaxy for display (S, S, 3), row 0 at the bottom; None for none."""
        stamps = self.store.stamps
        return None if stamps is None else np.asarray(stamps[row])


def _read_codec(store: Store, model: str) -> "Codec":
    from pcvae.encode import Codec

    return Codec.read(store.model_folder(model))


def _indexed(values: NDArray[np.float64], *, whiten: bool) -> Neighbours:
    index = Neighbours(values, whiten=whiten)
    if len(index):
        index.query(0, 1)
    return index


def _widen(limits: tuple[float, float]) -> tuple[float, float]:
    room = ROOM * (limits[1] - limits[0])
    return limits[0] - room, limits[1] + room
