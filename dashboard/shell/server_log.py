"""The log of a server: a line, and no traceback, where a visitor has closed a tab."""

import logging

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

__all__ = ["shorten_closed_tabs"]

LOGGERS = ("", "asyncio", "bokeh", "panel", "tornado.application", "tornado.general")
CLOSED = (WebSocketClosedError, StreamClosedError)


class ClosedTabs(logging.Filter):
    """Makes a line of each record of a connection that a visitor has closed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback away; nothing is dropped."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, CLOSED):
            record.msg, record.args = "a visitor closed the page while it was answered", ()
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


def shorten_closed_tabs() -> None:
    """Log a closed tab in a line, in this process; calling it again changes nothing."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, ClosedTabs) for known in logger.filters):
            logger.addFilter(ClosedTabs())
