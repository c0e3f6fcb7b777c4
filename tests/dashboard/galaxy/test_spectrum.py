"""The spectrum of the picked galaxy, without a browser, from a stand-in of SkyServer."""

import json

import pytest

from dashboard.galaxy.spectrum import ADDRESS
from data.services.http_client import RetryPolicy
from tests.dashboard.explorers import begin, change
from tests.data.services.stand_in import Answer, serving
from tests.data.services.test_sdss_spectra import PNG, ROW


@pytest.fixture
def session(store, tmp_path, monkeypatch):
    """A session of galaxies at real places."""
    monkeypatch.setattr("dashboard.galaxy.spectrum.PATIENCE", RetryPolicy(timeout=2.0, tries=1))
    folder = change(store, tmp_path / "store")
    facts = json.loads((folder / "store.json").read_text()) | {"source": "A survey."}
    (folder / "store.json").write_text(json.dumps(facts))
    session = begin(folder)
    session.state.row = 3
    return session


def skyserver(rows):
    def answer(asked):
        table = json.dumps([{"Rows": rows}]).encode()
        return Answer(table if asked.path.endswith("/SqlSearch") else PNG)

    return answer


def test_it_is_asked_for_by_the_button_alone_and_goes_with_the_galaxy(session, monkeypatch):
    view = session.card.spectrum
    with serving(skyserver([ROW | {"warning": 4}])) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        session.state.row = 5
        assert service.asked == []
        assert not view.pane.visible
        view.fetch()
        assert len(service.asked) == 2
    assert f"{session.datastore.store.galaxies['ra'][5]:.6f}" in service.asked[0].query["cmd"]
    assert "galaxy starforming, z = 0.12310 ± 2e-05" in view.pane.object
    assert "zWarning 4" in view.pane.object
    assert 'src="data:image/png;base64,' in view.pane.object
    session.state.row = 6
    assert not view.pane.visible


def test_none_and_no_connection_are_said(session, monkeypatch):
    view = session.card.spectrum
    with serving(skyserver([])) as service:
        monkeypatch.setenv(ADDRESS, service.url)
        view.fetch()
    assert "SDSS has no spectrum within 3″" in view.pane.object
    view.fetch()  # the stand-in is gone
    assert "There is no connection to SDSS. No spectrum was fetched" in view.pane.object
    assert 'role="alert"' in view.pane.object


def test_a_simulated_galaxy_has_no_button(many):
    many.state.row = 3
    assert not many.card.spectrum.button.visible
