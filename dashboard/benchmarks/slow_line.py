"""How soon a first view stands over a slow line, and what it weighs.

    python -m dashboard.benchmarks.slow_line data/stores/demo

The store is served, and a browser opens its page through a line of so many Mbit/s and so long
there and back, as a visitor of another machine: nothing is in its cache. The second figure is of a
server that takes the visitor for one of its own machine, and compresses nothing. Needs the extra
``test`` and a Chromium, as ``dashboard.benchmarks.screenshot`` does.
"""

import argparse
import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from dashboard.benchmarks.screenshot import browser, free_port, open_page, served
from pcvae.script import run

__all__ = ["FirstView", "Line", "main"]

ELSEWHERE = "elsewhere.example"  # a name of the server, so that no visitor sits at its machine
PIECE = 8192  # bytes that are passed on at once


class FirstView(NamedTuple):
    """A first view: seconds until all of the page stands, and what came [MB]."""

    seconds: float
    megabytes: float


class Line:
    """A line to a server of this machine: all connections share its rate.

    Args:
        server: The port of the server.
        port: That of the line, where the server is reached through it.
        rate: In each direction [bytes a second].
        delay: Of each direction [s].
    """

    def __init__(self, server: int, port: int, rate: float, delay: float) -> None:
        self.port, self.received = port, 0
        self._server, self._rate, self._delay = server, rate, delay
        self._free = {"up": 0.0, "down": 0.0}
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None

    @contextmanager
    def open(self) -> Iterator["Line"]:
        """Pass on what comes, in a thread of its own."""
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        thread.start()
        self._ready.wait()
        try:
            yield self
        finally:
            self._stop()
            thread.join()

    async def _serve(self) -> None:
        """Pass on until it is stopped."""
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        self._stop = partial(loop.call_soon_threadsafe, end.set)
        async with await asyncio.start_server(self._connect, "127.0.0.1", self.port):
            self._ready.set()
            await end.wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._server)
        both = self._pass(reader, back, "up"), self._pass(there, writer, "down")
        try:
            with suppress(OSError, asyncio.CancelledError):  # it is closed, or all ends
                await asyncio.gather(*both)
        finally:
            back.close()
            writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        loop = asyncio.get_running_loop()
        while piece := await reader.read(PIECE):
            self.received += len(piece) * (way == "down")
            begin = max(self._free[way], time.monotonic())
            self._free[way] = begin + len(piece) / self._rate
            await asyncio.sleep(self._free[way] - time.monotonic())
            loop.call_later(self._delay, writer.write, piece)
        await asyncio.sleep(self._delay)
        writer.write_eof()


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by train.encode")
    add("--rate", type=float, default=1.6, help="of the line, in each direction [Mbit/s]")
    add("--delay", type=float, default=150.0, help="there and back [ms]")
    add("--times", type=int, default=2, help="how often it is opened; the last one counts")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, FirstView]:
    """Measure, print and return what a first view takes, compressed and not."""
    args = parse_args(argv)
    found = {
        "compressed": _measure(args, compress=True),
        "as it is": _measure(args, compress=False),
    }
    for name, view in found.items():
        print(f"{name}: first view after {view.seconds:.1f} s, {view.megabytes:.2f} MB")
    return found


def _measure(args: argparse.Namespace, *, compress: bool) -> FirstView:
    """The last first view of some, each in a browser window that knows nothing of the others."""
    port = free_port()
    names = [f"127.0.0.1:{port}", *([ELSEWHERE] if compress else [])]
    options = [word for name in names for word in ("--allow-websocket-origin", name)]
    with served(args.store, *options) as url, browser() as chromium:
        line = Line(urlsplit(url).port or 0, port, args.rate * 1e6 / 8, args.delay / 2000)
        with line.open():
            for _ in range(args.times):
                window, line.received = chromium.new_page(), 0
                begun = time.perf_counter()
                open_page(window, f"http://127.0.0.1:{port}/app")
                view = FirstView(time.perf_counter() - begun, line.received / 1e6)
                window.close()
    return view


if __name__ == "__main__":
    run(main)
