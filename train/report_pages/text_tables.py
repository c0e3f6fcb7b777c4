"""Figures as aligned text, for a terminal and for the report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pcvae.labels import LABELS

__all__ = [
    "aligned",
    "few_shot_table",
    "field_table",
    "gain_table",
    "label_table",
    "number",
    "rare_table",
    "text",
    "verdict",
]

SHOWN = {
    "r2": "r2", "low": "low", "high": "high", "r2_linear": "r2_linear", "nmad": "nmad",
    "bias": "bias", "mad": "mad", "outlier_rate": "outliers", "crps": "crps",
    "coverage68": "in 68 %", "coverage90": "in 90 %",
}  # fmt: skip


def number(value: Any) -> str:
    """A figure for a table: three digits, a dash for what is unknown.

    Example:
        >>> [number(one) for one in (0.91234, 0.00042, -1e-18, 12, None)]
        ['0.912', '0.00042', '0.000', '12', '-']
    """
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "-"
    if not isinstance(value, float):
        return str(value)
    if 1e-4 <= abs(value) < 0.0095:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) >= 1e-4 else "0.000"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text: the first to the left, the others to the right.

    Example:
        >>> print(aligned(["name", "n"], [["field", "12"], ["star", "3"]]))
        name    n
        field  12
        star    3
    """
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = []
    for row in table:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def verdict(gain: Mapping[str, Any]) -> str:
    """The verdict of a gain's interval: better, worse, no difference shown, or - for none.

    Example:
        >>> verdict({"low": 0.1, "high": 0.2}), verdict({"low": -0.1, "high": 0.2})
        ('better', 'no difference shown')
    """
    if gain["low"] is None:
        return "-"
    if gain["low"] <= 0 <= gain["high"]:
        return "no difference shown"
    return "better" if gain["low"] > 0 else "worse"


def label_table(metrics: Mapping[str, Any], name: str) -> tuple[list[str], list[list[str]]]:
    """Every model and baseline on one label: the header and the rows."""
    rows = []
    for group in ("models", "baselines"):
        for who, labels in metrics[group].items():
            figures = labels[name]
            if figures["n"]:
                rows.append([who, str(figures["n"]), *(number(figures[key]) for key in SHOWN)])
    return [name, "n", *SHOWN.values()], rows


def rare_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Every model on every rare population: the header and the rows."""
    header = ["population", "model", "n", "normal", "recall", "(95 %)", "false pos."]
    header += ["recall at 1 %", "(95 %)", "av. prec.", "prec. at 10", "purity"]
    header += ["recall, 5 splits", "false pos., 5 splits"]
    rows = []
    for model, populations in metrics["anomaly"].items():
        for population, f in populations.items():
            if "recall" not in f:
                rows.append([population, model, str(f["n"]), *["-"] * 11])
                continue
            paper = f["paper"]
            rows.append([
                population, model, str(f["n"]), str(f["normal"]), number(f["recall"]),
                f"{number(f['recall_low'])}-{number(f['recall_high'])}",
                number(f["false_positive_rate"]), number(f["recall_at_fpr_0.01"]),
                f"{number(f['recall_at_fpr_0.01_low'])}-{number(f['recall_at_fpr_0.01_high'])}",
                number(f["average_precision"]), number(f["precision_at_10"]),
                number(f["purity_at_base_rate"]),
                f"{number(paper['recall'])} +- {number(paper['recall_std'])}",
                f"{number(paper['false_positive_rate'])} +- "
                f"{number(paper['false_positive_rate_std'])}",
            ])  # fmt: skip
    return header, sorted(rows, key=lambda row: row[0])


FIELD_FIGURES = {
    "recall_at_0.01": "recall at 1e-2", "recall_at_0.001": "at 1e-3",
    "recall_at_0.0001": "at 1e-4",
    "purity_at_0.001_of_0.001": "purity at 1e-3 of 1/1000",
    "purity_at_0.0001_of_0.0001": "at 1e-4 of 1/10000",
    "precision_of_10_at_0.001": "of first 10, 1/1000", "precision_of_50_at_0.001": "of 50",
    "precision_of_100_at_0.001": "of 100", "precision_of_10_at_0.0001": "of first 10, 1/10000",
    "precision_of_50_at_0.0001": "of 50", "precision_of_100_at_0.0001": "of 100",
}  # fmt: skip


def few_shot_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Others found by a few examples, in every space: the header and the rows."""
    tables = metrics.get("few_shot", {})
    keys = list(dict.fromkeys(k for names in tables.values() for t in names.values() for k in t))
    rows = [
        [name, space, *(_found(table.get(key)) for key in keys)]
        for space, names in tables.items()
        for name, table in names.items()
    ]
    header = ["others of the population", "searched by", *(f"of {key}" for key in keys)]
    return header, sorted(rows, key=lambda row: row[0])


