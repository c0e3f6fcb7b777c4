"""What may be looked at on a map: limits of the zoom, an empty view, marks that are hidden."""

from types import SimpleNamespace

import numpy as np
import pytest

from dashboard.backend import screen
from dashboard.backend.plane import DEEPEST, plane_of
from dashboard.backend.quantities import Quantity
from dashboard.backend.screen import picture_size
from dashboard.export.map_layers import Glyphs, Map
from dashboard.labelling.labels import set_label
from dashboard.plotting.layers import canvas_of
from tests.dashboard.explorers import draw


def plane_to(outlier):
    across = np.append(np.linspace(0, 1, 1000), outlier).astype(np.float32)
    return plane_of(Quantity("inferred.x", "x"), Quantity("inferred.y", "y"), across, across)


def test_the_zoom_has_ends_that_hold_every_galaxy():
    plane = plane_to(50.0)
    left, right = plane.limits[0]
    assert right < 2
    assert plane.reach[0][0] < left
    assert plane.reach[0][1] > 50
    np.testing.assert_allclose(plane.clamped((-1e9, -1e9, 1e9, 1e9)), plane.reach)
    (low, high), _ = plane.clamped((0.5, 0.5, 0.5 + 1e-12, 0.6))
    assert high - low == pytest.approx(DEEPEST * (right - left))
    assert low < 0.5 < high
    assert plane.clamped((1e6, 0, 1e6 + 1, 1))[0][1] == pytest.approx(plane.reach[0][1])
    assert plane.clamped((-np.inf, 0, np.inf, 1))[0] == plane.limits[0]
    assert plane.clamped((0.2, 0.3, 0.4, 0.5)) == ((0.2, 0.4), (0.3, 0.5))
    assert plane.clamped(None) == plane.limits


def test_the_browser_knows_the_ends_of_the_zoom_for_each_pair_of_axes(many):
    figure = draw(many)
    for x in ("redshift", "log_sfr"):
        many.state.x = x
        plane = many.map.plane
        assert figure.x_range.bounds == plane.reach[0]
        assert figure.x_range.max_interval == plane.reach[0][1] - plane.reach[0][0]
        assert figure.x_range.min_interval == pytest.approx(
            DEEPEST * (plane.limits[0][1] - plane.limits[0][0])
        )


def test_an_empty_view_says_so_and_a_button_leads_back(many):
    draw(many)
    note, (x, y) = many.map.empty, many.map.plane.reach
    assert not note.note.visible
    assert not note.note.objects  # nothing of it is sent before it is needed
    many.state.zoom = (x[0], y[0], x[0] + 1e-3, y[0] + 1e-3)
    assert note.note.visible
    assert len(note.note.objects) == 2
    note.go_back()
    assert many.state.zoom is None
    assert not note.note.visible
    place = many.map.plane.points.iloc[7]
    many.state.zoom = (place["x"] - 1e-3, place["y"] - 1e-3, place["x"] + 1e-3, place["y"] + 1e-3)
    assert not note.note.visible


@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2, 3])
@pytest.mark.parametrize("size", [(690, 300), (1300, 560), (3200, 1800)])
def test_a_pixel_of_the_picture_is_a_whole_number_of_the_devices(size, ratio):
    width, height, scale = picture_size(*size, ratio)
    each = ratio / scale
    assert each == pytest.approx(round(each))
    assert width == pytest.approx(size[0] * scale, abs=0.51)
    assert width * height < 1_510_000
    assert scale == ratio or width * height > 300_000


def test_maps_are_drawn_in_pixels_of_the_device_once_the_browser_has_said_how_many(
    many, monkeypatch
):
    browser = SimpleNamespace(device_pixel_ratio=None)
    monkeypatch.setattr(screen.pn, "state", SimpleNamespace(browser_info=browser, curdoc=None))
    many.map.size.update(width=600, height=300)
    for told, drawn in ((None, 600), (1.5, 900), (2, 1200), (0.5, 600)):
        browser.device_pixel_ratio = told
        canvas = canvas_of(many.map.limits, many.map.frame)
        assert (canvas.width, canvas.height, canvas.scale) == (drawn, drawn // 2, drawn / 600)


def test_a_click_on_the_key_hides_marks_on_the_maps_and_on_paper_and_shows_them_again(many):
    draw(many)
    name, other = many.datastore.populations.marked
    set_label(many.datastore, many.state, "merger", 5)
    key, overlays = many.legend.pane, many.map.overlays
    key._handle_msg({"toggle": name})
    key._handle_msg({"toggle": "merger"})
    key._handle_msg({"toggle": "nothing of this name"})
    assert many.state.hidden == [name, "merger"]
    assert not overlays.marks.shown[name].visible
    assert overlays.marks.shown[other].visible
    assert not len(overlays.labels.shown.data["x"])
    assert f'data-mark="{name}" aria-pressed="false"' in key.object
    assert f'data-mark="{other}" aria-pressed="true"' in key.object
    shown = Map(many.datastore, many.state, many.state, Glyphs([(5, "merger")]), 1.0)
    assert printed(shown) == {other}
    for again in (name, "merger"):
        key._handle_msg({"toggle": again})
    assert many.state.hidden == []
    assert overlays.marks.shown[name].visible
    assert len(overlays.labels.shown.data["x"]) == 1
    assert printed(shown) == {name, other, "merger"}


def printed(shown):
    """Which populations and labels have marks on paper."""
    from matplotlib.figure import Figure

    from dashboard.export.map_layers import draw_over

    labels = {str(entry.get_label()) for entry in draw_over(Figure().add_subplot(), shown)}
    names = (*shown.datastore.populations.marked, "merger")
    starts = {name: name.replace("_", " ").lower() for name in names}
    return {
        name for name, start in starts.items() if any(x.lower().startswith(start) for x in labels)
    }
