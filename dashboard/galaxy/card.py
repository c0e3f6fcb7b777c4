"""The picked galaxy: its facts, images, reconstruction and properties."""

from html import escape

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.populations import population_title
from dashboard.backend.stamp_images import bar_html, channels_of, compass_svg, data_uri, in_band
from dashboard.backend.typography import MINUS
from dashboard.backend.view import View
from dashboard.components.assets import style
from dashboard.components.css import BASE, PHONE
from dashboard.components.notices import dismiss
from dashboard.galaxy.external_card import (
    external_facts_html,
    external_pictures_html,
    external_properties,
)
from dashboard.galaxy.external_galaxy import NO_NETWORK, ExternalGalaxy, has_network
from dashboard.galaxy.property_table import outlier_html, properties_of, table_html
from dashboard.galaxy.reconstruction import Reconstruction, reconstruction_of
from dashboard.galaxy.sky_links import links_html, links_of
from dashboard.galaxy.spectrum import SpectrumView
from dashboard.galaxy.trust_note import TrustNote
from dashboard.labelling.label_bar import LabelBar
from dashboard.state import State

__all__ = ["Card", "facts_html", "pictures_html"]

RESIDUAL = '<span title="Image minus reconstruction; warm where it is brighter">Residual</span>'
NOTHING = (
    '<div class="nothing"><div><b>No galaxy picked</b>Tap the map: the nearest galaxy shows here,'
    "<br>with its neighbours below.</div></div>"
)
EMPTY = (
    '<div class="nothing"><div><b>This store has no galaxies</b>Encode a sample that has some:<br>'
    "python -m train.encode SAMPLE STORE --run physics=RUN</div></div>"
)


def facts_html(datastore: DataStore, row: int, *, dark: bool) -> str:
    """Id, population, split, place on the sky and, if it is a real place, links."""
    galaxy = datastore.store.galaxies.iloc[row]
    ra, dec = float(galaxy["ra"]), float(galaxy["dec"])
    population = datastore.populations.names[row]
    colour = datastore.populations.colour(population, dark=dark)
    facts = [f"<span>{escape(str(galaxy['split']).replace('_', ' '))}</span>"]
    links = links_of(ra, dec)
    if "simulated" in datastore.store.info.source.lower():
        links = []
        facts.append("<span>simulated</span>")
    if np.isfinite([ra, dec]).all():
        facts.append(f"<span>RA {ra:.5f}° Dec {dec:+.5f}°</span>".replace("-", MINUS))
    return (
        f'<h2>{escape(str(galaxy["id"]))}</h2><div class="facts"><span class="population">'
        f'<i style="background:{colour}"></i>{escape(population_title(population))}</span>'
        f"{''.join(facts)}</div>{links_html(links)}"
    )


def pictures_html(
    datastore: DataStore,
    row: int,
    view: Reconstruction | None,
    *,
    failed: bool = False,
    channel: int | None = None,
) -> str:
    """Image, reconstruction and residual side by side.

    Args:
        datastore: The store of the image.
        row: The galaxy.
        view: Its reconstruction; None while there is none.
        failed: Whether decoding has failed.
        channel: Which of red, green and blue is shown alone; None for colour.
    """
    stamp = datastore.stamp(row)
    image = "This store has no stamps"
    if stamp is not None:
        image = f'<img src="{data_uri(in_band(stamp, channel))}" alt="Image">'
    wait = "Not decoded" if failed else '<span class="shimmer">decoding …</span>'
    model = residual = wait
    limit = ""
    if view is not None:
        model = f'<img src="{data_uri(view.reconstruction)}" alt="Reconstruction">'
        residual = "No image to compare with"
        if view.residual is not None:
            residual = f'<img src="{data_uri(view.residual.picture)}" alt="Residual">'
            limit = f"<span>± {view.residual.limit:.2f}</span>"
    marks = _bar(datastore) + _compass(datastore, row) if stamp is not None else ""
    return (
        '<div class="pictures">'
        + "".join(
            f'<figure><div class="frame">{picture}{over}</div>'
            f"<figcaption><span>{caption}</span>{note}</figcaption></figure>"
            for picture, over, caption, note in (
                (image, marks, "Image", ""),
                (model, "", "Reconstruction", ""),
                (residual, "", RESIDUAL, limit),
            )
        )
        + "</div>"
    )


def bands_choice(datastore: DataStore, state: State) -> pmui.RadioButtonGroup:
    """The choice of a band; invisible where the images have but one."""
    bands = channels_of(datastore.store.info.bands)
    choice = state.param.band
    choice.objects = {"Colour": "colour"} | {name: name for name in bands}
    return pmui.RadioButtonGroup.from_param(
        choice,
        label="",
        size="small",
        width=50 + 32 * len(bands),
        margin=(4, 0, 5, 0),
        variant="outlined",
        visible=bool(bands),
        sx={"& .MuiToggleButton-root": {"padding": "0 8px", "fontSize": 11.5}},
    )


