"""The Host names that this server answers to, against DNS rebinding.

A web page can resolve its own name to 127.0.0.1 and read what is served there, because its Origin
then equals its Host; the Host header shows that name.
"""

import ipaddress
import os
import sys
from itertools import pairwise

import panel as pn

__all__ = ["HOSTS", "is_known_host", "known_names", "names"]

HOSTS = "PCVAE_HOSTS"  # further names, separated by commas; * for any


def known_names(arguments: list[str], extra: str) -> set[str]:
    """The names given to ``panel serve`` and in the environment.

    Example:
        >>> sorted(known_names(["--allow-websocket-origin", "lab.example:5006"], "a, b"))
        ['a', 'b', 'lab.example', 'localhost']
    """
    known = {"localhost"} | {text.strip() for text in extra.split(",") if text.strip()}
    for option, value in pairwise(arguments):
        if option in ("--allow-websocket-origin", "--address"):
            known.add(_name(value))
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in ("--allow-websocket-origin", "--address"):
            known.add(_name(value))
    return known


def is_known_host() -> bool:
    """Whether this session's request is for a known name or a plain IP address."""
    host = str(pn.state.headers.get("Host", "localhost"))
    return names(host, known_names(sys.orig_argv, os.environ.get(HOSTS, "")))


def names(host: str, known: set[str]) -> bool:
    """Whether a Host header has a known name, any name if ``*`` is known, or an IP address.

    Example:
        >>> names("localhost:5006", {"localhost"}), names("evil.example", {"localhost"})
        (True, False)
    """
    name = _name(host)
    return name in known or "*" in known or _is_address(name)


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
