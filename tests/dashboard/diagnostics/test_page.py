"""The model page: its figures, tables and what they are made of, without a browser."""

from concurrent.futures import Future

import holoviews as hv
import numpy as np
import pytest
from panel.pane import HTML, HoloViews

from dashboard.app import Explorer, page_switch
from dashboard.backend.model_scores import few_shot_of, history_of, scores_of, trials_of
from dashboard.diagnostics.figures import (
    FigureSpec,
    against,
    main_plane,
    shown_galaxies,
    size_plane,
)
from dashboard.diagnostics.loss_curves import loss_curves
from dashboard.diagnostics.scatter import Scatter, error_bars
from dashboard.diagnostics.score_tables import confusion_html, few_shot_html, scores_html
from data.simulation.scaling_relations import main_sequence
from pcvae.anomaly import classes_of
from pcvae.labels import LABELS, label
from pcvae.metrics import score
from pcvae.trials import paper_trials
from tests.dashboard.explorers import EXAMPLES, begin, change, datastore_of
from train.evaluation.galaxy_pool import gather

SECTIONS = ("labels", "planes", "scores", "trials", "few_shot", "losses")


@pytest.fixture(scope="module")
def datastore(store, tmp_path_factory):
    return datastore_of(store, tmp_path_factory.mktemp("journal") / "journal.sqlite")


@pytest.fixture
def session(datastore):
    explorer = Explorer(datastore)
    explorer.start()
    return explorer


