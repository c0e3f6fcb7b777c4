"""The model page and the decoder in a real browser."""

import re

import numpy as np
import pytest

from dashboard.backend.stamp_images import data_uri
from dashboard.decoder.latent_points import decoded
from pcvae.encode import Codec
from pcvae.store import read_store
from tests.browser.test_page import PLACE

FIGURE = """([label, x, y]) => {
  const all = view => [view, ...[...(view.child_views ?? []),
    ...(view._child_views?.values() ?? [])].flatMap(all)]
  const figure = Object.values(Bokeh.index.roots ?? Bokeh.index).flatMap(all).find(view =>
    view.model.type === 'Figure' && view.model.below[0]?.axis_label === label
    && view.el.getBoundingClientRect().width > 0)
  const box = figure.el.getBoundingClientRect(), frame = figure.frame
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)]
}"""

pytestmark = pytest.mark.ui


def loneliest(x, y):
    """The index of the point that is farthest from its neighbours."""
    place = np.column_stack([x, y])
    place = (place - place.mean(axis=0)) / place.std(axis=0)
    middle = np.abs(place).max(axis=1) < 1.5
    apart = np.linalg.norm(place[:, None] - place[None], axis=2)
    apart[np.diag_indices(len(place))] = np.inf
    return int(np.where(middle, apart.min(axis=1), 0).argmax())


def tap_a_galaxy_of_fig_1(page, folder):
    """A person turns to the model page, taps a galaxy and turns back."""
    from playwright.sync_api import expect

    from dashboard.benchmarks.screenshot import SETTLED

    store = read_store(folder)
    page.get_by_role("button", name="Model", exact=True).click()
    expect(page.get_by_role("heading", name="The physics model")).to_be_visible()
    expect(page.locator(".scatter canvas").first).to_be_visible()
    expect(page.get_by_role("columnheader", name="R² linear")).to_be_visible()
    expect(page.locator(".matrix")).to_have_count(len(store.info.models))
    expect(page.get_by_text("Prior (KL)", exact=True)).to_be_attached()
    trust = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="Galaxies"))
    expect(trust.get_by_role("row", name=f"All: {len(store.galaxies)}").first).to_be_visible()
    page.wait_for_function(SETTLED)

    galaxies, latents = store.galaxies, store.latents("physics")
    normal = ~galaxies["population"].isin(store.info.rare)
    test = ((galaxies["split"] == "test") & normal & galaxies["redshift"].notna()).to_numpy()
    rows = np.flatnonzero(test)
    x, y = galaxies["redshift"].to_numpy()[rows], latents["redshift"].to_numpy()[rows]
    chosen = loneliest(x, y)
    page.mouse.click(*page.evaluate(FIGURE, ["catalogue", float(x[chosen]), float(y[chosen])]))
    expect(page.locator(".facts h2")).to_have_text(galaxies["id"][rows[chosen]])

    page.get_by_role("button", name="Explore", exact=True).click()
    expect(page.get_by_role("tab", name="Neighbours")).to_be_visible()
    expect(page.locator(".facts h2")).to_have_text(galaxies["id"][rows[chosen]])


def move_a_slider(page, folder):
    """A slider that is moved by keyboard changes the picture and not the galaxy."""
    from playwright.sync_api import expect

    name = page.locator(".facts h2").inner_text()
    page.get_by_role("tab", name="Decode").click()
    picture = page.get_by_role("img", name=f"Decoded picture of {name}")
    expect(picture).to_have_attribute("src", re.compile("^data:image/webp"))
    before = picture.get_attribute("src")
    slider = page.get_by_role("slider", name="Redshift")
    at = float(slider.input_value())
    slider.focus()
    step = float(slider.get_attribute("step"))
    for _ in range(12):  # faster than the server answers
        page.keyboard.press("ArrowRight")
    changed = page.get_by_role("img", name=f"Decoded picture changed from {name}")
    expect(changed).to_be_visible()
    assert float(slider.input_value()) == pytest.approx(at + 12 * step, abs=0.6 * step)
    store = read_store(folder)
    codec, names = Codec.read(store.model_folder("physics")), store.model("physics").names
    place = store.values("physics")[list(store.galaxies["id"]).index(name)].copy()
    place[names.index("redshift")] = float(slider.input_value())
    expect(changed).to_have_attribute(
        "src", data_uri(decoded(codec, store, place[None])[0], "WEBP")
    )
    trained = codec.run.info.epoch[1] > 1
    assert not trained or changed.get_attribute("src") != before
    expect(page.locator(".facts h2")).to_have_text(name)


def draw_a_line(page, folder):
    """A line drawn on the map is decoded along its way."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Decode").click()
    page.get_by_role("combobox", name="Along").click()
    page.get_by_role("menuitem", name="A line on the map").click()
    page.get_by_role("button", name="Draw a line").click()
    expect(page.get_by_text("Tap where the line begins")).to_be_visible()
    name = page.locator(".facts h2").inner_text()
    latents = read_store(folder).latents("physics")[["redshift", "log_mass"]]
    begin, end = (latents.quantile(share).tolist() for share in (0.3, 0.7))
    page.mouse.click(*page.evaluate(PLACE, begin))
    page.mouse.click(*page.evaluate(PLACE, end))
    frames = page.get_by_role("button", name="Along the line")
    expect(frames).to_have_count(8)
    expect(page.locator(".facts h2")).to_have_text(name)


def test_what_the_model_learnt_is_decoded_and_judged(page, folder):
    move_a_slider(page, folder)
    draw_a_line(page, folder)
    tap_a_galaxy_of_fig_1(page, folder)
