"""Servers on 127.0.0.1 that answer as the real ones do, well or badly."""

import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.io import fits

WEST, EAST = 60.0, 300.0  # deg of right ascension that the stand-in survey covers


class Asked(NamedTuple):
    """A request as it came in."""

    method: str
    path: str
    query: dict
    headers: dict
    form: dict
    when: float


class Answer(NamedTuple):
    """What to answer: cut off after ``cut`` bytes, ``delay`` s late, ``drip`` s between bytes."""

    body: bytes = b""
    status: int = 200
    headers: Mapping = MappingProxyType({})
    delay: float = 0.0
    cut: int | None = None
    drip: float = 0.0
    chunked: bool = False


class Service:
    """Counts what it is asked, and answers by a function that tests may replace.

    ``troubles`` is a list of answers that are given first, one a request.
    """

    def __init__(self, answer):
        self.answer, self.asked, self.troubles = answer, [], []
        self.lock, self.under_way, self.most_under_way = threading.Lock(), 0, 0
        self.url = ""

    def reply(self, asked):
        with self.lock:
            self.asked.append(asked)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            trouble = self.troubles.pop(0) if self.troubles else None
        found = trouble or self.answer(asked)
        time.sleep(found.delay)
        with self.lock:
            self.under_way -= 1
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self._handle(b"")

    def do_POST(self):
        self._handle(self.rfile.read(int(self.headers["Content-Length"])))

    def _handle(self, content):
        address = urlsplit(self.path)
        query, form = (
            {k: v[0] for k, v in parse_qs(text).items()}
            for text in (address.query, content.decode("latin-1"))
        )
        asked = Asked(
            self.command, address.path, query, dict(self.headers), form, time.monotonic()
        )
        found = self.server.service.reply(asked)
        try:
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            body = found.body[: found.cut]
            if found.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                body = b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in [body] if body)
                body += b"" if found.cut else b"0\r\n\r\n"
            else:
                self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            for part in (body[i : i + 1] for i in range(len(body))) if found.drip else (body,):
                self.wfile.write(part)
                time.sleep(found.drip)
        except OSError:
            self.close_connection = True  # the client has gone
        if found.cut is not None:
            self.close_connection = True

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving(answer):
    """Serve on a free port of 127.0.0.1."""
    service = Service(answer)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.service = service
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def sky_header(ra, dec, size, scale=0.262, **cards):
    """The header of a cutout in a tangent plane, north up."""
    made = fits.Header({"BANDS": "grz", "SURVEY": "LegacySurvey", "VERSION": "DR9"} | cards)
    made["CTYPE1"], made["CTYPE2"] = "RA---TAN", "DEC--TAN"
    made["CRVAL1"], made["CRVAL2"] = ra, dec
    made["CRPIX1"] = made["CRPIX2"] = (size + 1) / 2
    made["CD1_1"], made["CD1_2"] = -scale / 3600, 0.0
    made["CD2_1"], made["CD2_2"] = 0.0, scale / 3600
    return made


def pixels(ra, dec, size, bands=3):
    """A galaxy (bands, size, size) that only hangs on its place."""
    rng = np.random.default_rng([round(ra * 1e5), round((dec + 90) * 1e5)])
    y, x = np.indices((size, size)) - (size - 1) / 2
    angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.4, 0.7)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    profile = np.exp(-((along / 4) ** 2 + (across / 4 / ratio) ** 2) / 2)
    colours = np.arange(1, bands + 1)[:, None, None]
    noise = 0.01 * rng.standard_normal((bands, size, size))
    return (colours * profile + noise).astype(np.float32)


def as_fits(flux, header):
    """The bytes of a FITS file; of a copy, as astropy swaps an array's bytes while it writes."""
    file = BytesIO()
    fits.writeto(file, flux.copy(), header)
    return file.getvalue()


def cutout(asked):
    """Answer as the Legacy Surveys' cutout service."""
    query = asked.query
    if asked.path != "/fits-cutout":
        return Answer(b"<html>Not found</html>", 404)
    if not {"ra", "dec"} <= set(query):
        return Answer(b"Need ra, dec", 400)
    ra, dec, size = float(query["ra"]), float(query["dec"]), int(query.get("size", 256))
    bands = query.get("bands", "grz")
    flux = pixels(ra, dec, size, len(bands))
    if not WEST <= ra <= EAST:
        flux[:] = 0
    header = sky_header(ra, dec, size, float(query["pixscale"]), BANDS=bands)
    return Answer(as_fits(flux, header))
