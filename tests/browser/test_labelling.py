"""Judging and learning in a real browser: by keys, through the queue."""

import time

import pandas as pd
import pytest

from dashboard.backend.datastore import DataStore
from pcvae.journal import Journal, journal_path
from pcvae.store import read_store

pytestmark = pytest.mark.ui
SLOW = 120_000  # ms, for the first fit on a busy machine


def labels(folder):
    journal = Journal(journal_path(folder))
    found = {event.galaxy: (event.label, event.note) for event in journal.labels().values()}
    journal.close()
    return found


def await_labels(folder, expected, seconds=10.0):
    """Wait for the journal's worker, behind whatever else it has to write."""
    end = time.monotonic() + seconds
    while labels(folder) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert labels(folder) == expected


def open_queue(page):
    """The ids of the galaxies on the first page of the queue, once it is ranked."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Queue").click()
    stamps = page.locator(".stamp > button:first-child:visible")
    expect(stamps.first).to_contain_text("score", timeout=SLOW)
    return [stamps.nth(i).get_attribute("title") for i in range(4)]


def dismiss(page, name):
    """What is like a dismissed galaxy leaves the queue, and comes back at a button."""
    from playwright.sync_api import expect

    page.keyboard.press("0")
    left_out = page.get_by_text("like the one just dismissed are left out")
    expect(left_out).to_be_visible()
    page.get_by_role("button", name="Show them").click()
    expect(left_out).to_be_hidden()
    page.keyboard.press("u")
    expect(page.locator(".facts h2")).to_have_text(name)


def judge_by_keys(page, folder):
    """Galaxies of the queue are judged by keys, and all is undone."""
    from playwright.sync_api import expect

    heading = page.locator(".facts h2")
    first, second, third, *_ = open_queue(page)
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text(first)
    page.keyboard.press("4")
    expect(heading).to_have_text(second)
    await_labels(folder, {first: ("4", "")})
    page.keyboard.press("2")
    expect(heading).to_have_text(third)
    page.keyboard.press("ArrowLeft")
    expect(heading).to_have_text(second)
    expect(page.get_by_role("button", name="Score 2: ")).to_have_attribute("aria-pressed", "true")
    dismiss(page, second)

    page.get_by_role("tab", name="Labels").click()
    listed = page.locator(".stamp:visible")
    expect(listed).to_have_count(2)
    expect(listed.nth(1)).to_contain_text("Score 4")
    page.keyboard.press("u")
    expect(listed).to_have_count(1)
    expect(heading).to_have_text(second)
    page.keyboard.press("u")
    expect(page.get_by_text("No labels yet")).to_be_visible()
    expect(heading).to_have_text(first)
    page.keyboard.press("U")
    expect(listed).to_have_count(1)
    page.get_by_role("button", name=f"Remove {first}").click()
    expect(page.get_by_text("No labels yet")).to_be_visible()
    assert labels(folder) == {}


def test_a_person_names_a_galaxy_notes_on_it_and_sees_who_said_so(page, folder):
    from playwright.sync_api import expect

    name = page.locator(".facts h2").inner_text()
    page.keyboard.press("m")
    said = page.locator(".judge + p")
    expect(said).to_contain_text("Merger")
    expect(page.get_by_label("Label", exact=True).locator(":checked")).to_have_text("Merger (m)")
    page.keyboard.press("n")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.type("two nuclei 45")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("two nuclei 45")
    assert labels(folder) == {name: ("merger", "two nuclei 45")}
    page.get_by_label("Label", exact=True).select_option("Another …")
    page.get_by_label("Label of your own").fill("Einstein ring")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Einstein ring")
    assert labels(folder) == {name: ("Einstein ring", "two nuclei 45")}
    other = Journal(journal_path(folder), user="ben")
    other.tag(name, "artefact")
    other.close()
    expect(said).to_contain_text("ben: Artefact")
    keys_pass_after_a_menu(page)
    assert labels(folder)[name] == ("Einstein ring", "two nuclei 45")
    people_differ(page)
    page.keyboard.press("x")
    expect(page.locator(".facts h2")).not_to_have_text(name)


def keys_pass_after_a_menu(page):
    """Keys act after a menu was closed; a tooltip is above, and transparent to the pointer."""
    from playwright.sync_api import expect

    said = page.locator(".judge + p")
    page.locator("[role=combobox]:not(input):visible").first.click()
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("5")
    expect(said).to_contain_text("Einstein ring, score 5")
    page.get_by_role("button", name="Pairs of axes").hover()
    tip = page.locator(".MuiTooltip-tooltip")
    expect(tip).to_be_visible()
    expect(page.locator(".MuiTooltip-popper")).to_have_attribute("data-popper-placement", "top")
    assert tip.evaluate("node => getComputedStyle(node).pointerEvents") == "none"


def people_differ(page):
    """The galaxies of which people say different things are listed."""
    from playwright.sync_api import expect

    page.get_by_role("tab", name="Labels").click()
    page.get_by_role("checkbox", name="people differ").check()
    expect(page.locator(".stamp:visible").first).to_contain_text("2 people differ")
    page.get_by_role("tab", name="Neighbours").click()


def test_a_refit_says_how_well_each_class_is_found(page, folder):
    from playwright.sync_api import expect

    datastore = DataStore(read_store(folder), None)
    normal = [
        str(datastore.ids[row])
        for row in range(len(datastore))
        if datastore.populations.normal[row]
    ]
    journal = Journal(journal_path(folder))
    for galaxy in normal[:6]:
        journal.tag(galaxy, "merger")
    journal.tag(normal[7], "lens")
    journal.close()
    expect(page.locator(".legend:has(.gradient)")).to_contain_text("Merger 6 labelled")
    open_queue(page)
    page.set_viewport_size({"width": 800, "height": 800})
    refit = page.get_by_role("button", name="Fit the classifier")
    expect(refit).to_be_in_viewport(ratio=1)
    page.keyboard.press("r")
    rates = page.locator(".rates")
    expect(rates.get_by_role("columnheader", name="Recall")).to_be_visible(timeout=SLOW)
    expect(rates.get_by_role("row", name="Merger 6")).to_contain_text("%")
    expect(rates).to_contain_text("Lens: 1 labelled, 5 needed; it takes no part yet.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    label_on_a_phone(page)


def label_on_a_phone(page):
    """Card, labels and strip are as wide as a phone, which says what it does not do."""
    from playwright.sync_api import expect

    note = page.get_by_text("On a screen as narrow as this")
    expect(note).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(note).to_be_in_viewport(ratio=1)
    expect(page.locator(".judge")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Score 5").click()
    expect(page.locator(".judge + p")).to_contain_text("score 5", ignore_case=True)
    page.locator(".stamp button").first.click()
    expect(page.locator(".stamp.picked").first).to_be_in_viewport()


def take_twenty_candidates(page, folder):
    """Twenty new candidates of a class are exported and labelled."""
    from playwright.sync_api import expect

    rare = read_store(folder).info.rare[-1]
    title = rare.replace("_", " ").title()
    open_queue(page)
    page.get_by_label("Ranked by").click()
    page.get_by_text(f"P({title})", exact=True).click()
    expect(page.locator(".stamp:visible").first).to_contain_text("P ", timeout=SLOW)
    expect(page.get_by_text("of these expected true at 1 in 1,000")).to_be_visible()
    page.locator("[role=combobox]:visible").filter(has_text="All ").click()
    page.get_by_text("First 20", exact=True).click()
    page.get_by_role("button", name="Export the list").click()
    expect(page.get_by_role("radio", name="List: 20 galaxies, the queue")).to_be_checked()
    with page.expect_download() as begun:
        page.get_by_role("button", name="Download: make").click()
    table = pd.read_csv(begun.value.path(), dtype={"id": str}, comment="#")
    assert len(table) == 20
    assert table[f"p_{rare}"].is_monotonic_decreasing
    page.get_by_role("button", name="Close: ").click()
    page.get_by_role("button", name="Label the list").click()
    page.get_by_role("menuitem", name="Candidate").click()
    await_labels(folder, dict.fromkeys(table["id"], ("candidate", "")))


def test_the_queue_is_judged_by_keys_and_twenty_of_it_are_taken(page, folder):
    judge_by_keys(page, folder)
    take_twenty_candidates(page, folder)
