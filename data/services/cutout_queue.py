"""Downloads of a catalogue's cutouts, several at once."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.pipeline.batches import Part, cut_part, measure_part
from data.readers.raw_image import LeftOutError, RawImage
from data.services.http_client import Client, NoResponseError, RefusedError
from data.services.legacy_surveys import CutoutRequest, check_answer, cutout_url, read_served
from pcvae.cutouts import SampleInfo, SampleWriter

__all__ = ["Downloads", "Fetched", "measure_fetched"]

MAX_AHEAD = 8  # parts that may be on disk before they are read
MAX_FAILURES = 16  # in a row: the service is down, or we are offline
UNANSWERED = "no usable answer"


class Fetched(NamedTuple):
    """A part whose cutouts are on disk.

    Args:
        number: Of the part.
        candidates: Its rows.
        files: A row's file, or why there is none.
    """

    number: int
    candidates: pd.DataFrame
    files: list[Path | LeftOutError]

    @property
    def unanswered(self) -> bool:
        """Whether a galaxy of it got no response, which a later try may change."""
        return any(isinstance(f, LeftOutError) and f.reason == UNANSWERED for f in self.files)


class _Outage:
    """Counts failures in a row, to tell a galaxy without an image from a service that is down.

    Args:
        limit: Failures in a row that mean an outage.
        reference: A position (ra, dec) [deg] that the service should have an image of.
    """

    def __init__(
        self, limit: int = MAX_FAILURES, reference: tuple[float, float] = (np.nan, np.nan)
    ) -> None:
        self._lock, self._count = threading.Lock(), 0
        self._limit, self._reference = limit, reference

    def end(self, ra: float, dec: float) -> None:
        """The service has responded for this position."""
        with self._lock:
            self._count, self._reference = 0, (ra, dec)

    def count(self, error: NoResponseError) -> None:
        """Count a failure.

        Raises:
            NoResponseError: There were too many in a row.
        """
        with self._lock:
            self._count += 1
            if self._count >= self._limit:
                msg = f"{error}. {self._count} galaxies in a row got none: "
                raise NoResponseError(msg + "the same command goes on later") from error

    def check(self, ask: Callable[[float, float], bytes]) -> None:
        """Request the reference: a few failures may be the last of many.

        Raises:
            NoResponseError: It gets no response now.
        """
        try:
            ask(*self._reference)
        except (RefusedError, NoResponseError) as error:
            msg = f"{error}. Nor do others get one: the same command goes on later"
            raise NoResponseError(msg) from error


class Downloads:
    """Cutouts on disk, a file a galaxy, named by row; existing files are not downloaded again.

    Args:
        client: Sends the requests.
        base_url: Of the cutout service.
        wanted: Layer, bands, size and pixel scale of each cutout.
        folder: Of the files until their part of the sample is written.
        cache: Of files that are kept for other samples, named by position; None for no cache.
    """

    def __init__(
        self,
        client: Client,
        base_url: str,
        wanted: CutoutRequest,
        folder: Path,
        cache: Path | None,
    ) -> None:
        self._client, self._url, self._wanted = client, cutout_url(base_url), wanted
        self._folder, self._cache = folder, cache
        self._outage = _Outage()

    def parts(
        self,
        writer: SampleWriter,
        candidates: pd.DataFrame,
        at_once: int,
        progress: Callable[[], object],
    ) -> Iterator[Fetched]:
        """Download the missing parts, a few ahead of the one that is yielded.

        Parts with galaxies that got no response come last, after these were requested once more;
        until then their files stay on disk, so that an outage costs no galaxy.

        Args:
            writer: Knows which parts are missing.
            candidates: A row a galaxy: ``ra``, ``dec`` [deg].
            at_once: Concurrent requests.
            progress: Called after each galaxy.

        Raises:
            NoResponseError: The service does not respond at all.
            RateLimitedError: It asks for a long pause.
        """
        rows = candidates[["ra", "dec"]].to_numpy(np.float64)
        missing = writer.missing()
        to_do = [row for number in missing for row in writer.part_rows(number)]
        self._outage = _Outage(max(MAX_FAILURES, 2 * at_once), _reference(rows, to_do))

        def fetch(row: int) -> Path | LeftOutError:
            return self._fetch(row, *rows[row])

        def fetch_first(row: int) -> Path | LeftOutError:
            found = fetch(row)
            progress()
            return found

        pool = ThreadPoolExecutor(at_once, thread_name_prefix="fetch")
        ahead = partial(_ahead, pool, writer, candidates)
        late = []
        try:
            for part in ahead(fetch_first, missing):
                if part.unanswered:
                    late.append(part.number)
                else:
                    yield part
            for part in ahead(fetch, late):
                if part.unanswered:
                    self._outage.check(self._ask)
                yield part
        except BaseException:
            self._client.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def forget(self, rows: range) -> None:
        """Remove the files of rows that are in the sample now."""
        for row in rows:
            (self._folder / _by_row(row)).unlink(missing_ok=True)

    def _fetch(self, row: int, ra: float, dec: float) -> Path | LeftOutError:
        if not _on_sky(ra, dec):
            return LeftOutError("no position", f"RA {ra} Dec {dec}")
        path = self._path(row, ra, dec)
        if not path.exists():
            try:
                content = self._ask(ra, dec)
            except RefusedError as error:
                return LeftOutError("refused by the service", str(error))
            except NoResponseError as error:
                self._outage.count(error)
                return LeftOutError(UNANSWERED, str(error))
            path.parent.mkdir(parents=True, exist_ok=True)
            begun = path.with_name(f"{path.name}.{row}.new")
            begun.write_bytes(content)
            begun.replace(path)
        self._outage.end(ra, dec)
        return path

    def _ask(self, ra: float, dec: float) -> bytes:
        return self._client.ask(self._url, check_answer, query=self._wanted.query(ra, dec))

    def _path(self, row: int, ra: float, dec: float) -> Path:
        if self._cache is None:
            return self._folder / _by_row(row)
        wanted = self._wanted
        kind = f"{wanted.layer}_{''.join(wanted.bands)}_{wanted.size}_{wanted.pixel_scale:g}"
        return self._cache / kind / f"{int(ra):03d}" / f"{ra:010.6f}{dec:+010.6f}.fits"


def measure_fetched(fetched: Fetched, wanted: CutoutRequest, info: SampleInfo) -> Part:
    """Read, check, cut and measure the files of a part."""
    positions = fetched.candidates[["ra", "dec"]].to_numpy(np.float64)
    pictures = (
        _read(file, wanted, *position)
        for file, position in zip(fetched.files, positions, strict=True)
    )
    part = cut_part(fetched.number, fetched.candidates, pictures, info)
    return measure_part(part, info.bands, info.unit)


def _read(
    file: Path | LeftOutError, wanted: CutoutRequest, ra: float, dec: float
) -> RawImage | LeftOutError:
    if isinstance(file, LeftOutError):
        return file
    try:
        return read_served(file, wanted, ra, dec)
    except LeftOutError as error:
        return error


def _ahead(
    pool: ThreadPoolExecutor,
    writer: SampleWriter,
    candidates: pd.DataFrame,
    fetch: Callable[[int], Path | LeftOutError],
    numbers: Sequence[int],
) -> Iterator[Fetched]:
    """Download parts in their order, a few ahead of the one that is yielded."""
    asked: deque[tuple[int, list[Future[Path | LeftOutError]]]] = deque()
    for number in numbers:
        asked.append((number, [pool.submit(fetch, row) for row in writer.part_rows(number)]))
        if len(asked) > MAX_AHEAD:
            yield _gather(asked.popleft(), writer, candidates)
    while asked:
        yield _gather(asked.popleft(), writer, candidates)


def _gather(
    asked: tuple[int, list["Future[Path | LeftOutError]"]],
    writer: SampleWriter,
    candidates: pd.DataFrame,
) -> Fetched:
    number, futures = asked
    rows = writer.part_rows(number)
    files = [future.result() for future in futures]
    return Fetched(number, candidates.iloc[rows.start : rows.stop], files)


def _reference(rows: NDArray[np.float64], to_do: Sequence[int]) -> tuple[float, float]:
    """The position [deg] of a galaxy that an earlier call downloaded, else of the last one."""
    known = [row for row in range(len(rows)) if _on_sky(*rows[row])]
    done = sorted(set(known) - set(to_do))
    ra, dec = rows[(done or known or [-1])[-1]]
    return float(ra), float(dec)


def _on_sky(ra: float, dec: float) -> bool:
    return 0 <= ra <= 360 and -90 <= dec <= 90


def _by_row(row: int) -> str:
    return f"{row:08d}.fits"
