"""Visitors without a browser: they speak the websocket protocol of Bokeh, as its page does.

    python -m dashboard.benchmarks.visitor http://127.0.0.1:5006/app visits.json --visitors 50

``dashboard.benchmarks.crowd`` runs it in a process of its own beside a real browser.
"""

import argparse
import asyncio
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from pcvae.errors import PcvaeError
from pcvae.script import run

__all__ = ["Act", "Visitor", "main", "visits"]

PATIENCE = 300.0  # seconds that a visitor waits for a page or an answer
SIZE = {"inner_width": 680, "inner_height": 330, "outer_width": 766, "outer_height": 392}
TOKEN = re.compile(r'"token": ?"([^"]+)"')
FIRST = 20  # galaxies of the store that are labelled
ACTS = ("pan", "tap", "lasso", "label")


class Act(NamedTuple):
    """What a visitor did.

    Args:
        kind: Opening a page, or one of ``ACTS``.
        begun: When [s since 1970].
        seconds: Until the server had done it.
        error: What went wrong; empty if nothing did.
    """

    kind: str
    begun: float
    seconds: float
    error: str = ""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("url", help="address of the page")
    add("out", type=Path, help="JSON to write")
    add("--visitors", type=int, default=50, help="how many there are")
    add("--arriving", type=float, default=10.0, help="seconds within which they open the page")
    add("--seconds", type=float, default=180.0, help="how long they stay once all are there")
    add("--pause", type=float, default=10.0, help="seconds from an act to the next")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Visit, write what was done, and return it."""
    args = parse_args(argv)
    acts, labels = asyncio.run(
        visits(args.url, args.visitors, args.arriving, args.seconds, args.pause)
    )
    used = time.process_time()
    result = {"acts": acts, "labels": labels, "processor": used}
    args.out.write_text(json.dumps(result))
    failed = sum(bool(act.error) for act in acts)
    print(f"{args.visitors} visitors | {len(acts)} acts, {failed} failed | {used:.1f} CPU s")
    return result


async def visits(
    url: str, visitors: int, arriving: float, seconds: float, pause: float
) -> tuple[list[Act], list[str]]:
    """Visit a page together.

    Returns:
        All that was done, and the labels that were given, each but once.
    """
    AsyncHTTPClient.configure(None, max_clients=visitors)
    crowd = [Visitor(url, seed) for seed in range(visitors)]
    delays = np.linspace(0, arriving, visitors, endpoint=False)
    coming = [one.come(float(delay)) for one, delay in zip(crowd, delays, strict=True)]
    await asyncio.gather(*coming)
    await asyncio.gather(*[one.stay(time.time() + seconds, pause) for one in crowd])
    acts = [act for one in crowd for act in one.acts]
    return acts, [name for one in crowd for name in one.labels]


class Connection:
    """A websocket to a session: sends messages, and knows which ones were answered.

    Args:
        socket: Of which nothing was read yet.
    """

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._answers: dict[str, asyncio.Future[None]] = {}
        self._ended: Exception | None = None

    async def document(self) -> dict[str, Any]:
        """The session's document; from then on answers are read as they come."""
        await self._message()
        await self._send("PULL-DOC-REQ", {})
        document: dict[str, Any] = (await self._message())["doc"]
        self._reading = asyncio.create_task(self._read())
        return document

    def close(self) -> "asyncio.Task[None]":
        """Go; the task ends when the server has closed the connection too."""
        self._socket.close()
        return self._reading

    async def patch(self, *events: Mapping[str, object]) -> None:
        """Send changes; returns when the server has done what they ask for."""
        await (await self._send("PATCH-DOC", {"events": events}))

    async def _send(self, kind: str, content: object) -> "asyncio.Future[None]":
        if self._ended is not None:
            raise self._ended
        name = secrets.token_hex(16)
        answer = self._answers[name] = asyncio.get_running_loop().create_future()
        for fragment in ({"msgid": name, "msgtype": kind}, {}, content):
            await self._socket.write_message(json.dumps(fragment))
        return answer

    async def _message(self) -> dict[str, Any]:
        """The content of the next message; what it answers is marked as done."""
        header, _, content = [await self._text() for _ in range(3)]
        known = json.loads(header)
        for _ in range(2 * known.get("num_buffers", 0)):
            await self._socket.read_message()
        done = self._answers.pop(known.get("reqid", ""), None)
        if done is not None and not done.done():
            failed = known["msgtype"] == "ERROR"
            done.set_exception(PcvaeError(content[:200])) if failed else done.set_result(None)
        return json.loads(content) if known["msgtype"] == "PULL-DOC-REPLY" else {}

    async def _text(self) -> str:
        fragment = await self._socket.read_message()
        if fragment is None:
            msg = "the server closed the connection"
            raise PcvaeError(msg)
        return fragment if isinstance(fragment, str) else fragment.decode()

    async def _read(self) -> None:
        try:
            while True:
                await self._message()
        except Exception as error:  # whatever it is, nothing is answered from now on
            self._ended = error
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(error)


