"""Links to what others know of the object at a position on the sky."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote, urlencode

import numpy as np

__all__ = ["RADIUS", "Link", "links_html", "links_of"]

RADIUS = 10  # arcsec, within which others look for the object
FIELD = 0.05  # degrees of the sky that a picture shows
VIEWER = "https://www.legacysurvey.org/viewer"


class Link(NamedTuple):
    """A link.

    Args:
        name: The name of the service.
        address: Its address for the object.
        says: What is found there.
    """

    name: str
    address: str
    says: str


def links_of(ra: float, dec: float) -> list[Link]:
    """Links for a position [deg]; none if it is unknown.

    Example:
        >>> [link.name for link in links_of(151.8, 0.4)]
        ['Legacy Surveys', 'DESI', 'SkyServer', 'ESASky', 'SIMBAD', 'NED', 'VizieR']
        >>> links_of(float("nan"), 0.0)
        []
    """
    if not np.isfinite([ra, dec]).all():
        return []
    place = {"ra": f"{ra:.6f}", "dec": f"{dec:.6f}"}
    seen = _query({**place, "layer": "ls-dr10", "zoom": 15, "mark": f"{ra:.6f},{dec:.6f}"})
    target = f"{ra:.6f} {dec:+.6f}"
    return [
        Link("Legacy Surveys", f"{VIEWER}?{seen}", "Images, models and residuals"),
        Link("DESI", f"{VIEWER}?{seen}&desi-spec-dr1", "Which objects have a spectrum, DR1"),
        Link("SkyServer", _skyserver(place), "The object of SDSS nearest to it, and its spectrum"),
        Link("ESASky", _esasky(target), "Space missions' images and spectra"),
        Link("SIMBAD", _simbad(target), "Known objects, with their literature"),
        Link("NED", _ned(ra, dec), "Known extragalactic objects, with redshifts"),
        Link("VizieR", _vizier(target), "Published catalogues that hold it"),
    ]


def links_html(links: Sequence[Link]) -> str:
    """The links as a line of the card; empty where there are none."""
    if not links:
        return ""
    shown = "".join(
        f'<a href="{escape(link.address)}" title="{escape(link.says)}" target="_blank" '
        f'rel="noopener noreferrer">{link.name}</a>'
        for link in links
    )
    return f'<div class="facts links">{shown}</div>'


def _query(values: dict[str, object]) -> str:
    return urlencode(values, quote_via=quote, safe=",")


def _skyserver(place: dict[str, str]) -> str:
    return f"https://skyserver.sdss.org/dr18/VisualTools/quickobj?{_query({**place})}"


def _esasky(target: str) -> str:
    view = {"target": target, "hips": "DSS2 color", "fov": FIELD, "cooframe": "J2000"}
    return f"https://sky.esa.int/esasky/?{_query({**view, 'sci': 'true', 'lang': 'en'})}"


def _simbad(target: str) -> str:
    wanted = _query({"Coord": target, "Radius": RADIUS, "Radius.unit": "arcsec"})
    return f"https://simbad.cds.unistra.fr/simbad/sim-coo?{wanted}"


def _ned(ra: float, dec: float) -> str:
    wanted = {
        "search_type": "Near Position Search",
        "in_csys": "Equatorial",
        "in_equinox": "J2000",
        "coordinates": f"{ra:.6f}d {dec:+.6f}d",
        "radius": f"{RADIUS / 60:.2f}",  # arcmin
    }
    return f"https://ned.ipac.caltech.edu/conesearch?{_query({**wanted})}"


def _vizier(target: str) -> str:
    wanted = _query({"-c": target, "-c.rs": RADIUS, "-out.add": "_r", "-sort": "_r"})
    return f"https://vizier.cds.unistra.fr/viz-bin/VizieR-4?{wanted}"
