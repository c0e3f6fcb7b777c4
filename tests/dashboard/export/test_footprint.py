"""Footprints hold the galaxies that they are of, and say how much of the sky they cover."""

import io
import sys

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from mocpy import MOC

from dashboard.export.choices import FOOTPRINT, Choice
from dashboard.export.files import maker_of
from dashboard.export.footprint import CELLS, FITTED, moc_of
from pcvae.errors import PcvaeError
from tests.dashboard.explorers import begin


def read(content, path):
    path.write_bytes(content)
    return MOC.load(path, "fits")


def footprint(session, cells):
    return maker_of(session.datastore, session.state, Choice(FOOTPRINT, cells))(lambda *_: None)


def inside(moc, galaxies):
    ra, dec = (galaxies[name].to_numpy() * units.deg for name in ("ra", "dec"))
    return moc.contains_lonlat(ra, dec)


def test_the_footprint_of_the_selection_holds_it_and_nothing_else(many, tmp_path):
    chosen = np.arange(120) % 7 == 2
    many.state.selection.selected = chosen
    many.export_panel.open()
    panel = many.export_panel
    panel.what.value = panel.what.options["Footprint of 17 galaxies, MOC"]
    assert panel.formats.kind.options == CELLS
    assert not panel.give.visible
    file = footprint(many, "10")
    moc = read(file.content, tmp_path / file.name)
    assert moc.max_order == 10
    assert list(np.flatnonzero(inside(moc, many.datastore.store.galaxies))) == list(
        np.flatnonzero(chosen)
    )
    assert file.words.startswith("cells of 3.4' (order 10), ")
    area = moc.sky_fraction * 41252.96
    assert f"{area:.3g} deg²" in file.words
    with fits.open(io.BytesIO(file.content)) as hdus:
        assert hdus[0].header["WHAT"] == "footprint of 17 galaxies"
        assert hdus[1].header["MOCDIM"] == "SPACE"
    panel.what.value = "selection"
    assert panel.formats.kind.value == "csv"


def test_cells_are_as_fine_as_the_galaxies_allow():
    """Of galaxies all over a part of the sky the footprint is that part, without holes."""
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(150, 170, 4000), rng.uniform(-5, 5, 4000)
    moc = moc_of(ra, dec, None)
    assert moc.sky_fraction * 41252.96 == pytest.approx(200, rel=0.15)
    assert 4 <= 4000 / len(moc.flatten()) < 16
    assert moc_of(ra[:1], dec[:1], None).max_order == 3


def test_galaxies_without_a_place_are_left_out_and_said(examples, tmp_path):
    session = begin(examples["no place"])
    with pytest.raises(PcvaeError, match="expected galaxies with a place on the sky, found none"):
        footprint(session, FITTED)
    session = begin(examples["few"])
    session.datastore.store.galaxies.loc[1, "ra"] = np.nan
    file = footprint(session, "9")
    assert file.words.endswith("; 1 without a place.")
    moc = read(file.content, tmp_path / file.name)
    assert inside(moc, session.datastore.store.galaxies.iloc[[0, 2]]).all()


def test_without_mocpy_it_says_what_to_install(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "mocpy", None)
    with pytest.raises(PcvaeError, match="run pip install mocpy"):
        footprint(many, "9")
