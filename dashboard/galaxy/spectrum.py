"""The spectrum of the picked galaxy, fetched from SDSS's SkyServer once it is asked for."""

import os
from base64 import b64encode
from concurrent.futures import Future
from html import escape
from urllib.parse import urlsplit

import numpy as np
import panel as pn
import param

from dashboard.backend.jobs import when_done
from dashboard.backend.view import View
from dashboard.components.assets import style
from dashboard.components.collapsible import small_button
from dashboard.components.css import BASE
from data.services.http_client import RetryPolicy
from data.services.sdss_spectra import BASE_URL, RADIUS, Spectrum, nearest_spectrum

__all__ = ["ADDRESS", "SpectrumView", "spectrum_html"]

ADDRESS = "PCVAE_SKYSERVER_URL"  # of the environment: a mirror, or a stand-in
PATIENCE = RetryPolicy(timeout=15.0, tries=2, back_off=0.5, connect=3.0)  # a person waits
SAYS = "Spectrum: ask SDSS's SkyServer for the spectrum of this galaxy"
ELSEWHERE = "The link DESI above shows where DESI has one."


def spectrum_html(found: Spectrum | None, address: str) -> str:
    """A spectrum as a picture and a line; a sentence where there is none.

    Args:
        found: The spectrum.
        address: That of the service.
    """
    if found is None:
        return f'<p role="status">SDSS has no spectrum within {RADIUS:g}″. {ELSEWHERE}</p>'
    code = b64encode(found.picture).decode()
    line = f"SDSS: {found.name.lower()}, z = {found.redshift:.5f} ± {found.error:.1g}"
    if found.warning:
        line += f"; the pipeline warns (zWarning {found.warning})"
    page = f"{address}/en/get/SpecById.ashx?id={found.number}"
    return (
        f'<a href="{escape(page)}" target="_blank" rel="noopener noreferrer" '
        f'title="The picture in full size"><img src="data:{found.kind};base64,{code}" '
        f'alt="{escape(line)}"></a><p role="status">{escape(line)}</p>'
    )


class SpectrumView(View):
    """A button that asks for the spectrum, and what came of it.

    Nothing is asked for before the button is pressed, and then in a worker. Reads ``row`` and
    ``external`` of the state; writes nothing.
    """

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        looks = {"height": 24, "margin": (4, 0, 5, 8), "variant": "text"}
        self.button = small_button("Spectrum", SAYS, self.fetch, **looks)
        sheets = [BASE, style(__file__, "spectrum.css")]
        shown = {"sizing_mode": "stretch_width", "margin": 0, "visible": False}
        self.pane = pn.pane.HTML("", stylesheets=sheets, **shown)
        self._forget()

    def __panel__(self) -> pn.viewable.Viewable:
        return self.pane

    @property
    def place(self) -> tuple[float, float]:
        """Right ascension and declination [deg]; NaN where unknown or simulated."""
        row, external = self.state.row, self.state.external
        if row is None:
            return (np.nan, np.nan) if external is None else (external.ra, external.dec)
        if "simulated" in self.datastore.store.info.source.lower():
            return np.nan, np.nan
        galaxies = self.datastore.store.galaxies
        return float(galaxies["ra"].iloc[row]), float(galaxies["dec"].iloc[row])

    @param.depends("state.row", "state.external", watch=True)
    def _forget(self) -> None:
        """Show no spectrum of another galaxy."""
        self.button.visible = bool(np.isfinite(self.place).all())
        self.pane.param.update(object="", visible=False)

    def fetch(self) -> None:
        """Ask for the spectrum of the shown galaxy."""
        place, address = self.place, (os.environ.get(ADDRESS) or BASE_URL).rstrip("/")
        words = f'<p class="busy" role="status">Asking {escape(urlsplit(address).netloc)} …</p>'
        self.pane.param.update(object=words, visible=True)
        submit = self.datastore.workers.requests.submit
        job = submit(nearest_spectrum, *place, address, PATIENCE)
        when_done(job, lambda: self._show(job, place, address))

    def _show(
        self, job: "Future[Spectrum | None]", place: tuple[float, float], address: str
    ) -> None:
        if place != self.place:  # another galaxy was picked meanwhile
            return
        if (error := job.exception()) is None:
            self.pane.object = spectrum_html(job.result(), address)
            return
        offline = "There is no connection to SDSS. " * ("no connection" in str(error))
        words = f"{offline}No spectrum was fetched: {error}."
        self.pane.object = f'<p class="failed" role="alert">{escape(words)}</p>'
