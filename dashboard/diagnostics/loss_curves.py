"""The loss curves of a store's models, a figure for each term."""

from collections.abc import Mapping
from html import escape
from typing import Any

import holoviews as hv
import pandas as pd

from dashboard.components.theme import ACCENT, MUTED

__all__ = ["loss_curves", "loss_legend", "loss_terms"]

TITLES = {"image": "Reconstruction", "prior": "Prior (KL)"}


def _quiet(plot: Any, _: Any) -> None:
    plot.state.outline_line_color = None


DASHES = {"train": "dashed", "validation": "solid"}
FIGURE = {
    "responsive": True,
    "default_tools": [],
    "tools": ["pan", "wheel_zoom", "save", "reset"],
    "active_tools": [],
    "toolbar": None,
    "show_legend": False,
    "min_height": 180,
    "xlabel": "epoch",
    "ylabel": "",
    "hooks": [_quiet],
    "fontsize": {"labels": "11px", "ticks": "10px"},
}


def loss_terms(histories: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The terms of the losses of some models, and their titles; a term of any model is one.

    Example:
        >>> loss_terms({"physics": pd.DataFrame({"validation_total": [1.0], "lr": [0.1]})})
        {'total': 'Total'}
    """
    columns = [str(name) for history in histories.values() for name in history]
    terms = [name.removeprefix("validation_") for name in columns if "validation_" in name]
    return {term: TITLES.get(term, term.replace("_", " ").capitalize()) for term in terms}


def loss_curves(
    histories: Mapping[str, pd.DataFrame], term: str, chosen: str, *, dark: bool
) -> hv.Overlay | None:
    """One term of every model's loss, epoch by epoch; on a logarithmic axis if it is positive.

    Training is dashed, validation solid; the chosen model has the accent. A term that is zero
    throughout, as the physics of a vanilla model, has no curve.

    Returns:
        None where no model has such a term.
    """
    columns = {
        (model, part): history.set_index("epoch")[f"{part}_{term}"].dropna()
        for model, history in histories.items()
        for part in DASHES
        if history.get(f"{part}_{term}", pd.Series([0.0])).any()
    }
    curves = [
        hv.Curve((values.index + 1, values), "epoch", "loss").opts(
            color=ACCENT[dark] if model == chosen else MUTED[dark],
            line_dash=DASHES[part],
            line_width=1.4,
        )
        for (model, part), values in columns.items()
    ]
    positive = all((values > 0).all() for values in columns.values())
    return hv.Overlay(curves).opts(logy=positive, **FIGURE) if curves else None


def loss_legend(models: list[str], chosen: str, *, dark: bool) -> str:
    """The legend of the curves."""
    drawn = [(model, ACCENT[dark] if model == chosen else MUTED[dark]) for model in models]
    keys = "".join(
        '<span class="key"><svg width="22" height="8" aria-hidden="true"><path d="M1 4H21" '
        f'stroke="{colour}" stroke-width="1.8"/></svg>{escape(name)}</span>'
        for name, colour in drawn
    )
    return keys + '<span class="key">solid: validation, dashed: training</span>'
