"""Polite HTTP: few requests at once, patience with a busy server, and answers that are checked."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pcvae import __version__
from pcvae.errors import PcvaeError

if TYPE_CHECKING:
    import requests

__all__ = [
    "Client",
    "FetchError",
    "InvalidResponseError",
    "NoResponseError",
    "RateLimitedError",
    "RefusedError",
    "RetryPolicy",
    "StoppedError",
]

AGAIN = (408, 425, 429, 500, 502, 503, 504)  # what may be different a little later
LONGEST_PAUSE = 900.0  # s; a server that wants more is left alone
MOST_BACK_OFF = 60.0  # s
CONNECT = 10.0  # s
PATIENCE = 10  # an answer that drips may take this many timeouts as a whole
CHUNK = 1 << 16


class FetchError(PcvaeError):
    """Something could not be had from a server."""


class RefusedError(FetchError):
    """The server says no, and would say so again."""


class NoResponseError(FetchError):
    """No usable answer came, however often it was asked for."""


class RateLimitedError(FetchError):
    """The server asks to be left alone for longer than anyone waits."""


class StoppedError(FetchError):
    """The client was closed while it waited."""


class InvalidResponseError(Exception):
    """An answer is not what was asked for, but may be the next time."""


class _TryAgainError(Exception):
    """This try failed; ``pause`` is what the server asks for [s], ``busy`` if it is too much."""

    def __init__(self, trouble: str, pause: float | None = None, *, busy: bool = False) -> None:
        super().__init__(trouble)
        self.pause, self.busy = pause, busy


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a server is asked.

    Args:
        timeout: Seconds without a byte after which a try has failed.
        tries: How often the same is asked for.
        back_off: Seconds before the second try; each further pause is twice as long.
        contact: An address where the server's keepers reach the user; sent with each request.
        connect: Seconds that a connection may take.
    """

    timeout: float = 30.0
    tries: int = 6
    back_off: float = 1.0
    contact: str = ""
    connect: float = CONNECT


