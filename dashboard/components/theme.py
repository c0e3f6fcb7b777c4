"""How the dashboard looks: one palette, one type family, the marks and names of populations."""

from typing import NamedTuple

__all__ = [
    "ACCENT",
    "FONT",
    "GROUND",
    "HEADER",
    "MUTED",
    "TEXT",
    "THEME",
    "Marker",
    "colour_of",
    "marker_of",
    "population_title",
]

FONT = "Inter, Roboto, 'Helvetica Neue', Arial, sans-serif"
ACCENT = {True: "#f2b84b", False: "#a85b00"}  # by dark theme
GROUND = {True: "#0a0d13", False: "#ffffff"}
TEXT = {True: "#e6e9ef", False: "#171b22"}
FIELD = {True: "#5c6f91", False: "#8794a8"}
MUTED = {True: "#929bab", False: "#596273"}


class Marker(NamedTuple):
    """How a population is marked: legible by shape as well as by colour.

    Args:
        shape: Bokeh's name of the shape.
        dark: Its colour on dark ground.
        light: Its colour on light ground.
    """

    shape: str
    dark: str
    light: str


_OWN = {
    "green_pea": Marker("circle", "#4ade80", "#0a8a3c"),
    "red_spiral": Marker("diamond", "#ff6f5e", "#c62a1c"),
}
_OTHERS = (
    Marker("square", "#56b4e9", "#0072b2"),
    Marker("triangle", "#e69f00", "#9a6a00"),
    Marker("inverted_triangle", "#d58fc0", "#a3478a"),
    Marker("hex", "#f0e442", "#7d7500"),
    Marker("star", "#3fd0c9", "#00807a"),
    Marker("plus", "#c0c8d8", "#4b5566"),
)


def marker_of(population: str, others: list[str]) -> Marker:
    """The marker of a population; those without one of their own share out the rest.

    Args:
        population: Its name.
        others: All populations that are marked, in a fixed order.
    """
    if population in _OWN:
        return _OWN[population]
    rest = [name for name in others if name not in _OWN]
    place = rest.index(population) if population in rest else len(rest)
    return _OTHERS[place % len(_OTHERS)]


def colour_of(population: str, others: list[str], *, dark: bool) -> str:
    """The colour of a population; the ordinary galaxies' is quiet."""
    if population == "field":
        return FIELD[dark]
    marker = marker_of(population, [name for name in others if name != "field"])
    return marker.dark if dark else marker.light


def population_title(name: str) -> str:
    """A population as people write it.

    Example:
        >>> population_title("green_pea"), population_title("post-starburst")
        ('Green Pea', 'Post-starburst')
    """
    words = name.replace("_", " ")
    return words.title() if name in _OWN else words[:1].upper() + words[1:]


def _palette(*, dark: bool) -> dict[str, object]:
    accent = ACCENT[dark]
    return {
        "primary": {"main": accent, "contrastText": GROUND[dark]},
        "background": {"default": GROUND[dark], "paper": GROUND[dark]},
        "text": {"primary": TEXT[dark], "secondary": MUTED[dark]},
        "divider": "rgba(255,255,255,0.09)" if dark else "rgba(0,0,0,0.10)",
    }


def _theme(*, dark: bool) -> dict[str, object]:
    line = "1px solid rgba(255,255,255,0.09)" if dark else "1px solid rgba(0,0,0,0.10)"
    bar = {"boxShadow": "none", "backgroundImage": "none", "borderBottom": line}
    return {
        "palette": _palette(dark=dark),
        "typography": {
            "fontFamily": FONT,
            "fontSize": 13,
            "h3": {"fontSize": "1.05rem", "fontWeight": 600},
        },
        "shape": {"borderRadius": 6},
        "components": {
            "MuiAppBar": {"styleOverrides": {"root": bar}},
            "MuiToolbar": {"styleOverrides": {"root": {"minHeight": "58px !important"}}},
            "MuiTab": {
                "styleOverrides": {
                    "root": {"textTransform": "none", "minHeight": 34, "padding": "4px 14px"}
                }
            },
            "MuiTabs": {"styleOverrides": {"root": {"minHeight": 34}}},
            "MuiToggleButton": {
                "styleOverrides": {"root": {"textTransform": "none", "padding": "3px 12px"}}
            },
            "MuiButton": {
                "styleOverrides": {"root": {"textTransform": "none", "boxShadow": "none"}}
            },
            "MuiTooltip": {"styleOverrides": {"tooltip": {"width": "max-content"}}},
        },
    }


HEADER = {  # the bar is ground, not the accent: so panel-material-ui leaves its widgets alone
    ".MuiAppBar-root": {"bgcolor": "primary.contrastText", "color": "primary.main"},
    ".title": {
        "color": "var(--panel-on-background-color) !important",
        "maxWidth": "max(110px, 100vw - 1172px)",  # the rest of the bar needs that much
        "overflow": "hidden",
        "textOverflow": "ellipsis",
        "whiteSpace": "nowrap",
    },
}
THEME = {"dark": _theme(dark=True), "light": _theme(dark=False)}
