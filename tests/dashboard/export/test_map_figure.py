"""The map as a figure: what the screen shows, on paper."""

import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from dashboard.active_learning.training_labels import refit
from dashboard.backend.populations import population_title
from dashboard.backend.quantities import ANOMALY
from dashboard.export.choices import FIGURE, Choice
from dashboard.export.files import maker_of
from dashboard.export.map_figure import COLUMN, PAGE, Paper, _bar, map_figure
from dashboard.export.map_layers import Glyphs, Map, draw_over
from dashboard.labelling.labels import set_label
from dashboard.plotting.colour_by import colouring
from dashboard.plotting.layers import FAINT
from dashboard.state import Gesture

PNG = Paper("png")
DARK = Paper("png", dark=True)


def test_what_lies_over_the_galaxies_is_that_of_the_screen(many):
    state, plot = many.state, Figure().add_subplot()
    (left, right), (bottom, top) = many.map.plane.limits
    state.param.update(row=17, zoom=(left, bottom, (left + right) / 2, top))
    corners = ((0.2, 9.0), (0.4, 9.0), (0.4, 10.0))
    state.selection.selected = np.arange(120) < 60
    state.selection.gesture = Gesture(state.plane, corners)
    glyphs = Glyphs([(3, "merger"), (4, "merger")], np.array([5, 6, 7]))
    shown = Map(many.datastore, state, state, glyphs, 0.5)
    names = [str(entry.get_label()) for entry in draw_over(plot, shown)]
    for name in many.datastore.populations.marked:
        count = len(many.datastore.populations.members(name))
        assert f"{population_title(name)} ({count})" in names
    assert {"Merger (2 labelled)", "Its 3 nearest", str(many.datastore.ids[17])} <= set(names)
    assert any(name.startswith("SVM: ") for name in names)
    assert (plot.get_xlim(), plot.get_ylim()) == ((left, (left + right) / 2), (bottom, top))
    lines = [np.column_stack(line.get_data()) for line in plot.lines]
    closed = [*corners, corners[0]]
    assert any(line.shape == (4, 2) and np.allclose(line, closed) for line in lines)
    near = shown.plane.points.iloc[[5, 6, 7]].to_numpy()
    assert any(line.shape == (3, 2) and np.allclose(line, near) for line in lines)
    alphas = {line.get_markeredgecolor()[1] for line in plot.lines if line.get_zorder() == 3}
    assert {FAINT, 1.0} <= alphas


@pytest.mark.parametrize(("kind", "width"), [("png", COLUMN), ("pdf", PAGE), ("svg", COLUMN)])
def test_a_figure_has_the_width_of_a_journals_column(many, kind, width):
    content = map_figure(many.datastore, many.state, Paper(kind, width))
    if kind == "png":
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.size[0] == pytest.approx(width / 25.4 * 300, abs=1)
            assert "120 galaxies" in picture.text["Description"]
    else:
        found = {"pdf": rb"/MediaBox \[ 0 0 ([\d.]+) ", "svg": rb'<svg [^>]*width="([\d.]+)pt"'}
        points = float(re.search(found[kind], content)[1])
        assert points == pytest.approx(width / 25.4 * 72, abs=0.1)


@pytest.mark.parametrize(
    ("colour", "paper", "ground"),
    [("population", PNG, (255, 255, 255)), ("inferred.redshift", DARK, (10, 13, 19))],
)
def test_the_map_is_drawn_on_light_or_dark_paper_whatever_the_page_is(many, colour, paper, ground):
    state, before = many.state, not paper.dark
    state.selection.selected = np.arange(120) < 50
    state.param.update(dark=before, colour=colour, split=True)
    with Image.open(io.BytesIO(map_figure(many.datastore, state, paper))) as picture:
        assert picture.convert("RGB").getpixel((2, 2)) == ground
        assert picture.size[1] > picture.size[0]  # two maps, one over the other
    assert state.dark == before


def test_the_figure_shows_what_people_have_taught_the_svm(many, monkeypatch):
    datastore, state, drawn = many.datastore, many.state, []

    def seen(*given, **options):
        drawn.append(colouring(*given, **options))
        return drawn[-1]

    monkeypatch.setattr("dashboard.plotting.colour_by.colouring", seen)
    state.colour = ANOMALY
    mass = many.map.plane.points["y"].to_numpy()
    for row in np.argsort(np.where(datastore.populations.normal, mass, -np.inf))[-8:]:
        set_label(datastore, state, "lens", int(row))
    refit(datastore, state)
    map_figure(datastore, state, DARK)
    learnt = datastore.classifier_jobs.learnt(state.space, state.queue.training_labels)
    np.testing.assert_array_equal(drawn[-1].values, learnt.score)
    state.colour = "density"
    colour = datastore.populations.colour("lens", dark=True)
    assert inked(map_figure(datastore, state, DARK), colour)
    state.boundaries = False
    assert not inked(map_figure(datastore, state, DARK), colour)


def inked(content, colour):
    """How many dots of a picture have a colour ``#rrggbb``."""
    with Image.open(io.BytesIO(content)) as picture:
        dots = np.asarray(picture.convert("RGB"))
    return int((dots == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1).sum())


def test_the_figure_shows_the_map_as_it_was_when_it_was_asked_for(many):
    """Other choices may be made while a worker draws."""
    state = many.state
    state.second.model = "vanilla"
    state.split = True
    expected = map_figure(many.datastore, state, PNG)
    make = maker_of(many.datastore, state, Choice(FIGURE, "png"))
    state.param.update(split=False, row=3)
    state.second.zoom = (-1, -1, 2, 1)
    assert make(print).content == expected


def test_a_name_with_signs_of_mathematics_is_written_as_it_is(many):
    many.datastore.ids[3] = "a$_b$ \N{CJK UNIFIED IDEOGRAPH-661F}"
    many.state.row = 3
    assert map_figure(many.datastore, many.state, Paper("svg")).startswith(b"<?xml")


def test_the_bar_ends_where_the_colours_end(many):
    """The legend's words have three digits, which tell no two large values apart."""
    figure, state = Figure(), many.state
    chosen = colouring(many.datastore, state.space, "inferred.redshift", dark=False)
    assert chosen.limits == pytest.approx([float(end) for end in chosen.ends], rel=5e-3)
    chosen = chosen._replace(limits=(1000.1, 1000.4), ends=("1e+03", "1e+03"))
    _bar(figure, [figure.add_subplot()], chosen, PNG)
    assert figure.axes[-1].get_ylim() == (1000.1, 1000.4)
