"""What a server answers beside its pages: its health, and headers that protect the pages."""

import os
from typing import Any

import panel as pn
from tornado.web import RequestHandler

from pcvae import __version__

__all__ = ["FRAMES", "HEALTH", "SAMP_HUB", "Health", "protect_pages", "security_headers"]

HEALTH = "/health"
FRAMES = "PCVAE_FRAME_ANCESTORS"  # sources that may show the page in a frame, as CSP writes them
# Of the visitor's machine: SAMP 1.3, section 5.2.1, https://www.ivoa.net/documents/SAMP/
SAMP_HUB = "http://127.0.0.1:21012"
DATASTORE = "store "  # what keys of shared data stores begin with


class Health(RequestHandler):
    """Answers ``/health`` without a session: 200 with JSON, 503 once a store has vanished."""

    def prepare(self) -> None:
        """Answer, whatever the method."""
        cached = pn.state.cache.items()
        shared = [value[0].store.folder for key, value in cached if key[0].startswith(DATASTORE)]
        gone = [folder for folder in shared if not (folder / "store.json").exists()]
        self.set_status(503 if gone else 200)
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "store not found" if gone else "ok", "version": __version__})


def security_headers(frames: str = "'self'") -> dict[str, str]:
    """The headers of each answer.

    Scripts, styles and connections are those of this server alone. Bokeh and Panel need inline
    scripts and styles, compile templates, and load modules and pictures from ``blob:`` and
    ``data:``. Beside it, a page may connect to the SAMP hub of its visitor.

    Args:
        frames: Who may show the page in a frame, as of ``frame-ancestors``.
    """
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' data: blob: {SAMP_HUB}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": frames,
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def protect_pages() -> None:
    """Send ``security_headers`` with each answer of this process from now on."""
    headers = security_headers(os.environ.get(FRAMES, "'self'"))

    def set_default_headers(handler: RequestHandler) -> None:
        for name, value in headers.items():
            handler.set_header(name, value)

    handler: Any = RequestHandler  # Tornado calls it for each answer; no handler of Bokeh has one
    handler.set_default_headers = set_default_headers
