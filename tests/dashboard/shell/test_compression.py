"""What goes to visitors elsewhere is compressed, what stays on the machine is not."""

import asyncio
import gzip

import pytest
from bokeh.server.views.ws import WSHandler
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from dashboard.shell.compression import compress_answers, compress_messages

TEXT, PICTURE = "galaxies and " * 1000, bytes(9000)


class Script(RequestHandler):
    def get(self):
        self.set_header("Content-Type", "application/javascript")
        self.write(TEXT)
        self.flush()
        self.finish(TEXT)


class Messages(WebSocketHandler):
    async def open(self):
        await self.write_message(PICTURE, binary=True)


async def visit(application):
    """A script as it comes, its encoding, and a message with the extensions of its websocket."""
    socket, port = bind_unused_port()
    server = application.listen(0)
    server.add_socket(socket)
    url = f"127.0.0.1:{port}"
    headers = {"Accept-Encoding": "gzip"}
    asked = HTTPRequest(f"http://{url}/", headers=headers, decompress_response=False)
    answer = await AsyncHTTPClient().fetch(asked)
    opened = await websocket_connect(f"ws://{url}/ws", compression_options={})
    message, extensions = await opened.read_message(), opened.headers
    opened.close()
    await opened.read_message()
    server.stop()
    await server.close_all_connections()
    return answer, message, extensions.get("Sec-WebSocket-Extensions", "")


@pytest.mark.parametrize("here", [True, False])
def test_what_goes_elsewhere_is_compressed(monkeypatch, here):
    monkeypatch.setattr(WSHandler, "get_compression_options", None)  # as it was, afterwards
    compress_messages(lambda _: here)
    monkeypatch.setattr(
        Messages, "get_compression_options", WSHandler.get_compression_options, raising=False
    )
    application = Application([("/", Script), ("/ws", Messages)])
    for _ in range(2):
        compress_answers(application, lambda _: here)
    assert len(application.transforms) == 1
    answer, message, extensions = asyncio.run(visit(application))
    assert message == PICTURE
    assert ("permessage-deflate" in extensions) is not here
    if here:
        assert answer.body.decode() == TEXT * 2
        assert "Content-Encoding" not in answer.headers
    else:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.body).decode() == TEXT * 2
        assert len(answer.body) < len(TEXT) / 10


def test_what_is_compressed_already_is_not_compressed_twice():
    application = Application([], compress_response=True)
    compress_answers(application, lambda _: False)
    assert len(application.transforms) == 1
