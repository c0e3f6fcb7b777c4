"""Which piece of a catalogue is shown, and the way to another one."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.view import View
from dashboard.components.collapsible import drawer, small_button
from dashboard.components.css import BASE, DROP_DOWN
from dashboard.components.notices import status_html
from dashboard.shell.catalog_pieces import PieceJob, cone_text, piece_job
from dashboard.shell.url_sync import query_of
from dashboard.sky.coordinates import read_place
from pcvae.errors import PcvaeError, SettingsError
from train.search.catalog_piece import CatalogPiece, Piece

if TYPE_CHECKING:
    from panel.io.callbacks import PeriodicCallback

__all__ = ["NO_STAMPS", "PiecePanel", "piece_html", "piece_of"]

LOOK = 300  # ms between looks at how far a piece is
RADIUS = 0.5  # deg, where none is known
OF_ROWS = ("galaxy", "zoom", "zoom2", "drawn")  # of an address: what another piece lacks
NO_STAMPS = (
    "A catalogue holds no images: stamps are not shown, and images of a galaxy come from the "
    "Legacy Surveys (Survey images in the tab Sky, FITS cutouts under Export)."
)


def piece_html(piece: CatalogPiece, galaxies: int) -> str:
    """What is shown, in words."""
    return (
        f"<p><b>{escape(str(piece))}</b><br>{galaxies:,} galaxies</p>"
        f'<p class="muted">{NO_STAMPS}</p>'
    )


def piece_of(shown: CatalogPiece, centre: str, radius: str) -> CatalogPiece:
    """The cone that was asked for, with the condition of the piece that is shown.

    Raises:
        SettingsError: It is none.
        PlaceError: The centre is no place.
    """
    try:
        place, size = read_place(centre), float(radius.strip().rstrip("°").replace(",", "."))
    except ValueError as error:
        msg = f"expected a radius in degrees such as 0.5, found {radius[:20]!r}"
        raise SettingsError(msg) from error
    if place is None:
        msg = f"expected a centre such as 150.1 +2.2 or 10:00:24 +02:12:00, found {centre[:40]!r}"
        raise SettingsError(msg)
    return shown._replace(piece=Piece((place.ra, place.dec, size), query=shown.piece.query))


class PiecePanel(View):
    """A button, and the panel that it opens; without a catalogue neither is shown.

    Reads ``row`` and what the address holds of the state; writes nothing of it.
    """

    if TYPE_CHECKING:
        go: Callable[[str], None]
    else:
        go = param.Callable(doc="Opens the page at a query of its address.")

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._looking: PeriodicCallback | None = None
        self.centre = pmui.TextInput(
            label="Centre: RA Dec",
            description="In degrees or sexagesimal: 150.1 +2.2 or 10:00:24 +02:12:00",
            size="small",
            width=210,
        )
        self.radius = pmui.TextInput(
            label="Radius [deg]", value=f"{RADIUS:g}", size="small", width=110
        )
        self.apply = small_button("Show", "Show the galaxies of this cone", self.ask)
        looks = {"variant": "outlined", "width": 72, "height": 40, "margin": (10, 0, 0, 5)}
        says = "Piece: which galaxies of the catalogue are shown; go to others"
        self.button = small_button("Piece", says, self.open, **looks)
        style = {"stylesheets": [BASE, DROP_DOWN], "sizing_mode": "stretch_width"}
        self.about, self.said = pn.pane.HTML("", **style), pn.pane.HTML("", **style)
        close = small_button("Close", "Close: back to the galaxies", self.open)
        fields = pn.FlexBox(self.centre, self.radius, align_items="center")
        self.panel = drawer(
            self.about,
            fields,
            self.said,
            pn.FlexBox(self.apply, close),
            css_classes=["drop-down"],
            stylesheets=[DROP_DOWN],
        )

    def __panel__(self) -> pn.viewable.Viewable:
        shown = self.datastore.piece is not None
        return pn.Row(self.button, self.panel, margin=0, width=80, visible=shown)

    def open(self) -> None:
        """Open the panel, or close it."""
        piece = self.datastore.piece
        if piece and not self.panel.visible:
            self.about.object = piece_html(piece, len(self.datastore))
            ra, dec, radius = piece.piece.cone or (*self._picked(), RADIUS)
            self.centre.value = f"{ra:.10g} {dec:+.10g}"
            self.radius.value = f"{radius:g}"
            self._say("")
        self.panel.visible = not self.panel.visible

    def ask(self) -> None:
        """Have the cone made into a store in a worker, then go there."""
        shown = self.datastore.piece
        if shown is None or self._looking is not None:
            return
        try:
            wanted = piece_of(shown, self.centre.value, self.radius.value)
        except PcvaeError as error:
            self._say(str(error), failed=True)
            return
        self._follow(wanted, piece_job(wanted))

    def _follow(self, wanted: CatalogPiece, job: PieceJob) -> None:
        self.apply.disabled = True
        if pn.state.curdoc is None:
            job.store.exception()
        else:
            self._looking = pn.state.add_periodic_callback(lambda: self._look(wanted, job), LOOK)
        self._look(wanted, job)

    def _look(self, wanted: CatalogPiece, job: PieceJob) -> None:
        """Say how far a piece is; go there once it is made."""
        if not job.store.done():
            self._say(f"{wanted.piece}: {job.step}", busy=True)
            return
        if self._looking is not None:
            self._looking.stop()
        self._looking, self.apply.disabled = None, False
        if job.failure:
            self._say(job.failure, failed=True)
            return
        self._say(f"{wanted.piece}: opening the page", busy=True)
        kept = query_of(self.datastore, self.state)
        kept = {name: text for name, text in kept.items() if name not in OF_ROWS}
        query = {"cone": cone_text(wanted.piece)} | kept
        self.go("?" + urlencode(query, safe=","))

    def _picked(self) -> tuple[float, float]:
        """The place of the picked galaxy [deg], or of the first one."""
        galaxy = self.datastore.store.galaxies.iloc[self.state.row or 0]
        return float(galaxy["ra"]), float(galaxy["dec"])

    def _say(self, words: str, *, failed: bool = False, busy: bool = False) -> None:
        words = words[:1].upper() + words[1:]
        self.said.object = status_html(words, failed=failed, busy=busy) if words else ""
