"""A catalogue's cutouts on their way from the service to disk, several at once."""

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
from data.readers.raw_image import LeftOutError, Picture
from data.services.http_client import Client, NoResponseError, RefusedError
from data.services.legacy_surveys import CutoutRequest, check_answer, cutout_url, read_served
from pcvae.cutouts import SampleInfo, SampleWriter

__all__ = ["Downloads", "Fetched", "inspect_headers"]

AHEAD = 8  # parts that may be on disk before they are looked at
GIVE_UP = 16  # galaxies in a row without an answer: the service is down, or we are offline
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
        """Whether a galaxy of it got no answer, which may be different later."""
        return any(isinstance(f, LeftOutError) and f.reason == UNANSWERED for f in self.files)


class Downloads:
    """Cutouts on disk, a file a galaxy, named by row; what is there is not asked for again.

    Args:
        client: Asks the service.
        base_url: Where it is.
        wanted: What is asked for.
        folder: Where files lie until their part of the sample is written.
        cache: Where files stay for other samples, named by position; None for nowhere.
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
        self._lock, self._unanswered, self._patience = threading.Lock(), 0, GIVE_UP
        self._witness = (np.nan, np.nan)

    def parts(
        self,
        writer: SampleWriter,
        candidates: pd.DataFrame,
        at_once: int,
        progress: Callable[[], object],
    ) -> Iterator[Fetched]:
        """Fetch the missing parts, a few ahead of the one that is asked for.

        Parts with galaxies that get no answer come last, when these have been asked for once more;
        until then they stay on disk, so that an outage costs no galaxy.

        Args:
            writer: Says which parts are missing.
            candidates: A row a galaxy: ``ra``, ``dec`` [deg].
            at_once: How many requests are under way at a time.
            progress: Called after each galaxy.

        Raises:
            UnansweredError: The service does not answer at all.
            LeftAloneError: It wants no requests for a long while.
        """
        rows = candidates[["ra", "dec"]].to_numpy(np.float64)
        missing = writer.missing()
        to_do = [row for number in missing for row in writer.part_rows(number)]
        self._patience = max(GIVE_UP, 2 * at_once)
        self._witness = _witness(rows, to_do)

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
                    self._check_service()
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
                self._count_unanswered(error)
                return LeftOutError(UNANSWERED, str(error))
            path.parent.mkdir(parents=True, exist_ok=True)
            begun = path.with_name(f"{path.name}.{row}.new")
            begun.write_bytes(content)
            begun.replace(path)
        with self._lock:
            self._unanswered, self._witness = 0, (ra, dec)
        return path

    def _ask(self, ra: float, dec: float) -> bytes:
        return self._client.ask(self._url, check_answer, query=self._wanted.query(ra, dec))

    def _count_unanswered(self, error: NoResponseError) -> None:
        with self._lock:
            self._unanswered += 1
            if self._unanswered >= self._patience:
                msg = f"{error}. {self._unanswered} galaxies in a row got none: "
                raise NoResponseError(msg + "the same command goes on later") from error

    def _check_service(self) -> None:
        """Ask for a galaxy that had an answer before: a few without one may be the last of many.

        Raises:
            UnansweredError: It has none now.
        """
        try:
            self._ask(*self._witness)
        except (RefusedError, NoResponseError) as error:
            msg = f"{error}. Nor do others get one: the same command goes on later"
            raise NoResponseError(msg) from error

    def _path(self, row: int, ra: float, dec: float) -> Path:
        if self._cache is None:
            return self._folder / _by_row(row)
        wanted = self._wanted
        kind = f"{wanted.layer}_{''.join(wanted.bands)}_{wanted.size}_{wanted.pixel_scale:g}"
        return self._cache / kind / f"{int(ra):03d}" / f"{ra:010.6f}{dec:+010.6f}.fits"


def inspect_headers(fetched: Fetched, wanted: CutoutRequest, info: SampleInfo) -> Part:
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
) -> Picture | LeftOutError:
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
    """Fetch parts in their order, a few ahead of the one that is asked for."""
    asked: deque[tuple[int, list[Future[Path | LeftOutError]]]] = deque()
    for number in numbers:
        asked.append((number, [pool.submit(fetch, row) for row in writer.part_rows(number)]))
        if len(asked) > AHEAD:
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


def _witness(rows: NDArray[np.float64], to_do: Sequence[int]) -> tuple[float, float]:
    """The place [deg] of a galaxy that was done by an earlier call, else of the last."""
    known = [row for row in range(len(rows)) if _on_sky(*rows[row])]
    done = sorted(set(known) - set(to_do))
    ra, dec = rows[(done or known or [-1])[-1]]
    return float(ra), float(dec)


def _on_sky(ra: float, dec: float) -> bool:
    return 0 <= ra <= 360 and -90 <= dec <= 90


def _by_row(row: int) -> str:
    return f"{row:08d}.fits"
