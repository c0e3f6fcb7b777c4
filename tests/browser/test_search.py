"""Search, upload and export, in a real browser."""

import re
from contextlib import contextmanager
from io import BytesIO
from queue import Queue
from threading import Thread
from types import SimpleNamespace
from urllib.request import urlopen

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image

from dashboard.benchmarks.screenshot import SETTLED
from dashboard.shell.health import SAMP_HUB
from pcvae.store import read_store
from tests.data.services.stand_in import as_fits, sky_header

pytestmark = pytest.mark.ui


def find(page, text):
    field = page.get_by_role("combobox", name="Find")
    field.fill(text)
    field.press("Enter")


def find_by_id_and_place(page, folder):
    """A galaxy is found by its id and by its place."""
    from playwright.sync_api import expect

    galaxies = read_store(folder).galaxies
    heading = page.locator(".facts h2")
    name, other = galaxies["id"][5], galaxies["id"][7]
    find(page, name)
    expect(heading).to_have_text(name)

    field = page.get_by_role("combobox", name="Find")
    expect(field).to_have_value("")
    field.press_sequentially(other[:-1])
    page.get_by_role("option", name=other, exact=True).click()
    expect(heading).to_have_text(other)

    galaxy = galaxies.iloc[20]
    find(page, f"{galaxy.ra:.6f} {galaxy.dec + 1 / 3600:+.6f}")
    expect(heading).to_have_text(galaxy["id"])
    expect(page.locator(".drop-down").get_by_role("status")).to_contain_text(
        f'{galaxy["id"]} lies 1.00" from'
    )

    find(page, "nonsense")
    expect(page.locator(".drop-down").get_by_role("status")).to_contain_text(
        "No galaxy of this store is called"
    )
    page.get_by_role("button", name="Close").click()
    expect(heading).to_have_text(galaxy["id"])


