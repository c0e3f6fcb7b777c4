"""The log of a server: a line, and no traceback, where a visitor has closed a tab."""

import logging
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

__all__ = ["shorten_closed_tabs"]

CLOSED = (WebSocketClosedError, StreamClosedError)


def shorten_closed_tabs() -> None:
    """Log a closed tab in a line, in this process, whichever package logs it.

    Calling it again changes nothing.
    """
    logging.setLogRecordFactory(_record)


def _record(*args: Any, **options: Any) -> logging.LogRecord:
    """A record; of a connection that a visitor has closed without its traceback."""
    record = logging.LogRecord(*args, **options)
    if record.exc_info and isinstance(record.exc_info[1], CLOSED):
        record.msg, record.args = "a visitor closed the page while it was answered", ()
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return record
