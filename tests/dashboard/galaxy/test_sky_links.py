"""Links of a position on the sky."""

import json
import shutil
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dashboard.galaxy.sky_links import RADIUS, links_html, links_of
from tests.dashboard.explorers import begin

RA, DEC = 150.1, -2.2
PLACES = {  # host, and the values that hold the place
    "Legacy Surveys": ("www.legacysurvey.org", {"ra": f"{RA:.6f}", "dec": f"{DEC:.6f}"}),
    "DESI": ("www.legacysurvey.org", {"ra": f"{RA:.6f}", "dec": f"{DEC:.6f}"}),
    "SkyServer": ("skyserver.sdss.org", {"ra": f"{RA:.6f}", "dec": f"{DEC:.6f}"}),
    "ESASky": ("sky.esa.int", {"target": "150.100000 -2.200000", "cooframe": "J2000"}),
    "SIMBAD": ("simbad.cds.unistra.fr", {"Coord": "150.100000 -2.200000", "Radius": f"{RADIUS}"}),
    "NED": ("ned.ipac.caltech.edu", {"coordinates": "150.100000d -2.200000d"}),
    "VizieR": ("vizier.cds.unistra.fr", {"-c": "150.100000 -2.200000", "-c.rs": f"{RADIUS}"}),
}


@pytest.mark.parametrize("link", links_of(RA, DEC), ids=lambda link: link.name)
def test_each_link_carries_the_place_in_the_services_own_form(link):
    parts = urlsplit(link.address)
    host, values = PLACES[link.name]
    assert (parts.scheme, parts.hostname) == ("https", host)
    found = {name: texts[0] for name, texts in parse_qs(parts.query).items()}
    assert values.items() <= found.items()
    assert "+" not in parts.query  # a sign of the declination is written %2B, a space %20
    assert ("desi-spec-dr1" in parts.query) == (link.name == "DESI")


def test_a_northern_declination_keeps_its_sign():
    vizier = links_of(150.1, 2.2)[-1].address
    assert parse_qs(urlsplit(vizier).query)["-c"] == ["150.100000 +2.200000"]


def real(folder, copy):
    """A session of a copy of a store whose galaxies are not simulated."""
    shutil.copytree(folder, copy)
    facts = json.loads((copy / "store.json").read_text())
    (copy / "store.json").write_text(json.dumps({**facts, "source": "of a survey"}))
    return begin(copy)


def test_the_card_links_real_places_only(many, examples, tmp_path):
    assert "<a " not in many.card.facts.object
    card = real(examples["few"], tmp_path / "few").card
    assert card.facts.object.count('rel="noopener noreferrer"') == len(PLACES)
    card = real(examples["no place"], tmp_path / "none").card
    assert "<a " not in card.facts.object
    assert links_of(np.nan, 1.0) == []
    assert links_html([]) == ""
