"""How a server is run: its health, the headers of its pages, signing in, and an orderly end."""

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from tempfile import TemporaryFile

import pytest

from dashboard.benchmarks.screenshot import PATIENCE, SETTLED, await_server, free_port
from pcvae.journal import Journal, journal_path
from tests.browser.conftest import ROOT

pytestmark = pytest.mark.ui
ENDS = 20  # seconds that an orderly end takes at most


def answer(url):
    """The status, the headers and the text of an answer."""
    with urllib.request.urlopen(url, timeout=60) as found:
        return found.status, found.headers, found.read().decode()


def test_a_server_says_how_it_is_and_its_pages_work_under_their_headers(page):
    url = page.url.partition("?")[0]
    status, headers, text = answer(f"{url.rsplit('/', 1)[0]}/health")
    assert (status, json.loads(text)["status"]) == (200, "ok")
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = answer(url)[1]["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    page.reload()  # the first page precedes the headers
    page.wait_for_function(SETTLED)
    page.get_by_role("tab", name="Decode").click()
    page.get_by_role("button", name="Model", exact=True).click()
    page.get_by_text("How well rare galaxies are told apart").wait_for()


@contextmanager
def signed_in_only(folder, passwords):
    """A server of its own that asks for a name and a password; yields it and its address."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", "dashboard/app.py", f"--port={port}"]
    command += [f"--basic-auth={passwords}", "--basic-login-template=dashboard/shell/login.html"]
    command += ["--cookie-secret=of the test", "--args", str(folder)]
    with TemporaryFile("w+") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            await_server(port, lambda: server.poll() is None)
            yield server, f"http://localhost:{port}/app"
            log.seek(0)
            assert "Traceback" not in log.read()
        finally:
            server.kill()
            server.wait()


def test_one_signs_in_and_labels_are_on_disk_when_the_server_is_told_to_end(
    chromium, folder, tmp_path
):
    (tmp_path / "people.json").write_text('{"ana": "hush"}')
    with signed_in_only(folder, tmp_path / "people.json") as (server, address):
        window = chromium.new_page(viewport={"width": 1280, "height": 800})
        window.set_default_timeout(PATIENCE)
        window.add_init_script("localStorage.setItem('pcvae-tour', 'seen')")
        asked = []
        window.on("request", lambda request: asked.append(request.url))
        window.goto(address)
        window.get_by_label("Name").fill("ana")
        for password in ("wrong", "hush"):
            window.get_by_label("Password").fill(password)
            window.get_by_role("button", name="Sign in").click()
            if password == "wrong":
                window.get_by_role("alert").filter(has_text="assword").wait_for()
                window.get_by_label("Name").fill("ana")
        window.locator(".bk-Figure").first.wait_for()
        window.wait_for_function(SETTLED)
        home = address.rsplit("/", 1)[0]
        assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
        window.keyboard.press("c")
        window.get_by_text("candidate").first.wait_for()
        server.terminate()
        assert server.wait(ENDS) == 0
        window.close()
    journal = Journal(journal_path(folder))
    assert [(event.label, event.user) for event in journal.events()] == [("candidate", "ana")]
    journal.close()