class Card(View):
    """The picked galaxy.

    Reads ``row``, ``external``, ``model``, ``dark``, ``band``, ``progress.loaded`` and
    ``progress.notices`` of the state; writes ``band``.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        self._why_not = ""

        names = ("facts", "pictures", "properties", "trouble")
        self.facts, self.pictures, self.properties, self.trouble = map(_html, names)
        self.dismiss = _dismiss_button(self.state)
        self.bands = bands_choice(self.datastore, self.state)
        self.spectrum = SpectrumView(datastore=self.datastore, state=self.state)
        self.trust = TrustNote(datastore=self.datastore, state=self.state)
        self.judge = LabelBar(datastore=self.datastore, state=self.state)
        self._layout = pn.Column(
            self.facts,
            self.judge,
            pn.Row(self.trouble, self.dismiss, sizing_mode="stretch_width", margin=0),
            pn.Row(self.bands, self.spectrum.button, margin=0),
            self.pictures,
            self.spectrum,
            pn.Spacer(height=4),
            self.trust,
            self.properties,
            sizing_mode="stretch_both",
            css_classes=["card"],
            stylesheets=[PHONE],
            scroll="y-auto",
        )
        self._show()

    @property
    def _channel(self) -> int | None:
        """Which of red, green and blue shows the band that is chosen; None for colour."""
        return channels_of(self.datastore.store.info.bands).get(self.state.band)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout

    @param.depends(
        "state.row",
        "state.external",
        "state.model",
        "state.dark",
        "state.band",
        watch=True,
    )
    def _show(self) -> None:
        row, external = self.state.row, self.state.external
        if row is None and external is not None:
            self._show_external(external)
        elif row is None:
            self.facts.object = NOTHING if len(self.datastore) else EMPTY
            self.pictures.object = self.properties.object = ""
        else:
            self.facts.object = facts_html(self.datastore, row, dark=self.state.dark)
            latents = self.datastore.store.latents(self.state.model)
            self.properties.object = outlier_html(latents, row) + table_html(
                properties_of(self.datastore, self.state.model, row)
            )
            self._show_pictures()
        self._show_trouble()

    def _show_external(self, external: ExternalGalaxy) -> None:
        datastore, model = self.datastore, self.state.model
        network = has_network(datastore, model)
        self._why_not = "" if network else NO_NETWORK
        links = links_of(external.ra, external.dec)
        self.facts.object = external_facts_html(external, links, external.seen.get(model))
        self.pictures.object = self.properties.object = ""
        if network and model in external.seen:
            self.pictures.object = external_pictures_html(
                datastore,
                external,
                external.seen[model],
                dark=self.state.dark,
                channel=self._channel,
            )
            seen = external.seen[model]
            self.properties.object = outlier_html(seen.latents, 0) + table_html(
                external_properties(datastore, model, seen)
            )

    @param.depends("state.progress.loaded", watch=True)
    def _show_pictures(self) -> None:
        row, model = self.state.row, self.state.model
        if row is None:
            return
        view, self._why_not = None, ""
        if not has_network(self.datastore, model):
            self._why_not = NO_NETWORK
        wanted = self.state.progress.loaded and not self._why_not
        job = self.datastore.model_jobs.codec(model) if wanted else None
        if job is not None and job.done():
            view, self._why_not = reconstruction_of(
                self.datastore, model, row, dark=self.state.dark, channel=self._channel
            )
        failed = bool(self._why_not)
        self.pictures.object = pictures_html(
            self.datastore, row, view, failed=failed, channel=self._channel
        )
        self._show_trouble()
        if job is not None and view is None and not failed:
            when_done(job, self._show_pictures)

    @param.depends("state.progress.notices", watch=True)
    def _show_trouble(self) -> None:
        latest = list(self.state.progress.notices.values())[-1:]
        words = "".join(latest) or self._why_not or self.datastore.journal_jobs.no_journal
        self.trouble.object = (
            f'<div class="trouble" role="alert">{escape(words)}</div>' if words else ""
        )
        self.trouble.visible = bool(words)
        self.dismiss.visible = bool(latest)


def _dismiss_button(state: State) -> pmui.Button:
    """The button that removes the shown notice."""
    looks = {"variant": "text", "size": "small", "margin": (0, 0, 0, 6), "visible": False}
    return pmui.Button(label="Dismiss", on_click=lambda _: dismiss(state), **looks)


def _html(name: str) -> pn.pane.HTML:
    """A part of the card, of this CSS class."""
    sheets = [BASE, style(__file__, "card.css")]
    looks = {"css_classes": [name], "sizing_mode": "stretch_width", "margin": 0}
    return pn.pane.HTML("", stylesheets=sheets, **looks)


def _bar(datastore: DataStore) -> str:
    return bar_html(datastore.store.info.pixel_scale, datastore.store.info.size)


def _compass(datastore: DataStore, row: int) -> str:
    galaxies = datastore.store.galaxies
    known = "north_angle" in galaxies
    return compass_svg(float(galaxies["north_angle"].iloc[row])) if known else ""
