"""A session token that an attacker has written opens neither page nor websocket."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bokeh.util.token import generate_jwt_token, generate_session_id
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from dashboard.benchmarks.visitor import Connection, Visitor
from pcvae.errors import PcvaeError
from pcvae.journal import Journal, journal_path

EVIL = "evil.example"


def forged() -> str:
    """An unsigned token that claims a request by ``localhost``."""
    claimed = {"headers": {"Host": "localhost"}, "cookies": {}, "arguments": {}}
    return generate_jwt_token(generate_session_id(), signed=False, extra_payload=claimed)


def page(url, host):
    """Status and text of a page."""
    asked = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


async def connect(url, host):
    """A websocket by a forged token, and the roots of its session's document."""
    place = urlsplit(url)
    headers = {"Host": host, "Origin": f"http://{host}"}
    asked = HTTPRequest(f"ws://{place.netloc}{place.path}/ws", headers=headers)
    connection = Connection(await websocket_connect(asked, subprotocols=["bokeh", forged()]))
    return connection, json.dumps((await connection.document())["roots"])


async def _roots(url, host):
    connection, shown = await connect(url, host)
    await connection.close()
    return shown


def refusal(url, host, origin=""):
    """The status that refuses a websocket's handshake with a forged token."""
    place = urlsplit(url)
    headers = {
        "Host": host,
        "Origin": f"http://{origin or host}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": f"bokeh, {forged()}",
    }
    with closing(HTTPConnection(place.netloc, timeout=60)) as asked:
        asked.request("GET", f"{place.path}/ws", headers=headers)
        return asked.getresponse().status


def roots(url, host):
    """What the document of a new session by a forged token shows."""
    return asyncio.run(_roots(url, host))


def test_a_forged_token_gets_no_data_and_no_way_to_label(serve, folder):
    with serve(folder) as url:
        first = roots(url, EVIL)  # the first request of all, before our code is loaded
        assert "This address is not served" in first
        assert "LabelButtons" not in first
        assert refusal(url, EVIL) == refusal(url, urlsplit(url).netloc, EVIL) == 403
        assert refusal(url, urlsplit(url).netloc) == 101
        home = url.rsplit("/", 1)[0]
        for place in (url, f"{url}?bokeh-token={forged()}", f"{url}/autoload.js", f"{home}/"):
            status, text = page(place, EVIL)
            assert status == 403
            assert text.startswith("This address is not served")
        assert page(url, "localhost")[0] == page(url, "192.168.1.2:80")[0] == 200
        ours = roots(url, urlsplit(url).netloc)
        assert "This address is not served" not in ours
        assert "LabelButtons" in ours


async def label_by_both(url):
    """The labels that a visitor gives, after an attacker has sent the same messages.

    The attacker's session is the first of all, and its messages are for the visitor's models,
    whose names it could not know.
    """
    attacker, _ = await connect(url, EVIL)
    visitor = Visitor(url, 0)
    await visitor.come(0)
    assert not visitor.acts[0].error
    theirs, visitor._connection = visitor._connection, attacker
    refused = False
    try:
        await asyncio.wait_for(visitor._label(), 20)
    except PcvaeError:
        refused = True
    attempted, visitor.labels, visitor._connection = visitor.labels, [], theirs
    await visitor._label()
    await asyncio.gather(attacker.close(), theirs.close())
    return refused, attempted, visitor.labels


def test_a_message_that_labels_does_so_in_the_visitors_session_alone(serve, folder):
    with serve(folder) as url:
        refused, attempted, given = asyncio.run(asyncio.wait_for(label_by_both(url), 120))
        journal, end = Journal(journal_path(folder)), time.monotonic() + 30
        while not (found := journal.events()) and time.monotonic() < end:
            time.sleep(0.05)
        journal.close()
    assert refused or attempted
    assert [event.label for event in found] == given
