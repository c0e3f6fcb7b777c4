"""Dossiers: what they hold, in both formats, of stores of every kind."""

import io
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from dashboard.export.choices import DOSSIER, SELECTION_DOSSIER, Choice
from dashboard.export.dossier import MAX_CANDIDATES, Request, collect_dossier
from dashboard.export.dossier_drawings import png_of
from dashboard.export.dossier_html import dossier_html
from dashboard.export.dossier_pdf import dossier_pdf
from dashboard.export.dossier_tables import chart_words, inference_table, photometry_table
from dashboard.export.file_job import FileJob
from dashboard.export.files import maker_of
from dashboard.export.finder_chart import draw_chart, finder_chart
from dashboard.export.paper import HIGH, Sheet, TextTable, parts_of, wrapped
from dashboard.labelling.labels import set_label, write_note
from dashboard.state import GalaxyList
from tests.dashboard.explorers import begin, change, datastore_of

ROWS = np.array([40, 3, 8])
LISTED = GalaxyList("queue", "the queue by <P>", ROWS, {"p_green_pea": np.array([0.9, 0.5, 0.25])})


def dossier_of(datastore, listed=LISTED, told=print, model="physics"):
    names = datastore.store.model(model).names
    return collect_dossier(datastore, Request(listed, (model, names[0], names[1])), told)


class Parts(HTMLParser):
    """The text of a page, its tags, and all addresses that it names."""

    def __init__(self, content):
        super().__init__()
        self.text, self.tags, self.addresses = "", [], []
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.text += "\n"
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        self.text += data


def test_the_html_holds_the_list_in_its_order_and_needs_nothing_else(photometric):
    dossier = dossier_of(photometric.datastore)
    page = Parts(dossier_html(dossier, lambda *_: None))
    ids = [str(photometric.datastore.ids[row]) for row in ROWS]
    assert re.findall(r"(\d+) · (g\d+)", page.text) == [*zip("123", ids, strict=True)]
    assert all(address.startswith(("data:image/", "#c")) for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    for candidate in dossier.candidates:
        assert candidate.designation in page.text
        assert str(candidate.properties[1].inferred) in page.text
    assert "P(Green Pea) 0.900" in page.text


def test_texts_of_people_and_of_samples_are_shown_and_never_run(store, tmp_path):
    ids = np.array([f"g{row:04d}" for row in range(120)], object)
    ids[3] = "<img src=http://x.y/z onerror=alert(1)>"
    datastore = begin(change(store, tmp_path / "store")).datastore
    datastore.ids[3] = ids[3]
    datastore.journal.tag(ids[3], "<b>odd</b>", user="ana & co", note="$x$ <script>1</script> 星")
    dossier = dossier_of(datastore, GalaxyList("labels", "labels", np.array([3]), {}))
    page = Parts(dossier_html(dossier, lambda *_: None))
    assert ids[3] in page.text
    assert "ana & co" in page.text
    assert "<script>1</script>" in page.text
    assert "script" not in page.tags
    assert all(address.startswith(("data:image/", "#c")) for address in page.addresses)
    assert dossier_pdf(dossier, lambda *_: None).startswith(b"%PDF")


def test_the_tables_say_what_is_known_of_each_candidate(photometric):
    datastore = photometric.datastore
    set_label(datastore, photometric.state, "merger", 3)
    write_note(datastore, photometric.state, "two nuclei", 3)
    dossier = dossier_of(datastore)
    places, inferred = photometry_table(dossier), inference_table(dossier)
    magnitude = datastore.store.photometry["r"].iloc[3]
    assert places.rows[1][:2] == ["2", str(datastore.ids[3])]
    assert places.rows[1][places.header.index("r")] == f"{magnitude:.2f}"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d", places.rows[1][3])
    assert inferred.rows[1][inferred.header.index("P(Green Pea)")] == "0.500"
    assert inferred.rows[1][-1].startswith("Merger (")
    value = datastore.store.latents("physics")["log_mass"].iloc[3]
    shown = inferred.rows[1][inferred.header.index("log M* [M☉]")]
    assert abs(float(shown.split(" ± ")[0]) - value) < 0.06
    assert dossier.candidates[1].said[-1].note == "two nuclei"


def test_provenance_names_store_sample_run_and_checksums(store):
    dossier = dossier_of(begin(store).datastore)
    facts = dossier.facts
    assert (facts["sample"], facts["store"]) == ("example", store.name)
    sums = {name: text for name, text in facts.items() if name.startswith("SHA-256")}
    assert {"SHA-256 of store.json", "SHA-256 of weights of physics"} <= set(sums)
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in sums.values())
    assert "epoch" in facts["run"]


