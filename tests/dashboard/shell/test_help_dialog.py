"""Help: the words that the page uses, and its keys."""

import panel as pn
import pytest

from dashboard.app import Explorer, serve
from dashboard.backend.datastore import DataStore
from dashboard.shell.glossary import GLOSSARY, glossary_html
from pcvae.store import read_store


@pytest.fixture
def session(store):
    return Explorer(DataStore(read_store(store), None))


@pytest.mark.parametrize(
    "term", ["latent", "sigma", "residual", "whitened", "smote", "false-positive rate"]
)
def test_a_newcomer_finds_the_term(term):
    assert any(term == one.lower() for one in GLOSSARY)
    assert term in glossary_html().lower()


def test_every_key_is_listed_with_what_it_does(session):
    listed = session.help.keys_pane.object
    for key, one in session.bindings.pressed.items():
        assert f"<kbd>{one.shown or key}</kbd>" in listed
        assert one.description in listed


def test_help_opens_by_its_key_and_starts_the_tour_again(session):
    session.keys._handle_msg({"key": "?"})
    assert session.help.dialog.open
    session.help.again.param.trigger("clicks")
    assert not session.help.dialog.open
    assert session.help.tour.shown


def test_the_tour_points_at_what_is_on_the_page(session):
    page = session.page()
    classes = {name for one in page.select(pn.viewable.Viewable) for name in one.css_classes}
    assert {step["place"] for step in session.help.tour.steps} - {""} <= classes


@pytest.mark.parametrize(
    ("folder", "expected"), [("nowhere", "train.encode"), (None, "could not be made")]
)
def test_a_page_that_cannot_be_made_says_why(store, monkeypatch, caplog, folder, expected):
    monkeypatch.setattr("sys.argv", ["serve", str(folder or store)])
    if folder is None:
        monkeypatch.setattr("dashboard.app.Explorer", lambda datastore: 1 / 0)
    shown = "".join(pane.object for pane in serve().select(pn.pane.HTML))
    assert expected in shown
    assert folder or "ZeroDivisionError" in shown
