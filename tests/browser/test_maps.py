"""Selecting on the maps, two maps, and what the address keeps, in a real browser."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dashboard.benchmarks.screenshot import SETTLED
from pcvae.store import read_store

FRAME = """() => {
  const find = view => view.model.type === 'Figure' ? view :
    [...(view.child_views ?? []), ...(view._child_views?.values() ?? [])].map(find).find(Boolean)
  const figure = Object.values(Bokeh.index.roots ?? Bokeh.index).map(find).find(Boolean)
  const box = figure.el.getBoundingClientRect(), frame = figure.frame.bbox
  const {x_range, y_range} = figure.model
  return {left: box.left + frame.left, top: box.top + frame.top,
    width: frame.width, height: frame.height, x: [x_range.start, x_range.end],
    y: [y_range.start, y_range.end]}
}"""

pytestmark = pytest.mark.ui


def draw(page, tool, shares, key=""):
    """Draw on the first map with a tool, through places in shares of its frame."""
    frame = page.evaluate(FRAME)
    places = [
        (frame["left"] + x * frame["width"], frame["top"] + y * frame["height"]) for x, y in shares
    ]
    page.mouse.move(*places[0])
    page.locator(f"[title*='{tool}' i]").first.click()
    if key:
        page.keyboard.down(key)
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    if key:
        page.keyboard.up(key)
    return frame


def select_on_two_maps(page, folder):
    """Boxes and lassos select, add and take away."""
    from playwright.sync_api import expect

    latents = read_store(folder).latents("physics")
    page.get_by_label("Two maps").click()
    expect(page.locator(".map")).to_have_count(2)
    page.wait_for_function(SETTLED)
    said = page.locator(".counted")
    expect(said).to_have_text(f"{len(latents):,} galaxies")

    frame = draw(page, "Box Select", [(0.02, 0.02), (0.5, 0.98)])
    expect(said).to_contain_text("selected")
    left, right = np.interp([0.02, 0.5], [0, 1], frame["x"])
    bottom, top = np.interp([0.02, 0.98], [0, 1], frame["y"])
    inside = latents["redshift"].between(left, right) & latents["log_mass"].between(bottom, top)
    first = int(said.inner_text().split()[0].replace(",", ""))
    assert abs(first - inside.sum()) <= 0.03 * len(latents)

    draw(page, "Lasso Select", [(0.4, 0.1), (0.95, 0.1), (0.95, 0.9), (0.4, 0.9)], "Shift")
    expect(said).not_to_have_text(re.compile(rf"^{first:,} of"))
    second = int(said.inner_text().split()[0].replace(",", ""))
    assert second > first

    draw(page, "Box Select", [(0.02, 0.02), (0.5, 0.98)], "Control")
    expect(said).not_to_have_text(re.compile(rf"^{second:,} of"))
    third = int(said.inner_text().split()[0].replace(",", ""))
    assert third < second

    page.get_by_role("button", name="Undo the last").click()
    expect(said).to_have_text(re.compile(rf"^{second:,} of"))
    page.get_by_role("button", name="Clear the selection").click()
    expect(said).to_have_text(f"{len(latents):,} galaxies")


def reload_zoomed(page):
    """Zoom and second map are in the address and come back."""
    from playwright.sync_api import expect

    frame = page.evaluate(FRAME)
    page.mouse.move(frame["left"] + frame["width"] / 2, frame["top"] + frame["height"] / 2)
    page.mouse.wheel(0, -300)
    page.wait_for_url(re.compile(r"[?&]zoom="))
    asked = parse_qs(urlsplit(page.url).query)
    left, bottom, right, top = (float(end) for end in asked["zoom"][0].split(","))
    assert (right - left) < (frame["x"][1] - frame["x"][0])
    assert asked["split"] == ["1"]

    page.reload()
    expect(page.locator(".map")).to_have_count(2)
    page.wait_for_selector(".bk-Figure")
    page.wait_for_function(SETTLED)
    again = page.evaluate(FRAME)
    np.testing.assert_allclose(again["x"], [left, right], rtol=1e-4)
    np.testing.assert_allclose(again["y"], [bottom, top], rtol=1e-4)


def hide_marks(page):
    """A click on a mark in the key hides such marks, another shows them."""
    from playwright.sync_api import expect

    mark = page.locator(".legend button").first
    for pressed in ("false", "true"):
        mark.click()
        expect(mark).to_have_attribute("aria-pressed", pressed)


def zoom_to_nothing_and_back(page):
    """An empty view says so and leads back; the zoom ends where all galaxies are in view."""
    from playwright.sync_api import expect

    frame = page.evaluate(FRAME)
    page.mouse.move(frame["left"] + frame["width"] - 3, frame["top"] + frame["height"] - 3)
    back = page.get_by_role("button", name="Show all galaxies").first
    for _ in range(12):
        page.mouse.wheel(0, -600)
    expect(back).to_be_visible()
    back.click()
    expect(page).not_to_have_url(re.compile(r"[?&]zoom="))
    page.mouse.move(frame["left"] + frame["width"] / 2, frame["top"] + frame["height"] / 2)
    whole = page.evaluate(FRAME)["x"]
    for _ in range(12):
        page.mouse.wheel(0, 600)
    page.wait_for_url(re.compile(r"[?&]zoom="))
    out = page.evaluate(FRAME)["x"]
    assert 1 < (out[1] - out[0]) / (whole[1] - whole[0]) < 10


def test_two_maps_select_and_come_back_zoomed_by_their_address(page, folder):
    select_on_two_maps(page, folder)
    hide_marks(page)
    reload_zoomed(page)
    zoom_to_nothing_and_back(page)
