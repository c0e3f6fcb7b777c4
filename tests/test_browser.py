"""The main path in a real browser."""

import io
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from dashboard.source import Source
from pcvae.journal import journal_path
from pcvae.store import read_store

DEMO = Path(__file__).resolve().parents[1] / "data" / "stores" / "demo"
PLACE = """([x, y]) => {
  const find = view => view.model.type === 'Figure' ? view :
    [...(view.child_views ?? []), ...(view._child_views?.values() ?? [])].map(find).find(Boolean)
  const figure = Object.values(Bokeh.index.roots ?? Bokeh.index).map(find).find(Boolean)
  const box = figure.el.getBoundingClientRect(), frame = figure.frame
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)]
}"""

pytestmark = pytest.mark.ui


@pytest.fixture
def folder(request, tmp_path):
    """A copy of the demo's store, or of an example where there is none; its journal is empty."""
    demo = Path(os.environ.get("PCVAE_DEMO_STORE", DEMO))
    found = demo if (demo / "store.json").exists() else request.getfixturevalue("store")
    return shutil.copytree(found, tmp_path / "store")


@pytest.fixture
def chromium():
    """A browser, or the reason why there is none."""
    pytest.importorskip("playwright", reason="playwright is not installed: pip install -e .[test]")
    from playwright.sync_api import Error

    from dashboard.screenshot import browser

    opened = browser()
    try:
        window = opened.__enter__()
    except Error as error:
        pytest.skip(f"no Chromium: apt-get install chromium ({str(error).splitlines()[0]})")
    yield window
    opened.__exit__(None, None, None)


@pytest.fixture
def page(chromium, folder):
    """The dashboard in the browser; what it asks of the network and complains of is checked."""
    from dashboard.screenshot import open_page, served

    asked, complaints = [], []
    with served(folder) as url:
        home = url.rsplit("/", 1)[0]
        window = chromium.new_page(viewport={"width": 1280, "height": 800})
        window.on("request", lambda request: asked.append(request.url))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        open_page(window, url)
        yield window
        window.close()
    here = (home, home.replace("http", "ws"), "data:", "blob:", "about:")
    assert [url for url in asked if not url.startswith(here)] == []
    assert complaints == []


def test_a_person_taps_a_galaxy_walks_to_a_neighbour_tags_it_and_takes_the_list(page, folder):
    from playwright.sync_api import expect

    store = read_store(folder)
    ids, latents = store.galaxies["id"], store.latents("physics")
    heading = page.locator(".facts h2")
    first = heading.inner_text()
    row = int((latents["redshift"] - latents["redshift"].median()).abs().idxmin())
    assert ids[row] != first

    page.mouse.click(*page.evaluate(PLACE, [latents["redshift"][row], latents["log_mass"][row]]))
    expect(heading).not_to_have_text(first)
    tapped = heading.inner_text()
    expect(page.locator(".pictures img")).to_have_count(3)

    source = Source(store, None)
    near = source.nearest(store.info.models[0].name, source.row_of(tapped))
    name = ids[near["row"].iloc[2]]
    neighbour = page.locator(".stamp > button").nth(2)
    expect(neighbour).to_have_attribute("title", name)
    neighbour.click()
    expect(heading).to_have_text(name)

    page.get_by_role("button", name="Tag as candidate").click()
    expect(page.get_by_role("button", name="Remove candidate")).to_be_visible()
    assert journal_path(folder).exists()
    page.get_by_role("tab", name="Labels").click()
    expect(page.locator(".stamp > button:first-child")).to_have_attribute("title", name)

    with page.expect_download() as begun:
        page.get_by_text("Download CSV").click()
    table = pd.read_csv(io.BytesIO(Path(begun.value.path()).read_bytes()), dtype={"id": str})
    assert list(table["id"]) == [name]
    assert list(table["label"]) == ["candidate"]
