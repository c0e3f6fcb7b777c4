"""The main path in a real browser."""

import pandas as pd
import pytest

from dashboard.backend.datastore import DataStore
from dashboard.benchmarks.screenshot import served
from pcvae.journal import journal_path
from pcvae.store import read_store

PLACE = """([x, y]) => {
  const find = view => view.model.type === 'Figure' ? view :
    [...(view.child_views ?? []), ...(view._child_views?.values() ?? [])].map(find).find(Boolean)
  const figure = Object.values(Bokeh.index.roots ?? Bokeh.index).map(find).find(Boolean)
  const box = figure.el.getBoundingClientRect(), frame = figure.frame
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)]
}"""

pytestmark = pytest.mark.ui


@pytest.fixture
def serve():
    """The command that people type, in a process of its own."""
    return served


def begin_lesson(page):
    """Open the lesson by Help; returns its heading, which has the focus."""
    from playwright.sync_api import expect

    page.get_by_role("button", name="Help: ").click()
    page.get_by_role("button", name="Take the lesson").click()
    heading = page.get_by_role("region", name="Lesson").get_by_role("heading")
    expect(heading).to_be_focused()
    return heading


def take_labels(page):
    """Export the labels; returns the table."""
    page.get_by_role("button", name="Export: ").click()
    page.get_by_role("radio", name="Labels: 1 galaxy").click()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download: make").click()
    return pd.read_csv(begun.value.path(), dtype={"id": str}, comment="#")


def test_a_student_taps_a_galaxy_walks_to_a_neighbour_tags_it_and_takes_the_list(page, folder):
    from playwright.sync_api import expect

    store = read_store(folder)
    ids, latents = store.galaxies["id"], store.latents("physics")
    heading = page.locator(".facts h2")
    first = heading.inner_text()
    lesson = begin_lesson(page)
    row = int((latents["redshift"] - latents["redshift"].median()).abs().idxmin())
    assert ids[row] != first

    page.mouse.click(
        *page.evaluate(PLACE, [float(latents[name][row]) for name in ("redshift", "log_mass")])
    )
    expect(heading).not_to_have_text(first)
    tapped = heading.inner_text()
    expect(page.locator(".pictures img")).to_have_count(3)
    expect(lesson).to_have_text("Near means alike")

    datastore = DataStore(store, None)
    near = datastore.neighbours.nearest(store.info.models[0].name, datastore.row_of(tapped))
    name = ids[near["row"].iloc[2]]
    neighbour = page.locator(".stamp > button").nth(2)
    expect(neighbour).to_have_attribute("title", name)
    neighbour.click()
    expect(heading).to_have_text(name)
    expect(lesson).to_have_text("From numbers back to an image")

    page.get_by_role("button", name="Tag as candidate").click()
    expect(page.get_by_role("button", name="Remove candidate")).to_be_visible()
    assert journal_path(folder).exists()
    page.get_by_role("tab", name="Labels").click()
    expect(page.locator(".stamp > button:first-child")).to_have_attribute("title", name)

    table = take_labels(page)
    assert list(table["id"]) == [name]
    assert list(table["label"]) == ["candidate"]
