"""Explore a latent store in the browser.

    panel serve dashboard/app.py --args STORE

Without ``--args`` it shows the demo's store; of a HATS catalogue the whole, or a piece:

    panel serve dashboard/app.py --args CATALOG --cone RA DEC RADIUS

or ``--healpix ORDER PIXEL ...``, or ``--query CONDITION``. Every browser session has its own
state; the store and slow computations are shared by all sessions of the process.
"""

import gc
import logging
import sys
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import holoviews as hv
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from panel.util import edit_readonly
from panel_material_ui.template import Page

from dashboard.active_learning.label_list import LabelList
from dashboard.active_learning.moved import MovedFollower
from dashboard.active_learning.ranked_queue import RankedQueue
from dashboard.active_learning.training_labels import ClassifierFits
from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import forget_plots, has_session, is_warming
from dashboard.backend.quantities import default_features, feature_choices
from dashboard.backend.view import RENAMED_TABS, Tab
from dashboard.components.collapsible import one_at_a_time
from dashboard.components.css import PHONE, UNSEEN
from dashboard.components.file_input import Upload
from dashboard.components.theme import HEADER, THEME
from dashboard.decoder.tab import Decode
from dashboard.diagnostics.page import ModelPage
from dashboard.export.export_panel import ExportPanel
from dashboard.export.map_layers import Glyphs
from dashboard.export.samp import Samp
from dashboard.export.tables import labelled, selection
from dashboard.galaxy.add_galaxy import AddGalaxy
from dashboard.galaxy.card import Card
from dashboard.gallery.grid import Grid
from dashboard.gallery.list_bar import ListBar
from dashboard.gallery.lookalikes import Lookalikes
from dashboard.gallery.neighbours import Nearest
from dashboard.gallery.seed_picker import near_rows
from dashboard.gallery.viewer import Viewer
from dashboard.labelling.label_queue import LabelQueue
from dashboard.labelling.labels import own_marks, refresh
from dashboard.latent_map.legend import Legend
from dashboard.latent_map.side_by_side import Maps
from dashboard.latent_map.toolbar import Controls
from dashboard.plotting.decision_boundaries import BoundaryFits
from dashboard.selection.histograms import Histograms
from dashboard.selection.masks import FocusFollower, rows_in_focus
from dashboard.selection.selection_bar import SelectionBar
from dashboard.shell.allowed_hosts import guard_requests, is_known_host, is_own_machine
from dashboard.shell.catalog_pieces import piece_job, served_piece
from dashboard.shell.connection import Connection
from dashboard.shell.dropped_files import drop_zone, take_files
from dashboard.shell.error_page import trouble_page
from dashboard.shell.history import History
from dashboard.shell.key_bindings import KeyBindings
from dashboard.shell.keymap import keymap
from dashboard.shell.lesson import Lesson
from dashboard.shell.piece_panel import PiecePanel
from dashboard.shell.search_box import Find
from dashboard.shell.served_store import (
    open_datastore,
    opened_datastore,
    shared_datastore,
    store_folder,
)
from dashboard.shell.share_panel import Share
from dashboard.shell.store_watch import StoreWatch
from dashboard.shell.tab_strip import strip_of
from dashboard.shell.url_sync import UrlSync
from dashboard.shell.waiting_page import waiting_page
from dashboard.sky.sky_map import SkyMap
from dashboard.sky.target_list import TargetList
from dashboard.state import State
from pcvae.errors import PcvaeError

__all__ = [
    "RENAMED_TABS",
    "TABS",
    "Explorer",
    "Notebook",
    "extend",
    "open_datastore",
    "serve",
    "shared_datastore",
    "store_folder",
]

POLL = 3000  # ms between looks at what others have written in the journal
TABS = (Nearest, Lookalikes, Grid, LabelList, RankedQueue, Histograms, SkyMap, Decode, TargetList)
CARD = "clamp(472px, 29vw, 1000px)"  # its width: it grows with the window
LEAST_HEIGHT = "424px"  # below the header, whatever the strip had at first; else it scrolls
NOTEBOOK_HEIGHT = 860  # px
ON_A_PHONE = (
    "<p>On a screen as narrow as this, look at galaxies, label them, and pick others in the "
    "strip or by a tap on the map. Boxes, lassos, ranges, two maps and keys need 800 px or "
    "more.</p>"
)


