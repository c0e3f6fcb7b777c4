"""A server that is killed and started again under a real browser."""

import os
import re
import signal

import pytest

from dashboard.benchmarks.screenshot import await_server, free_port, open_page
from pcvae.journal import Journal, journal_path
from tests.browser.conftest import is_alive

pytestmark = pytest.mark.ui


@pytest.fixture
def start(fork_server):
    """Start a server of a store on a port; returns its process id."""
    started = []

    def begin(port, store):
        fork_server.stdin.write(f"{port} {store}\n")
        started.append(int(fork_server.stdout.readline()))
        await_server(port, lambda: is_alive(started[-1]))
        return started[-1]

    yield begin
    for pid in filter(is_alive, started):
        os.kill(pid, signal.SIGTERM)


GONE = "Object.keys(sessionStorage).every(key => !key.startsWith('pcvae-labels'))"
PATIENCE = 120_000  # ms; a busy machine takes its time


def open_grid(chromium, port):
    from playwright.sync_api import expect

    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    open_page(page, f"http://127.0.0.1:{port}/app?tab=grid")
    return page, expect


def events(folder):
    journal = Journal(journal_path(folder))
    found = [(event.galaxy, event.label, event.undoes) for event in journal.events()]
    journal.close()
    return found


def label_without_server(page):
    """Press labels; returns what the browser keeps."""
    page.keyboard.press("2")
    page.keyboard.press("3")
    page.get_by_label("Label", exact=True).select_option("merger")
    page.keyboard.press("5")
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    page.keyboard.press("c")
    page.keyboard.press("u")
    return kept


def test_labels_given_while_the_server_is_gone_arrive_once_each_in_order(chromium, start, folder):
    port = free_port()
    server = start(port, folder)
    page, expect = open_grid(chromium, port)
    heading, said = page.locator(".facts h2"), page.locator(".judge + p")
    before, steps = heading.inner_text(), page.evaluate("history.length")
    page.keyboard.press("ArrowRight")
    expect(heading).not_to_have_text(before)
    page.keyboard.press("1")
    expect(said).to_contain_text("Score 1")
    name, address = heading.inner_text(), page.url
    assert f"galaxy={name}" in address

    os.kill(server, signal.SIGKILL)
    banner = page.get_by_text("Not connected: labels are kept")
    expect(banner).to_be_visible()
    kept = label_without_server(page)
    # the first too, if the server was killed before it acknowledged it
    expect(banner).to_contain_text(re.compile("[45] labels kept"))

    start(port, folder)
    expect(said).to_contain_text("Merger, score 5")
    expect(banner).to_be_hidden()
    expect(heading).to_have_text(name)
    assert (page.url, page.evaluate("history.length")) == (address, steps)
    page.wait_for_function(GONE)
    page.evaluate("kept => Object.assign(sessionStorage, JSON.parse(kept))", kept)
    page.reload()  # as if the acknowledgements had been lost
    page.wait_for_function(GONE)
    page.context.close()
    labels = ("1", "2", "3", "merger", "merger")  # the last with the score of 5 beside it
    assert events(folder) == [(name, label, None) for label in labels]
