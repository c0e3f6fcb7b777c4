"""The Host names that this server answers to, against DNS rebinding.

A web page can resolve its own name to 127.0.0.1 and read what is served there, because its Origin
then equals its Host; the Host header shows that name. What counts is the header of the request
itself: a session's token also holds headers, but whoever asks writes the token.
"""

import ipaddress
import os
import sys
from fnmatch import fnmatchcase
from functools import wraps
from itertools import pairwise
from typing import Any

import panel as pn
from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import RequestHandler

from dashboard.backend.shared_tables import TableFile, shared_folder, table_name
from dashboard.shell.compression import compress_answers, compress_messages
from dashboard.shell.health import HEALTH, Health, protect_pages
from dashboard.shell.server_log import shorten_closed_tabs
from dashboard.shell.session_queue import queue_sessions
from dashboard.sky.aladin_files import AladinFile, aladin_file

__all__ = [
    "HOSTS",
    "guard_requests",
    "is_known_host",
    "is_own_machine",
    "known_names",
    "names",
    "served_names",
    "sits_here",
]

HOSTS = "PCVAE_HOSTS"  # further names, separated by commas; * for any
ORIGINS = "BOKEH_ALLOW_WS_ORIGIN"  # Bokeh's own, of the same form
REFUSAL = "This address is not served. Open the one that was printed, or name it in"
FIND = "find_handler"  # the method of a Tornado application that chooses what answers a request


class Refusal(RequestHandler):
    """Answers a request by an unknown name, whatever it asks for."""

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{REFUSAL} --allow-websocket-origin or {HOSTS}.\n")


def guard_requests() -> None:
    """Refuse requests by unknown names in this process: pages, websockets and files alike.

    Answers ``/health`` and requests for shared tables and for the frame of survey images, protects
    the pages, queues sessions and compresses what goes elsewhere too. Takes effect for servers
    that are running. Calling it again changes nothing.
    """
    find = getattr(BokehTornado, FIND)
    if hasattr(find, "__wrapped__"):
        return
    known = served_names()
    protect_pages()
    shorten_closed_tabs()
    queue_sessions()
    compress_messages(sits_here)

    @wraps(find)
    def guarded(
        application: BokehTornado, request: HTTPServerRequest, **kwargs: Any
    ) -> HTTPMessageDelegate | None:
        compress_answers(application, sits_here)
        if not names(request.host, known):
            return application.get_handler_delegate(request, Refusal)
        if request.path == HEALTH:
            return application.get_handler_delegate(request, Health)
        if table := table_name(request.path):
            where = {"path": str(shared_folder())}
            return application.get_handler_delegate(request, TableFile, where, [table.encode()])
        if file := aladin_file(request.path):
            where = {"path": str(file.parent)}
            return application.get_handler_delegate(
                request, AladinFile, where, [file.name.encode()]
            )
        found: HTTPMessageDelegate | None = find(application, request, **kwargs)
        return found

    setattr(BokehTornado, FIND, guarded)


def known_names(arguments: list[str], extra: str) -> set[str]:
    """The names given to ``panel serve`` and in the environment.

    Example:
        >>> sorted(known_names(["--allow-websocket-origin", "lab.example:5006"], "a, b"))
        ['a', 'b', 'lab.example', 'localhost']
    """
    known = {"localhost"} | {_name(text.strip()) for text in extra.split(",") if text.strip()}
    for option, value in pairwise(arguments):
        if option in ("--allow-websocket-origin", "--address"):
            known.add(_name(value))
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in ("--allow-websocket-origin", "--address"):
            known.add(_name(value))
    return known


def served_names() -> set[str]:
    """The names that this process was given."""
    extra = ",".join(os.environ.get(name, "") for name in (HOSTS, ORIGINS))
    return known_names(sys.orig_argv, extra)


def is_known_host() -> bool:
    """Whether this session was asked for by a known name; the first one precedes the guard."""
    context = pn.state.curdoc.session_context if pn.state.curdoc else None
    request = getattr(context, "request", None)
    return names(getattr(request, "host", "localhost"), served_names())


def is_own_machine() -> bool:
    """Whether the visitor of this session sits at the machine of the server.

    True without a session, as in a notebook.
    """
    context = pn.state.curdoc.session_context if pn.state.curdoc else None
    request = getattr(context, "request", None)
    return request is None or sits_here(request)


def sits_here(request: HTTPServerRequest) -> bool:
    """Whether a request comes from the machine of the server.

    It has to come from there itself, and the server must not have been given any other name:
    behind a proxy all requests come from the proxy's machine.
    """
    places = [getattr(request, "remote_ip", ""), _name(getattr(request, "host", ""))]
    return all(map(_is_loopback, [*places, *served_names()]))


def names(host: str, known: set[str]) -> bool:
    """Whether a Host header has a known name, where ``*`` stands for any part, or an IP address.

    Example:
        >>> names("localhost:5006", {"localhost"}), names("evil.example", {"localhost"})
        (True, False)
    """
    name = _name(host)
    return any(fnmatchcase(name, pattern) for pattern in known) or _is_address(name)


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


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)
