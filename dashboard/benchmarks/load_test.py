"""Load test: many visitors of one server, and what one of them who uses a real browser waits for.

    python -m dashboard.benchmarks.load_test --visitors 50 --minutes 3

A synthetic store is served. One visitor is there in Chromium and picks galaxies on the map, while
the others, who need no browser, arrive, stay (each pans, taps, lassos and labels every 10 s) and
leave. Needs the extra ``test`` and a Chromium, as ``dashboard.benchmarks.screenshot`` does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from dashboard.benchmarks.screenshot import browser, open_page, served
from dashboard.benchmarks.visitor import ACTS
from pcvae.errors import PcvaeError, SettingsError
from pcvae.journal import Journal, journal_path
from pcvae.script import run

__all__ = ["crowd", "main"]

LIFETIME = 2.0  # seconds that a session outlives its visitor
OPTIONS = ("--warm", "--unused-session-lifetime", "2000", "--check-unused-sessions", "500")
GONE = 120.0  # seconds in which all sessions have to expire
VIEW = {"width": 1280, "height": 800}
CARD = ".facts h2"
WHEN = {"alone": "alone", "arriving": "while they come", "there": "with all of them there"}
PATIENCE = 300_000  # ms that a tap may take


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--galaxies", type=int, default=100_000, help="galaxies of the store")
    add("--folder", type=Path, help="keep the store there, or use the one that is there")
    add("--visitors", type=int, default=50, help="how many come")
    add("--arriving", type=float, default=10.0, help="seconds within which they come")
    add("--minutes", type=float, default=3.0, help="how long they stay")
    add("--processes", type=int, default=1, help="of the server, behind one port")
    add("--batches", type=int, default=1, help="how many times they come and go")
    add("--json", type=Path, help="file to write the figures to")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and return the figures."""
    from dashboard.benchmarks.synthetic_store import make_store

    args = parse_args(argv)
    if args.visitors < 1:
        msg = f"expected --visitors of at least 1, found {args.visitors}"
        raise SettingsError(msg)
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch) / "store"
        make_store(folder, args.galaxies)
        stay = 60 * args.minutes
        options = (*OPTIONS, "--num-procs", str(args.processes))
        result = crowd(folder, args.visitors, args.arriving, stay, args.batches, options)
    for line in _report(result):
        print(line, flush=True)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))
    return result


def crowd(
    store: Path,
    visitors: int,
    arriving: float,
    seconds: float,
    batches: int = 1,
    options: Sequence[str] = OPTIONS,
) -> dict[str, Any]:
    """Run batches of visitors.

    Args:
        store: Its folder; its journal gets their labels.
        visitors: How many come at once.
        arriving: Within how many seconds.
        seconds: How long they stay.
        batches: How many times.
        options: Of ``panel serve``.

    Returns:
        What each batch did and how long the visitor in Chromium waited [s], how many labels were
        given, how many of them the journal lacks, and the server's memory before and after
        each batch [MB].
    """
    with served(store, *options) as url, browser() as chromium:
        server = _Server(url)
        _leave(chromium, url)
        megabytes, found = [server.settled()], []
        for _ in range(batches):
            context = chromium.new_context(viewport=VIEW)
            found.append(_batch(context.new_page(), server, url, visitors, arriving, seconds))
            context.close()
            megabytes.append(server.settled())
    return {
        "visitors": visitors,
        "batches": found,
        "labels": sum(len(batch["labels"]) for batch in found),
        "lost": len({label for batch in found for label in batch["labels"]} - _journal(store)),
        "megabytes": megabytes,
    }


def _leave(chromium: Any, url: str) -> None:
    """One visitor who comes and goes, so that all that is made once has been made."""
    context = chromium.new_context(viewport=VIEW)
    page = context.new_page()
    open_page(page, url)
    next(_taps(page))
    context.close()