def gain_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Paired gains of models over an embedding made elsewhere: the header and the rows.

    In r2 of the labels; in recall at a false-positive rate of 1 %; in others found by a few.
    """
    pairs = list(metrics.get("few_shot_gains", {}))
    made = {who for who in metrics["gains"] if who not in metrics["models"]}
    rows = [
        [f"{model} over {other}", f"r2 of {name}", figures]
        for model, others in metrics["gains"].items()
        for other, labels in others.items()
        for name, figures in labels.items()
        if (other if model not in made else model) in made and other not in metrics["models"]
    ]
    for pair in pairs:
        found = metrics["anomaly_gains"].get(pair, {})
        rows += [[pair, f"recall of {name}", f] for name, f in found.items()]
        rows += [
            [pair, f"{name}, others of {key}", f]
            for name, table in metrics["few_shot_gains"][pair].items()
            for key, f in table.items()
        ]
    header = ["gain", "in", "gain", "low", "high", "verdict"]
    cells = [[*start, *(number(f[k]) for k in header[2:5]), verdict(f)] for *start, f in rows]
    return header, cells


def _found(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "-"
    gain = f" ({figure['gain']:+.1f})" if "gain" in figure else ""
    return f"{figure['found']:.1f}{gain}"


def field_table(metrics: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Every space on every rare population among the field: the header and the rows."""
    rows = []
    for space, populations in metrics.get("field", {}).items():
        for name, figures in populations.items():
            cells = [_with_ends(figures.get(key)) for key in FIELD_FIGURES]
            rows.append([name, space, str(figures["n"]), f"{figures['field']:,}", *cells])
    header = ["population", "searched by", "n", "field", *FIELD_FIGURES.values()]
    return header, sorted(rows, key=lambda row: row[0])


def _with_ends(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "-"
    return f"{number(figure['value'])} ({number(figure['low'])}-{number(figure['high'])})"


def text(metrics: Mapping[str, Any]) -> str:
    """The summary that is printed."""
    counts = ", ".join(f"{count} {name}" for name, count in metrics["n"].items())
    parts = [f"galaxies: {counts}"]
    for label in LABELS:
        header, rows = label_table(metrics, label.name)
        if rows:
            parts.append(aligned(header, rows))
    if metrics["anomaly"]:
        parts.append(aligned(*rare_table(metrics)))
        parts.append(aligned(*few_shot_table(metrics)))
    if metrics.get("field"):
        parts.append(aligned(*field_table(metrics)))
    if set(metrics.get("gains", {})) - set(metrics["models"]):
        parts.append(aligned(*gain_table(metrics)))
    reconstruction = [
        [model, number(figures["mse"])] for model, figures in metrics["reconstruction"].items()
    ]
    if reconstruction:
        parts.append(aligned(["reconstruction", "mse"], reconstruction))
    return "\n\n".join(parts + [f"note: {note}" for note in metrics["notes"]])
