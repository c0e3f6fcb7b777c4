"""How far labels can be trusted, on the page and in exports."""

import re

import numpy as np
import pytest

from dashboard.backend.label_trust import AROUND, sight_of
from dashboard.export.tables import selection, trust_facts
from pcvae.metrics import score
from pcvae.store import read_store
from tests.dashboard.explorers import begin, change


@pytest.fixture(scope="module")
def folder(examples, tmp_path_factory):
    """A store of 12 Green Peas, whose redshifts are inferred 5 too low, and 108 field galaxies.

    All else is as the model says, within its sigmas; one in 20 trained.
    """
    rng = np.random.default_rng(3)
    latents = read_store(examples["many"]).latents("physics")
    columns, peas = {}, np.arange(120) < 12
    for name in ("redshift", "log_mass", "log_sfr"):
        sigma = latents[f"{name}_sigma"].to_numpy()
        columns[name] = latents[name].to_numpy() + rng.normal(0, 0.8, 120) * sigma
        columns[f"{name}_err"] = np.full(120, 1e-3)
    columns["redshift"] = columns["redshift"] + np.where(peas, 5.0, 0.0)
    population = np.where(peas, "green_pea", "field")
    split = np.where(np.arange(120) % 20, "test", "train")
    new = tmp_path_factory.mktemp("trust") / "store"
    return change(examples["many"], new, population=population, split=split, **columns)


@pytest.fixture
def judged(folder, tmp_path):
    return begin(folder, tmp_path / "journal.sqlite")


def test_the_figures_are_of_those_in_focus_that_never_trained(judged):
    datastore, state = judged.datastore, judged.state
    mask = np.zeros(120, bool)
    mask[20:60] = True
    state.param.update(tab="selection")
    state.selection.selected = mask
    galaxies, latents = datastore.store.galaxies, datastore.store.latents("physics")
    kept = mask & (galaxies["split"] == "test").to_numpy()
    sigma = np.hypot(latents["log_mass_sigma"], galaxies["log_mass_err"])
    expected = score(
        galaxies["log_mass"][kept], latents["log_mass"][kept], "log_mass", sigma[kept], draws=0
    )
    found = datastore.trust.judge("physics", mask).labels["log_mass"]
    assert found.n == expected["n"] == 38
    for key in ("bias", "nmad", "outlier_rate", "coverage68", "coverage90"):
        assert getattr(found, key) == pytest.approx(expected[key])
    shown = judged.tabs["selection"].trust.pane.object
    assert "Labels of the 40 in focus" in shown
    assert f"<td>{expected['nmad']:.3f}</td>" in shown


def test_without_a_selection_it_is_what_is_in_view_or_all(judged):
    state, columns = judged.state, judged.datastore.columns
    assert sight_of(columns, state) == (None, "all")
    points = columns.plane(*state.plane).points
    middle = points.median()
    state.zoom = (points["x"].min(), points["y"].min(), middle["x"], middle["y"])
    state.tab = "selection"
    sight = sight_of(columns, state)
    inside = (points <= middle).all(axis=1)
    np.testing.assert_array_equal(sight.mask, inside)
    words = f"Labels of the {inside.sum()} in view"
    assert words in judged.tabs["selection"].trust.pane.object


def test_galaxies_are_judged_again_only_where_others_are_looked_at(judged, monkeypatch):
    state, trust, judging = judged.state, judged.datastore.trust, []
    judge = trust.judge
    monkeypatch.setattr(trust, "judge", lambda *asked: judging.append(asked) or judge(*asked))
    state.tab = "selection"
    state.zoom = (-1.0, -1.0, 1.0, 1.0)
    assert len(judging) == 2
    state.selection.selected = np.arange(120) < 30
    assert len(judging) == 3
    state.zoom = (-2.0, -1.0, 1.0, 1.0)
    state.tab = "neighbours"
    state.tab = "selection"
    assert len(judging) == 3
    state.selection.selected = np.arange(120) < 40
    assert len(judging) == 4
    assert "Labels of the 40 in focus" in judged.tabs["selection"].trust.pane.object


