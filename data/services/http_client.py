"""An HTTP client that retries, honours ``Retry-After`` and checks what it receives."""

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

RETRIED = (408, 425, 429, 500, 502, 503, 504)  # status codes of failures that may pass
MAX_PAUSE = 900.0  # s; a server that asks for more is not asked again
MAX_BACK_OFF = 60.0  # s
CONNECT = 10.0  # s
MAX_TIMEOUTS = 10  # timeouts that a slow response may take as a whole
CHUNK = 1 << 16


class FetchError(PcvaeError):
    """A request has failed."""


class RefusedError(FetchError):
    """The server refuses the request: a status of 400 to 499 that a retry does not change."""


class NoResponseError(FetchError):
    """No try brought a valid response."""


class RateLimitedError(FetchError):
    """The server asks for a pause longer than ``MAX_PAUSE``."""


class StoppedError(FetchError):
    """The client was closed during a pause."""


class InvalidResponseError(Exception):
    """A response that fails its check; the request is tried again."""


class _RetryError(Exception):
    """One try failed; ``pause`` is the server's ``Retry-After`` [s], ``busy`` a 429 or 503."""

    def __init__(self, reason: str, pause: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.pause, self.busy = pause, busy


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How requests are retried.

    Args:
        timeout: Seconds without a byte after which a try has failed.
        tries: Tries of one request at most.
        back_off: Seconds before the second try; each further pause is twice as long.
        contact: The user's address for the operators of the server; sent with each request.
        connect: Seconds that a connection may take.
    """

    timeout: float = 30.0
    tries: int = 6
    back_off: float = 1.0
    contact: str = ""
    connect: float = CONNECT


class _Gate:
    """A pause that all threads of a client keep to, and that its closing ends."""

    def __init__(self) -> None:
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._not_before = 0.0

    def close(self) -> None:
        """Let every pause end with ``StoppedError``, now and from now on."""
        self._closed.set()

    def pause_all(self, seconds: float, url: str) -> None:
        """Keep all threads waiting for this long.

        Raises:
            RateLimitedError: That is longer than ``MAX_PAUSE``.
        """
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)
        self._seconds_left(url)

    def pause(self, seconds: float) -> None:
        """Keep this thread waiting for this long."""
        if self._closed.wait(seconds):
            raise StoppedError("stopped while waiting")

    def wait(self, url: str) -> None:
        """Wait until requests are allowed."""
        while (left := self._seconds_left(url)) > 0:
            if self._closed.wait(left):
                break
        if self._closed.is_set():
            raise StoppedError("stopped while waiting")

    def _seconds_left(self, url: str) -> float:
        left = self._not_before - time.monotonic()
        if left > MAX_PAUSE:
            msg = f"{_host(url)} asks not to be asked for {left / 60:.0f} minutes"
            raise RateLimitedError(f"{msg}. The same command goes on then")
        return left


class _Sessions:
    """A ``requests`` session for each thread, closed together."""

    def __init__(self, user_agent: str) -> None:
        self._user_agent = user_agent
        self._local, self._lock = threading.local(), threading.Lock()
        self._all: list[requests.Session] = []

    def mine(self) -> "requests.Session":
        """The session of this thread."""
        import requests

        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.headers["User-Agent"] = self._user_agent
            self._local.session = session
            with self._lock:
                self._all.append(session)
        return self._local.session

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._all:
                session.close()


class Client:
    """Sends requests from any number of threads.

    A server's ``Retry-After`` is honoured; after a 429 or 503 all threads pause, and the request
    fails if the server asks for a long pause. Other failures are tried again after pauses that
    double.

    Args:
        retry_policy: How requests are retried.
    """

    def __init__(self, retry_policy: RetryPolicy | None = None) -> None:
        self.retry_policy = retry_policy or RetryPolicy()
        self._gate = _Gate()
        self._sessions = _Sessions(_user_agent(self.retry_policy.contact))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End pauses and connections; requests from now on raise ``StoppedError``."""
        self._gate.close()
        self._sessions.close()

    def ask(
        self,
        url: str,
        check: Callable[[bytes], None] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body of the response to a request.

        Args:
            url: The address; redirects are followed.
            check: Raises ``InvalidResponseError`` for a body that is to be asked for again.
            query: Parameters of the address.
            form: Fields of a POST; None makes it a GET.

        Raises:
            RefusedError: The server refuses, with a status of 400 to 499.
            NoResponseError: All tries failed.
            RateLimitedError: The server asks for a long pause.
        """

        def read(answer: "requests.Response") -> bytes:
            content = b"".join(_chunks(answer, MAX_TIMEOUTS * self.retry_policy.timeout))
            if check is not None:
                check(content)
            return content

        options = {"params": query} if form is None else {"params": query, "data": form}
        return self._retry(url, read, "GET" if form is None else "POST", options)

    def download(self, url: str, path: Path) -> Path:
        """Download a large file; it appears under its name when it is complete."""

        def read(answer: "requests.Response") -> Path:
            begun = path.with_name(path.name + ".new")
            with begun.open("wb") as file:
                for chunk in _chunks(answer, None):
                    file.write(chunk)
            return begun.replace(path)

        path.parent.mkdir(parents=True, exist_ok=True)
        return self._retry(url, read, "GET", {})

    def _retry(
        self,
        url: str,
        read: Callable[["requests.Response"], Any],
        method: str,
        options: Mapping[str, Any],
    ) -> Any:
        reason = ""
        for attempt in range(self.retry_policy.tries):
            self._gate.wait(url)
            try:
                session = self._sessions.mine()
                return _send(session, self.retry_policy, method, url, options, read)
            except _RetryError as error:
                reason = str(error)
                self._pause(error, attempt, url)
        tries = f"{self.retry_policy.tries} tries" if self.retry_policy.tries > 1 else "one try"
        msg = f"no usable answer from {_host(url)} after {tries}: {reason}"
        raise NoResponseError(msg)

    def _pause(self, error: _RetryError, attempt: int, url: str) -> None:
        """Wait as the server asks, or ever longer; keep all threads from one that is busy."""
        policy = self.retry_policy
        if error.pause is None and attempt + 1 == policy.tries:
            return
        pause = min(policy.back_off * 2**attempt, MAX_BACK_OFF) * random.uniform(0.75, 1.25)
        if error.pause is not None:
            pause = error.pause
        if error.busy or error.pause is not None:
            self._gate.pause_all(pause, url)
        else:
            self._gate.pause(pause)


def _send(
    session: "requests.Session",
    policy: RetryPolicy,
    method: str,
    url: str,
    options: Mapping[str, Any],
    read: Callable[["requests.Response"], Any],
) -> Any:
    """Send a request once, and read its response.

    Raises:
        RefusedError: A retry would not change the result.
        _RetryError: It may.
    """
    import requests
    import urllib3

    options = {"timeout": (min(policy.connect, policy.timeout), policy.timeout), **options}
    try:
        with session.request(method, url, stream=True, **options) as answer:
            _check_status(answer)
            return read(answer)
    except InvalidResponseError as error:
        raise _RetryError(str(error)) from error
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise _RetryError(_reason(error)) from error
    except requests.RequestException as error:
        msg = f"{url} cannot be asked: {error}"
        raise RefusedError(msg) from error


def _check_status(answer: "requests.Response") -> None:
    status = answer.status_code
    if status in RETRIED or status >= 500:
        pause = _retry_after(answer.headers.get("Retry-After"))
        raise _RetryError(f"HTTP {status} {answer.reason}", pause, busy=status in (429, 503))
    if status >= 400:
        msg = f"HTTP {status} {answer.reason} from {answer.url}"
        raise RefusedError(msg)


def _retry_after(text: str | None) -> float | None:
    """The seconds of a ``Retry-After`` header, a number or a date; None if neither."""
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
    """The body as it arrives: a full chunk is not waited for, so that no slow body outlasts.

    Raises:
        InvalidResponseError: It is not complete after ``seconds``.
    """
    begun = time.monotonic()
    while chunk := answer.raw.read1(CHUNK, decode_content=True):
        yield chunk
        if seconds is not None and time.monotonic() - begun > seconds:
            msg = f"the answer was not complete after {seconds:.0f} s"
            raise InvalidResponseError(msg)


def _user_agent(contact: str) -> str:
    return f"pcvae/{__version__} (galaxy images for research{contact and f'; {contact}'})"


def _host(url: str) -> str:
    return url.split("?", maxsplit=1)[0]


def _reason(error: Exception) -> str:
    """A short reason for an exception of ``requests``."""
    import requests
    from urllib3.exceptions import IncompleteRead, ProtocolError, TimeoutError

    if isinstance(error, requests.Timeout | TimeoutError):
        return "no answer in time"
    if isinstance(error, IncompleteRead | ProtocolError):
        return "the answer was cut off"
    offline = ("NewConnectionError", "NameResolutionError", "ProxyError")
    return (
        "no connection" if any(name in str(error) for name in offline) else "the connection broke"
    )
