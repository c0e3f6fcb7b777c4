"""Answers and messages to visitors elsewhere are compressed: a page weighs a third.

What is secret in a page, its session's token, is another one in each answer, so that the length
of answers tells nothing of it.
"""

from collections.abc import Callable
from typing import Any

from bokeh.server.tornado import BokehTornado
from bokeh.server.views.ws import WSHandler
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import GZipContentEncoding

__all__ = ["compress_answers", "compress_messages"]

# 36 ms for the 4.4 MB of scripts and 4 ms for a picture of a map; level 6 takes twice as long for
# a sixth less
LEVEL = 1

IsHere = Callable[[HTTPServerRequest], bool]


def compress_answers(application: BokehTornado, is_here: IsHere) -> None:
    """Compress texts and scripts from now on; calling it again changes nothing.

    Args:
        application: What answers.
        is_here: Whether who asks sits at this machine, and gets all as it is.
    """
    if any(issubclass(known, GZipContentEncoding) for known in application.transforms):
        return

    class Compressed(GZipContentEncoding):
        GZIP_LEVEL = LEVEL

        def __init__(self, request: HTTPServerRequest) -> None:
            super().__init__(request)
            self._here = is_here(request)

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            if self._here:
                return status_code, headers, chunk
            return super().transform_first_chunk(status_code, headers, chunk, finishing)

        def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
            return chunk if self._here else super().transform_chunk(chunk, finishing)

    application.add_transform(Compressed)


def compress_messages(is_here: IsHere) -> None:
    """Compress what is sent by websockets that are opened from now on; as ``compress_answers``."""

    def options(handler: WSHandler) -> dict[str, Any] | None:
        return None if is_here(handler.request) else {"compression_level": LEVEL}

    handler: Any = WSHandler  # Tornado asks each handler; Bokeh's has no such method
    handler.get_compression_options = options
