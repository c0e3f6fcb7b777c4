"""Scores of the models of a store as tables."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dashboard.backend.model_scores import FewShot, Scores
from dashboard.backend.populations import population_title
from dashboard.backend.typography import DASH, MINUS
from dashboard.components.notices import MAX_LETTERS
from dashboard.components.trust_table import SHARES, TRUST_HEADS, heads_html
from pcvae.labels import LABELS

if TYPE_CHECKING:
    from pcvae.trials import Trials

__all__ = ["confusion_html", "failures_html", "few_shot_html", "scores_html"]

COLUMNS = {  # of the table: the key, the head and what it means
    "r2": ("R²", "Share of the variance explained, against the 1:1 line; bootstrap 95 % interval"),
    "r2_linear": ("R² linear", "Of the best straight line: blind to bias and scale; the paper's"),
    **TRUST_HEADS,
}


def scores_html(scores: Scores, chosen: str) -> str:
    """The table of figures: a group of rows a label, a row a model.

    Args:
        scores: As ``scores_of`` makes them.
        chosen: The chosen model.
    """
    rows = []
    for label in LABELS:
        told = {who: labels[label.name] for who, labels in scores.items() if label.name in labels}
        for place, (who, figures) in enumerate(told.items()):
            first = f'<th scope="rowgroup" rowspan="{len(told)}">{escape(label.title)}</th>'
            mine = who.split(",")[0] == chosen
            cells = "".join(f"<td>{_cell(key, figures)}</td>" for key in COLUMNS)
            begin = f"{'' if place else first}<td>{escape(who)}</td><td>{figures['n']:,}</td>"
            kind = f"{'' if place else 'first '}{'mine' if mine else ''}"
            rows.append(f'<tr class="{kind}">{begin}{cells}</tr>')
    return (
        '<table class="scores"><thead><tr><th scope="col">Label</th><th scope="col">Model</th>'
        f'<th scope="col">n</th>{heads_html(COLUMNS)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def confusion_html(name: str, trials: "Trials") -> str:
    """One model's confusion matrix: of each true class, the share given to each class."""
    counts = trials.confusion().sum(axis=0)
    titles = [population_title(name) for name in trials.classes]
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    rows = "".join(
        f'<tr><th scope="row">{escape(title)}</th>{_shares(row)}</tr>'
        for title, row in zip(titles, counts, strict=True)
    )
    return (
        f'<div class="matrix"><h4>{escape(name)}</h4><table><thead><tr><td class="corner">true ╲ '
        f"given</td>{heads}</tr></thead><tbody>{rows}</tbody></table>{_rates(trials)}</div>"
    )


def few_shot_html(found: FewShot) -> str:
    """How many others of each population the look-alikes of a few hold, a row a space."""
    keys = list(dict.fromkeys(k for names in found.values() for t in names.values() for k in t))
    heads = "".join(f'<th scope="col">{_few_words(key)}</th>' for key in keys)
    rows = "".join(
        f'<tr class="{"" if place else "first"}"><th scope="row">{escape(population_title(name))}'
        f"</th><td>{escape(space)}</td>"
        + "".join(f"<td>{_few_cell(names[name].get(key))}</td>" for key in keys)
        + "</tr>"
        for name in dict.fromkeys(name for names in found.values() for name in names)
        for place, (space, names) in enumerate(found.items())
        if name in names
    )
    note = (
        "So many others of the population stand among the first look-alikes of so many members: "
        "means of 20 draws, in brackets the gain over photometry alone."
    )
    return (
        f'<p class="muted">{note}</p><table class="scores"><thead><tr><th scope="col">Population'
        f'</th><th scope="col">Searched by</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def failures_html(done: Sequence["Future[Any]"]) -> str:
    """Why figures of a table are missing, of jobs that have ended; empty where none has failed."""
    failures = [str(job.exception()) for job in done if job.exception()]
    return "".join(
        f'<p class="none">Not worked out: {escape(failure[:MAX_LETTERS])}</p>'
        for failure in failures
    )


def _few_words(key: str) -> str:
    count, _, depth = key.split()
    return f"{count} known, first {depth}"


def _few_cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return DASH
    gain = figure.get("gain")
    more = "" if gain is None else f" <small>({gain:+.1f})</small>".replace("-", MINUS)
    return f"<b>{figure['found']:.1f}</b>{more}"


def _cell(key: str, figures: Mapping[str, float]) -> str:
    if not np.isfinite(figures[key]):
        return DASH
    if key in SHARES:
        return f"{100 * figures[key]:.1f} %"
    text = _number(figures[key])
    if key == "r2" and np.isfinite(figures["low"]):
        text = (
            f"<b>{text}</b> <small>{_number(figures['low'])} to {_number(figures['high'])}</small>"
        )
    return text


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", MINUS)


def _shares(counts: NDArray[np.intp]) -> str:
    total = max(int(counts.sum()), 1)
    return "".join(
        f'<td style="--share:{100 * count / total:.1f}%"><b>{count / total:.3f}</b>'
        f"<small>{count:,}</small></td>"
        for count in counts
    )


def _rates(trials: "Trials") -> str:
    lines = []
    for name in trials.classes[1:]:
        found = trials.rates(name)
        lines.append(
            f"{escape(population_title(name))}: recall {100 * found.recall:.0f} ± "
            f"{100 * found.recall_std:.0f} %, false positives "
            f"{100 * found.false_positive_rate:.1f} ± {100 * found.false_positive_rate_std:.1f} %"
        )
    left = [
        f"{escape(population_title(name))}: {escape(why)}" for name, why in trials.left_out.items()
    ]
    return f'<p class="muted">{"<br>".join(lines + left)}</p>'
