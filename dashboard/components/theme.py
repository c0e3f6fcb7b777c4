"""The theme: palette and type family."""

__all__ = ["ACCENT", "FONT", "GROUND", "HEADER", "MUTED", "NARROW", "TEXT", "THEME"]

FONT = "Inter, Roboto, 'Helvetica Neue', Arial, sans-serif"
ACCENT = {True: "#f2b84b", False: "#a85b00"}  # by dark theme
GROUND = {True: "#0a0d13", False: "#ffffff"}
TEXT = {True: "#e6e9ef", False: "#171b22"}
MUTED = {True: "#929bab", False: "#596273"}

ABOVE = {  # panel-material-ui asks for tooltips at the right, over the next button: no room there
    "name": "flip",
    "options": {
        "padding": {"left": 100_000, "right": 100_000},
        "altAxis": False,
        "fallbackPlacements": ["top", "bottom"],
    },
}

NARROW = "@media (max-width: 640px)"  # as in phone.css
TALL_BAR = {
    "minHeight": "58px !important",
    NARROW: {"minHeight": "112px !important", "padding": "0 4px"},
}


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
            "MuiToolbar": {"styleOverrides": {"root": TALL_BAR}},
            "MuiTab": {
                "styleOverrides": {
                    "root": {
                        "textTransform": "none",
                        "minHeight": 34,
                        "minWidth": 0,
                        "padding": "4px 12px",
                    }
                }
            },
            "MuiTabs": {"styleOverrides": {"root": {"minHeight": 34}}},
            "MuiToggleButton": {
                "styleOverrides": {"root": {"textTransform": "none", "padding": "3px 12px"}}
            },
            "MuiButton": {
                "styleOverrides": {"root": {"textTransform": "none", "boxShadow": "none"}}
            },
            "MuiTooltip": {
                "defaultProps": {"placement": "top"},  # of those that name none
                "styleOverrides": {
                    "popper": {"pointerEvents": "none !important"},  # the button below is clicked
                    "tooltip": {"width": "max-content", "pointerEvents": "none"},
                },
            },
            "MuiPopper": {"defaultProps": {"modifiers": [ABOVE]}},
        },
    }


HEADER = {  # the bar is ground, not the accent: so panel-material-ui leaves its widgets alone
    ".MuiAppBar-root": {"bgcolor": "primary.contrastText", "color": "primary.main"},
    ".title": {
        "color": "var(--panel-on-background-color) !important",
        "maxWidth": "max(110px, 100vw - 870px)",  # the rest of the bar needs that much
        "overflow": "hidden",
        "textOverflow": "ellipsis",
        "whiteSpace": "nowrap",
        NARROW: {"display": "none"},
    },
    ".header .MuiToolbar-root > .MuiBox-root": {NARROW: {"flexWrap": "wrap"}},
}
THEME = {"dark": _theme(dark=True), "light": _theme(dark=False)}
