"""Host names that the server answers to."""

import pytest

from dashboard.shell.allowed_hosts import known_names, names, served_names


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