def cutout_files(info, folder):
    """A galaxy as a file that a store of such images takes, and that file cut short."""
    rng, size = np.random.default_rng(0), info.size + 10
    flux = rng.normal(0, 0.01, (len(info.bands), size, size)).astype("f4")
    flux[:, size // 2 - 4 : size // 2 + 4, size // 2 - 3 : size // 2 + 3] += 1
    if info.unit == "stretched":
        good = folder / "mine.png"
        picture = np.moveaxis(flux, 0, -1).clip(0, 1) * 255
        Image.fromarray(picture.astype(np.uint8)).save(good)
    else:
        good, cards = folder / "mine.fits", {"BANDS": "".join(info.bands)}
        good.write_bytes(as_fits(flux, sky_header(150.0, 2.0, size, info.pixel_scale, **cards)))
    bad = good.with_stem("bad")
    bad.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    return good, bad


def bring_a_cutout(page, folder, tmp_path):
    """A cutout is uploaded, left, and gone back to."""
    from playwright.sync_api import expect

    good, bad = cutout_files(read_store(folder).info, tmp_path)
    heading = page.locator(".facts h2")

    page.get_by_role("button", name="Upload").click()
    page.locator("input[type=file]").first.set_input_files(good)
    expect(heading).to_have_text("mine")
    expect(page.locator(".facts .facts:not(.links)")).to_contain_text("not in the store")
    expect(page.locator(".pictures img")).to_have_count(3)

    page.locator(".stamp > button").nth(1).click()
    expect(heading).not_to_have_text("mine")
    page.get_by_role("button", name="Your galaxy").click()
    expect(heading).to_have_text("mine")

    page.get_by_role("button", name="Upload").click()
    page.locator("input[type=file]").first.set_input_files(bad)
    expect(page.get_by_role("alert").filter(has_text="Not taken")).to_contain_text(
        re.compile("unreadable|cannot be read")
    )
    expect(heading).to_have_text("mine")


def fetch_without_connection(page, folder):
    """A place without connection says so and offers the upload."""
    from playwright.sync_api import expect

    stretched = read_store(folder).info.unit == "stretched"
    find(page, "10:12:01.5 -89:13:04")
    expect(page.locator(".drop-down").get_by_role("status")).to_contain_text("the nearest")
    page.get_by_role("button", name="Fetch this place").click()
    failed = page.get_by_role("alert").filter(has_text="Not taken")
    words = "no images like these" if stretched else "upload a FITS cutout"
    expect(failed).to_contain_text(words)
    expect(page.get_by_text("Choose or drop files")).to_be_visible()


def download_a_cutout_and_the_map(page):
    """A cutout and the map are downloaded."""
    from astropy.io import fits
    from playwright.sync_api import expect

    name = page.locator(".facts h2").inner_text()
    page.get_by_role("button", name="Export: ").click()
    download = page.get_by_role("button", name="Download: make")
    expect(download).to_be_disabled()
    page.get_by_role("radio", name=f"Cutout of {name}").click()
    expect(download).to_be_enabled()
    with page.expect_download() as begun:
        download.click()
    with fits.open(begun.value.path()) as hdus:
        assert hdus[0].header["OBJECT"] == name
    page.get_by_role("radio", name="The map").click()
    expect(page.get_by_label("Width")).to_be_visible()
    with page.expect_download() as begun:
        download.click()
    assert begun.value.path().read_bytes().startswith(b"%PDF")
    expect(page.get_by_role("status").filter(has_text="map.pdf")).to_be_visible()
    page.get_by_role("radio", name="Dossier of the list").click()
    with page.expect_download() as begun:
        download.click()
    assert begun.value.suggested_filename.endswith("-dossier-10.pdf")
    assert begun.value.path().read_bytes().startswith(b"%PDF")


@contextmanager
def samp_hub(page, folder):
    """A SAMP hub that lets the page connect, and another program at it."""
    from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

    conf.use_internet = False
    consent = SimpleNamespace()
    hub = SAMPHubServer(
        addr="127.0.0.1", mode="multiple", lockfile=f"{folder}/lock", web_port=0,
        web_profile_dialog=consent,
    )  # fmt: skip
    hub.start()
    program = SAMPIntegratedClient(name="TOPCAT", addr="127.0.0.1")
    program.connect(hub)
    Thread(target=lambda: consent.queue_result.put(bool(consent.queue_request.get()))).start()
    port = f":{hub._web_port}"
    page.route(f"{SAMP_HUB}/**", lambda r: r.continue_(url=r.request.url.replace(":21012", port)))
    yield program
    page.unroute(f"{SAMP_HUB}/**")
    program.disconnect()
    hub.stop()


def send_a_list_and_take_rows_back(page, tmp_path):
    """A list goes to a program by the browser's SAMP hub; a row and a table come back."""
    from playwright.sync_api import expect

    heading = page.locator(".facts h2")
    page.reload()  # the first page precedes the headers, which say where pages may connect
    page.wait_for_function(SETTLED)
    page.get_by_role("button", name="Export the list").click()
    send = page.get_by_role("button", name="Send: ")
    send.click()
    expect(page.get_by_role("alert").filter(has_text="No SAMP hub")).to_be_visible()
    with samp_hub(page, tmp_path) as program:
        taken = Queue()

        def take(_key, sender, message, _mtype, params, _extra):
            taken.put((sender, params, Table.read(BytesIO(urlopen(params["url"]).read()))))
            program.reply(message, {"samp.status": "samp.ok", "samp.result": {}})

        program.bind_receive_call("table.load.votable", take)
        send.click()
        expect(page.get_by_role("status").filter(has_text="Sent to TOPCAT")).to_be_visible()
        sender, params, table = taken.get(timeout=60)
        told = {"table-id": params["table-id"], "row": "3"}
        program.enotify(sender, "table.highlight.row", **told)
        expect(heading).to_have_text(table["id"][3])
        table[2:6].write(tmp_path / "mine.vot", format="votable")
        url = (tmp_path / "mine.vot").as_uri()
        program.ecall(sender, "1", "table.load.votable", url=url, name="mine")
        expect(page.get_by_text("4 of 4 targets are in this store")).to_be_visible()


def step_through_targets(page, folder, tmp_path):
    """A target list is matched, paged and stepped through."""
    from playwright.sync_api import expect

    galaxies = read_store(folder).galaxies
    some = galaxies.loc[[12, 30], ["ra", "dec"]].assign(name=["first", "second"])
    some.loc[len(galaxies)] = [10.0, -89.0, "nowhere"]
    for place in range(150):
        some.loc[len(galaxies) + 1 + place] = [place, -88.0, f"far {place}"]
    some.to_csv(tmp_path / "targets.csv", index=False)
    page.get_by_role("tab", name="Targets").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Upload targets").click()
    chooser.value.set_files(tmp_path / "targets.csv")
    expect(page.get_by_text("2 of 153 targets are in this store")).to_be_visible()
    expect(page.get_by_role("row", name="far 149")).to_have_count(0)
    page.get_by_role("button", name="Next page").press("Enter")
    expect(page.get_by_role("row", name="far 149")).to_contain_text("not in this store")
    expect(page.get_by_role("button", name="Previous page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="nowhere")).to_contain_text("not in this store")
    for row in (12, 30):
        page.get_by_role("button", name="Next: ").click()
        expect(page.locator(".facts h2")).to_have_text(galaxies["id"][row])
    page.get_by_role("button", name="Select the list").click()
    expect(page.get_by_text(f"2 of {len(galaxies):,} selected")).to_be_visible()


DROP = """([name, text]) => {
  const given = new DataTransfer()
  given.items.add(new File([text], name))
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    const event = new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true })
    document.querySelector('body').dispatchEvent(event)
  }
}"""


def drop_files_and_write_a_condition(page, folder):
    """Dropped files are taken or refused in words, and a condition selects."""
    from playwright.sync_api import expect

    name = read_store(folder).galaxies["id"][4]
    page.evaluate(DROP, ["mine.csv", f"id\n{name}\nnever\n"])
    expect(page.get_by_text("1 of 2 targets are in this store")).to_be_visible()
    page.evaluate(DROP, ["notes.docx", "words"])
    expect(page.get_by_role("alert").filter(has_text="found notes.docx")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Upload targets").click()
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
    expect(page.get_by_text("expected a table ending in .csv")).to_be_visible()
    expect(page.get_by_text("The list before it is still shown")).to_be_visible()

    latents = read_store(folder).latents("physics")["redshift"].to_numpy()
    high = float(np.round(np.quantile(latents, 0.7), 3))
    count = int((latents > high).sum())
    find(page, f"redshift > {high}")
    words = f"{count:,} of {len(latents):,} selected"
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_role("tab", name="Selection")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("query=redshift"))
    page.reload()
    expect(page.get_by_text(words)).to_be_visible()
    find(page, "redshit > 1")
    expect(page.locator(".drop-down").get_by_role("status")).to_contain_text("it has redshift")


def test_galaxies_are_found_fetched_uploaded_and_taken_away(page, folder, tmp_path):
    download_a_cutout_and_the_map(page)
    find_by_id_and_place(page, folder)
    fetch_without_connection(page, folder)
    page.get_by_role("button", name="Upload").click()
    bring_a_cutout(page, folder, tmp_path)


@pytest.mark.parametrize("elsewhere", [SAMP_HUB])
def test_lists_come_from_files_conditions_and_programs(page, folder, tmp_path):
    step_through_targets(page, folder, tmp_path)
    drop_files_and_write_a_condition(page, folder)
    send_a_list_and_take_rows_back(page, tmp_path)
