"""A browser, and the dashboard in it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dashboard.benchmarks.screenshot import PATIENCE, await_server, browser, free_port, open_page

ROOT = Path(__file__).parents[2]
Serve = Callable[[Path], AbstractContextManager[str]]


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser, or the reason why there is none."""
    pytest.importorskip("playwright", reason="playwright is not installed: pip install -e .[test]")
    from playwright.sync_api import Error

    opened = browser()
    try:
        window = opened.__enter__()
    except Error as error:
        pytest.skip(f"no Chromium: apt-get install chromium ({str(error).splitlines()[0]})")
    yield window
    opened.__exit__(None, None, None)


@pytest.fixture(scope="session")
def fork_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator["subprocess.Popen[str]"]:
    """A process that forks servers which have imported everything already.

    They know of no SAMP hub, so that none of this machine is disturbed, and of a stand-in of
    Aladin Lite.
    """
    command = [sys.executable, "-m", "tests.browser.fork_server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    nowhere = tmp_path_factory.mktemp("samp") / "none"
    aladin = str(Path(__file__).with_name("aladin_stand_in.js"))
    env = {
        **os.environ,
        "SAMP_HUB": f"std-lockurl:{nowhere.as_uri()}",
        "PCVAE_ALADIN": aladin,
    }
    with subprocess.Popen(command, cwd=ROOT, env=env, text=True, bufsize=1, **pipes) as process:
        yield process


@pytest.fixture
def serve(fork_server: "subprocess.Popen[str]") -> Serve:
    """Serve a store, as ``screenshot.served`` does, but sooner."""

    @contextmanager
    def served(store: Path) -> Iterator[str]:
        port = free_port()
        fork_server.stdin.write(f"{port} {store}\n")
        pid = int(fork_server.stdout.readline())
        try:
            await_server(port, lambda: is_alive(pid))
            yield f"http://127.0.0.1:{port}/app"
        finally:
            os.kill(pid, signal.SIGTERM)

    return served


@pytest.fixture
def elsewhere() -> str:
    """What addresses begin with that a test asks for beside its server's; it may be missing."""
    return "nowhere:"


@pytest.fixture
def page(chromium: Any, serve: Serve, folder: Path, elsewhere: str) -> Iterator[Any]:
    """The dashboard in the browser; what it asks of the network and complains of is checked."""
    from playwright.sync_api import expect

    asked, complaints = [], []

    def hear(said: Any) -> None:
        if said.type == "error" and not said.location["url"].startswith(elsewhere):
            complaints.append(said.text)

    with serve(folder) as url:
        home = url.rsplit("/", 1)[0]
        window = chromium.new_page(viewport={"width": 1280, "height": 800})
        window.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        window.on("request", lambda request: asked.append(request.url))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.on("console", hear)
        open_page(window, url)
        yield window
        for context in chromium.contexts:
            context.close()
    here = (home, home.replace("http", "ws"), "data:", "blob:", "about:", elsewhere)
    assert [url for url in asked if not url.startswith(here)] == []
    assert complaints == []
