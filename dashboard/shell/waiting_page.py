"""What is shown while a piece of a catalogue is made into a store."""

from html import escape
from typing import TYPE_CHECKING

import panel as pn
from panel_material_ui.template import Page

from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.components.theme import HEADER, THEME
from dashboard.shell.catalog_pieces import PieceJob
from dashboard.shell.connection import Connection
from dashboard.shell.error_page import PAGE
from train.search.catalog_piece import CatalogPiece

if TYPE_CHECKING:
    from panel.io.callbacks import PeriodicCallback

__all__ = ["waiting_html", "waiting_page"]

LOOK = 300  # ms between looks at how far it is


def waiting_html(piece: CatalogPiece, job: PieceJob) -> str:
    """Which piece is made, and how far it is or why it failed."""
    if job.failure:
        words = job.failure[:1].upper() + job.failure[1:]
        said = status_html(words, failed=True)
        said += '<p><a href="?">Show the piece that this server was started with</a></p>'
    else:
        said = status_html(f"Reading the catalogue: {job.step}", busy=True)
    return f'<div class="page"><h1>{escape(str(piece))}</h1>{said}</div>'


def waiting_page(piece: CatalogPiece, job: PieceJob) -> Page:
    """A page that opens the dashboard at its own address once the piece is there."""
    address = pn.state.location.search if pn.state.location else ""
    pane = pn.pane.HTML(
        waiting_html(piece, job),
        stylesheets=[BASE, PAGE, DROP_DOWN],
        sizing_mode="stretch_both",
    )
    connection = Connection(served=True)
    looking: list[PeriodicCallback] = []

    def look() -> None:
        pane.object = waiting_html(piece, job)
        if job.store.done():
            connection.address = "" if job.failure else address or "?"
            for callback in looking:
                callback.stop()

    def start() -> None:  # what changes before the page has loaded does not reach it
        look()
        if not job.store.done():
            looking.append(pn.state.add_periodic_callback(look, LOOK))

    pn.state.onload(start)
    main = [pn.Column(pane, connection, sizing_mode="stretch_both")]
    return Page(
        title=f"pcvae · {piece}", main=main, dark_theme=True, theme_config=THEME, sx=HEADER
    )