def test_a_page_whose_labels_cannot_be_judged_still_shows_the_galaxy(judged, monkeypatch):
    trust = judged.datastore.trust
    monkeypatch.setattr(trust, "_judge", lambda *_: 1 / 0)
    trust.by_population.cache_clear()
    judged.state.row = 3
    assert judged.card.trust.note.object == ""
    assert judged.datastore.ids[3] in judged.card.facts.object
    judged.state.page = "model"
    (pane,) = judged.model_page.sections.holders["trust"].objects
    assert "Not worked out: division by zero" in pane.object


def test_the_card_flags_a_class_that_is_known_to_be_off_and_no_other(judged):
    judged.state.row = 3
    note = judged.card.trust.note
    assert "For Green Pea (of " in note.object
    assert "redshift is " in note.object
    assert "too low" in note.object
    assert "log stellar mass" not in note.object
    judged.state.row = 50
    assert "Green Pea" not in note.object
    judged.keys._handle_msg({"key": "g"})
    assert "For Green Pea (of " in note.object


def test_a_region_that_is_known_to_be_off_is_flagged(folder, judged, tmp_path):
    datastore, state = judged.datastore, judged.state
    state.row = 50
    assert judged.card.trust.note.object == ""
    index = datastore.neighbours.index("physics", state.metric).result()
    judges = (datastore.store.galaxies["split"] == "test").to_numpy() & (np.arange(120) >= 12)
    near = np.isin(np.arange(120), index.query(50, AROUND, judges)[0])
    galaxies = datastore.store.galaxies
    mass = galaxies["log_mass"] - np.where(near, 9, 0)
    population = np.where(near, "far", galaxies["population"])
    wrong = change(folder, tmp_path / "wrong", log_mass=mass, population=population)
    session = begin(wrong)
    session.state.row = 50
    words = (
        rf"Around it \(the {AROUND} nearest ordinary galaxies that never trained\) log stellar "
    )
    found = re.search(rf"{words}mass is ([\d.]+) dex too high", session.card.trust.note.object)
    assert float(found[1]) == pytest.approx(9, abs=0.1)
    session.state.row = int(np.flatnonzero(near)[0])
    assert "For Far (of 50 that never trained) log stellar" in session.card.trust.note.object
    assert "Around it" not in session.card.trust.note.object


def test_the_model_page_has_each_population_and_says_what_is_off(judged):
    judged.state.page = "model"
    (pane,) = judged.model_page.sections.holders["trust"].objects
    assert "<td>All: 120</td>" in pane.object
    assert "<td>Green Pea</td>" in pane.object
    assert "Known to be off<br>Green Pea: redshift is " in pane.object
    mask = np.zeros(120, bool)
    mask[:30] = True
    judged.state.selection.selected = mask
    (pane,) = judged.model_page.sections.holders["trust"].objects
    assert "<td>In focus: 30</td>" in pane.object
    judged.state.model = "vanilla"
    (pane,) = judged.model_page.sections.holders["trust"].objects
    assert "tied to a label: there is nothing to judge" in pane.object


def test_an_exported_table_says_how_far_its_labels_can_be_trusted(judged):
    rows = np.arange(20, 60)
    facts = trust_facts(judged.datastore, "physics", selection(judged.datastore, "physics", rows))
    assert "log_mass of 38: bias " in facts["trust"]
    assert facts["known_off"].startswith("Green Pea: redshift is ")
    facts = trust_facts(judged.datastore, "vanilla", selection(judged.datastore, "vanilla", rows))
    assert facts == {"trust": "the model infers no labels", "known_off": "nothing"}


def test_what_has_no_labels_says_so(examples):
    session = begin(examples["no labels"])
    session.state.param.update(tab="selection", row=3)
    shown = session.tabs["selection"].trust.pane
    assert "none of them never trained and has a label" in shown.object
    assert session.card.trust.note.object == ""
    session.state.model = "vanilla"
    assert "the vanilla model infers none" in shown.object
