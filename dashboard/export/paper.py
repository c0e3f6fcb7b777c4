"""Sheets of A4 paper: texts, rules, tables and axes at places in mm from the upper left corner."""

from functools import cache
from typing import Any, NamedTuple

from matplotlib import font_manager, rcParams
from matplotlib.axes import Axes as Plot
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from dashboard.backend.typography import DASH, MINUS
from dashboard.components.theme import MUTED, TEXT

__all__ = [
    "HIGH",
    "INCH",
    "INK",
    "INNER",
    "LEADING",
    "MARGIN",
    "POINT",
    "QUIET",
    "RULE",
    "Looks",
    "Sheet",
    "TextTable",
    "axis_title",
    "legible",
    "parts_of",
    "width_of",
    "wrapped",
]

WIDE, HIGH = 210.0, 297.0  # mm, A4
MARGIN = 16.0  # mm
INNER = WIDE - 2 * MARGIN
INCH, POINT = 25.4, 25.4 / 72  # mm
LEADING = 1.45  # heights of a line
GAP = 3.2  # mm between the columns of a table
DIGITS = f"0123456789+{MINUS}{DASH}"  # what a number begins with
MAX_CELL = 36  # letters of a cell; more are cut
INK, QUIET, RULE = TEXT[False], MUTED[False], "#b8c0cc"
rcParams["pdf.fonttype"] = 42  # TrueType, as journals ask; the default is refused by some


Looks = dict[str, Any]
"""Keyword arguments of matplotlib."""


class TextTable(NamedTuple):
    """A table of texts.

    Args:
        title: What it holds.
        header: A title a column.
        rows: A row a candidate.
        keys: How many columns, the first ones, name a row: they are repeated where it is split.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    keys: int = 2


@cache
def _glyphs() -> frozenset[int]:
    """The characters that the typeface has."""
    return frozenset(font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap())


def legible(text: str) -> str:
    r"""A text in one line, with a question mark for what the typeface lacks.

    Example:
        >>> legible("a\nb"), legible("M\N{SUN}"), legible("\N{CJK UNIFIED IDEOGRAPH-661F}")
        ('a b', 'M☉', '?')
    """
    return "".join(c if ord(c) in _glyphs() else "?" for c in " ".join(text.split()))


def axis_title(text: str) -> str:
    r"""The title of an axis with the sun as mathematics has it.

    Example:
        >>> axis_title("log stellar mass [M☉]")
        'log stellar mass [M$_\\odot$]'
    """
    return text.replace("$", r"\$").replace("M☉", r"M$_\odot$")


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a text [mm].

    Args:
        text: The text.
        size: Of its letters [pt].
        bold: Whether it is bold.
    """
    return sum(_advance(letter, bold) for letter in text) * size


@cache
def _advance(letter: str, bold: bool) -> float:
    """The width of a letter [mm] of 1 pt; without kerning."""
    font = FontProperties(family="DejaVu Sans", size=10, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(letter, font, False)[0]) * POINT / 10


def wrapped(text: str, width: float, size: float) -> list[str]:
    """A text in lines of at most ``width`` mm; longer words are broken."""
    lines, line = [], ""
    for word in legible(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer, size) <= width:
            line = longer
            continue
        lines += [line] if line else []
        line = word
        while width_of(line, size) > width:
            count = max(int(len(line) * width / width_of(line, size)), 1)
            lines.append(line[:count])
            line = line[count:]
    return [*lines, line]


def parts_of(table: TextTable, width: float, size: float) -> list[TextTable]:
    """A table in parts whose columns fit a width [mm], each with the columns that name a row."""
    wide = _widths(table, size)
    first = list(range(table.keys))
    parts, columns = [], list(first)
    for column in range(table.keys, len(wide)):
        if sum(wide[k] for k in [*columns, column]) - GAP > width and columns != first:
            parts.append(columns)
            columns = list(first)
        columns.append(column)
    return [
        table._replace(
            header=[table.header[k] for k in kept],
            rows=[[row[k] for k in kept] for row in table.rows],
        )
        for kept in [*parts, columns]
    ]


def _widths(table: TextTable, size: float) -> list[float]:
    """The width of each column with the gap after it [mm]."""
    bodies = ([_cell(text) for text in column] for column in zip(*table.rows, strict=True))
    return [
        max(width_of(legible(head), size, bold=True), *(width_of(text, size) for text in texts))
        + GAP
        for head, texts in zip(table.header, bodies, strict=True)
    ]


def _cell(text: str) -> str:
    text = legible(text)
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


class Sheet:
    """One page, drawn by matplotlib."""

    def __init__(self) -> None:
        self.figure = Figure((WIDE / INCH, HIGH / INCH), facecolor="white")

    def axes(self, x: float, y: float, width: float, height: float) -> Plot:
        """Axes with their upper left corner there, and that large [mm]."""
        box = x / WIDE, 1 - (y + height) / HIGH, width / WIDE, height / HIGH
        return self.figure.add_axes(box)

    def write(self, x: float, y: float, text: str, size: float = 8, **looks: Any) -> None:
        """Write one line, its upper left corner there."""
        looks = {"color": INK, "va": "top", "family": "DejaVu Sans", **looks}
        place = x / WIDE, 1 - y / HIGH
        self.figure.text(*place, legible(text), size=size, parse_math=False, **looks)

    def paragraph(
        self, place: tuple[float, float], width: float, text: str, size: float = 8, **looks: Any
    ) -> float:
        """Write a text in lines of at most a width; returns where the next one begins [mm]."""
        x, y = place
        for line in wrapped(text, width, size):
            self.write(x, y, line, size, **looks)
            y += size * LEADING * POINT
        return y

    def rule(self, y: float, x: float = MARGIN, width: float = INNER, **looks: Any) -> None:
        """A horizontal line."""
        ends, up = [x / WIDE, (x + width) / WIDE], 1 - y / HIGH
        looks = {"color": RULE, "lw": 0.6, **looks}
        self.figure.add_artist(Line2D(ends, [up, up], **looks))

    def table(
        self, table: TextTable, place: tuple[float, float], size: float, width: float = 0.0
    ) -> float:
        """Draw a table that fits; returns where it ends [mm].

        Args:
            table: The table.
            place: Its upper left corner.
            size: Of its letters [pt].
            width: Of its rules; that of its columns if 0.
        """
        x, y = place
        wide, step = _widths(table, size), size * LEADING * POINT
        width = width or sum(wide) - GAP
        self.rule(y, x, width, color=INK)
        y += 0.9
        columns = zip(table.header, zip(*table.rows, strict=True), wide, strict=True)
        for head, texts, space in columns:
            right = all(text[:1] in DIGITS for text in texts) and head != "Name"
            at, way = (x + space - GAP, "right") if right else (x, "left")
            self.write(at, y, head, size, ha=way, weight="bold")
            for line, text in enumerate(texts, 1):
                self.write(at, y + line * step + 1.2, _cell(text), size, ha=way)
            x += space
        end = y + (len(table.rows) + 1) * step + 1.6
        self.rule(y + step + 0.2, place[0], width)
        self.rule(end, place[0], width, color=INK)
        return end
