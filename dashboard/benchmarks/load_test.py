"""Load test: memory after batches of visitors have left, response times among many.

    python -m dashboard.benchmarks.load_test data/stores/demo --visitors 20 --batches 3

Needs the extra ``test`` and a Chromium, as ``dashboard.benchmarks.screenshot`` does.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from dashboard.benchmarks.screenshot import browser, open_page, served
from pcvae.script import run
from pcvae.store import read_store

__all__ = ["crowd", "main"]

LIFETIME = 2.0  # seconds that a session outlives its visitor
OPTIONS = ("--unused-session-lifetime", "2000", "--check-unused-sessions", "500")
GONE = 120.0  # seconds in which all sessions have to expire
PICKS = 3  # galaxies that each visitor looks at


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by train.encode")
    add("--visitors", type=int, default=20, help="how many are there at once")
    add("--batches", type=int, default=3, help="how many times they come and go")
    add("--json", type=Path, help="file to write the figures to")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return the figures."""
    args = parse_args(argv)
    read_store(args.store)  # says what is wrong with it, if anything is
    result = crowd(args.store, args.visitors, args.batches)
    for number, megabytes in enumerate(result["megabytes"]):
        print(
            f"after batch {number}: {megabytes:.0f} MB"
            if number
            else f"before: {megabytes:.0f} MB"
        )
    print(f"grew by {result['growth']:.1f} MB from the last batch but one to the last")
    print(
        f"a click on a neighbour with {args.visitors} open: median {result['click_ms']:.0f} ms, "
        f"95th percentile {result['click_ms_95']:.0f} ms, to the new card in the browser"
    )
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))
    return result


def crowd(store: Path, visitors: int, batches: int) -> dict[str, Any]:
    """Run batches of visitors; returns megabytes after each batch, milliseconds of each click."""
    with served(store, *OPTIONS) as url, browser() as chromium:
        server = _Server(url)
        _batch(chromium, url, 1)
        megabytes, clicks = [server.settled()], []
        for _ in range(batches):
            clicks += _batch(chromium, url, visitors)
            megabytes.append(server.settled())
    return {
        "visitors": visitors,
        "megabytes": megabytes,
        "growth": megabytes[-1] - megabytes[-2],
        "click_ms": float(np.median(clicks)),
        "click_ms_95": float(np.quantile(clicks, 0.95)),
    }


def _batch(chromium: Any, url: str, visitors: int) -> list[float]:
    """Open that many pages, click through each while all are open, close them."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    pages = [context.new_page() for _ in range(visitors)]
    for page in pages:
        open_page(page, url)
    times = [_click(page) for page in pages for _ in range(PICKS)]
    context.close()
    return times


def _click(page: Any) -> float:
    """Milliseconds from a click on a neighbour until its card shows."""
    button = page.locator(".stamp:not(.picked) > button").first
    begun = time.perf_counter()
    wanted = button.evaluate("button => { button.click(); return button.title }")
    page.locator(".facts h2", has_text=wanted).wait_for()
    return (time.perf_counter() - begun) * 1000


class _Server:
    """The process behind an address: its memory once its visitors are forgotten."""

    def __init__(self, url: str) -> None:
        import psutil

        port = urlsplit(url).port
        here = psutil.Process()
        self.process = next(
            process
            for process in here.children(recursive=True)
            if any(place.laddr.port == port for place in process.net_connections("tcp"))
        )

    def settled(self) -> float:
        """Resident megabytes, when they have stopped falling."""
        time.sleep(2 * LIFETIME)
        end, last, steady = time.monotonic() + GONE, float("inf"), 0
        while steady < 3 and time.monotonic() < end:
            time.sleep(1)
            now = self.process.memory_info().rss / 1e6
            steady = steady + 1 if abs(now - last) < 1 else 0
            last = now
        return last


if __name__ == "__main__":
    run(main)
