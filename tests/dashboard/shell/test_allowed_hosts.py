"""Host names that the server answers to."""

from types import SimpleNamespace

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from dashboard.shell.allowed_hosts import is_own_machine, known_names, names, served_names


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:5006", True),
        ("127.0.0.1:5006", True),
        ("[::1]:5006", True),
        ("lab.example", True),
        ("evil.example:5006", False),
        ("127.0.0.1.evil.example", False),
    ],
)
def test_only_names_that_the_server_was_given_are_served(host, known):
    given_names = known_names(["serve", "--allow-websocket-origin=lab.example:80"], "")
    assert names(host, given_names) is known
    assert names(host, known_names([], "*"))


def test_names_of_the_environment_and_patterns_are_served(monkeypatch):
    monkeypatch.setenv("PCVAE_HOSTS", "lab.example:80")
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "*.team.example:5006")
    known = served_names()
    assert names("lab.example", known)
    assert names("a.team.example:5006", known)
    assert not names("team.example.evil.example", known)


@pytest.mark.parametrize(
    ("address", "host", "given_name", "own"),
    [
        ("127.0.0.1", "localhost:5006", "", True),
        ("::1", "[::1]:5006", "127.0.0.1:5006", True),
        ("10.0.0.7", "localhost:5006", "", False),
        ("127.0.0.1", "lab.example", "", False),
        ("127.0.0.1", "localhost:5006", "lab.example", False),  # a proxy of this machine
        ("127.0.0.1", "localhost:5006", "*", False),
    ],
)
def test_a_visitor_at_the_server_is_told_from_others(monkeypatch, address, host, given_name, own):
    request = SimpleNamespace(remote_ip=address, host=host)
    document = Document()
    context = SimpleNamespace(request=request)
    monkeypatch.setattr(Document, "session_context", property(lambda _: context))
    monkeypatch.setattr("sys.orig_argv", [])
    monkeypatch.delenv("BOKEH_ALLOW_WS_ORIGIN", raising=False)
    monkeypatch.setenv("PCVAE_HOSTS", given_name)
    with set_curdoc(document):
        assert is_own_machine() is own
