"""A dossier as one HTML file: it asks for nothing else, and every text is escaped."""

import base64
from functools import partial
from html import escape
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.stamp_images import bar_html, compass_svg, data_uri
from dashboard.components.assets import style
from dashboard.export.dossier import Candidate, Dossier, Tell
from dashboard.export.dossier_drawings import draw_map, png_of
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
from dashboard.export.paper import TextTable

__all__ = ["dossier_html"]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
CHART, MAP, WHOLE = (2.6, 2.6), (2.6, 2.0), (5.0, 3.1)  # inches
ROOM = 0.42  # inches, for the titles of a map's axes


def dossier_html(dossier: Dossier, tell: Tell) -> bytes:
    """The bytes of the file.

    Args:
        dossier: What it holds.
        tell: Is told of the progress.
    """
    total, articles = len(dossier.candidates), []
    for place, candidate in enumerate(dossier.candidates):
        tell(f"drawing candidate {place + 1} of {total}", place / total)
        articles.append(_article(dossier, candidate))
    tables = "".join(map(table_html, (photometry_table(dossier), inference_table(dossier))))
    title = escape(dossier.title)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-'
        f'referrer"><title>{title}</title><style>{style(__file__, "dossier.css")}</style></head>'
        f'<body><p class="over">CANDIDATE DOSSIER</p><h1>{title}</h1>{_stamps(dossier)}'
        f"{_overview(dossier)}<section><h2>Provenance</h2>{facts_html(dossier.facts)}</section>"
        f'<section class="tables">{tables}</section>{"".join(articles)}</body></html>'
    ).encode()


def _stamps(dossier: Dossier) -> str:
    """All stamps, each a link to its candidate."""
    shown = "".join(
        f'<a href="#c{one.rank}">{_picture(one.stamp, one.galaxy)}<b>{one.rank}</b></a>'
        for one in dossier.candidates
        if one.stamp is not None
    )
    return f'<nav class="stamps" aria-label="Candidates">{shown}</nav>' if shown else ""


def _overview(dossier: Dossier) -> str:
    words = map_words(dossier)
    png = png_of(WHOLE, partial(draw_map, dossier=dossier), ROOM)
    notes = "".join(f'<p class="quiet">{escape(note)}</p>' for note in (words, *dossier.notes))
    return f'<section class="overview">{_png(png, words)}<div>{notes}</div></section>'


def facts_html(facts: dict[str, str]) -> str:
    """Provenance as a list; an address of a page is a link."""
    found = []
    for name, text in facts.items():
        shown = escape(text)
        if name == "view" and urlsplit(text).scheme in ("http", "https"):
            shown = f'<a href="{escape(text)}" rel="noopener noreferrer">{shown}</a>'
        found.append(f"<dt>{escape(fact_title(name))}</dt><dd>{shown}</dd>")
    return f"<dl>{''.join(found)}</dl>"


def table_html(table: TextTable) -> str:
    """A table under its title; empty without rows."""
    if not table.rows:
        return ""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in table.header)
    last = len(table.header) - 1
    rows = "".join(
        f"<tr>{''.join(_cell(text, wide=k == last) for k, text in enumerate(row))}</tr>"
        for row in table.rows
    )
    title = f"<h2>{escape(table.title)}</h2>" if table.title else ""
    return f'{title}<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _cell(text: str, *, wide: bool) -> str:
    return f"<td{' class=text' * wide}>{escape(text)}</td>"


def _article(dossier: Dossier, one: Candidate) -> str:
    """One candidate: heading, finder chart, images, place on the map, properties, notes."""
    chart = png_of(CHART, partial(draw_chart, chart=one.chart))
    spot = png_of(MAP, partial(draw_map, dossier=dossier, picked=one), ROOM)
    table = table_html(property_table(one, dossier.model))
    lines = "".join(f"<p>{escape(line)}</p>" for line in people_lines(one))
    return (
        f'<article id="c{one.rank}"><header><h3>{one.rank} · {escape(one.galaxy)}</h3>'
        f"<span>{escape(place_line(one))}</span></header>"
        f'<p class="quiet">{escape(kind_line(one))}</p>'
        f'<div class="parts"><div>{_png(chart, f"Finder chart of {one.galaxy}")}'
        f'<p class="quiet">{"<br>".join(map(escape, chart_words(dossier, one)))}</p>'
        f"{_png(spot, f'{one.galaxy} on the map')}</div><div>{_images(dossier, one)}"
        f"<p>{escape(magnitudes_line(one))}</p>{table}{lines}</div></div></article>"
    )


def _images(dossier: Dossier, one: Candidate) -> str:
    """Image, reconstruction and residual beside each other, each with its caption."""
    size = 0 if one.stamp is None else len(one.stamp)
    marks = bar_html(dossier.scale_of(size), size) + compass_svg(one.chart.north)
    figures = "".join(
        f'<figure><div class="frame">{_picture(picture, caption) or escape(one.why)}'
        f"{'' if picture is None or place else marks}</div>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for place, (caption, picture) in enumerate(captioned_images(dossier, one))
    )
    return f'<div class="images">{figures}</div>'


def _picture(picture: NDArray[np.uint8] | None, says: str) -> str:
    return "" if picture is None else f'<img src="{data_uri(picture)}" alt="{escape(says)}">'


def _png(content: bytes, says: str) -> str:
    text = base64.b64encode(content).decode()
    return f'<img src="data:image/png;base64,{text}" alt="{escape(says)}">'
