"""A dossier as a PDF of A4 pages: provenance, tables, two candidates a page."""

import io
from collections.abc import Callable
from datetime import UTC, datetime

from matplotlib.backends.backend_pdf import PdfPages

from dashboard.export.dossier import Candidate, Dossier, Tell
from dashboard.export.dossier_drawings import Bar, draw_image, draw_map
from dashboard.export.dossier_tables import (
    captioned_images,
    chart_words,
    fact_title,
    inference_table,
    kind_line,
    magnitudes_line,
    map_words,
    people_lines,
    photometry_table,
    place_line,
    property_table,
)
from dashboard.export.finder_chart import draw_chart
from dashboard.export.paper import (
    HIGH,
    INK,
    INNER,
    LEADING,
    MARGIN,
    POINT,
    QUIET,
    Looks,
    Sheet,
    TextTable,
    parts_of,
    width_of,
    wrapped,
)

__all__ = ["dossier_pdf"]

STEP = 6.5 * LEADING * POINT  # mm, a line of small letters
A_PAGE = 2  # candidates on a page
BLOCK = 131.0  # mm, the height of a candidate
CHART, PICTURE = 64.0, 35.9  # mm, sides
RIGHT = MARGIN + CHART + 4  # mm, where the right column begins
RIGHT_WIDE = INNER - CHART - 4  # mm
BOTTOM = HIGH - 20  # mm, where the content of a page ends
THUMBS = 10  # stamps in a row of the first page
HEADING = 92.0  # mm that an id may take beside the place; a longer one has the line for itself