class Visitor:
    """One session of the page, without drawing it.

    Args:
        url: Address of the page.
        seed: Decides where it taps.
    """

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.acts: list[Act] = []
        self.labels: list[str] = []
        self._rng = np.random.default_rng(seed)
        self._connection: Connection | None = None
        self._models: dict[str, str] = {}
        self._limits: tuple[float, ...] = (0.0, 1.0, 0.0, 1.0)  # of the map's axes

    async def come(self, delay: float) -> None:
        """Open the page after a while [s]."""
        await asyncio.sleep(delay)
        await self._timed("open", self._open())

    async def stay(self, end: float, pause: float) -> None:
        """Act now and then until the end [s since 1970]."""
        turn = int(self._rng.integers(len(ACTS)))
        while time.time() < end and self._models:
            await asyncio.sleep(min(pause * self._rng.uniform(0.5, 1.5), end - time.time() + 0.1))
            kind = ACTS[turn % len(ACTS)]
            await self._timed(kind, getattr(self, f"_{kind}")())
            turn += 1
        if self._connection is not None:
            self._connection.close()

    async def _timed(self, kind: str, work: Any) -> None:
        clock, begun, error = time.perf_counter(), time.time(), ""
        try:
            await asyncio.wait_for(work, PATIENCE)
        except Exception as problem:  # counted, whatever it is
            error = f"{type(problem).__name__}: {problem}"[:200]
        self.acts.append(Act(kind, begun, time.perf_counter() - clock, error))

    async def _open(self) -> None:
        """The page, its websocket and its document, as a browser asks for them."""
        answer = await AsyncHTTPClient().fetch(self.url, request_timeout=PATIENCE)
        token = TOKEN.search(answer.body.decode())
        if token is None:
            msg = "the page has no session"
            raise PcvaeError(msg)
        place = self.url.replace("http", "ws", 1) + "/ws"
        socket = await websocket_connect(
            HTTPRequest(place, request_timeout=PATIENCE),
            subprotocols=["bokeh", token[1]],
            max_message_size=1 << 30,
        )
        self._connection = Connection(socket)
        self._learn(await self._connection.document())
        await self._patch(*self._changed("figure", SIZE))
        await self._patch(_event("document_ready"))

    def _learn(self, document: Mapping[str, Any]) -> None:
        """Where the map, its ranges and the keeper of labels are in the document."""
        found = {"figure": "", "keeper": "", "x": "", "y": ""}
        for model in _models(document):
            attributes = model.get("attributes", {})
            if model.get("name") == "Figure" and not found["figure"] and _is_map(attributes):
                x, y = attributes["x_range"], attributes["y_range"]
                found |= {"figure": model["id"], "x": x["id"], "y": y["id"]}
                ends = (axis.get("attributes", {}) for axis in (x, y))
                self._limits = tuple(float(end[n]) for end in ends for n in ("start", "end"))
            if attributes.get("class_name") == "LabelKeeper":
                found["keeper"] = model["id"]
        if not all(found.values()):
            msg = f"the page has no {', '.join(name for name in found if not found[name])}"
            raise PcvaeError(msg)
        self._models = found

    async def _tap(self) -> None:
        x, y = self._place()
        at = {"sx": 300, "sy": 200, "x": x, "y": y}
        await self._patch(_event("tap", self._models["figure"], **at))

    async def _pan(self) -> None:
        left, right, bottom, top = self._limits
        step = self._rng.uniform(-0.1, 0.1) * (right - left)
        x, y = {"start": left + step, "end": right + step}, {"start": bottom, "end": top}
        seen = {"x0": x["start"], "x1": x["end"], "y0": bottom, "y1": top}
        moved = _event("rangesupdate", self._models["figure"], **seen)
        await self._patch(*self._changed("x", x), *self._changed("y", y), moved)

    async def _lasso(self) -> None:
        left, right, bottom, top = self._limits
        angle, (x, y) = np.linspace(0, 2 * np.pi, 60), self._place()
        across = list(x + 0.1 * (right - left) * np.cos(angle))
        up = list(y + 0.1 * (top - bottom) * np.sin(angle))
        outline = {"type": "map", "entries": [["type", "poly"], ["x", across], ["y", up]]}
        figure = self._models["figure"]
        await self._patch(_event("selectiongeometry", figure, geometry=outline, final=True))

    async def _label(self) -> None:
        """A label that nobody else gives, sent as a button of the page sends it."""
        name, row = f"load-{secrets.token_hex(8)}", int(self._rng.integers(FIRST))
        pressed = [["id", name], ["act", "own"], ["value", name], ["row", row]]
        data = {"type": "map", "entries": pressed}
        await self._patch(_event("data_event", self._models["keeper"], data=data))
        self.labels.append(name)

    async def _patch(self, *events: Mapping[str, object]) -> None:
        assert self._connection is not None
        await self._connection.patch(*events)

    def _place(self) -> tuple[float, float]:
        """Somewhere in the middle of the map."""
        left, right, bottom, top = self._limits
        across, up = self._rng.normal(0.5, 0.12, 2)
        return left + across * (right - left), bottom + up * (top - bottom)

    def _changed(self, name: str, values: Mapping[str, object]) -> Iterator[dict[str, object]]:
        model = {"id": self._models[name]}
        for attribute, value in values.items():
            yield {"kind": "ModelChanged", "model": model, "attr": attribute, "new": value}


def _models(part: Any) -> Iterator[dict[str, Any]]:
    """All models of a document, wherever they are written."""
    if isinstance(part, dict):
        if part.get("type") == "object" and "id" in part:
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _models(item)


def _is_map(figure: Mapping[str, Any]) -> bool:
    """Whether a figure has a lasso and ranges written with it."""
    tools = json.dumps(figure.get("toolbar", {}))
    ranges = (figure.get(name, {}).get("attributes", {}) for name in ("x_range", "y_range"))
    return "LassoSelectTool" in tools and all("start" in one for one in ranges)


def _event(name: str, model: str = "", **values: object) -> dict[str, object]:
    """An event of Bokeh's protocol."""
    entries: list[list[object]] = [["model", {"id": model}]] if model else []
    entries += [[key, value] for key, value in values.items()]
    data = {"type": "event", "name": name, "values": {"type": "map", "entries": entries}}
    return {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": data}


if __name__ == "__main__":
    run(main)
