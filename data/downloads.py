"""A catalogue's cutouts on their way from the service to disk, several at once."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.fetch import Client, RefusedError, UnansweredError
from data.legacy import Wanted, check_answer, cutout_url, read_served
from data.parts import Part, cut_part, measure_part
from data.picture import LeftOutError, Picture
from pcvae.cutouts import SampleInfo, SampleWriter

__all__ = ["Downloads", "Fetched", "look_at"]

AHEAD = 8  # parts that may be on disk before they are looked at
GIVE_UP = 16  # galaxies in a row without an answer: the service is down, or we are offline


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
        self, client: Client, base_url: str, wanted: Wanted, folder: Path, cache: Path | None
    ) -> None:
        self._client, self._url, self._wanted = client, cutout_url(base_url), wanted
        self._folder, self._cache = folder, cache
        self._lock, self._unanswered = threading.Lock(), 0

    def parts(
        self,
        writer: SampleWriter,
        candidates: pd.DataFrame,
        at_once: int,
        progress: Callable[[], object],
    ) -> Iterator[Fetched]:
        """Fetch the missing parts, a few ahead of the one that is asked for.

        Args:
            writer: Says which parts are missing.
            candidates: A row a galaxy: ``ra``, ``dec`` [deg].
            at_once: How many requests are under way at a time.
            progress: Called after each galaxy.

        Raises:
            UnansweredError: The service does not answer at all.
        """
        rows = candidates[["ra", "dec"]].to_numpy(np.float64)
        missing = writer.missing()
        patience = min(GIVE_UP, sum(len(writer.part_rows(number)) for number in missing))

        def fetch(row: int) -> Path | LeftOutError:
            found = self._fetch(row, *rows[row], patience)
            progress()
            return found

        pool = ThreadPoolExecutor(at_once, thread_name_prefix="fetch")
        asked: deque[tuple[int, list[Future[Path | LeftOutError]]]] = deque()
        try:
            for number in missing:
                asked.append((number, [pool.submit(fetch, r) for r in writer.part_rows(number)]))
                if len(asked) > AHEAD:
                    yield _gather(asked.popleft(), writer, candidates)
            while asked:
                yield _gather(asked.popleft(), writer, candidates)
        except BaseException:
            self._client.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def forget(self, rows: range) -> None:
        """Remove the files of rows that are in the sample now."""
        for row in rows:
            (self._folder / _by_row(row)).unlink(missing_ok=True)

    def _fetch(self, row: int, ra: float, dec: float, patience: int) -> Path | LeftOutError:
        if not (0 <= ra <= 360 and -90 <= dec <= 90):
            return LeftOutError("no position", f"RA {ra} Dec {dec}")
        path = self._path(row, ra, dec)
        if path.exists():
            return path
        try:
            content = self._client.ask(self._url, check_answer, query=self._wanted.query(ra, dec))
        except RefusedError as error:
            return LeftOutError("refused by the service", str(error))
        except UnansweredError as error:
            with self._lock:
                self._unanswered += 1
                if self._unanswered >= patience:
                    msg = f"{error}. {self._unanswered} galaxies in a row got none: "
                    raise UnansweredError(msg + "the same command goes on later") from error
            return LeftOutError("no usable answer", str(error))
        with self._lock:
            self._unanswered = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        begun = path.with_name(f"{path.name}.{row}.new")
        begun.write_bytes(content)
        return begun.replace(path)

    def _path(self, row: int, ra: float, dec: float) -> Path:
        if self._cache is None:
            return self._folder / _by_row(row)
        wanted = self._wanted
        kind = f"{wanted.layer}_{''.join(wanted.bands)}_{wanted.size}_{wanted.pixel_scale:g}"
        return self._cache / kind / f"{int(ra):03d}" / f"{ra:010.6f}{dec:+010.6f}.fits"


def look_at(fetched: Fetched, wanted: Wanted, info: SampleInfo) -> Part:
    """Read, check, cut and measure the files of a part."""
    positions = fetched.candidates[["ra", "dec"]].to_numpy(np.float64)
    pictures = (
        _read(file, wanted, *position)
        for file, position in zip(fetched.files, positions, strict=True)
    )
    part = cut_part(fetched.number, fetched.candidates, pictures, info)
    return measure_part(part, info.bands, info.unit)


def _read(
    file: Path | LeftOutError, wanted: Wanted, ra: float, dec: float
) -> Picture | LeftOutError:
    if isinstance(file, LeftOutError):
        return file
    try:
        return read_served(file, wanted, ra, dec)
    except LeftOutError as error:
        return error


def _gather(
    asked: tuple[int, list["Future[Path | LeftOutError]"]],
    writer: SampleWriter,
    candidates: pd.DataFrame,
) -> Fetched:
    number, futures = asked
    rows = writer.part_rows(number)
    files = [future.result() for future in futures]
    return Fetched(number, candidates.iloc[rows.start : rows.stop], files)


def _by_row(row: int) -> str:
    return f"{row:08d}.fits"