@pytest.mark.parametrize("kind", ["no stamps", "no place", "no labels", "vanilla only", "one"])
def test_both_files_are_made_of_stores_of_every_kind(examples, kind):
    datastore = begin(examples[kind]).datastore
    model = datastore.models[0]
    listed = GalaxyList("labels", "labels", np.array([0]), {})
    dossier = dossier_of(datastore, listed, model=model)
    pages = dossier_pdf(dossier, lambda *_: None)
    assert len(re.findall(rb"/Type /Page\b(?!s)", pages)) == 3
    page = Parts(dossier_html(dossier, lambda *_: None))
    assert page.tags.count("article") == 1
    assert ("The store has no stamps" in page.text) == (kind == "no stamps")


def test_a_chart_has_north_up_and_east_left_whatever_the_image_does(store, tmp_path):
    """The image is bright towards its north and, less far, its east; north lies at 2 rad."""
    north, size = 2.0, 32
    places = {"ra": np.linspace(0, 350, 120), "dec": 30.0}
    folder = change(store, tmp_path / "store", north_angle=north, **places)
    datastore = begin(folder).datastore
    picture = np.zeros((size, size, 3), np.uint8)
    for angle, far in ((north, 12), (north + np.pi / 2, 6)):
        x, y = (round(15.5 + far * part) for part in (np.cos(angle), np.sin(angle)))
        picture[y - 1 : y + 2, x - 1 : x + 2] = 255
    datastore.stamp = lambda _: picture
    chart = finder_chart(datastore, 5)
    drawn = Image.open(io.BytesIO(png_of((2.0, 2.0), lambda plot: draw_chart(plot, chart))))
    dark = 255 - np.asarray(drawn.convert("L"), int)
    middle = len(dark) // 2
    reach = int(len(dark) * chart.width / chart.field / size)  # pixels of one pixel of the image
    up = dark[middle - 12 * reach, middle - reach : middle + reach].mean()
    left = dark[middle - reach : middle + reach, middle - 6 * reach].mean()
    assert min(up, left) > 150
    assert dark[middle + 12 * reach, middle - reach : middle + reach].mean() < 60


def test_a_chart_rings_the_sample_around_and_names_it(store, tmp_path):
    ra, dec = np.full(120, 10.0), np.linspace(-60, 60, 120)
    ra[:3], dec[:3] = [150.0, 150.005, 150.0], [0.0, 0.0, -0.01]
    datastore = begin(change(store, tmp_path / "store", ra=ra, dec=dec, north_angle=1.5)).datastore
    chart = finder_chart(datastore, 0)
    assert [one.row for one in chart.neighbours] == [1, 2]
    np.testing.assert_allclose(chart.neighbours[0].offset, (18, 0), atol=1e-3)
    np.testing.assert_allclose(chart.neighbours[1].offset, (0, -36), atol=1e-3)
    assert chart.neighbours[1].position_angle == pytest.approx(180)
    dossier = dossier_of(datastore, GalaxyList("labels", "labels", np.array([0, 50]), {}))
    words = chart_words(dossier, dossier.candidates[0])
    assert f"1  {datastore.ids[1]}: 18.0″ at PA 90°" in words
    assert "nearest of the sample" in chart_words(dossier, dossier.candidates[1])[-1]


def test_what_is_too_many_is_said_and_not_made(many):
    panel = many.export_panel
    many.state.selection.selected = np.arange(120) <= MAX_CANDIDATES
    panel.open()
    panel.what.value = SELECTION_DOSSIER
    assert panel.go.disabled
    assert f"{MAX_CANDIDATES} galaxies at most; here are {MAX_CANDIDATES + 1}" in (
        panel.words.object
    )
    many.state.selection.selected = np.arange(120) < 2
    assert not panel.go.disabled
    assert panel.formats.kind.options == {"PDF": "pdf", "HTML": "html"}
    panel.formats.kind.value = "html"
    panel.take()
    assert panel.file.filename == "example-dossier-2.html"
    assert "2 candidates" in panel.words.object


