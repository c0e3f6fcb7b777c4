"""The picked galaxy band by band: image, reconstruction and residual of one channel."""

import numpy as np
import pytest

from dashboard.backend.stamp_images import channels_of, data_uri, in_band, residual
from pcvae.encode import Codec
from tests.dashboard.explorers import begin, change, code_of


@pytest.fixture
def session(store, tmp_path):
    return begin(change(store, tmp_path / "store"))


def test_the_bands_of_the_sample_can_be_chosen(session):
    assert session.state.param.band.objects == ["colour", "g", "r", "z"]
    assert list(session.card.bands.options) == ["Colour", "g", "r", "z"]


@pytest.mark.parametrize(("band", "channel"), [("z", 0), ("r", 1), ("g", 2)])
def test_a_band_shows_its_channel_alone_of_all_three_pictures(session, band, channel):
    datastore = session.datastore
    session.state.param.update(row=17, band=band)
    html = session.card.pictures.object
    stamp = code_of(17)
    assert data_uri(np.repeat(stamp[..., channel : channel + 1], 3, axis=2)) in html
    codec = Codec.read(datastore.store.model_folder("physics"))
    latents = datastore.store.values("physics")[17:18]
    rebuilt = codec.decode_rgb(latents, datastore.store.info.stamp_stretch)[0]
    grey = np.repeat(rebuilt[..., channel : channel + 1], 3, axis=2)
    assert data_uri((np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8)) in html
    missed = residual(in_band(stamp, channel) / np.float32(255), grey)
    assert data_uri(missed.picture) in html
    assert f"± {missed.limit:.2f}" in html


def test_colour_comes_back_and_another_galaxy_keeps_the_band(session):
    session.state.param.update(row=17, band="r")
    session.state.row = 18
    assert data_uri(in_band(code_of(18), 1)) in session.card.pictures.object
    session.state.band = "colour"
    assert data_uri(code_of(18)) in session.card.pictures.object


def test_the_channels_are_those_in_which_the_bands_are_displayed():
    """As in ``pcvae.preprocess.display``: the reddest band is red, the middle one green."""
    assert channels_of(("u", "g", "r", "i", "z")) == {"u": 2, "r": 1, "z": 0}
    assert channels_of(("g", "r")) == {"g": 2, "r": 0}
    assert channels_of(("i",)) == {}