class Explorer:
    """One session: its state, its views and their layout.

    Args:
        datastore: Shared by all sessions.
    """

    def __init__(self, datastore: DataStore) -> None:
        self.datastore, self.state = datastore, State()
        self.state.param.tab.objects = [tab.key for tab in TABS]
        self.state.tab = TABS[0].key
        self.state.param.features.objects = feature_choices(datastore.store)
        self.state.features = default_features(datastore.store)
        shared: dict[str, Any] = {"datastore": datastore, "state": self.state}
        self.controls = Controls(**shared)
        self.followers: list[object] = [FocusFollower(**shared)]
        if pn.state.location is not None:
            self.followers.append(UrlSync(**shared, location=pn.state.location))
        if self.state.row is None and len(datastore):
            self.state.row = datastore.populations.first
        self.followers += [f(**shared) for f in (BoundaryFits, ClassifierFits, MovedFollower)]
        self.legend, self.maps, self.card = Legend(**shared), Maps(**shared), Card(**shared)
        self.map, self.selection_bar = self.maps.shown[0], SelectionBar(**shared)
        self.model_page, self.list_bar = ModelPage(**shared), ListBar(**shared)
        self.tabs: dict[str, Tab] = {tab.key: tab(**shared) for tab in TABS}
        self.viewer, self.lesson = Viewer(self.tabs, **shared), Lesson(**shared)
        self.add_galaxy, self.export_panel = AddGalaxy(**shared), exports_of(self)
        self.history, self.share = History(self.state), Share(**shared)
        self.connection = Connection(served=has_session())
        self.piece_panel = PiecePanel(**shared, go=self.connection.go)
        given = (self.add_galaxy, self.export_panel, self.share, self.piece_panel)
        one_at_a_time(*(part.panel for part in given))
        self.search_box = Find(**shared, add_galaxy=self.add_galaxy)
        keys = keymap(
            datastore, self.state, self.tabs, self.history, self.viewer.open, self._open_help
        )
        self.bindings = KeyBindings(keys, self.lesson.open, **shared)
        self.keys, self.help = self.bindings.shortcuts, self.bindings.help
        self.labels = LabelQueue(self.bindings.press, self.card.judge.act, **shared)
        self.store_watch = StoreWatch(**shared, on_replaced=self.connection.open_again)

    def _open_help(self) -> None:
        self.help.open()

    @property
    def title(self) -> str:
        """The title of the page."""
        return f"pcvae · {self.datastore.piece or self.datastore.store.info.sample}"

    def header(self) -> list[object]:
        """The bar above the page: pages, search, upload, export and help."""
        shared = [] if pn.state.location is None else [self.share]  # a cell has no address
        piece = [self.piece_panel] if shared and self.datastore.piece else []
        given = (self.search_box, self.add_galaxy, self.export_panel, *piece, *shared, self.help)
        return [page_switch(self.state), *given]

    def body(self) -> pn.Column:
        """The maps or the model page, the card beside them and the tabs below."""
        state = self.state
        above = pn.FlexBox(  # wraps where the page is narrow
            *self.controls.parts,
            self.selection_bar,
            css_classes=["controls"],
            sizing_mode="stretch_width",
        )
        maps = pn.Column(above, self.legend, self.maps, sizing_mode="stretch_both")
        tabs = strip_of(self.tabs, self.list_bar, state)
        for part in (maps, tabs):
            part.visible = state.param.page.rx() == "explore"
        left = pn.Column(maps, self.model_page, sizing_mode="stretch_both", **phone("left"))
        right = pn.Column(
            self.card,
            self.lesson.panel,
            sizing_mode="stretch_both",
            margin=(10, 14, 0, 8),
            styles={"width": CARD, "flex": "none"},
            **phone("beside"),
        )
        upper = pn.Row(left, right, sizing_mode="stretch_both", **phone("upper"))
        heading = pn.pane.HTML(f"<h1>{escape(self.title)}</h1>", stylesheets=[UNSEEN], margin=0)
        dropped = drop_zone(lambda files: take(self, files), self.add_galaxy)
        samp = self.export_panel.samp
        unseen = (samp, self.keys, self.labels, self.connection, self.viewer, dropped)
        looks = {"sizing_mode": "stretch_both", "styles": {"min-height": LEAST_HEIGHT}}
        note = pn.pane.HTML(ON_A_PHONE, **phone("phone-note"))
        return pn.Column(heading, note, upper, tabs, *unseen, **looks, **phone("body"))

    def page(self) -> Page:
        """The whole page."""
        page = Page(
            title=self.title,
            header=self.header(),
            main=[self.body()],
            dark_theme=self.state.dark,
            theme_config=THEME,
            theme_toggle=True,
            sx=HEADER,
        )
        page.param.watch(lambda event: self.state.param.update(dark=event.new), "dark_theme")
        _follow_own_session(page, self.state)
        forget_plots()
        return page

    def start(self) -> None:
        """Start the slow work; called once the page is on the screen."""
        self.state.progress.loaded = True
        if pn.state.curdoc:
            pn.state.add_periodic_callback(self.refresh, POLL)

    def refresh(self) -> None:
        """Show labels that other sessions and processes have written; look for the store."""
        self.store_watch.look()
        refresh(self.datastore, self.state)


