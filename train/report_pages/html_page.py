"""The report as one self-contained HTML page."""

import base64
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from pcvae.labels import LABELS
from pcvae.metrics import OUTLIER
from pcvae.store import StoreInfo
from train.report_pages.text_tables import (
    few_shot_table,
    field_table,
    label_table,
    number,
    rare_table,
    verdict,
)

__all__ = ["Section", "page"]

PUBLISHED = (
    # R2 of redshift, mass, SFR: Gagliano & Villar (2023), Table 1; its other rows are from
    # AstroCLIP v1 (Lanusse et al. 2023), 200,000 DECaLS galaxies at z < 0.6.
    ("Gagliano & Villar (2023), linear fit", 0.83, 0.75, 0.26),
    ("AstroCLIP v1: grz photometry + MLP", 0.69, 0.65, None),
    ("AstroCLIP v1: Stein et al. (2021) embedding + MLP", 0.39, 0.45, None),
    ("AstroCLIP v1: image embedding + MLP", 0.63, 0.57, None),
    ("AstroCLIP v1: image embedding + kNN", 0.71, 0.66, None),
    ("AstroCLIP (2024): image embedding", 0.79, None, None),
    ("AstroCLIP (2024): supervised ResNet18", 0.77, None, None),
    ("AstroCLIP (2024): grz photometry + MLP", 0.68, None, None),
)

SEARCHED = (
    # Gagliano & Villar (2023): 294 Red Spirals, 13 Green Peas, 5 random splits.
    "Published, on other data: the physics model found 94 +- 2 % of the Red Spirals at a "
    "contamination of 5 % and 67 +- 0 % of the Green Peas at 2 %; the vanilla one 94 +- 2 % at "
    "6 % and 47 +- 27 % at 4 %."
)

COSTS = {
    "weights": "weights", "epochs": "epochs", "training_seconds": "training [s]",
    "encode_ms": "encode [ms]", "encode_decode_ms": "and decode [ms]",
    "survey_cpu_hours": "encode 20 billion [CPU h]",
}  # fmt: skip

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #888; --accent: #2f6fb0; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 74rem;
  padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2.4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem;
  margin: .6rem 0 1.2rem; display: block; overflow-x: auto; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