def said(session, section):
    return " ".join(
        pane.object for pane in session.model_page.sections.holders[section].select(HTML)
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_section_of_the_page_is_made_or_says_why_not_on_every_store(examples, name):
    session = begin(examples[name])
    session.page().get_root()
    for choice in ({}, {"shown": "held_out", "model": session.datastore.models[-1]}):
        session.state.param.update(page="model", **choice)
        for section in SECTIONS:
            assert said(session, section)
            assert "working" not in said(session, section)


def test_the_page_is_not_drawn_before_it_is_turned_to(session):
    assert not session.model_page.sections.scatters
    session.state.page = "model"
    assert set(session.model_page.sections.scatters) == {
        *(one.name for one in LABELS),
        "main",
        "size",
    }


def test_a_switch_turns_the_page_and_back(session):
    session.page().get_root()
    switch = page_switch(session.state)
    switch.value = "model"
    assert session.state.page == "model"
    assert session.model_page.__panel__().visible
    switch.value = "explore"
    assert not session.model_page.__panel__().visible


@pytest.mark.parametrize("name", [one.name for one in LABELS])
def test_a_tap_on_fig_1_picks_exactly_that_galaxy(session, name):
    session.state.page = "model"
    scatter = session.model_page.sections.scatters[name]
    galaxies, latents = (
        session.datastore.store.galaxies,
        session.datastore.store.latents("physics"),
    )
    for row in np.flatnonzero(scatter.sketch.drawn)[::7]:
        scatter.tap.event(x=float(galaxies[name][row]), y=float(latents[name][row]))
        assert session.state.row == row


def test_a_tap_picks_only_what_is_drawn(session):
    session.state.page = "model"
    scatter = session.model_page.sections.scatters["redshift"]
    hidden = int(np.flatnonzero(~scatter.sketch.drawn)[0])
    place = scatter.sketch.plane.points.iloc[hidden]
    scatter.tap.event(x=float(place["x"]), y=float(place["y"]))
    assert scatter.sketch.drawn[session.state.row]


def test_the_test_split_shows_its_normal_galaxies_and_the_rare_ones_that_never_train(datastore):
    pool = gather(datastore.store)
    shown = shown_galaxies(pool, "test")
    split, rare = pool.galaxies["split"], pool.galaxies["population"].isin(pool.info.rare)
    expected = ((split == "test") & ~rare) | ((split == "held_out") & rare)
    np.testing.assert_array_equal(shown, expected)
    assert shown_galaxies(pool, "all").all()
    np.testing.assert_array_equal(shown_galaxies(pool, "held_out"), split == "held_out")


def test_a_figure_says_how_many_galaxies_it_shows(datastore):
    everything = np.ones(len(datastore), dtype=bool)
    sketch = against(datastore, "physics", label("redshift"), everything)
    assert sketch.count_text == "120 galaxies"
    points = sketch.plane.points.copy()
    points.loc[:9, "x"] = np.nan
    plane = type(sketch.plane)(sketch.plane.x, sketch.plane.y, points, sketch.plane.limits)
    assert FigureSpec("", plane, everything).count_text == "110 of 120 galaxies"


def test_fig_1_shows_what_catalogue_and_model_say_with_their_errors(datastore):
    shown = shown_galaxies(gather(datastore.store), "test")
    sketch = against(datastore, "physics", label("log_mass"), shown)
    galaxies, latents = datastore.store.galaxies, datastore.store.latents("physics")
    row = int(np.flatnonzero(sketch.drawn)[3])
    place = sketch.plane.points.iloc[row]
    assert place["x"] == pytest.approx(galaxies["log_mass"][row])
    assert place["y"] == pytest.approx(latents["log_mass"][row])
    bars = error_bars(sketch)
    assert len(bars) == 2 * sketch.drawn.sum()
    across, up = bars[3], bars[3 + sketch.drawn.sum()]
    assert across[2] - across[0] == pytest.approx(2 * galaxies["log_mass_err"][row])
    assert up[3] - up[1] == pytest.approx(2 * latents["log_mass_sigma"][row])


def test_orientations_have_their_line_again_half_a_turn_on(datastore):
    sketch = against(
        datastore, "physics", label("orientation"), np.ones(len(datastore), dtype=bool)
    )
    assert sorted(line.offset for line in sketch.lines) == pytest.approx([-np.pi, 0, np.pi])


def test_a_model_without_labels_has_no_fig_1(datastore):
    everything = np.ones(len(datastore), dtype=bool)
    assert against(datastore, "vanilla", label("redshift"), everything) is None
    assert main_plane(datastore, "vanilla", everything, "inferred") is None
    assert main_plane(datastore, "vanilla", everything, "catalogue") is not None


def test_the_main_sequence_is_that_of_the_median_redshift(datastore):
    everything = np.ones(len(datastore), dtype=bool)
    sketch = main_plane(datastore, "physics", everything, "catalogue")
    line = next(one for one in sketch.lines if one.dash == "solid")
    redshift = datastore.store.galaxies["redshift"][datastore.populations.normal].median()
    for mass in (9.0, 11.0):
        expected = main_sequence(np.array([mass]), np.array([redshift]))[0]
        assert line.slope * mass + line.offset == pytest.approx(expected)
    low, high = sketch.bands[0]
    assert (low.slope, low.offset, high.offset) == (1.0, -11.8, -10.8)


def test_sizes_are_on_the_sky_where_the_pixel_scale_is_known(datastore):
    sketch = size_plane(datastore, "physics", np.ones(len(datastore), dtype=bool))
    assert sketch.plane.y.unit == "arcsec"
    np.testing.assert_allclose(sketch.plane.points["y"], 5.0 * 0.262, rtol=1e-6)
    assert sketch.plane.x.column == "free_0"


def test_the_table_has_the_numbers_of_the_metrics(datastore):
    pool = gather(datastore.store)
    scores = dict(datastore.model_jobs.scores(model).result() for model in datastore.models)
    latents, galaxies = datastore.store.latents("physics"), datastore.store.galaxies
    for name in ("redshift", "log_mass"):
        sigma = np.hypot(latents[f"{name}_sigma"], galaxies[f"{name}_err"])
        columns = galaxies[name], latents[name], sigma
        expected = score(*(one[pool.test] for one in columns[:2]), name, sigma[pool.test])
        assert scores["physics"][name] == pytest.approx(expected, nan_ok=True)
        html = scores_html(scores, "physics")
        assert f"<b>{expected['r2']:.3f}</b>".replace("-", "\N{MINUS SIGN}") in html
        assert f"{100 * expected['coverage90']:.1f} %" in html
    assert "vanilla, by neighbours" in scores


def test_the_confusion_matrix_has_the_counts_of_the_papers_trials(datastore):
    pool, trials = gather(datastore.store), datastore.model_jobs.trials().result()
    classes = classes_of(pool.galaxies["population"][pool.unseen], pool.info.rare)
    values = datastore.store.values("vanilla")[pool.unseen]
    counts = paper_trials(values, classes).confusion()
    np.testing.assert_array_equal(trials["vanilla"].confusion(), counts)
    html = confusion_html("vanilla", trials["vanilla"])
    for count in counts.sum(axis=0).ravel():
        assert f"<small>{count:,}</small>" in html


def test_losses_are_those_of_the_run_and_logarithmic_only_where_positive(datastore):
    history = history_of(datastore.store, "physics")
    curves = loss_curves({"physics": history}, "image", "physics", dark=True)
    drawn = [curve.dimension_values("loss") for curve in curves]
    np.testing.assert_allclose(drawn[0], history["train_image"])
    np.testing.assert_allclose(drawn[1], history["validation_image"])
    assert curves.opts.get("plot").kwargs["logy"]
    below = history.assign(train_image=-1.0)
    below = loss_curves({"physics": below}, "image", "physics", dark=True)
    assert not below.opts.get("plot").kwargs["logy"]
    nothing = history.assign(train_physics=0.0, validation_physics=0.0)
    assert loss_curves({"vanilla": nothing}, "physics", "vanilla", dark=True) is None


def test_an_embedding_has_neither_labels_nor_losses_and_the_page_says_so(store, tmp_path):
    folder = change(store, tmp_path / "store", models=["vanilla"])
    for name in ("metrics.csv", "run.json", "model.safetensors"):
        (folder / "models" / "vanilla" / name).unlink()
    session = begin(folder)
    session.state.page = "model"
    assert "infers none" in said(session, "labels")
    assert "record of its losses" in said(session, "losses")
    assert "main" in session.model_page.sections.scatters


def test_a_failure_of_the_tables_is_told_in_words(store, tmp_path, monkeypatch):
    session = begin(change(store, tmp_path / "store"))
    monkeypatch.setattr("dashboard.backend.model_jobs.trials_of", lambda pool: 1 / 0)
    session.state.page = "model"
    assert "Not worked out: division by zero" in said(session, "trials")
    assert "scores" in said(session, "scores")


def test_the_picked_galaxy_is_ringed_in_every_figure(session):
    session.state.page = "model"
    scatter = session.model_page.sections.scatters["main"]
    hv.render(scatter.figure)
    for row in (3, 50):
        session.state.row = row
        place = scatter.sketch.plane.points.iloc[row]
        assert scatter.rings.source.data["x"][-1] == place["x"]
        assert scatter.rings.source.data["y"][-1] == place["y"]


def test_the_theme_repaints_the_page_when_it_is_seen(session):
    session.state.page = "model"
    before = session.model_page.sections.scatters["redshift"]
    session.state.dark = False
    assert session.model_page.sections.scatters["redshift"] is not before
    again = session.model_page.sections.scatters["redshift"]
    session.state.param.update(page="explore")
    session.state.dark = True
    assert session.model_page.sections.scatters["redshift"] is again


CHOICES = ["model", "shown", "by", "dark"]
OTHERS = [("model", "vanilla"), ("shown", "all"), ("by", "catalogue"), ("dark", False)]


@pytest.fixture
def turns(monkeypatch):
    """What is being drawn, to be taken on by hand; each figure knows what it was drawn for."""

    class Known(Scatter):
        def __init__(self, **params):
            super().__init__(**params)
            self.drawn_for = [getattr(self.state, name) for name in CHOICES]

    begun = []
    monkeypatch.setattr("dashboard.diagnostics.page_sections.Scatter", Known)
    monkeypatch.setattr("dashboard.diagnostics.page.run_in_ticks", begun.append)
    return begun


def take(turns):
    """Take all that is being drawn on to its end, in turn as an event loop does."""
    while turns:
        turns[:] = [steps for steps in turns if next(steps, True) is None]


def assert_all_figures_are_of_what_is_chosen(session):
    page, chosen = session.model_page.sections, [getattr(session.state, name) for name in CHOICES]
    panes = [
        pane for name in ("labels", "planes") for pane in page.holders[name].select(HoloViews)
    ]
    assert len(panes) == len(LABELS) + 2
    assert {id(pane) for pane in panes} == {id(one._pane) for one in page.scatters.values()}
    assert [one.drawn_for for one in page.scatters.values()] == [chosen] * len(panes)


@pytest.mark.parametrize("steps", [0, 2, 5])
@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_a_choice_that_is_taken_back_leaves_no_figure_of_another_one(
    session, turns, name, other, steps
):
    state = session.state
    state.page = "model"
    take(turns)
    before = getattr(state, name)
    setattr(state, name, other)
    for _ in range(steps):
        next(turns[0], None)
    setattr(state, name, before)
    take(turns)
    assert_all_figures_are_of_what_is_chosen(session)


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_a_figure_that_is_begun_is_not_drawn_twice(session, turns, name, other):
    state = session.state
    before = getattr(state, name)
    state.page = "model"
    next(turns[0])
    setattr(state, name, other)
    setattr(state, name, before)
    take(turns)
    assert_all_figures_are_of_what_is_chosen(session)


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_what_is_chosen_out_of_sight_stops_what_is_being_drawn(session, turns, name, other):
    state = session.state
    before = getattr(state, name)
    state.page = "model"
    next(turns[0])
    state.page = "explore"
    setattr(state, name, other)
    take(turns)
    state.param.update(**{"page": "model", name: before})
    take(turns)
    assert_all_figures_are_of_what_is_chosen(session)


def test_what_is_soon_worked_out_is_shown_before_the_rest(session):
    """The neighbours of a million galaxies take minutes; the other rows do not wait for them."""
    page, later = session.model_page.sections, Future()
    first = session.datastore.model_jobs.scores("physics")
    first.result()
    page._show_table("scores", [first, later])
    assert "R² linear" in said(session, "scores")
    assert "working out the others" in said(session, "scores")
    later.set_result(("vanilla, by neighbours", {}))
    page._show_table("scores", [first, later])
    assert "working" not in said(session, "scores")


def test_a_very_large_pool_is_thinned_and_says_so(datastore, monkeypatch):
    monkeypatch.setattr("dashboard.backend.model_scores.MAX_TRAINING", 60)
    pool = gather(datastore.store)
    assert pool.train.sum() > 60
    who, labels = scores_of(pool, datastore.store.model("vanilla"))
    assert who == "vanilla, by neighbours among 60"
    assert labels["redshift"]["n"] == pool.test.sum()


def test_few_examples_are_judged_beside_photometry(photometric):
    pool = gather(photometric.datastore.store)
    found = few_shot_of(pool)
    assert list(found) == ["physics", "vanilla", "photometry", "physics + photometry"]
    table = few_shot_html(found)
    assert "5 known, first 50" in table
    figure = found["physics"]["green_pea"]["5 in 50"]
    assert f"<b>{figure['found']:.1f}</b>" in table
    assert "photometry" in trials_of(pool)


def test_few_examples_are_searched_among_a_part_of_very_many(photometric, monkeypatch):
    monkeypatch.setattr("dashboard.backend.model_scores.MAX_SEARCHED", 5)
    pool, sizes = gather(photometric.datastore.store), []
    monkeypatch.setattr(
        "train.evaluation.few_shot.few_shot", lambda pool: sizes.append(int(pool.unseen.sum()))
    )
    few_shot_of(pool)
    rare = pool.galaxies["population"].isin(pool.info.rare)
    assert sizes == [5 + int((pool.unseen & rare).sum())]
