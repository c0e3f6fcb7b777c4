"""Histograms, the grid of what they keep, and the sky, in a real browser."""

import re

import numpy as np
import pytest

from dashboard.backend.columns import BINS
from dashboard.backend.datastore import DataStore
from dashboard.backend.typography import DASH, MINUS
from dashboard.benchmarks.screenshot import SETTLED
from dashboard.sky.aladin_files import IMAGES
from dashboard.sky.sky_map import sky_plane
from pcvae.store import read_store
from tests.browser.test_access import violations

FIGURE = """
  const all = view => [view, ...[...(view.child_views ?? []),
    ...(view._child_views?.values() ?? [])].flatMap(all)]
  const figure = Object.values(Bokeh.index.roots ?? Bokeh.index).flatMap(all).find(view =>
    view.model.type === 'Figure' && view.el.matches('.sky, .sky *'))
  const frame = figure?.frame"""
SKY = f"""([x, y]) => {{{FIGURE}
  const box = figure.el.getBoundingClientRect()
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)]
}}"""
FITS = f"""aspect => {{{FIGURE}
  if (!frame) return false
  const unit = scale => Math.abs(scale.compute(1) - scale.compute(0))
  const [wide, high] = [unit(frame.x_scale), unit(frame.y_scale)]
  return Math.abs(wide / high / aspect - 1) < 0.02
}}"""

pytestmark = pytest.mark.ui


def keep(page, title, side, value):
    """Write an end of a range beside its histogram."""
    field = page.get_by_role("spinbutton", name=f"{side} {title}, as a number")
    field.fill("" if value is None else f"{value}")
    field.press("Enter")


def drag(page, title, start, end):
    """Drag over a histogram, from and to shares of its width."""
    plot = page.get_by_role("group", name=title).locator(".area")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=5)
    page.mouse.up()


def type_a_range(page, folder):
    """A range is written, the grid shows what passes, and one of it is picked."""
    from playwright.sync_api import expect

    store = read_store(folder)
    redshift = store.latents("physics")["redshift"].to_numpy()
    low = round(float(np.quantile(redshift, 0.6)), 3)
    rows = np.flatnonzero(redshift >= low)
    count = f"{len(rows):,} of {len(redshift):,} galaxies"

    page.get_by_role("tab", name="Histograms").click()
    keep(page, "Inferred redshift", "Lowest", low)
    expect(page.get_by_text(count).last).to_be_visible()
    expect(page.get_by_role("button", name="Remove Inferred redshift ≥")).to_be_visible()

    page.get_by_role("tab", name="Selection").click()
    tiles = page.locator(".tile:visible")
    expect(tiles.first).to_have_attribute("title", re.compile(store.galaxies["id"][rows[0]]))
    expect(tiles.first.locator("img")).to_be_visible()
    name = store.galaxies["id"][rows[3]]
    tiles.nth(3).click()
    expect(page.locator(".facts h2")).to_have_text(name)
    expect(tiles.nth(3)).to_have_class(re.compile("picked"))

    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("page 2 of")).to_be_visible()
    expect(tiles.first).not_to_have_attribute("title", re.compile(store.galaxies["id"][rows[0]]))
    tiles.first.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("page 1 of")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".tile.picked")).to_be_focused()

    page.get_by_role("button", name="Remove Inferred redshift ≥").click()
    expect(page.get_by_text("Nothing is selected")).to_be_visible()


REFILL = """() => {
  const models = Bokeh.documents.flatMap(document => [...document._all_models.values()])
  const data = models.map(model => model.data).find(data => 'fit' in (data?.attributes ?? {}))
  data.items = data.items.map(item => ({ ...item, caption: 'new' }))
}"""


def press_while_it_changes(page, folder):
    """A tile whose content is renewed between press and release is picked."""
    from playwright.sync_api import expect

    store = read_store(folder)
    page.get_by_role("tab", name="Selection").click()
    tile = page.locator(".tile:visible").nth(1)
    expect(tile.locator("img")).to_be_visible()
    name = store.galaxies["id"][int(tile.get_attribute("data-row"))]
    tile.hover()
    page.mouse.down()
    page.evaluate(REFILL)
    expect(tile).to_contain_text("new")
    page.mouse.up()
    expect(page.locator(".facts h2")).to_have_text(name)


