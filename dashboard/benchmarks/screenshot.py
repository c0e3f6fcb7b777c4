"""Take a picture of a page of the dashboard.

    python -m dashboard.benchmarks.screenshot data/stores/demo neighbours out.png

Needs the extra ``test`` and a Chromium (``apt-get install chromium``, or
``playwright install chromium``).
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pcvae.errors import PcvaeError, SettingsError
from pcvae.script import run

__all__ = ["await_server", "browser", "free_port", "main", "open_page", "served"]

APP = Path(__file__).parents[1] / "app.py"
MODEL = "model"  # the page that is no tab
PATIENCE = 120_000  # ms; a busy machine takes its time
STARTING = 60.0  # seconds; importing takes a few
SETTLED = """() => window.Bokeh && Bokeh.documents.length > 0
  && Bokeh.documents.every(document => document.is_idle)"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("store", type=Path, help="folder made by train.encode")
    add("page", help="the key of the tab below the maps (neighbours, queue, ...), or model")
    add("out", type=Path, help="PNG to write")
    add("--size", default="1280x800", help="width and height of the window in pixels")
    add("--light", action="store_true", help="dark on light")
    add("--scale", type=float, default=1.0, help="pixels of the picture a pixel of the page")
    add("--query", default="", help="what else is chosen, such as model=vanilla&colour=population")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Path:
    """Serve the store, take the picture, and return its path."""
    args = parse_args(argv)
    shown = {"page": MODEL} if args.page == MODEL else {"tab": _tab(args.page)}
    query = urlencode(shown | {"theme": "light" if args.light else "dark"})
    width, height = (int(side) for side in args.size.split("x"))
    view = {"viewport": {"width": width, "height": height}, "device_scale_factor": args.scale}
    with served(args.store) as url, browser() as chromium:
        page = chromium.new_page(**view)
        open_page(page, f"{url}?{query}&{args.query}".rstrip("&"))
        args.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.out)
    print(args.out)
    return args.out


def _tab(key: str) -> str:
    """The key of a tab.

    Raises:
        SettingsError: There is no such tab.
    """
    from dashboard.app import RENAMED_TABS, TABS

    key, keys = RENAMED_TABS.get(key, key), [tab.key for tab in TABS]
    if key not in keys:
        msg = f"expected a page of {', '.join((*keys, MODEL))}; found {key}"
        raise SettingsError(msg)
    return key


@contextmanager
def served(store: Path, *options: str) -> Iterator[str]:
    """Serve a store on a free port of this machine; yields the address.

    Args:
        store: Its folder.
        options: Further options of ``panel serve``.
    """
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", str(APP), "--address", "127.0.0.1"]
    command += ["--port", str(port), *options, "--args", str(store)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=APP.parents[1])
        try:
            try:
                await_server(port, lambda: process.poll() is None)
            except PcvaeError as error:
                log.seek(0)
                msg = f"{error}: {log.read()[-2000:]}"
                raise PcvaeError(msg) from None
            yield f"http://127.0.0.1:{port}/app"
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window, the system's if it has one."""
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        try:
            yield chromium
        finally:
            chromium.close()


def open_page(page: Any, url: str) -> None:
    """Go to the address, not for the first time, and wait until all of it is there."""
    page.add_init_script("localStorage.setItem('pcvae-tour', 'seen')")
    page.goto(url, timeout=PATIENCE)
    page.wait_for_selector(".bk-Figure, .page", timeout=PATIENCE)
    page.wait_for_function(SETTLED)
    page.wait_for_function("() => !document.querySelector('.pn-busy')")
    waiting = page.locator(".shimmer")
    waiting.first.wait_for(state="detached", timeout=PATIENCE)
    page.wait_for_function(SETTLED)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def await_server(port: int, is_alive: Callable[[], bool]) -> None:
    """Wait until a server listens on a port of this machine.

    Raises:
        PcvaeError: It has ended, or does not listen within ``STARTING`` seconds.
    """
    end = time.monotonic() + STARTING
    while time.monotonic() < end and is_alive():
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    msg = f"expected a server on port {port}, but it did not start"
    raise PcvaeError(msg)


if __name__ == "__main__":
    run(main)