img { max-width: 100%; height: auto; background: white; border-radius: 4px; }
.data { border-left: 3px solid var(--accent); padding: .2rem .8rem; }
summary { cursor: pointer; margin: .4rem 0; }
p, .data { max-width: 52rem; } .soft { color: var(--soft); } code { font-size: .85em; }
"""


class Section:
    """A heading, words, tables and figures, in the order in which they are added.

    It is on the page if it has a table or a figure.

    Args:
        title: The heading.
        words: A sentence or two on how to read it.
    """

    def __init__(self, title: str, words: str = "") -> None:
        self.parts = [f"<h2>{html.escape(title)}</h2>"]
        self.filled = False
        if words:
            self.say(words)

    def say(self, words: str) -> None:
        """Add a paragraph."""
        self.parts.append(f"<p>{html.escape(words)}</p>")

    def table(
        self, header: Sequence[str], rows: Sequence[Sequence[str]], *, folded: str = ""
    ) -> None:
        """Add a table, if it has rows; one that is folded opens on a click on those words."""
        if rows:
            self.filled = True
            table = _table(header, rows)
            summary = f"<summary>{html.escape(folded)}</summary>"
            self.parts.append(f"<details>{summary}{table}</details>" if folded else table)

    def figure(self, figure: Figure | None, title: str) -> None:
        """Add a figure, if there is one, as a picture within the page."""
        if figure is None or not figure.axes:
            return
        self.filled = True
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight")
        code = base64.b64encode(buffer.getvalue()).decode()
        source = f"data:image/png;base64,{code}"
        self.parts.append(f'<img alt="{html.escape(title)}" src="{source}">')


def page(metrics: Mapping[str, Any], info: StoreInfo, sections: Sequence[Section]) -> str:
    """The whole page: what data it stands on first, then the tables, then the sections."""
    body = [*_head(metrics, info), *_tables(metrics)]
    body += [part for section in sections if section.filled for part in section.parts]
    body += _cost(metrics)
    title = html.escape(f"{info.sample}: report")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _head(metrics: Mapping[str, Any], info: StoreInfo) -> Iterator[str]:
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in metrics["n"].items())
    simulated = "simulat" in info.source.lower()
    data = "All galaxies are simulated. " if simulated else ""
    yield f"<h1>{html.escape(info.sample)}</h1>"
    yield f'<p class="data"><b>{data}</b>{html.escape(info.source)}</p>'
    yield f"<p>Bands {', '.join(info.bands)}; galaxies: {counts}. "
    yield f"Labels are judged on {metrics['tested']['labels']} normal galaxies that no model or "
    yield f"baseline learnt from. Seed {metrics['seed']}.</p>"
    if metrics.get("train_source"):
        yield f"<p>Baselines learnt from another store: {html.escape(metrics['train_source'])}</p>"
    yield _learnt(metrics.get("learnt", {}))
    for note in metrics["notes"]:
        yield f"<p>Note: {html.escape(note)}.</p>"


def _learnt(models: Mapping[str, Any]) -> str:
    """The training data of each model: it may be simulated where the store is not."""
    rows = [
        [
            name,
            *(number(model.get(key)) for key in ("recipe", "latents", "epochs")),
            ": ".join(filter(None, (model.get("sample"), model.get("source")))) or "-",
            number(model.get("init")),
        ]
        for name, model in models.items()
    ]
    return _table(["model", "recipe", "latents", "epochs", "learnt from", "went on from"], rows)


def _tables(metrics: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Labels</h2><p>r2 is against the 1:1 line, with its bootstrap 95 % interval; "
    yield "r2_linear is the squared correlation, of orientations the circular one of doubled "
    yield "angles, which is stricter than r2. Errors are in rad, in redshift and in dex; those "
    yield "of redshifts are divided by 1 + z in nmad, bias and outliers. Outliers are beyond "
    yield f"{np.degrees(OUTLIER['orientation']):.0f} deg, {OUTLIER['redshift']} (1 + z), "
    yield f"{OUTLIER['log_mass']} dex of mass and {OUTLIER['log_sfr']} dex of SFR."
    if metrics.get("photometry_from"):
        yield f" Photometry is {metrics['photometry_from']}."
    yield "</p>"
    for label in LABELS:
        header, rows = label_table(metrics, label.name)
        if rows:
            yield _table(header, rows)
    yield from _published(metrics)
    yield from _gains(metrics)
    if metrics["anomaly"]:
        rate = (
            next(
                f["base_rate"]
                for p in metrics["anomaly"].values()
                for f in p.values()
                if "base_rate" in f
            )
            if _has_rates(metrics)
            else None
        )
        yield "<h2>Rare galaxies</h2><p>Recall and false-positive rate of repeated stratified "
        yield "folds with Wilson intervals; hard negatives are among the normal galaxies. Average "
        yield "precision and precision at 10 hang on that mixture. Purity is for a "
        yield f"survey of field galaxies in which a share of {number(rate)} is rare. The last two "
        yield "columns are by the paper's own method, five random splits; it calls the "
        yield "false-positive rate contamination.</p>"
        yield _table(*rare_table(metrics))
        yield f"<p>{SEARCHED}</p>"
        yield from _hard_negatives(metrics)
        yield "<p>Of the look-alikes of a few examples, the first 50 or 100 hold so many others "
        yield "of the population (a mean of 20 draws); in brackets the gain over photometry.</p>"
        yield _table(*few_shot_table(metrics))
    yield from _field(metrics)


def _field(metrics: Mapping[str, Any]) -> Iterator[str]:
    """The search among very many field galaxies."""
    if not metrics.get("field"):
        return
    yield "<h2>Rare galaxies among the field</h2><p>Classifiers of five folds, fitted to this "
    yield "store's galaxies, score many more of the field. Recall is at a share of the field that "
    yield "is taken for rare; purity is of what is called rare at that share, where one galaxy in "
    yield "a thousand or in ten thousand is of the population; precision is of the first galaxies "
    yield "of a ranked list of 100,000. In brackets 95 % intervals.</p>"
    yield _table(*field_table(metrics))
    rows = [
        [space, name, f"1e{round(np.log10(float(rate)))}", *_gain(gain), verdict(gain)]
        for space, populations in metrics["field"].items()
        for name, figures in populations.items()
        for rate, gain in figures["gain"].items()
    ]
    if rows:
        yield "<p>Gain in recall over photometry alone, of the same galaxies:</p>"
        yield _table(["", "population", "rate", "gain", "low", "high", "verdict"], rows)


def _has_rates(metrics: Mapping[str, Any]) -> bool:
    return any("base_rate" in f for p in metrics["anomaly"].values() for f in p.values())


def _published(metrics: Mapping[str, Any]) -> Iterator[str]:
    names = ("redshift", "log_mass", "log_sfr")
    rows = []
    for group in ("models", "baselines"):
        for who, labels in metrics[group].items():
            figures = [labels[name] for name in names]
            if any(item["n"] for item in figures):
                rows.append(
                    [f"{who} (here), linear fit", *(number(f["r2_linear"]) for f in figures)]
                )
                rows.append([f"{who} (here), 1:1", *(number(f["r2"]) for f in figures)])
    if rows:
        rows += [[f"published: {who}", *map(number, figures)] for who, *figures in PUBLISHED]
        yield "<h2>Table 1</h2><p>R2 beside published values. The published ones were measured "
        yield "on other galaxies, so they set the scale but are no contest.</p>"
        yield _table(["", *names], rows)


def _gains(metrics: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [f"{model} over {baseline}", label, *_gain(f), verdict(f)]
        for model, baselines in metrics.get("gains", {}).items()
        for baseline, labels in baselines.items()
        for label, f in labels.items()
        if f["gain"] is not None
    ]
    if rows:
        yield "<p>What a model gains in r2 over each baseline, by paired bootstrap:</p>"
        yield _table(["", "label", "gain", "low", "high", "verdict"], rows)


def _gain(figures: Mapping[str, Any]) -> list[str]:
    return [number(figures[key]) for key in ("gain", "low", "high")]


def _hard_negatives(metrics: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [other, f"taken for {name}", model, str(f["n"]), number(f["false_positive_rate"])]
        for model, populations in metrics["anomaly"].items()
        for name, figures in populations.items()
        for other, f in figures.get("hard_negatives", {}).items()
    ]
    if rows:
        yield "<p>Populations that resemble rare ones count as normal above; here apart:</p>"
        yield _table(["population", "", "model", "n", "rate"], rows)


def _cost(metrics: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Time</h2>"
    costs = metrics.get("cost", {})
    if costs:
        threads = next(iter(costs.values()))["threads"]
        yield f"<p>Encoding and decoding in batches by {threads} "
        yield f"thread{'s' if threads > 1 else ''} on the machine of this evaluation; the paper "
        yield "states 7 ms a galaxy and, for 20 billion of them, 1500 CPU-hours, which would be "
        yield "0.27 ms a galaxy.</p>"
        yield _table(
            ["model", *COSTS.values()], [_cost_row(*figures) for figures in costs.items()]
        )
    rows = [[name, f"{seconds:.2f}"] for name, seconds in metrics["seconds"].items()]
    yield _table(["step of this evaluation", "seconds"], rows)
    yield f'<p class="soft">Made by <code>{html.escape(metrics.get("command", ""))}</code></p>'


def _cost_row(model: str, found: Mapping[str, Any]) -> list[str]:
    digits = {"training_seconds": 0, "survey_cpu_hours": 0, "encode_ms": 3, "encode_decode_ms": 3}
    figures = [(found[key], digits.get(key)) for key in COSTS]
    return [
        model,
        *(
            "-" if value is None else f"{value:,.{n}f}" if n is not None else f"{value:,}"
            for value, n in figures
        ),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in header)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
