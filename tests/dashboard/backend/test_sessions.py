"""What is left of a browser session once it has ended."""

import asyncio
import gc
import re
import sys
import time
from concurrent.futures import Future
from weakref import ref

import panel as pn
from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.events import DocumentReady
from bokeh.protocol import Protocol
from panel.io.session import generate_session
from panel.io.state import set_curdoc
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from dashboard.app import Explorer, open_datastore, serve, shared_datastore
from dashboard.backend.jobs import is_warming, weak_callback, when_done

VISITS = 3


async def _visit(server, seconds=60.0):
    """Open a page as a browser does, wait until it has loaded, leave, wait until it is gone."""
    place = f"127.0.0.1:{server.port}/app"
    page = await AsyncHTTPClient().fetch(f"http://{place}", request_timeout=seconds)
    token = re.search(r'"token":"([^"]+)"', page.body.decode()).group(1)
    request = HTTPRequest(f"ws://{place}/ws")
    socket = await websocket_connect(request, subprotocols=["bokeh", token])
    await socket.read_message()
    ready = MessageSentEvent(Document(), "bokeh_event", DocumentReady())
    message = Protocol().create("PATCH-DOC", [ready])
    for part in (message.header_json, message.metadata_json, message.content_json):
        await socket.write_message(part)
    sessions, end = server._tornado.applications["/app"]._sessions, time.monotonic() + seconds
    while not all(pn.state._loaded.get(one.document) for one in sessions.values()):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    socket.close()
    while sessions:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_nothing_is_left_of_sessions_that_have_ended(folder):
    datastore, made = open_datastore(folder), []

    def app():
        assert not is_warming()
        explorer = Explorer(datastore)
        made.extend((ref(explorer), ref(explorer.state)))
        pn.state.onload(explorer.start)
        return explorer.page()

    server = pn.serve(
        {"/app": app},
        port=0,
        address="127.0.0.1",
        start=False,
        show=False,
        unused_session_lifetime_milliseconds=1000,
        check_unused_sessions_milliseconds=100,
    )

    async def visits():
        for _ in range(VISITS):
            await _visit(server)
        end = time.monotonic() + 30
        while any(one() for one in made) and time.monotonic() < end:
            gc.collect()
            await asyncio.sleep(0.5)

    server.start()
    try:
        server.io_loop.run_sync(visits)
    finally:
        server.stop()
    assert len(made) >= 2 * VISITS
    assert not [one() for one in made if one() is not None]


class _Owner:
    def __init__(self):
        self.told = []

    def tell(self, *what):
        self.told.append(what)


def test_a_server_told_to_warm_up_has_ready_what_its_first_visitor_needs(folder, monkeypatch):
    """``panel serve --warm`` generates a session of its own like this."""
    monkeypatch.setattr(sys, "argv", ["app.py", str(folder)])
    warming = []

    def visit(document):
        with set_curdoc(document):
            warming.append(is_warming())
            serve()

    generate_session(Application(FunctionHandler(visit)))
    assert warming == [True]
    assert not is_warming()
    datastore = shared_datastore(folder)
    assert datastore.model_jobs.codec(datastore.models[0]).done()
    assert datastore.neighbours.index(datastore.models[0]).done()


def test_a_weak_method_calls_its_owner_but_does_not_keep_it():
    owner = _Owner()
    call, kept = weak_callback(owner.tell), ref(owner)
    call(1, 2)
    assert owner.told == [(1, 2)]
    del owner
    gc.collect()
    assert kept() is None
    call(3)


def test_a_job_that_ends_after_its_session_calls_nothing():
    document, job, owner = Document(), Future(), _Owner()
    context = type("Context", (), {"destroyed": False})()
    document._session_context = ref(context)
    with set_curdoc(document):
        when_done(job, owner.tell)
    kept = ref(owner)
    del context
    job.set_result(None)
    assert owner.told == []
    assert not document.session_callbacks
    del owner
    gc.collect()
    assert kept() is None