def draw_a_range(page):
    """A range is drawn by mouse, moved by the arrow keys and taken away."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Histograms").click()
    drag(page, "Catalogue redshift", 0.25, 0.5)
    chip = page.get_by_role("button", name="Remove Catalogue redshift")
    expect(chip).to_be_visible()
    handle = page.get_by_role("slider", name="Highest Catalogue redshift")
    end = float(handle.get_attribute("aria-valuenow"))
    for _ in range(8):  # faster than the server answers
        handle.press("ArrowRight")
    low, high = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    last = end + 8 * (high - low) / BINS
    expect(chip).to_have_accessible_name(re.compile(f" {DASH} {last:.3g}$"))
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(last)
    page.get_by_role("button", name="Keep all of Catalogue redshift").click()
    expect(chip).to_be_hidden()


def write_a_limit(page, folder):
    """A limit that was written stays as it is when the other one moves."""
    from playwright.sync_api import expect

    title = "Catalogue redshift"
    redshift = read_store(folder).galaxies["redshift"].dropna().to_numpy(float)
    page.get_by_role("tab", name="Histograms").click()
    lowest, highest = (
        page.get_by_role("spinbutton", name=f"{side} {title}, as a number")
        for side in ("Lowest", "Highest")
    )
    chip = page.get_by_role("button", name=f"Remove {title}")
    handle = page.get_by_role("slider", name=f"Highest {title}")
    keep(page, title, "Lowest", -5)  # beyond what is drawn
    expect(chip).to_have_accessible_name(re.compile(f"≥ {MINUS}5$"))
    handle.press("ArrowLeft")
    expect(chip).to_have_accessible_name(re.compile(f" {MINUS}5 {DASH} "))
    expect(lowest).to_have_value("-5")
    expect(handle).to_have_attribute("aria-valuetext", highest.input_value())

    low, high = (float(np.sort(redshift)[place]) for place in (len(redshift) // 3, -3))
    keep(page, title, "Lowest", low)  # finer than the bins
    keep(page, title, "Highest", high)
    inside = np.count_nonzero((redshift >= low) & (redshift <= high))
    expect(page.get_by_text(f"{inside:,} of ").last).to_be_visible()
    expect(lowest).to_have_value(f"{low}")
    handle.press("End")
    inside = np.count_nonzero(redshift >= low)
    expect(page.get_by_text(f"{inside:,} of ").last).to_be_visible()
    expect(highest).to_have_value("")

    drag(page, title, 0.995, 0.8)
    expect(highest).not_to_have_value("")
    expect(lowest).to_have_value(f"{low}")
    page.get_by_role("button", name=f"Keep all of {title}").click()
    expect(chip).to_be_hidden()


def survey_images(page, ids):
    """Survey images show the picked galaxy and its surroundings, which are brushed both ways."""
    from playwright.sync_api import expect

    server = re.compile(f"{IMAGES}/.*")
    page.route(server, lambda route: route.abort())
    page.get_by_role("button", name="Survey images: ").click()
    expect(page.get_by_role("alert").filter(has_text="No connection")).to_be_visible()
    page.unroute(server)
    page.route(server, lambda r: r.fulfill(headers={"Access-Control-Allow-Origin": "*"}))
    page.get_by_role("button", name="Survey images: ").click()
    frame = page.frame_locator("iframe[title^='Survey images']")
    page.locator("iframe").evaluate("frame => frame.contentWindow.postMessage('other', '*')")
    mark = frame.get_by_role("button", name="others").first
    row = int(mark.inner_text().split()[1])
    mark.click()
    expect(page.locator(".facts h2")).to_have_text(ids[row])
    expect(frame.get_by_role("button", name=f"picked {row}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Draw a box: ").click()
    chip = page.get_by_role("button", name=re.compile("Remove .* selected"))
    expect(chip).to_be_visible()
    expect(frame.get_by_role("button", name=f"focus {row}", exact=True)).to_be_visible()
    expect(frame.get_by_text("drawn as selected")).to_have_count(0)
    page.get_by_role("button", name="Map of the sky: ").click()
    expect(page.locator("iframe")).to_have_count(0)
    chip.click()
    expect(chip).to_have_count(0)


def draw_on_the_sky(page, folder):
    """A box on the sky selects on the maps and in the grid."""
    from playwright.sync_api import expect

    sky = sky_plane(DataStore(read_store(folder), None))[0]
    points = sky.points
    page.get_by_role("tab", name="Sky").click()
    expect(page.locator(".sky")).to_be_visible()
    page.wait_for_function(SETTLED)
    page.wait_for_function(FITS, arg=sky.projection.aspect)
    survey_images(page, read_store(folder).galaxies["id"])
    page.get_by_role("tab", name="Selection").click()  # and back: the figure is rendered anew
    page.get_by_role("tab", name="Sky").click()
    page.wait_for_function(FITS, arg=sky.projection.aspect)
    x, y = (points[name].quantile([0.2, 0.7]).to_numpy() for name in "xy")
    page.locator(".sky").hover()
    page.locator(".sky [title='Box Select']").click()
    page.mouse.move(*page.evaluate(SKY, [float(x[0]), float(y[0])]))
    page.mouse.down()
    page.mouse.move(*page.evaluate(SKY, [float(x[1]), float(y[1])]), steps=6)
    page.mouse.up()
    chip = page.get_by_role("button", name=re.compile("Remove .* selected"))
    expect(chip).to_be_visible()
    found = int(re.search(r"[\d,]+", chip.get_attribute("aria-label"))[0].replace(",", ""))
    inside = points["x"].between(*x) & points["y"].between(*y)
    assert found == pytest.approx(inside.sum(), rel=0.1, abs=3)
    expect(page.locator(".counted")).to_contain_text(f"{found:,} of {len(points):,}")

    page.get_by_role("tab", name="Selection").click()
    expect(page.locator(".tile:visible").first).to_be_visible()
    chip.click()
    expect(page.get_by_text("Nothing is selected")).to_be_visible()


def drag_the_edge(page, up):
    """Make the strip taller by so many px, half by mouse and half by keys."""
    from playwright.sync_api import expect

    edge = page.get_by_role("separator", name="Height of the strip")
    box, tabs = edge.bounding_box(), page.get_by_role("tab").first
    before, height = tabs.bounding_box()["y"], int(edge.get_attribute("aria-valuenow"))
    page.mouse.move(200, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(200, box["y"] + 4 - up / 2, steps=3)
    page.wait_for_function(
        "([tab, y]) => tab.getBoundingClientRect().y === y",
        arg=[tabs.element_handle(), before - up / 2],
    )
    page.mouse.up()
    for _ in range(up // 2 // 16):
        edge.press("ArrowUp")
    expect(edge).to_have_attribute("aria-valuenow", f"{height + up}")
    expect(page).to_have_url(re.compile(f"strip={height + up}"))


def follow_and_wrap(page):
    """A row shows the picked galaxy; where the strip is tall there are several."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Look-alikes").click()
    stamps = page.locator(".stamp:visible")
    expect(stamps.nth(20)).to_be_attached()
    for place in range(18):
        page.keyboard.press("ArrowRight")
        expect(stamps.nth(place)).to_have_class("stamp picked")
    expect(stamps.nth(17)).to_be_in_viewport(ratio=0.99)
    top = [stamps.nth(place).bounding_box()["y"] for place in (0, 17)]
    assert top[0] == top[1]
    drag_the_edge(page, up=160)
    page.wait_for_function("box => box.offsetTop > 50", arg=stamps.nth(17).element_handle())
    expect(stamps.nth(17)).to_be_in_viewport(ratio=0.99)
    page.get_by_role("button", name="Make the strip lower").click()
    page.wait_for_function("box => box.offsetTop < 50", arg=stamps.nth(17).element_handle())
    expect(stamps.nth(17)).to_be_in_viewport(ratio=0.99)


