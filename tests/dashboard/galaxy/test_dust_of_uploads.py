"""Galaxies that a person adds are corrected for the Milky Way's dust as the store's are."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dashboard.components.file_input import UploadError
from dashboard.galaxy.dust import behind_nearest_dust
from dashboard.galaxy.external_card import external_facts_html
from dashboard.galaxy.external_galaxy import ExternalGalaxy
from dashboard.galaxy.image_files import read_image_files
from tests.dashboard.explorers import begin
from tests.dashboard.galaxy.uploads import cube, info_of


@pytest.mark.parametrize(("given", "stated"), [(0.1, {}), (None, {"EBV": 0.1}), (0.1, {"EBV": 2})])
def test_an_upload_is_corrected_for_dust_as_the_stores_fluxes_are(session, flux, given, stated):
    """By what the person says, else by the header."""
    info = replace(info_of(session), dust="corrected", extinction={"g": 3.0, "r": 2.0, "z": 1.0})
    found = read_image_files([cube(flux[7], **stated)], info, given)
    factors = 10 ** (0.4 * 0.1 * np.array([3.0, 2.0, 1.0]))
    np.testing.assert_allclose(found.flux, flux[7] * factors[:, None, None], rtol=1e-5)
    assert "E(B-V) = 0.1 mag" in found.notes[-1]
    assert found.dereddened
    usual = read_image_files([cube(flux[7])], replace(info, extinction={}), 0.1)
    np.testing.assert_allclose(usual.flux[2] / flux[7, 2], 10 ** (0.04 * 1.211), rtol=1e-5)


def test_nothing_is_corrected_for_dust_that_is_unknown_or_that_the_store_kept(session, flux):
    info = replace(info_of(session), dust="corrected")
    for found in (
        read_image_files([cube(flux[7])], info),
        read_image_files([cube(flux[7], EBV="?")], info),
        read_image_files([cube(flux[7])], replace(info, dust="left"), 0.1),
    ):
        np.testing.assert_array_equal(found.flux, flux[7])
        assert not found.dereddened
    with pytest.raises(UploadError, match=r"expected E\(B-V\) from 0 to 5 mag, found 9"):
        read_image_files([cube(flux[7])], info, 9.0)


def test_dust_is_asked_for_where_the_stores_fluxes_are_corrected(store, flux, tmp_path):
    facts = json.loads((shutil.copytree(store, tmp_path / "s") / "store.json").read_text())
    (tmp_path / "s" / "store.json").write_text(json.dumps(facts | {"dust": "corrected"}))
    session = begin(tmp_path / "s")
    adding = session.add_galaxy
    adding.open()
    assert adding.ebv.visible
    adding.ebv.value = "much"
    adding.field.param.update(filename=["one.fits"], value=[cube(flux[7]).content])
    assert "expected E(B-V) as a number" in adding.words.object
    adding.ebv.value = ""
    adding.field.param.update(filename=["one.fits"], value=[cube(flux[7], EBV=0.3).content])
    assert "E(B-V) = 0.3 mag" in session.card.facts.object
    adding.ebv.value = "0.2"
    adding.field.param.update(filename=["one.fits"], value=[cube(flux[7]).content])
    assert "E(B-V) = 0.2 mag" in session.card.facts.object
    other = begin(store)
    other.add_galaxy.open()
    assert not other.add_galaxy.ebv.visible


@pytest.fixture
def dusty(store, tmp_path):
    """A session of a store without dust's extinction: one galaxy at (150, 2) with E(B-V) 0.2."""
    folder = shutil.copytree(store, tmp_path / "dusty")
    facts = json.loads((folder / "store.json").read_text())
    known = {"dust": "corrected", "extinction": {"g": 3.0, "r": 2.0, "z": 1.0}}
    (folder / "store.json").write_text(json.dumps(facts | known))
    galaxies = pd.read_parquet(folder / "galaxies.parquet").assign(ebv=0.01)
    galaxies.loc[3, ["ra", "dec", "ebv"]] = [150.0, 2.0, 0.2]
    galaxies.loc[4, ["ra", "dec", "ebv"]] = [170.0, 2.0, np.nan]
    galaxies.to_parquet(folder / "galaxies.parquet")
    return begin(folder)


def test_a_place_of_unknown_dust_is_behind_that_of_the_nearest_galaxy(dusty, flux):
    far = ExternalGalaxy("far", flux[7], (), 150.0, 2.3)
    nowhere, stated = replace(far, ra=np.nan), replace(far, dec=2.1, dereddened=True)
    unknown = replace(far, ra=170.0, dec=2.0)
    for one in (far, nowhere, stated, unknown):
        assert behind_nearest_dust(dusty.datastore, one) is one
    near = behind_nearest_dust(dusty.datastore, replace(far, dec=2.1))
    factors = 10 ** (0.4 * 0.2 * np.array([3.0, 2.0, 1.0]))
    np.testing.assert_allclose(near.flux, flux[7] * factors[:, None, None], rtol=1e-5)
    assert near.dereddened
    assert near.notes[-1].endswith("0.2 mag, that of the store's nearest galaxy, 6.0 arcmin away.")


def test_an_upload_without_its_dust_is_behind_that_of_the_nearest_galaxy(dusty, flux):
    dusty.add_galaxy.open()
    dusty.add_galaxy.field.param.update(filename=["a.fits"], value=[cube(flux[7]).content])
    assert "nearest galaxy, 0.0 arcmin away" in dusty.card.facts.object
    content = cube(flux[7], EBV=0.3).content
    dusty.add_galaxy.field.param.update(filename=["b.fits"], value=[content])
    assert "E(B-V) = 0.3 mag." in dusty.card.facts.object
    assert "nearest galaxy" not in dusty.card.facts.object


@pytest.mark.parametrize("corrected", [True, False])
def test_a_model_of_fluxes_without_dust_says_so_of_an_upload(corrected):
    external = ExternalGalaxy("mine", np.zeros((3, 4, 4), np.float32), ("Cut to size.",))
    seen = SimpleNamespace(without_dust=corrected)
    assert ("corrected for the Milky Way" in external_facts_html(external, {}, seen)) is corrected
    assert "corrected for" not in external_facts_html(external, {}, None)