def phone(name: str) -> dict[str, list[str]]:
    """A part of the page that has another place on a phone, by its class in ``phone.css``."""
    return {"css_classes": [name], "stylesheets": [PHONE]}


def page_switch(state: State) -> pmui.RadioButtonGroup:
    """The switch between the pages."""
    return pmui.RadioButtonGroup.from_param(
        state.param.page, label="", size="small", margin=(13, 0, 0, 16)
    )


def exports_of(explorer: Explorer) -> ExportPanel:
    """The panel of exports, which also sends tables to programs on the visitor's computer."""
    shared: dict[str, Any] = {"datastore": explorer.datastore, "state": explorer.state}
    samp = Samp(is_own_machine(), lambda file: take(explorer, [file]), **shared)
    return ExportPanel(samp, partial(glyphs_of, explorer.maps), **shared)


def take(explorer: Explorer, files: Sequence[Upload]) -> None:
    """Take files that were dropped on the page, or a table that a program sends."""
    targets = explorer.tabs[TargetList.key]
    assert isinstance(targets, TargetList)
    take_files(files, explorer.state, explorer.add_galaxy, targets)


def _follow_own_session(page: Page, state: State) -> None:
    """Show a page as busy until it is on the screen, whatever other sessions are doing.

    By default it follows the busy state of the process: all pages would show every callback of
    each other, and none would be freed.
    """
    with edit_readonly(page):
        page.busy = state.progress.param.loaded.rx.not_()


def glyphs_of(maps: Maps) -> Glyphs:
    """What lies over the maps beside what the state says, for their figure."""
    datastore, state = maps.datastore, maps.state
    near = near_rows(datastore, state, lambda: None)
    return Glyphs(own_marks(datastore), near, [shown.frame for shown in maps.shown])


class Notebook(pn.viewable.Viewer):
    """The dashboard in a cell of a notebook; made by ``dashboard.explore``.

    Args:
        explorer: The session that is shown.
    """

    def __init__(self, explorer: Explorer) -> None:
        pn.viewable.Viewer.__init__(self)
        self.explorer = explorer
        explorer.state.dark = False
        bar = pn.Row(*explorer.header(), sizing_mode="stretch_width", height=64)
        self._layout = pn.Column(
            bar, explorer.body(), sizing_mode="stretch_width", height=NOTEBOOK_HEIGHT
        )
        explorer.start()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    @property
    def selection(self) -> pd.DataFrame:
        """The galaxies in focus: catalogue, latents and their errors, a row a galaxy."""
        datastore, state = self.explorer.datastore, self.explorer.state
        return selection(datastore, state.model, rows_in_focus(state)).to_pandas()

    @property
    def labels(self) -> pd.DataFrame:
        """The labels of all people, a row a person and galaxy."""
        datastore, state = self.explorer.datastore, self.explorer.state
        return labelled(datastore, state.model).to_pandas()


def warm(explorer: Explorer, page: Page) -> None:
    """Compute in advance what the first visitor would wait for; on ``--warm``.

    Garbage is not looked for in what is there by then, which stays and would take 0.4 s each time.
    """
    page.get_root()
    datastore, state = explorer.datastore, explorer.state
    datastore.neighbours.index(state.model, state.metric).exception()
    datastore.model_jobs.codec(state.model).exception()
    if datastore.populations.marked:
        datastore.boundaries(*state.plane).exception()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    print(f"ready: {len(datastore):,} galaxies of {datastore.store.folder}", flush=True)


def extend(*, inline: bool = False) -> None:
    """Load the plotting extensions; figures are drawn on a canvas, which shows sooner than WebGL.

    Args:
        inline: Whether scripts are part of the page, as an offline notebook needs.
    """
    hv.extension("bokeh", inline=inline)
    pn.extension(inline=inline)
    hv.renderer("bokeh").webgl = False


def serve() -> Any:
    """The page of a browser session: the explorer, or an error page."""
    extend()
    if not is_known_host():
        return trouble_page("This address is not served", "Open the address that was printed.")
    try:
        piece = served_piece(sys.argv[1:])
        datastore = opened_datastore(sys.argv[1:], piece)
    except PcvaeError as error:
        return trouble_page("No store to show", str(error))
    if datastore is None:
        assert piece is not None
        return waiting_page(piece, piece_job(piece))
    try:
        explorer = Explorer(datastore)
        page = explorer.page()
        if is_warming():
            warm(explorer, page)
    except Exception as error:  # whatever it is, words are better than a blank page
        logging.exception("a page could not be made")
        return trouble_page("The page could not be made", f"{type(error).__name__}: {error}")
    pn.state.onload(explorer.start)
    return page


if __name__.startswith("bokeh_app"):  # as pn.state.served finds out, but at once
    guard_requests()
    serve().servable()