def enlarge(page):
    """A double click enlarges a galaxy, and keys walk along its list."""
    from playwright.sync_api import expect

    stamps = page.locator(".stamp:visible > button")
    expect(stamps.nth(4)).to_be_visible()
    names = [stamps.nth(place).get_attribute("title") for place in range(5)]
    stamps.nth(2).dblclick()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_contain_text(names[2])
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading")).to_contain_text(names[3])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("heading")).to_contain_text(names[1])
    picture = dialog.get_by_role("img")
    expect(picture).to_have_attribute("alt", re.compile("^Image of"))
    page.keyboard.press("b")
    expect(picture).to_have_attribute("alt", re.compile("^Reconstruction of"))
    expect(picture).to_have_attribute("alt", re.compile("^Image of"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("v")
    expect(dialog.get_by_role("heading")).to_contain_text(names[1])
    assert violations(page) == []


def size_and_crop(page):
    """The stamps of the selection have the size and crop that are chosen."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Selection").click()
    focus = page.get_by_role("group", name="Galaxies in focus")
    focus.get_by_role("button", name="Green Pea").click()  # not the mark in the key
    tile = page.locator(".tile:visible").first
    expect(tile).to_be_visible()
    small = tile.bounding_box()["width"]
    assert 64 <= small < 96
    for label, option in (("Stamps", "128 px"), ("Crop", "x2")):
        page.get_by_role("combobox", name=re.compile(f"^{label}")).click()
        page.get_by_text(option, exact=True).last.click()
    expect(tile).not_to_have_css("width", re.compile(r"^\d?\d(\.\d+)?px$"))
    assert tile.bounding_box()["width"] >= 128
    expect(tile.locator("img")).to_have_css("transform", "matrix(2, 0, 0, 2, 0, 0)")
    expect(page.locator(".MuiMenu-root")).to_have_count(0)
    assert violations(page) == []


def test_stamps_follow_wrap_are_enlarged_and_have_the_size_that_is_chosen(page, folder):
    follow_and_wrap(page)
    enlarge(page)
    page.keyboard.press("Escape")
    size_and_crop(page)
    press_while_it_changes(page, folder)


@pytest.mark.parametrize("elsewhere", [IMAGES])
def test_ranges_that_are_typed_or_drawn_and_a_box_on_the_sky_select(page, folder):
    type_a_range(page, folder)
    draw_a_range(page)
    write_a_limit(page, folder)
    draw_on_the_sky(page, folder)
