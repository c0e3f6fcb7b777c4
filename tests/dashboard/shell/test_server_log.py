"""The log of a server is short where a visitor has closed a tab, and whole elsewhere."""

import logging

import pytest
from tornado.websocket import WebSocketClosedError

from dashboard.shell.server_log import shorten_closed_tabs


@pytest.fixture(params=["tornado.application", "bokeh.server.views.ws", "panel.io.document"])
def logger(request):
    """One of those that a server logs by."""
    before = logging.getLogRecordFactory()
    shorten_closed_tabs()
    yield logging.getLogger(request.param)
    logging.setLogRecordFactory(before)


def log(logger, error):
    try:
        raise error
    except type(error):
        logger.exception("Exception in callback %r", "send")


def test_a_closed_tab_is_a_line_without_a_traceback(logger, caplog):
    log(logger, WebSocketClosedError())
    (record,) = caplog.records
    assert record.getMessage() == "a visitor closed the page while it was answered"
    assert record.levelname == "INFO"
    assert record.exc_info is None
    assert "Traceback" not in caplog.text


def test_other_errors_keep_their_traceback(logger, caplog):
    log(logger, ValueError("a fault of ours"))
    assert "Traceback" in caplog.text
    assert "a fault of ours" in caplog.text