class Client:
    """Asks servers politely, from any number of threads.

    A server's ``Retry-After`` is honoured, and one that says that it is asked too often is left
    alone by all threads for that while, or given up if that is long. Other failures are tried
    again after pauses that double.

    Args:
        retry_policy: How servers are asked.
    """

    def __init__(self, retry_policy: RetryPolicy | None = None) -> None:
        self.retry_policy = retry_policy or RetryPolicy()
        self._mine = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._not_before = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End pauses and connections; whoever still asks gets ``StoppedError``."""
        self._stop.set()
        with self._lock:
            for session in self._sessions:
                session.close()

    def ask(
        self,
        url: str,
        check: Callable[[bytes], None] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The answer to a request.

        Args:
            url: Where to ask; redirects are followed.
            check: Raises ``InvalidResponseError`` for an answer that is to be asked for again.
            query: What goes into the address.
            form: What is posted; None makes it a GET.

        Raises:
            RefusedError: The server refuses, with a status of 400 to 499.
            UnansweredError: All tries failed.
            LeftAloneError: The server wants no requests for a long while.
        """

        def read(answer: "requests.Response") -> bytes:
            content = b"".join(_chunks(answer, PATIENCE * self.retry_policy.timeout))
            if check is not None:
                check(content)
            return content

        options = {"params": query} if form is None else {"params": query, "data": form}
        return self._tried(url, read, "GET" if form is None else "POST", options)

    def download(self, url: str, path: Path) -> Path:
        """Put a large file on disk; it is there whole or not at all."""

        def read(answer: "requests.Response") -> Path:
            begun = path.with_name(path.name + ".new")
            with begun.open("wb") as file:
                for chunk in _chunks(answer, None):
                    file.write(chunk)
            return begun.replace(path)

        path.parent.mkdir(parents=True, exist_ok=True)
        return self._tried(url, read, "GET", {})

    def _tried(
        self,
        url: str,
        read: Callable[["requests.Response"], Any],
        method: str,
        options: Mapping[str, Any],
    ) -> Any:
        trouble = ""
        for attempt in range(self.retry_policy.tries):
            self._wait_for_gate(url)
            try:
                return self._once(url, read, method, options)
            except _TryAgainError as error:
                trouble = str(error)
                self._pause(error, attempt, url)
        tries = f"{self.retry_policy.tries} tries" if self.retry_policy.tries > 1 else "one try"
        msg = f"no usable answer from {_host(url)} after {tries}: {trouble}"
        raise NoResponseError(msg)

    def _once(
        self,
        url: str,
        read: Callable[["requests.Response"], Any],
        method: str,
        options: Mapping[str, Any],
    ) -> Any:
        import requests

        timeout = (
            min(self.retry_policy.connect, self.retry_policy.timeout),
            self.retry_policy.timeout,
        )
        try:
            with self._session().request(
                method, url, stream=True, timeout=timeout, **options
            ) as answer:
                _check_status(answer)
                return read(answer)
        except InvalidResponseError as error:
            raise _TryAgainError(str(error)) from error
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ) as error:
            raise _TryAgainError(_reason(error)) from error
        except requests.RequestException as error:
            msg = f"{url} cannot be asked: {error}"
            raise RefusedError(msg) from error

    def _pause(self, error: _TryAgainError, attempt: int, url: str) -> None:
        """Wait as the server wishes, or ever longer; keep all away from one that is busy."""
        if error.pause is None and attempt + 1 == self.retry_policy.tries:
            return
        pause = min(self.retry_policy.back_off * 2**attempt, MOST_BACK_OFF) * random.uniform(
            0.75, 1.25
        )
        if error.pause is not None:
            pause = error.pause
        if error.busy or error.pause is not None:
            with self._lock:
                self._not_before = max(self._not_before, time.monotonic() + pause)
            self._check_gate(url)
        elif self._stop.wait(pause):
            raise StoppedError("stopped while waiting")

    def _wait_for_gate(self, url: str) -> None:
        while (left := self._check_gate(url)) > 0:
            if self._stop.wait(left):
                break
        if self._stop.is_set():
            raise StoppedError("stopped while waiting")

    def _check_gate(self, url: str) -> float:
        """Seconds for which the server is to be left alone, if that is not too long to wait."""
        left = self._not_before - time.monotonic()
        if left > LONGEST_PAUSE:
            msg = f"{_host(url)} asks not to be asked for {left / 60:.0f} minutes"
            raise RateLimitedError(f"{msg}. The same command goes on then")
        return left

    def _session(self) -> "requests.Session":
        import requests

        if not hasattr(self._mine, "session"):
            session = requests.Session()
            session.headers["User-Agent"] = _user_agent(self.retry_policy.contact)
            self._mine.session = session
            with self._lock:
                self._sessions.append(session)
        return self._mine.session


def _check_status(answer: "requests.Response") -> None:
    status = answer.status_code
    if status in AGAIN or status >= 500:
        pause = _retry_after(answer.headers.get("Retry-After"))
        raise _TryAgainError(f"HTTP {status} {answer.reason}", pause, busy=status in (429, 503))
    if status >= 400:
        msg = f"HTTP {status} {answer.reason} from {answer.url}"
        raise RefusedError(msg)


def _retry_after(text: str | None) -> float | None:
    """Seconds from a number of them or a date; None if neither."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    when = when.replace(tzinfo=when.tzinfo or UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)


def _chunks(answer: "requests.Response", seconds: float | None) -> Iterator[bytes]:
    begun = time.monotonic()
    for chunk in answer.iter_content(CHUNK):
        yield chunk
        if seconds is not None and time.monotonic() - begun > seconds:
            msg = f"the answer was not complete after {seconds:.0f} s"
            raise InvalidResponseError(msg)


def _user_agent(contact: str) -> str:
    return f"pcvae/{__version__} (galaxy images for research{contact and f'; {contact}'})"


def _host(url: str) -> str:
    return url.split("?", maxsplit=1)[0]


def _reason(error: Exception) -> str:
    """What went wrong, without the inner workings of the library that says so."""
    import requests

    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer was cut off"
    alone = ("NewConnectionError", "NameResolutionError", "ProxyError")
    return "no connection" if any(one in str(error) for one in alone) else "the connection broke"
