"""The error page: what went wrong, and which commands help."""

from html import escape

import panel as pn
from panel_material_ui.template import Page

from dashboard.components.assets import style
from dashboard.components.css import BASE
from dashboard.components.theme import HEADER, THEME

__all__ = ["PAGE", "trouble_html", "trouble_page"]

PAGE = style(__file__, "error_page.css")  # of a page of words alone
COMMANDS = (
    ("Make the demo's store, once, in a few minutes", "make demo-store"),
    ("Or encode a sample of your own", "python -m train.encode SAMPLE STORE --run physics=RUN"),
    ("Then look at it", "panel serve dashboard/app.py --args STORE"),
)


def trouble_html(title: str, words: str) -> str:
    """The error in words, and commands that help."""
    steps = "".join(
        f"<li><span>{escape(step)}</span><code>{escape(command)}</code></li>"
        for step, command in COMMANDS
    )
    note = escape(words[:1].upper() + words[1:])
    return f'<div class="page"><h1>{escape(title)}</h1><p>{note}</p><ol>{steps}</ol></div>'


def trouble_page(title: str, words: str) -> Page:
    """A page of its own, in the dashboard's style."""
    pane = pn.pane.HTML(
        trouble_html(title, words),
        stylesheets=[BASE, PAGE],
        sizing_mode="stretch_both",
    )
    return Page(title="pcvae", main=[pane], dark_theme=True, theme_config=THEME, sx=HEADER)
