"""The texts and tables of a dossier, the same in every format."""

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.populations import population_title
from dashboard.backend.typography import DASH, MINUS, SIGMA
from dashboard.export.dossier import Candidate, Dossier
from dashboard.export.finder_chart import NUMBERED
from dashboard.export.paper import TextTable
from dashboard.galaxy.property_table import Property, difference
from pcvae.journal import Event
from pcvae.label_classes import NOTED, SCORES

__all__ = [
    "captioned_images",
    "chart_words",
    "fact_title",
    "inference_table",
    "kind_line",
    "magnitudes_line",
    "map_words",
    "number",
    "people_lines",
    "photometry_table",
    "place_line",
    "property_table",
]


PRIME = "\N{PRIME}"
BRIEF = {"log stellar mass": "log M*", "log star-formation rate": "log SFR"}  # as columns


def photometry_table(dossier: Dossier) -> TextTable:
    """Names, places, magnitudes and colours."""
    first = dossier.candidates[0]
    header = ["#", "Galaxy", "Name", "RA", "Dec", *(name for name, _ in first.magnitudes)]
    rows = []
    for one in dossier.candidates:
        ra, dec = one.place or (DASH, DASH)
        numbers = [number(value, 2) for _, value in one.magnitudes]
        name = one.designation or DASH
        rows.append([str(one.rank), one.galaxy, name, ra, dec.replace("-", MINUS), *numbers])
    return TextTable("Places, magnitudes and colours [mag]", header, rows)


def inference_table(dossier: Dossier) -> TextTable:
    """What ranks the candidates, what the model infers with 1-sigma errors, and labels."""
    first = dossier.candidates[0]
    inferred = [
        _titled(shown, brief=True) for shown in first.properties if shown.inferred is not None
    ]
    scores = [name for name, _ in first.scores]
    rows = []
    for one in dossier.candidates:
        found = [number(value, 3) for _, value in one.scores]
        found += [str(shown.inferred) for shown in one.properties if shown.inferred is not None]
        rows.append([str(one.rank), one.galaxy, one.population, *found, labels_line(one)])
    title = f"Scores, properties inferred by model {dossier.model} (1 {SIGMA}), and labels"
    return TextTable(title, ["#", "Galaxy", "Population", *scores, *inferred, "Labels"], rows)


def _titled(shown: Property, *, brief: bool = False) -> str:
    title = BRIEF.get(shown.title, shown.title) if brief else shown.title
    return f"{title} [{shown.unit}]" if shown.unit else title


def property_table(candidate: Candidate, model: str) -> TextTable:
    """A row a property: catalogue, inferred, difference in joint sigmas."""
    rows = []
    for shown in candidate.properties:
        known, found = shown.catalogue, shown.inferred
        both = known is not None and found is not None
        gap = difference(known, found, cyclic=shown.cyclic) if known and found else np.nan
        text = number(gap, 1) if both and np.isfinite(gap) else DASH
        rows.append(
            [_titled(shown), *(DASH if i is None else str(i) for i in (known, found)), text]
        )
    header = ["Property", "Catalogue", f"Model {model}", f"Δ / {SIGMA}"]
    return TextTable("", header, rows, 1)


def magnitudes_line(candidate: Candidate) -> str:
    """Magnitudes and colours in one line; empty where there are none.

    Names are as the catalogue's bands.
    """
    pairs = (f"{name} {number(value, 2)}" for name, value in candidate.magnitudes)
    return ",  ".join(pairs) + (" mag" if candidate.magnitudes else "")


def place_line(candidate: Candidate) -> str:
    """Its name by position and its place; empty where that is unknown."""
    if candidate.place is None:
        return ""
    ra, dec = candidate.place
    return f"{candidate.designation} · RA {ra} Dec {dec.replace('-', MINUS)}"


def kind_line(candidate: Candidate) -> str:
    """Its population and what ranks it, score and probabilities, in one line."""
    scores = ",  ".join(f"{name} {number(value, 3)}" for name, value in candidate.scores)
    return " · ".join(text for text in (candidate.population, scores) if text)


def captioned_images(
    dossier: Dossier, candidate: Candidate
) -> list[tuple[str, NDArray[np.uint8] | None]]:
    """Image, reconstruction and residual, each after its caption; None for what is missing."""
    view = candidate.view
    rebuilt, rest = (None, None) if view is None else (view.reconstruction, view.residual)
    return [
        (f"Image ({', '.join(dossier.bands)})", candidate.stamp),
        (f"Reconstruction by {dossier.model}", rebuilt),
        (f"Residual, ± {rest.limit:.2f}" if rest else "Residual", rest and rest.picture),
    ]


def labels_line(candidate: Candidate) -> str:
    """Its labels, and who gave them, in one line; a dash for none."""
    return ", ".join(f"{_label(event)} ({event.user})" for event in candidate.said) or DASH


def people_lines(candidate: Candidate) -> list[str]:
    """What people say of it, a line each: label, who and when, and the note."""
    return [
        f"{_label(event)} by {event.user}, {event.time[:10]}"
        + (f": {event.note}" * bool(event.note))
        for event in candidate.said
    ]


def _label(event: Event) -> str:
    if event.label == NOTED:
        return "Note"
    if event.label in SCORES:
        return f"Score {event.label}"
    return population_title(event.label) + (f", score {event.score}" if event.score else "")


def fact_title(name: str) -> str:
    """The title of a fact of the provenance.

    Example:
        >>> fact_title("run_command"), fact_title("SHA-256 of store.json")
        ('Run command', 'SHA-256 of store.json')
    """
    return name if name.startswith("SHA") else population_title(name)


def map_words(dossier: Dossier) -> str:
    """What the map shows."""
    plane, count = dossier.map.plane, len(dossier.candidates)
    some = "The candidate" if count == 1 else f"All {count} candidates"
    axes = f"by {plane.x.title} and {plane.y.title} of model {dossier.model}"
    return f"{some} on the density of the sample's galaxies, {axes}."


def chart_words(dossier: Dossier, candidate: Candidate) -> list[str]:
    """What the finder chart shows: its field, and the other galaxies, a line each."""
    chart = candidate.chart
    if not chart.field:
        return ["Neither place nor pixel scale is known"]
    turned = chart.placed and chart.upright
    way = "north up, east left" if turned else "as the image lies"
    lines = [f"{chart.field:.0f}″ across, {way}"]
    lines += [
        f"{place}  {dossier.names[one.row]}: {one.separation:.1f}″ at PA {one.position_angle:.0f}°"
        for place, one in enumerate(chart.neighbours[:NUMBERED], 1)
    ]
    if len(chart.neighbours) > NUMBERED:
        lines.append(f"and {len(chart.neighbours) - NUMBERED} more of the sample")
    if not chart.neighbours and chart.nearest is not None:
        one = chart.nearest
        away = f"{one.separation / 60:.1f}{PRIME} at PA {one.position_angle:.0f}°"
        lines.append(f"nearest of the sample: {dossier.names[one.row]}, {away}")
    return lines


def number(value: float, places: int) -> str:
    """A number for display.

    Example:
        >>> number(-0.123, 2).replace(MINUS, "-"), number(3, 2), number(float("nan"), 2) == DASH
        ('-0.12', '3', True)
    """
    if not np.isfinite(value):
        return DASH
    whole = isinstance(value, int | np.integer)
    return (str(value) if whole else f"{value:.{places}f}").replace("-", MINUS)