def test_a_dossier_of_a_list_has_its_galaxies_and_tells_of_its_progress(many, monkeypatch):
    many.state.param.update(tab="neighbours", row=7)
    made, told = [], []
    monkeypatch.setattr(
        "dashboard.export.files.dossier_html", lambda *given: made.append(given[0])
    )
    make = maker_of(many.datastore, many.state, Choice(DOSSIER, "html"))
    make(lambda words, share: told.append((words, share)))
    listed = many.state.selection.listed
    assert [one.row for one in made[0].candidates] == list(listed.rows)
    assert made[0].title == f"10 candidates of example: {listed.title}"
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[1][0] == f"candidate 1 of {len(listed.rows)}"


def test_what_is_cancelled_makes_no_file_and_says_so(many):
    made, panel = [], many.export_panel

    def slow(tell):
        while not panel.job.running:
            time.sleep(0.001)
        panel.job.cancel()
        tell("candidate 2 of 3", 0.5)
        made.append("a file")

    panel.job.start(slow)
    assert not made
    assert "Cancelled: no file was made." in panel.words.object
    assert not panel.job.running


def test_a_second_click_while_a_file_is_made_makes_no_other(many, monkeypatch):
    begun, panel = [], many.export_panel

    def make(*_):
        begun.append(1)
        if len(begun) == 1:
            while not panel.job.running:
                time.sleep(0.001)
            panel.take()  # as a visitor does who does not see that it has begun
        raise OSError("no matter")

    monkeypatch.setattr("dashboard.export.files.map_figure", make)
    panel.open()
    panel.what.value = "figure"
    panel.take()
    assert len(begun) == 1
    assert not panel.stop.visible
    panel.take()
    assert len(begun) == 2


def test_a_job_that_fails_says_why(many):
    ends = []
    job = FileJob(many.datastore.workers.requests, str, lambda file, why: ends.append((file, why)))
    job.start(lambda _: 1 // 0)
    assert ends == [(None, "integer division or modulo by zero")]


def test_a_wide_table_is_split_and_each_part_names_its_rows():
    header = ["#", "Galaxy", *(f"column {k}" for k in range(12))]
    table = TextTable("wide", header, [["1", "g0001", *("0.123" for _ in range(12))]])
    parts = parts_of(table, 100, 7)
    assert len(parts) > 1
    assert [name for part in parts for name in part.header[2:]] == header[2:]
    assert all(part.rows[0][:2] == ["1", "g0001"] for part in parts)


def test_no_fact_of_the_provenance_is_left_out_however_long_it_is(many, monkeypatch):
    written, write = [], Sheet.write
    monkeypatch.setattr(Sheet, "write", lambda *given, **looks: written.append(given[2:4])
                        or write(*given, **looks))  # fmt: skip
    dossier = dossier_of(many.datastore, GalaxyList("labels", "labels", np.array([3]), {}))
    long = {f"fact {k}": f"begin {'x' * 1800} end" for k in range(6)}
    dossier_pdf(dossier._replace(facts=dossier.facts | long), lambda *_: None)
    assert sum(text.endswith(" end") or text == "end" for _, text in written) == 6
    assert all(y < HIGH - 11 for y, text in written if "xxx" in text)


def test_what_people_say_stays_within_the_place_of_a_candidate(store, tmp_path, monkeypatch):
    datastore = datastore_of(change(store, tmp_path / "store"), tmp_path / "journal.sqlite")
    for k in range(9):
        note = f"said {'word ' * 60}"
        datastore.journal.tag(str(datastore.ids[3]), "merger", user=f"u{k}", note=note)
    written, write = [], Sheet.write
    monkeypatch.setattr(Sheet, "write", lambda *given, **looks: written.append(given[2:4])
                        or write(*given, **looks))  # fmt: skip
    listed = GalaxyList("labels", "labels", np.array([3, 4]), {})
    dossier_pdf(dossier_of(datastore, listed), lambda *_: None)
    second = min(y for y, text in written if text.startswith("2 · "))
    assert all(y < second - 3 for y, text in written if "word" in text)
    assert any("the HTML file has" in text for _, text in written)


def test_long_texts_are_broken_into_lines_that_fit():
    lines = wrapped("a " * 60 + "x" * 300, 50, 7)
    assert "".join(lines).replace(" ", "") == "a" * 60 + "x" * 300
    assert len(lines) > 6


def test_the_labels_of_several_people_are_all_there(store, tmp_path):
    folder = change(store, tmp_path / "store")
    datastore = datastore_of(folder, tmp_path / "journal.sqlite")
    for user, label in (("ana", "merger"), ("ben", "4")):
        datastore.journal.tag(str(datastore.ids[3]), label, user=user)
    assert inference_table(dossier_of(datastore)).rows[1][-1] == "Merger (ana), Score 4 (ben)"
