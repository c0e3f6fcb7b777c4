"""For everyone: by screen reader, by keyboard alone, on a first visit, and two at once."""

import pytest

from dashboard.benchmarks.screenshot import SETTLED

pytestmark = pytest.mark.ui

THEIRS = {  # panel-material-ui's own parts
    "aria-progressbar-name",  # the bar at the top of its Page has no name
    "aria-prohibited-attr",  # the sign that a control has a tooltip is a span with a label
}
GRAVE = ("serious", "critical")


def removes(page, buttons):
    """Remove two by keyboard: the first, then the one that comes in its place."""
    from playwright.sync_api import expect

    expect(buttons).to_have_count(2)
    buttons.first.press("Enter")
    expect(buttons).to_have_count(1)
    expect(buttons).to_be_focused()
    page.keyboard.press("Enter")
    expect(buttons).to_have_count(0)


def violations(window, rules=()):
    """What hinders a screen reader, by all rules or by these."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"preload": False, "resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = axe.run(window, options=options).response["violations"]
    return [
        (one["id"], node["html"])
        for one in found
        if one["impact"] in GRAVE and one["id"] not in THEIRS
        for node in one["nodes"]
    ]


def visit_all(page, rules=()):
    """No tab and no page has what hinders a screen reader."""
    assert page.locator("h1").count() == 1
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_function(SETTLED)
        assert violations(page, rules) == [], tab.inner_text()
    page.get_by_role("button", name="Model", exact=True).click()
    page.get_by_text("How well rare galaxies are told apart").wait_for()
    page.locator(".shimmer").first.wait_for(state="detached")
    assert violations(page, rules) == []


def test_nothing_of_ours_hinders_a_screen_reader(page):
    from dashboard.benchmarks.screenshot import open_page

    visit_all(page)
    open_page(page, f"{page.url.partition('?')[0]}?theme=light&lesson=4")
    assert violations(page) == []
    visit_all(page, rules=["color-contrast"])  # all else is the same in the other theme


def visit_twice(chromium, page):
    """A first visit is shown around and the next one is not."""
    from playwright.sync_api import expect

    from dashboard.benchmarks.screenshot import PATIENCE

    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    window = context.new_page()
    window.goto(page.url)
    tour = window.get_by_role("dialog")
    expect(tour).to_contain_text("A map of galaxies")
    window.keyboard.press("ArrowRight")
    expect(tour).to_contain_text("Tap one to pick it")
    window.get_by_role("button", name="Skip").click()
    expect(tour).to_be_hidden()

    again = context.new_page()
    again.goto(page.url)
    again.locator(".bk-Figure").first.wait_for()
    again.get_by_role("button", name="Help").click()
    expect(again.get_by_text("Synthetic minority over-sampling")).to_be_visible()
    again.get_by_role("button", name="Take the tour").click()
    expect(again.get_by_text("A map of galaxies")).to_be_visible()
    again.keyboard.press("Escape")
    expect(again.get_by_text("A map of galaxies")).to_be_hidden()
    context.close()


def walk_label_and_ask(page):
    """A person walks, labels and asks by keyboard alone."""
    from playwright.sync_api import expect

    heading = page.locator(".facts h2")
    first = heading.inner_text()
    neighbour = page.locator(".stamp > button").first.get_attribute("title")
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text(neighbour)
    page.keyboard.press("4")
    page.keyboard.press("[")
    expect(heading).to_have_text(first)
    page.keyboard.press("]")
    expect(heading).to_have_text(neighbour)
    page.keyboard.press("?")
    expect(page.get_by_text("Take the tour")).to_be_visible()


def keep_the_focus(page):
    """What is filled anew or taken away leaves the focus where it was."""
    from playwright.sync_api import expect

    stamps = page.locator(".stamp > button:first-child:visible")
    name = stamps.nth(2).get_attribute("title")
    stamps.nth(2).press("Enter")
    expect(page.locator(".facts h2")).to_have_text(name)
    expect(stamps.nth(2)).not_to_have_attribute("title", name)
    expect(stamps.nth(2)).to_be_focused()

    page.keyboard.press("4")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".facts h2")).not_to_have_text(name)
    page.keyboard.press("5")
    page.get_by_role("tab", name="Labels").click()
    removes(page, page.locator(".off:visible"))
    expect(page.get_by_text("No labels yet")).to_be_visible()
    expect(page.locator(".strip:visible")).to_be_focused()

    page.get_by_role("tab", name="Histograms").click()
    for title in ("redshift", "log stellar mass"):
        page.get_by_role("slider", name=f"Lowest Inferred {title}").press("PageUp")
    removes(page, page.get_by_role("button", name="Remove Inferred"))
    expect(page.locator(".line:visible")).to_be_focused()


def label_beside_another(chromium, page):
    """Two visitors share labels and saved views, and nothing else."""
    from playwright.sync_api import expect

    from dashboard.benchmarks.screenshot import open_page

    other = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    open_page(other, page.url.partition("?")[0])
    first = other.locator(".facts h2").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".facts h2")).not_to_have_text(first)
    galaxy = page.locator(".facts h2").inner_text()
    page.get_by_role("tab", name="Histograms").click()
    page.keyboard.press("c")

    other.get_by_role("tab", name="Labels").click()
    expect(other.locator(".stamp > button:first-child").first).to_have_attribute("title", galaxy)
    expect(other.locator(".facts h2")).to_have_text(first)
    expect(page.get_by_role("tab", name="Histograms")).to_have_attribute("aria-selected", "true")
    save_a_view_for(other, page)
    expect(other.locator(".facts h2")).to_have_text(galaxy)


def save_a_view_for(other, page):
    """A view that one visitor saves by name is opened by the other."""
    from playwright.sync_api import expect

    page.get_by_role("button", name="Share: ").click()
    page.get_by_label("Name of the view").fill("a find")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="a find")).to_be_visible()
    page.get_by_role("button", name="Copy address").click()
    expect(page.get_by_text("The address is copied.")).to_be_visible()
    other.get_by_role("button", name="Share: ").click()
    other.get_by_role("link", name="a find").click()
    histograms = other.get_by_role("tab", name="Histograms")
    expect(histograms).to_have_attribute("aria-selected", "true")


def test_the_keyboard_alone_does_it_and_keeps_its_place(page):
    keep_the_focus(page)
    page.get_by_role("tab", name="Neighbours").click()
    page.wait_for_function(SETTLED)
    walk_label_and_ask(page)


def test_visitors_are_shown_around_once_and_share_labels_and_views_alone(chromium, page):
    visit_twice(chromium, page)
    label_beside_another(chromium, page)