def dossier_pdf(dossier: Dossier, tell: Tell) -> bytes:
    """The bytes of the PDF.

    Args:
        dossier: What it holds.
        tell: Is told of the progress.
    """
    made, file = dossier.candidates, io.BytesIO()
    tables = [photometry_table(dossier), inference_table(dossier)]
    sheets = [*_first_pages(dossier), *_table_pages(tables)]
    total = len(sheets) + -(-len(made) // A_PAGE)
    facts: Looks = {"Title": dossier.title, "Subject": dossier.facts.get("view", ""),
             "Creator": dossier.facts["software"], "CreationDate": datetime.now(UTC)}  # fmt: skip
    with PdfPages(file, metadata=facts) as pages:
        for number, sheet in enumerate(sheets, 1):
            tell(f"page {number} of {total}", number / total)
            _save(pages, dossier, sheet, f"{number} / {total}")
        for start in range(0, len(made), A_PAGE):
            number = len(sheets) + start // A_PAGE + 1
            tell(f"page {number} of {total}", number / total)
            sheet = Sheet()
            for place, candidate in enumerate(made[start : start + A_PAGE]):
                _draw_candidate(sheet, dossier, candidate, MARGIN + place * BLOCK)
            _save(pages, dossier, sheet, f"{number} / {total}")
    return file.getvalue()


def _save(pages: PdfPages, dossier: Dossier, sheet: Sheet, number: str) -> None:
    """Write the foot of a page, and the page."""
    facts, y = dossier.facts, HIGH - 11
    words = f"{facts['sample']} · store {facts['store']} · model {facts['model']}"
    sheet.rule(y - 1.5)
    sheet.write(MARGIN, y, f"{words} · {facts['date'][:10]}", 6.5, color=QUIET)
    sheet.write(MARGIN + INNER, y, number, 6.5, color=QUIET, ha="right")
    save: Callable[..., object] = pages.savefig
    save(sheet.figure)


def _first_pages(dossier: Dossier) -> list[Sheet]:
    """Title, all stamps, all candidates on the map, notes and provenance."""
    sheet = Sheet()
    sheet.write(MARGIN, MARGIN, "CANDIDATE DOSSIER", 7.5, color=QUIET, weight="bold")
    y = sheet.paragraph((MARGIN, MARGIN + 4.5), INNER, dossier.title, 15, weight="bold") + 2
    y = _draw_stamps(sheet, dossier, y)
    draw_map(sheet.axes(MARGIN + 11, y, 105, 62), dossier)
    beside = y
    for words in (map_words(dossier), *dossier.notes):
        place = (MARGIN + 123, beside)
        beside = sheet.paragraph(place, INNER - 123, words, 7.5, color=QUIET) + 2
    y = max(y + 76, beside + 4)
    sheet.write(MARGIN, y, "Provenance", 10, weight="bold")
    sheet.rule(y + 5.2, color=INK)
    return [sheet, *_draw_facts(sheet, dossier, y + 6.8)]


def _draw_stamps(sheet: Sheet, dossier: Dossier, y: float) -> float:
    """The stamps of all candidates in rows, with their ranks; returns where the next part is."""
    if all(one.stamp is None for one in dossier.candidates):
        return y
    step = INNER / THUMBS
    for place, one in enumerate(dossier.candidates):
        down, across = divmod(place, THUMBS)
        plot = sheet.axes(MARGIN + across * step, y + down * step, step - 0.7, step - 0.7)
        draw_image(plot, one.stamp, "none")
        looks: Looks = {
            "transform": plot.transAxes,
            "va": "top",
            "color": "white",
            "weight": "bold",
        }
        plot.text(0.05, 0.95, str(one.rank), size=6, **looks)
    return y + -(-len(dossier.candidates) // THUMBS) * step + 4


def _draw_facts(sheet: Sheet, dossier: Dossier, y: float) -> list[Sheet]:
    """The provenance, a fact a line; returns the further pages that it needed."""
    further: list[Sheet] = []
    for name, text in dossier.facts.items():
        if y + 4 * len(wrapped(text, INNER - 40, 6.5)) > BOTTOM:
            sheet, y = Sheet(), MARGIN
            further.append(sheet)
        sheet.write(MARGIN, y, fact_title(name), 6.5, color=QUIET)
        y = sheet.paragraph((MARGIN + 40, y), INNER - 40, text, 6.5) + 0.4
    return further


def _table_pages(tables: list[TextTable]) -> list[Sheet]:
    """The tables, one below the other, split where they are wide; on as many pages as needed."""
    sheets, y, size = [Sheet()], MARGIN, 6.5
    for table in tables:
        for part in parts_of(table, INNER, size):
            needed = (len(part.rows) + 2) * size * 0.52 + 12
            if y + needed > BOTTOM and y > MARGIN:
                sheets.append(Sheet())
                y = MARGIN
            sheets[-1].write(MARGIN, y, part.title, 9, weight="bold")
            y = sheets[-1].table(part, (MARGIN, y + 6), size, INNER) + 9
    return sheets


def _draw_candidate(sheet: Sheet, dossier: Dossier, one: Candidate, y: float) -> None:
    """One candidate: heading, finder chart, images, place on the map, properties, notes."""
    sheet.rule(y - 2.5, color=INK)
    heading = f"{one.rank} · {one.galaxy}"
    long = width_of(heading, 10, bold=True) > HEADING
    sheet.write(MARGIN, y, wrapped(heading, INNER * 0.85, 10)[0], 10, weight="bold")
    down = 5.0 if long else 0.4
    sheet.write(MARGIN + INNER, y + down, place_line(one), 7 if long else 7.5, ha="right")
    sheet.paragraph((MARGIN, y + 5), INNER, kind_line(one), 7, color=QUIET)
    top = y + 10
    draw_chart(sheet.axes(MARGIN, top, CHART, CHART), one.chart, 6.5)
    _draw_images(sheet, dossier, one, top)
    down = sheet.paragraph((RIGHT, top + 44), RIGHT_WIDE, magnitudes_line(one), 7) + 1
    for line in chart_words(dossier, one):
        down = sheet.paragraph((RIGHT, down), RIGHT_WIDE, line, 6.5, color=QUIET)
    draw_map(sheet.axes(MARGIN + 10, top + CHART + 4, CHART - 10, 40), dossier, one, 6.5)
    ends = max(top + CHART + 3, down + 1.5), y + BLOCK - 6
    _draw_texts(sheet, dossier, one, ends)


def _draw_images(sheet: Sheet, dossier: Dossier, one: Candidate, top: float) -> None:
    """Image, reconstruction and residual beside each other, each with its caption."""
    size = 0 if one.stamp is None else len(one.stamp)
    bar = Bar(dossier.scale_of(size), size, one.chart.north)
    for place, (caption, picture) in enumerate(captioned_images(dossier, one)):
        x = RIGHT + place * (PICTURE + 1.05)
        draw_image(sheet.axes(x, top, PICTURE, PICTURE), picture, one.why, None if place else bar)
        sheet.write(x, top + PICTURE + 1, caption, 6.5, color=QUIET)


def _draw_texts(sheet: Sheet, dossier: Dossier, one: Candidate, ends: tuple[float, float]) -> None:
    """The properties as catalogue and model have them, and what people say, as far as it fits."""
    y, end = ends
    table = property_table(one, dossier.model)
    if table.rows:
        y = sheet.table(table, (RIGHT, y), 6.5, RIGHT_WIDE) + 2
    lines = [line for told in people_lines(one) for line in wrapped(told, RIGHT_WIDE, 6.5)]
    room = max(int((end - y) / STEP), 1)
    for line in lines if len(lines) <= room else lines[: room - 1]:
        y = sheet.paragraph((RIGHT, y), RIGHT_WIDE, line, 6.5)
    if len(lines) > room:
        sheet.write(RIGHT, y, "… and more, which the HTML file has", 6.5, color=QUIET)
