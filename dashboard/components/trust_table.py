"""How far labels can be trusted, as a table: what is known to be off stands out."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from pcvae.labels import LABELS
from pcvae.trust import LabelTrust, is_biased, is_overconfident

__all__ = ["SHARES", "TRUST_HEADS", "heads_html", "trust_html"]

TRUST_HEADS = {  # of the table: the key, the head and what it means
    "nmad": ("NMAD", "Normalised median absolute deviation of the errors"),
    "bias": ("Bias", "Mean error; of redshifts over 1 + z"),
    "outlier_rate": ("Outliers", "Share of errors above 10°, 0.15 (1 + z), 0.3 dex, 0.3 dex"),
    "coverage68": ("In 68 %", "Share of catalogue values within the claimed 68 % interval"),
    "coverage90": ("In 90 %", "Share of catalogue values within the claimed 90 % interval"),
}
SHARES = (  # those of them that are shown in percent
    "outlier_rate",
    "coverage68",
    "coverage90",
)
OFF = {
    "bias": (is_biased, "Certain, and more than half of the claimed sigma"),
    "coverage90": (is_overconfident, "Certainly below 85 %: the claimed sigmas are too small"),
}


def heads_html(heads: Mapping[str, tuple[str, str]]) -> str:
    """The heads of a table, as ``TRUST_HEADS`` has them."""
    return "".join(
        f'<th scope="col" title="{escape(meaning)}">{head}</th>'
        for head, meaning in heads.values()
    )


def trust_html(groups: Sequence[tuple[str, Mapping[str, LabelTrust]]]) -> str:
    """A table of the figures: a group of rows a label, a row a group of galaxies.

    Args:
        groups: The title of each group, and the figures of its labels; without a title where
            there is one group alone.
    """
    named = any(title for title, _ in groups)
    who = '<th scope="col">Galaxies</th>' if named else ""
    rows = []
    for label in LABELS:
        known = [(title, labels[label.name]) for title, labels in groups if label.name in labels]
        for place, (title, trust) in enumerate(known):
            scope = f'scope="rowgroup" rowspan="{len(known)}"' if named else 'scope="row"'
            first = "" if place else f"<th {scope}>{escape(label.title)}</th>"
            whose = f"<td>{escape(title)}</td>" if named else ""
            cells = "".join(_cell(key, trust) for key in TRUST_HEADS)
            kind = "" if place else "first"
            rows.append(f'<tr class="{kind}">{first}{whose}<td>{trust.n:,}</td>{cells}</tr>')
    return (
        f'<table class="scores"><thead><tr><th scope="col">Label</th>{who}<th scope="col" '
        'title="Galaxies that never trained and have a label">n</th>'
        f"{heads_html(TRUST_HEADS)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(key: str, trust: LabelTrust) -> str:
    value = float(getattr(trust, key))
    if not np.isfinite(value):
        return "<td>\N{EN DASH}</td>"
    number = f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
    text = f"{100 * value:.0f} %" if key in SHARES else number
    is_off, meaning = OFF.get(key, (None, ""))
    if is_off is None or not is_off(trust):
        return f"<td>{text}</td>"
    return f'<td class="off" title="{meaning}"><b>{text}</b></td>'
