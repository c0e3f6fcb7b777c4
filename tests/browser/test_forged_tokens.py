"""A session token that an attacker has written opens neither page nor websocket."""

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from bokeh.util.token import generate_jwt_token, generate_session_id
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

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


async def _roots(url, host):
    place = urlsplit(url)
    headers = {"Host": host, "Origin": f"http://{host}"}
    asked = HTTPRequest(f"ws://{place.netloc}{place.path}/ws", headers=headers)
    socket = await websocket_connect(asked, subprotocols=["bokeh", forged()])
    for _ in range(3):  # the fragments that acknowledge the connection
        await socket.read_message()
    for fragment in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
        await socket.write_message(json.dumps(fragment))
    answer = [await socket.read_message() for _ in range(3)]
    socket.close()
    while await socket.read_message() is not None:
        pass  # until the server has closed it too
    return json.dumps(json.loads(answer[2])["doc"]["roots"])


def refusal(url, host):
    """The status that refuses a websocket's handshake with a forged token."""
    place = urlsplit(url)
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
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
        assert refusal(url, EVIL) == 403
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