def _batch(
    page: Any, server: "_Server", url: str, visitors: int, arriving: float, seconds: float
) -> dict[str, Any]:
    open_page(page, url)
    taps = _taps(page)
    alone = [next(taps)[1] for _ in range(5)]
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "visits.json"
        command = [sys.executable, "-m", "dashboard.benchmarks.visitor", url, str(out)]
        command += ["--visitors", str(visitors), "--arriving", str(arriving)]
        begun, used = time.time(), server.processor()
        clients = subprocess.Popen([*command, "--seconds", str(seconds)])
        waited = []
        while clients.poll() is None:
            waited.append(next(taps))
        if clients.returncode:
            msg = f"the visitors ended with status {clients.returncode}"
            raise PcvaeError(msg)
        passed, served_for = time.time() - begun, server.processor() - used
        visits = json.loads(out.read_text())
    opened = max(at + took for kind, at, took, _ in visits["acts"] if kind == "open")
    return {
        "alone": alone,
        "arriving": [took for at, took in waited if at < opened],
        "there": [took for at, took in waited if at >= opened],
        "opened": opened - begun,
        "acts": visits["acts"],
        "labels": visits["labels"],
        "share": {"clients": visits["processor"] / passed, "server": served_for / passed},
    }


def _taps(page: Any) -> Iterator[tuple[float, float]]:
    """Pick galaxies on the map, one a second: when [s since 1970], and how long the card took."""
    box = page.locator(".bk-Figure").first.bounding_box()
    for turn in count():
        shift = (turn % 7 - 3) * 0.04
        across, up = box["width"] * (0.5 + shift), box["height"] * (0.5 - shift)
        before, at, begun = page.locator(CARD).inner_text(), time.time(), time.perf_counter()
        page.mouse.click(box["x"] + across, box["y"] + up)
        page.locator(CARD).filter(has_not_text=before).wait_for(timeout=PATIENCE)
        yield at, time.perf_counter() - begun
        time.sleep(1.0)


def _report(result: dict[str, Any]) -> Iterator[str]:
    """The lines that are printed."""
    for batch in result["batches"]:
        acts = batch["acts"]
        yield f"{result['visitors']} visitors, all there after {batch['opened']:.0f} s"
        for kind in ("open", *ACTS):
            took = [seconds for name, _, seconds, _ in acts if name == kind]
            yield f"{kind:>8} {_spread(took)}"
        for name, words in WHEN.items():
            yield f"a tap in Chromium, {words}: {_spread(batch[name])}"
        share = batch["share"]
        yield f"processor: server {share['server']:.0%}, visitors {share['clients']:.0%} of a core"
        for error in sorted({error for *_, error in acts if error}):
            yield f"failed {sum(error == act[3] for act in acts)} times: {error}"
    yield f"labels {result['labels']}, of which the journal does not have {result['lost']}"
    megabytes = ", ".join(f"{size:.0f}" for size in result["megabytes"])
    yield f"memory before, and after each batch: {megabytes} MB"


def _spread(seconds: Sequence[float]) -> str:
    if not len(seconds):
        return "none"
    median, high = np.quantile(seconds, (0.5, 0.95))
    return (
        f"{len(seconds)} times, median {median:.2f} s, 95th percentile {high:.2f} s, "
        f"longest {max(seconds):.2f} s"
    )


def _journal(store: Path) -> set[str]:
    """All labels that were ever given."""
    journal = Journal(journal_path(store))
    try:
        return {event.label for event in journal.events()}
    finally:
        journal.close()


class _Server:
    """The processes behind an address: their processor time, and memory without visitors."""

    def __init__(self, url: str) -> None:
        import psutil

        port = urlsplit(url).port
        here = psutil.Process()
        self.processes = [
            process
            for process in here.children(recursive=True)
            if any(place.laddr.port == port for place in process.net_connections("tcp"))
        ]

    def processor(self) -> float:
        """Seconds of the processor that it has used."""
        used = [process.cpu_times() for process in self.processes]
        return float(sum(times.user + times.system for times in used))

    def settled(self) -> float:
        """Resident megabytes, when they have stopped falling."""
        time.sleep(2 * LIFETIME)
        end, last, steady = time.monotonic() + GONE, float("inf"), 0
        while steady < 3 and time.monotonic() < end:
            time.sleep(1)
            now = sum(process.memory_info().rss for process in self.processes) / 1e6
            steady = steady + 1 if abs(now - last) < 1 else 0
            last = now
        return float(last)


if __name__ == "__main__":
    run(main)
