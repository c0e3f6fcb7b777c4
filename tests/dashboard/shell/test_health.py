"""The health of a server, asked for without a session, and the headers of its answers."""

import shutil

import panel as pn
import pytest
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application, RequestHandler

from dashboard.app import shared_datastore
from dashboard.shell.health import HEALTH, Health, protect_pages, security_headers


class Asked(AsyncHTTPTestCase):
    def get_app(self):
        return Application([(HEALTH, Health)])

    def runTest(self):  # noqa: N802 - unittest's name
        pass


@pytest.fixture
def ask():
    case = Asked()
    case.setUp()
    yield case.fetch
    case.tearDown()


def test_health_is_well_until_a_store_has_vanished(ask, store, tmp_path):
    assert ask(HEALTH).code == 200
    folder = shutil.copytree(store, tmp_path / "store")
    known = dict(pn.state.cache)
    shared_datastore(folder)
    assert ask(HEALTH).code == 200
    folder.rename(tmp_path / "elsewhere")
    answer = ask(HEALTH)
    assert (answer.code, b"store not found" in answer.body) == (503, True)
    pn.state.cache.clear()
    pn.state.cache.update(known)


def test_answers_carry_the_headers_once_pages_are_protected(ask, monkeypatch):
    monkeypatch.setattr(RequestHandler, "set_default_headers", lambda _: None)
    assert "Content-Security-Policy" not in ask(HEALTH).headers
    monkeypatch.setenv("PCVAE_FRAME_ANCESTORS", "https://portal.example")
    protect_pages()
    answer = ask(HEALTH)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors https://portal.example" in answer.headers["Content-Security-Policy"]
    assert "'none'" in security_headers()["Content-Security-Policy"]
