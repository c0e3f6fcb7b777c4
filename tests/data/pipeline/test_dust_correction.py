"""E(B-V) of a catalogue or of maps, and what a sample is corrected by."""

import argparse

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from data.pipeline.dust_correction import DustFacts, map_ebv, with_dust
from data.pipeline.options import DustOptions, add_dust_options
from pcvae.errors import SettingsError


def options(*words):
    parser = argparse.ArgumentParser()
    add_dust_options(parser)
    return DustOptions.of(parser.parse_args(list(words)))


def table(**columns):
    return pd.DataFrame({"id": ["a", "b"], "ra": [10.0, 200.0], "dec": [5.0, 40.0], **columns})


@pytest.fixture
def maps(tmp_path):
    """Maps of both hemispheres that are flat: 0.2 mag in the north, 0.05 mag in the south."""
    for pole, sign, value in (("ngp", 1, 0.2), ("sgp", -1, 0.05)):
        unit = fits.PrimaryHDU(np.full((64, 64), value, np.float32))
        keys = {"CTYPE1": "GLON-ZEA", "CTYPE2": "GLAT-ZEA", "CRPIX1": 32.5, "CRPIX2": 32.5}
        keys |= {"CRVAL1": 0.0, "CRVAL2": 90.0 * sign, "CD1_1": -4.0, "CD2_2": 4.0}
        unit.header.update(keys | {"CD1_2": 0.0, "CD2_1": 0.0, "LONPOLE": 180.0})
        unit.writeto(tmp_path / f"SFD_dust_4096_{pole}.fits")
    return tmp_path


def test_known_ebv_is_corrected_by_the_cameras_coefficients():
    found, facts = with_dust(table(ebv=["0.1", "0.3"]), ("g", "z"), "nanomaggy", options())
    assert facts == DustFacts("corrected", {"g": 3.214, "z": 1.211})
    np.testing.assert_allclose(found["ebv"], [0.1, 0.3])
    given = options("--extinction", "g=3.0,H=0.5", "--camera", "sdss")
    found, facts = with_dust(table(ebv=0.1), ("g", "r", "H"), "nanomaggy", given)
    assert facts.extinction == {"g": 3.0, "r": 2.285, "H": 0.5}


def test_without_ebv_fluxes_stay_and_a_sentence_says_so(capsys):
    _, facts = with_dust(table(), ("g",), "nanomaggy", options())
    assert facts == DustFacts("left", {})
    assert "not corrected for the Milky Way's dust: give a column ebv" in capsys.readouterr().out
    _, facts = with_dust(table(ebv=[0.1, np.nan]), ("g",), "nanomaggy", options())
    assert facts.dust == "corrected"
    assert "1 galaxies have no E(B-V)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "unit", "dust"),
    [
        (("--dust", "leave"), "nanomaggy", "left"),
        (("--dust", "corrected"), "nanomaggy", "corrected"),
        ((), "stretched", "unknown"),
    ],
)
def test_nothing_is_corrected_twice_or_where_it_cannot_be(words, unit, dust):
    assert with_dust(table(ebv=0.1), ("g",), unit, options(*words))[1] == DustFacts(dust, {})


def test_maps_fill_in_where_the_catalogue_says_nothing(maps):
    found, _ = with_dust(
        table(ebv=[0.07, np.nan]), ("g",), "nanomaggy", options("--dust-maps", str(maps))
    )
    np.testing.assert_allclose(found["ebv"], [0.07, 0.2], atol=1e-6)
    np.testing.assert_allclose(
        map_ebv(np.array([10.0, np.nan]), np.array([5.0, 0.0]), maps), [0.05, np.nan], atol=1e-6
    )


def test_missing_maps_and_values_that_cannot_be_are_told(tmp_path):
    with pytest.raises(SettingsError, match="expected SFD_dust_4096_ngp"):
        with_dust(table(), ("g",), "nanomaggy", options("--dust-maps", str(tmp_path)))
    with pytest.raises(SettingsError, match="expected ebv from 0 to 5 mag, found -1 for b"):
        with_dust(table(ebv=[0.1, -1]), ("g",), "nanomaggy", options())
